"""MIDI files in a folder, or one MIDI file."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from midi.errors import ObjectUnreadable, SourceError
from midi.sources.base import Read, SourceObject
from midi.sources.keys import is_midi_name, key_of, name_of, shown, sort_key

__all__ = ["FolderSource"]


@dataclass(frozen=True, slots=True)
class FolderSource:
    """All MIDI files under `root`, or just `root/only`; keys are paths relative to `root`, versions mtimes in ns.

    Links are followed, but each folder is listed once, under the first of its keys, so that loops end.
    """

    root: Path
    only: str | None = None
    label: str = ""

    @property
    def description(self) -> str:
        return self.label or shown(self.root if self.only is None else self.root / self.only)

    def objects(self) -> Iterator[SourceObject]:
        if self.only is not None:
            yield _object(str(self.root / self.only), self.only)
        else:
            yield from _walk(str(self.root))

    @contextmanager
    def reader(self) -> Iterator[Read]:
        yield self._read

    def names(self) -> Iterator[tuple[str, str]]:
        return iter(())

    def _read(self, obj: SourceObject, limit: int) -> bytes:
        try:
            with open(self.root / name_of(obj.key), "rb", opener=_open_at_once) as file:
                if str(os.fstat(file.fileno()).st_mtime_ns) != obj.version:
                    raise ObjectUnreadable("changed since it was listed")
                return file.read(limit)
        except OSError as error:
            raise ObjectUnreadable(error.strerror or str(error)) from error


def _open_at_once(path: str, flags: int) -> int:
    """A pipe that took a file's place since the listing would keep a plain open waiting for ever."""
    return os.open(path, flags | os.O_NONBLOCK)


def _walk(root: str) -> Iterator[SourceObject]:
    """Objects below `root` in key order; holds the entries of one folder of each level at a time."""
    seen: set[tuple[int, int]] = set()
    # A stack of half-walked folders rather than recursion: a tree may be deeper than Python's recursion limit.
    open_folders = [("", _entries(root, seen))]
    while open_folders:
        prefix, entries = open_folders[-1]
        listed = next(entries, None)
        if listed is None:
            open_folders.pop()
            continue
        path, name, is_folder = listed
        if is_folder:
            open_folders.append((f"{prefix}{name}/", _entries(path, seen)))
        else:
            yield _object(path, prefix + name)


def _entries(folder: str, seen: set[tuple[int, int]]) -> Iterator[tuple[str, str, bool]]:
    """(path, name, is it a folder) of the folders and MIDI files in a folder, in key order; none if seen before."""
    try:
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in seen:
            return
        seen.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as scanned:
            kept = sorted(_kept(scanned))
    except OSError as error:
        raise SourceError(
            f"Cannot list the folder {shown(folder)} ({error.strerror}); make it readable, or move it away."
        ) from error
    for _, name, is_folder in kept:
        yield os.path.join(folder, name), name, is_folder


def _kept(scanned: Iterator[os.DirEntry[str]]) -> Iterator[tuple[str, str, bool]]:
    for entry in scanned:
        try:
            mode = entry.stat().st_mode
        except OSError:
            mode = stat.S_IFREG  # a link to nowhere or to itself: listed, so that it is counted as unreadable
        if stat.S_ISDIR(mode):
            yield sort_key(entry.name, True), entry.name, True
        elif stat.S_ISREG(mode) and is_midi_name(entry.name):
            yield sort_key(entry.name, False), entry.name, False


def _object(path: str, name: str) -> SourceObject:
    """One listed file; a dangling link or a file just deleted is listed as empty, and found unreadable when read."""
    try:
        status = os.stat(path)
    except OSError:
        return SourceObject(key_of(name), 0, "gone")
    if not stat.S_ISREG(status.st_mode):
        return SourceObject(key_of(name), 0, "not a file")
    return SourceObject(key_of(name), status.st_size, str(status.st_mtime_ns))
