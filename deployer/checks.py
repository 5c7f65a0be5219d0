"""What `./run_kube test` and `bench` run, and what it makes ready on the machine first."""

import ctypes
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from deployer import debian, java, process
from deployer.errors import AlreadySaid, CommandError, DeployerError
from deployer.paths import logs

LINTERS = {
    "lint": ("ruff", "check", "."),
    "format": ("ruff", "format", "--check", "."),
    "types": ("mypy",),
    "layers": ("lint-imports",),
}
LONG = {"FUZZ_INPUTS": "100000", "API_EXAMPLES": "1000"}
"""How many fuzzed files the scanner gets, and questions the API per operation and phase, with --long."""


def run(pytest_arguments: Sequence[str], long: bool, e2e: bool) -> None:
    """Run everything, or only pytest where arguments say what; raises AlreadySaid if anything failed.

    e2e: also the tests that make clusters on this machine's Docker Engine. long: also those that take minutes each.
    """
    environment = java.environment() | process.compiled_code()
    if long:
        environment |= LONG
    _prepare_browser()
    commands = {} if pytest_arguments else dict(LINTERS)
    # The last -m counts, and takes the place of pyproject.toml's.
    left_out = " and ".join(f"not {marker}" for marker, asked in (("cluster", e2e), ("long", long)) if not asked)
    commands["tests"] = ("pytest", "-rs", "-m", left_out, *pytest_arguments)
    failed = []
    for name, command in commands.items():
        print(f"── {name}", flush=True)
        started = time.monotonic()
        tool, *arguments = command
        if process.show([f"{sys.prefix}/bin/{tool}", *arguments], environment=environment):
            failed.append(name)
        print(f"   {time.monotonic() - started:.1f} s", flush=True)
    if failed:
        print(f"Failed: {', '.join(failed)}.", file=sys.stderr)
        raise AlreadySaid(1)


def bench(arguments: Sequence[str], settings: Mapping[str, str]) -> None:
    """Run benchmarks (tests/bench) with settings in their environment; raises AlreadySaid if they fail."""
    environment = {
        **java.environment(),
        **process.compiled_code(),
        "SCALE_SPARK_LOG": str(logs() / "spark.log"),
        **settings,
    }
    code = process.show([sys.executable, "-m", "tests.bench", *arguments], environment=environment)
    if code:
        raise AlreadySaid(code)


def _prepare_browser() -> None:
    """What the browser tests need, where it may be installed; without it they are skipped and say so."""
    missing = [package for package, there in BROWSER_PACKAGES.items() if not there()]
    if not missing or not debian.may_install():
        return
    try:
        if debian.available(missing) != missing:
            debian.refresh()
        for package in missing:
            debian.install(package, "the browser tests")
    except CommandError as error:
        raise DeployerError(f"The browser for the tests could not be installed.\n{error}") from error


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


BROWSER_PACKAGES: dict[str, Callable[[], bool]] = {
    "chromium": lambda: shutil.which("chromium") is not None,
    "libatomic1": lambda: _loads("libatomic.so.1"),
}
"""Debian packages the browser tests need, and how to see that they are there. Playwright's driver loads libatomic."""
