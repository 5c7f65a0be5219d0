"""What was built or downloaded, kept in the user's cache under the hash of what it depends on, for all checkouts."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deployer.paths import ROOT

IMAGES = ROOT / "images"
"""The folder of the tables, the Dockerfiles and the Go modules."""
UNUSED_SECONDS = 14 * 24 * 3600
"""Another checkout may be at another commit; what none of them wanted for this long only takes space."""
_DIGITS = 16


def fingerprint(*parts: object) -> str:
    """The hash of JSON values, in their order."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:_DIGITS]


def content(folder: Path) -> dict[str, str]:
    """Path -> hash of every file below a folder, for a fingerprint."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def made_once(path: Path, make: Callable[[Path], None]) -> Path:
    """The file or folder at this path; if it is not there, `make` writes it to the path it is given.

    It appears whole or not at all. A second process that wants it waits for the one that makes it.
    """
    with suppress(FileNotFoundError):
        os.utime(path)  # it is wanted
        return path
    with alone(path):
        if not path.exists():
            unfinished = path.with_name(f"{path.name}.part")
            remove(unfinished)
            make(unfinished)
            os.replace(unfinished, path)
            _forget_unused(path)
    return path


def _forget_unused(path: Path) -> None:
    """Remove what has this path's name under another fingerprint and was not wanted for long."""
    what, _, _ = path.stem.rpartition("-")
    siblings = re.compile(rf"{re.escape(what)}-[0-9a-f]{{{_DIGITS}}}{re.escape(path.suffix)}")
    for other in path.parent.iterdir():
        if siblings.fullmatch(other.name) and time.time() - other.stat().st_mtime > UNUSED_SECONDS:
            remove(other)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """In this block no other process makes what lies at this path; the kernel ends it with the process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
