"""Files that are made once and kept between runs: whole or not there, whoever is killed while making them."""

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from midi.errors import SourceError
from midi.sources.keys import shown

__all__ = ["build_once", "disk_errors", "require_space", "user_cache"]


def user_cache() -> Path:
    """The user's cache folder for downloads and unpacked archives, shared by every checkout on the machine (XDG)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chaos-at-scale"


def build_once(final: Path, build: Callable[[Path], None]) -> Path:
    """Let `build(part)` make a file or folder at `part`, then rename it to `final`; does nothing where `final` exists.

    What an interrupted build left at `part` is still there for the next build: it may go on with it or start anew.
    A lock keeps a second process waiting until the first is done.
    """
    if final.exists():
        return final
    with disk_errors(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        with _locked(final.with_name(final.name + ".lock")):
            if not final.exists():
                part = final.with_name(final.name + ".part")
                build(part)
                os.replace(part, final)
    return final


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Say a full or unwritable disk in a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SourceError(f"No space left for {shown(path)}; free some, or choose another cache folder.") from error
        raise SourceError(
            f"Cannot write {shown(path)} ({error.strerror or error}); choose a cache folder that can be written."
        ) from error


def require_space(folder: Path, needed: int, what: str) -> None:
    """Raise SourceError where `folder` has fewer than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SourceError(
            f"{what} needs {needed / 1e6:,.0f} MB but {shown(folder)} has {free / 1e6:,.0f} MB free; "
            "free some, or choose another cache folder."
        )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
