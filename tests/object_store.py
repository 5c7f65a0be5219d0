"""A real S3 server for tests: versitygw on a temporary folder.

Built once from its public source by Go, into the user's cache folder; nothing is installed on the machine. Go is found
as for the images.
"""

import fcntl
import os
import secrets
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deployer.errors import DeployerError
from deployer.images import golang
from deployer.process import die_with_parent

VERSION = "v1.8.0"
MODULE = f"github.com/versity/versitygw/cmd/versitygw@{VERSION}"
START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """A running server; buckets are folders of `root`."""

    endpoint_url: str
    access_key: str
    secret_key: str = field(repr=False)
    root: Path

    def environment(self) -> dict[str, str]:
        """What a process needs to reach it as its owner."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}

    def add_user(self) -> tuple[str, str]:
        """Access key and secret key of a new user who has no right to anything."""
        access_key, secret_key = secrets.token_hex(8), secrets.token_hex(20)
        admin = {"ADMIN_ACCESS_KEY_ID": self.access_key, "ADMIN_SECRET_ACCESS_KEY": self.secret_key}
        command = [str(server_binary()), "admin", "--endpoint-url", self.endpoint_url, "create-user"]
        user = ["--access", access_key, "--secret", secret_key, "--role", "user"]
        subprocess.run(command + user, env=os.environ | admin, check=True, capture_output=True)
        return access_key, secret_key


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """A server with no buckets on a free port of 127.0.0.1, gone afterwards with all that was in it."""
    binary = server_binary()
    with tempfile.TemporaryDirectory(prefix="object-store-") as folder:
        root, users, port = Path(folder, "buckets"), Path(folder, "users"), _free_port()
        root.mkdir()
        users.mkdir()
        store = ObjectStore(f"http://127.0.0.1:{port}", secrets.token_hex(8), secrets.token_hex(20), root)
        keys = {"ROOT_ACCESS_KEY": store.access_key, "ROOT_SECRET_KEY": store.secret_key}
        command = [str(binary), "--port", f"127.0.0.1:{port}", "--iam-dir", str(users), "--quiet", "posix", str(root)]
        with Path(folder, "log").open("w+") as log:
            server = subprocess.Popen(
                command, env=os.environ | keys, stdout=log, stderr=log, preexec_fn=die_with_parent
            )
            try:
                _wait_until_it_answers(server, store.endpoint_url, log.name)
                yield store
            finally:
                _end(server)


def server_binary() -> Path:
    """The server's program, built if it is not there; skips the test where it cannot be built."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "chaos-at-scale", "bin")
    binary = folder / f"versitygw-{VERSION}"
    if binary.exists():
        return binary
    folder.mkdir(parents=True, exist_ok=True)
    with Path(f"{binary}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary.exists():
            _build(binary)
    return binary


def _build(binary: Path) -> None:
    try:
        go = golang.go()
    except DeployerError as error:
        pytest.skip(f"no Go to build the S3 server with: {error}")
    with tempfile.TemporaryDirectory(dir=binary.parent) as folder:
        environment = os.environ | golang.ENVIRONMENT | {"GOBIN": folder}
        done = subprocess.run([go, "install", MODULE], env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"the S3 server cannot be built: {done.stderr.strip().splitlines()[-1:]}")
        os.replace(Path(folder, "versitygw"), binary)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _wait_until_it_answers(server: subprocess.Popen[bytes], url: str, log: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the S3 server ended at once: {Path(log).read_text()}")
        try:
            urllib.request.urlopen(url, timeout=1)
        except urllib.error.HTTPError:
            return  # refused without a signature, so it is there
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the S3 server does not answer: {Path(log).read_text()}")
