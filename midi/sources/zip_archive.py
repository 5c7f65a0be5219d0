"""MIDI files in a .zip archive, read in place."""

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from midi.errors import ObjectUnreadable, SourceError
from midi.sources.base import Read, SourceObject
from midi.sources.keys import is_midi_name, key_of, name_of, shown

__all__ = ["ZipSource"]

_BROKEN = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    OSError,
)
# The decompressors of the other methods give out all that a block holds, however little is asked of them.
_BOUNDED_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True, slots=True)
class ZipSource:
    """The MIDI members of a zip; keys are member names, versions their CRC-32 in hex. The last of equal names counts.

    label: how to describe the source where the archive's path says too little.
    """

    path: Path
    label: str = ""

    @property
    def description(self) -> str:
        return self.label or shown(self.path)

    def objects(self) -> Iterator[SourceObject]:
        with self._opened() as archive:
            members = archive.NameToInfo.values()
            objects = [SourceObject(key_of(m.filename), m.file_size, _version(m)) for m in members if _is_song(m)]
        yield from sorted(objects, key=lambda obj: obj.key)

    @contextmanager
    def reader(self) -> Iterator[Read]:
        with self._opened() as archive:
            yield _read_from(archive)

    def names(self) -> Iterator[tuple[str, str]]:
        return iter(())

    @contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        try:
            archive = zipfile.ZipFile(self.path)
        except _BROKEN as error:
            raise SourceError(
                f"{shown(self.path)} is not a zip archive that can be read ({error}); fetch it again."
            ) from error
        with archive:
            yield archive


def _read_from(archive: zipfile.ZipFile) -> Callable[[SourceObject, int], bytes]:
    def read(obj: SourceObject, limit: int) -> bytes:
        member = archive.NameToInfo.get(name_of(obj.key))
        if member is None or _version(member) != obj.version:
            raise ObjectUnreadable("changed since it was listed")
        if member.flag_bits & 0x1:
            raise ObjectUnreadable("encrypted")
        if member.compress_type not in _BOUNDED_METHODS:
            raise ObjectUnreadable("compressed by a method other than deflate")
        try:
            with archive.open(member) as file:
                return file.read(limit)
        except _BROKEN as error:
            raise ObjectUnreadable(str(error)) from error

    return read


def _is_song(member: zipfile.ZipInfo) -> bool:
    return not member.is_dir() and is_midi_name(member.filename)


def _version(member: zipfile.ZipInfo) -> str:
    return f"{member.CRC:08x}"
