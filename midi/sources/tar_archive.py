"""MIDI files in a .tar archive, read in place, or in a .tar.gz, unpacked once to a .tar in the cache."""

import gzip
import hashlib
import io
import json
import os
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from midi.errors import ObjectUnreadable, SourceError
from midi.sources.base import Progress, Read, SourceObject, SourceOptions
from midi.sources.cache import build_once, require_space
from midi.sources.keys import is_midi_name, key_of, shown

__all__ = ["TarSource", "open_tar"]

_BLOCK = 512
_COPY_BYTES = 1 << 20
_BROKEN = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class TarSource:
    """The MIDI members of a tar; keys are member names, versions "<byte offset>:<mtime in s>".

    index: one JSON array [key, size, version] a line, in key order, so that a listing needs no pass over the archive.
    """

    path: Path
    index: Path
    label: str

    @property
    def description(self) -> str:
        return self.label

    def objects(self) -> Iterator[SourceObject]:
        with self.index.open(encoding="utf-8") as lines:
            for line in lines:
                yield SourceObject(*json.loads(line))

    @contextmanager
    def reader(self) -> Iterator[Read]:
        try:
            file = self.path.open("rb")
        except OSError as error:
            raise SourceError(
                f"Cannot open {shown(self.path)} ({error.strerror}); run the same command again."
            ) from error
        with file:

            def read(obj: SourceObject, limit: int) -> bytes:
                return _member_bytes(file, obj, limit)

            yield read

    def names(self) -> Iterator[tuple[str, str]]:
        return iter(())


def open_tar(path: Path, options: SourceOptions, progress: Progress, label: str = "") -> TarSource:
    """A tar (or tar.gz, by its name) ready to be read; raises SourceError where it is broken or cut short."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
    except OSError as error:
        raise SourceError(f"Cannot read {shown(path)} ({error.strerror}); make it readable.") from error
    identity = hashlib.sha256(f"{path}\0{status.st_size}\0{status.st_mtime_ns}".encode(errors="surrogateescape"))
    kept = options.cache_dir / "archives" / identity.hexdigest()[:24]
    plain = path
    if path.name.lower().endswith("gz"):
        plain = build_once(kept.with_suffix(".tar"), lambda part: _unpack(path, part, progress))
    index = build_once(kept.with_suffix(".jsonl"), lambda part: _write_index(plain, path, part, progress))
    return TarSource(plain, index, label or shown(path))


def _member_bytes(file: io.BufferedReader, obj: SourceObject, limit: int) -> bytes:
    offset = int(obj.version.partition(":")[0])
    if offset < 0:
        raise ObjectUnreadable("stored as a sparse file")
    try:
        file.seek(offset)
        data = file.read(min(obj.size, limit))
    except OSError as error:
        raise ObjectUnreadable(error.strerror or str(error)) from error
    if len(data) < min(obj.size, limit):
        raise ObjectUnreadable("the archive ends before it")
    return data


def _unpack(path: Path, part: Path, progress: Progress) -> None:
    total = path.stat().st_size
    require_space(part.parent, total, f"Unpacking {shown(path)}")
    try:
        with path.open("rb") as packed, gzip.GzipFile(fileobj=packed) as unpacked, part.open("wb") as out:
            while data := unpacked.read(_COPY_BYTES):
                out.write(data)
                progress(f"unpacking {path.name}", packed.tell(), total)
    except _BROKEN as error:
        part.unlink(missing_ok=True)
        raise SourceError(f"{shown(path)} is damaged or cut short ({error}); fetch it again.") from error
    except OSError:
        # Half of a large archive is what filled the disk: give the room back before saying so.
        part.unlink(missing_ok=True)
        raise


def _write_index(plain: Path, given: Path, part: Path, progress: Progress) -> None:
    try:
        members = _members(plain, given, progress)
    except _BROKEN as error:
        raise SourceError(f"{shown(given)} is not a tar archive that can be read ({error}); fetch it again.") from error
    with part.open("w", encoding="utf-8") as out:
        for key in sorted(members):
            out.write(json.dumps([key, *members[key]]) + "\n")


def _members(plain: Path, given: Path, progress: Progress) -> dict[str, tuple[int, str]]:
    """Key -> (size, version) of every MIDI member; about 300 bytes of memory each. The last of equal names counts."""
    found: dict[str, tuple[int, str]] = {}
    total = plain.stat().st_size
    with tarfile.open(plain, "r:", encoding="utf-8", errors="surrogateescape") as archive:
        while (member := archive.next()) is not None:
            archive.members = []  # type: ignore[attr-defined]  # tarfile would keep every member it has seen
            if len(found) % 256 == 0:
                progress(f"listing {given.name}", archive.offset, total)
            if not is_midi_name(member.name):
                continue
            if member.islnk() and key_of(member.linkname) in found:
                found[key_of(member.name)] = found[key_of(member.linkname)]
            elif member.isreg():
                offset = -1 if member.issparse() else member.offset_data
                found[key_of(member.name)] = (member.size, f"{offset}:{int(member.mtime)}")
        _require_end(plain, archive.offset)
    return found


def _require_end(plain: Path, offset: int) -> None:
    """tarfile takes any unreadable header after the first for the end; only zeros are."""
    with plain.open("rb") as file:
        file.seek(offset)
        if file.read(_BLOCK) != bytes(_BLOCK):
            raise tarfile.ReadError("its end is missing")
