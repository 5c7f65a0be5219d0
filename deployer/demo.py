"""The embedded product: Postgres, the pipeline, the site, each its own process on this machine."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployer import indexes, java, process, synthesiser, version
from deployer.embedded_postgres import Server, postgres
from deployer.errors import AlreadySaid, DeployerError
from deployer.paths import logs

ANSWER_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A published index and, where it is served, the site's process. The summary is spark_jobs' plus `url`."""

    summary: dict[str, Any]
    site: subprocess.Popen[str] | None

    def wait(self) -> None:
        """Serve until Ctrl-C, or until the site ends by itself (AlreadySaid with its code)."""
        if self.site is None:
            return
        try:
            code = self.site.wait()
        except KeyboardInterrupt:
            return
        raise AlreadySaid(code)


@contextmanager
def running(
    source: str | None, data_dir: Path | None, port: int | None, options: Mapping[str, object]
) -> Iterator[Demonstration]:
    """Run the pipeline, then the site if there is a port; everything is stopped at the end of the block.

    options: further ones of spark_jobs, by name; None leaves one out.
    """
    started = time.monotonic()
    if port:
        _check_free(port)
    environment = java.environment() | version.environment() | {"SCALE_SPARK_LOG": str(logs() / "spark.log")}
    with postgres(data_dir) as server:
        indexes.remember(server.home)
        environment["DATABASE_URL"] = server.url
        summary = _publish(server, source, options, environment)
        if port is None:
            yield Demonstration(summary | {"seconds": _since(started)}, None)
            return
        synthesiser.fetch()
        environment["SCALE_SOURCE"] = source or summary["default_source"]
        environment["SCALE_SOURCE_ENDPOINT_URL"] = str(options.get("endpoint-url") or "")
        site = process.start("app", "serve", f"--port={port}", environment=environment)
        try:
            address = _address(site)
            yield Demonstration(summary | {"url": address, "seconds": _since(started)}, site)
        finally:
            process.stop(site)


def _publish(
    server: Server, source: str | None, options: Mapping[str, object], environment: dict[str, str]
) -> dict[str, Any]:
    """Bring the schema up, run the pipeline, return its summary."""
    given = {"source": source or None, **options}
    arguments = [f"--{name}={value}" for name, value in given.items() if value is not None]
    try:
        process.part("app", "migrate", environment=environment)
        output = process.part("spark_jobs", "run", *arguments, environment=environment)
    except AlreadySaid as error:
        if server.ran_out_of_space():
            raise DeployerError(
                f"There is no space left for the database in {server.home}: free some and run the same command again "
                "(what is done is kept), or give another --data-dir."
            ) from error
        raise
    except KeyboardInterrupt:
        print("\nInterrupted. With a --data-dir the same command goes on where it stopped.", file=sys.stderr)
        raise
    summary: dict[str, Any] = json.loads(output.splitlines()[-1])
    return summary


def described(summary: dict[str, Any]) -> str:
    """The summary for a person to read."""
    rejects = sum(summary["rejects"].values())
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(summary["rejects"].items()))
    stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in summary["stage_seconds"].items())
    state = "unchanged, nothing to do" if summary["unchanged"] else "continued" if summary["resumed"] else "published"
    lines = [
        f"index {summary['index']}    {state}, digest {summary['digest'][:16]}",
        f"source     {summary['source']}",
        f"songs      {summary['songs']:,} out of {summary['files']:,} files"
        + (f" ({summary['carried']:,} unchanged, not scanned again)" if summary["carried"] else "")
        + (f"; {rejects:,} rejected ({reasons})" if rejects else ""),
        f"sets       {summary['sets']:,} different instrument sets",
        f"neighbours {summary['neighbours']:,}",
        f"seconds    {summary['seconds']:.1f} ({stages})",
    ]
    if summary["current_index"] != summary["index"]:
        lines.append(
            f"The site serves index {summary['current_index']}, which was activated by hand; "
            f"to serve this one: ./run_kube index activate {summary['index']}"
        )
    if "url" in summary:
        lines += ["", f"The site is on {summary['url']} (Ctrl-C ends it)."]
    return "\n".join(lines)


def _check_free(port: int) -> None:
    """Look before the long work, not after it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise DeployerError(
                f"Port {port} cannot be used ({error.strerror}): give another with --port, or --port 0 for a free one."
            ) from error


def _address(site: subprocess.Popen[str]) -> str:
    """The address the site says it listens on, once a page of it was answered."""
    line = site.stdout.readline() if site.stdout else ""
    if not line.startswith("listening on "):
        raise AlreadySaid(site.wait() or 1)
    address = line.removeprefix("listening on ").strip()
    with urllib.request.urlopen(f"{address}/", timeout=ANSWER_SECONDS) as page:
        page.read()
    return address


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)
