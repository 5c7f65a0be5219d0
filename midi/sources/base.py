"""What every source offers: a listing in key order, and bytes of one object at a time."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SourceObject:
    """One candidate file: its key (unique in the source, "/"-separated), size in bytes, and version.

    The size is what the listing says: a guess for generated files, a claim for archive members; readers bound it.
    The version changes when the content does (modification time, ETag, CRC ...). It is the source's own text: it may
    also say where the object lies, so that reading needs no second look-up.
    """

    key: str
    size: int
    version: str


Read = Callable[[SourceObject, int], bytes]
"""read(object, limit) -> its first `limit` bytes, or all of them; raises ObjectUnreadable, or SourceError."""


class Source(Protocol):
    """A place MIDI files come from. Picklable: listed on the driver, read on the executors."""

    @property
    def description(self) -> str:
        """How provenance names it; never holds a secret."""
        ...

    def objects(self) -> Iterator[SourceObject]:
        """All objects in ascending key order, streaming; raises SourceError."""
        ...

    def reader(self) -> AbstractContextManager[Read]:
        """Open what reading needs (an archive, a client) once for many objects."""
        ...

    def names(self) -> Iterator[tuple[str, str]]:
        """(stem of a file's name, song name), known from outside the files; mostly empty."""
        ...


class Progress(Protocol):
    """Where a source that must fetch or unpack first reports it, in bytes."""

    def __call__(self, what: str, done: int, total: int | None) -> None: ...


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What a source may need beside its spec.

    cache_dir: where downloads and unpacked archives are kept between runs.
    endpoint_url: the S3 server, None for AWS.
    sha256: expected digest (hex) of a downloaded file, None to skip the check.
    """

    cache_dir: Path
    endpoint_url: str | None = None
    sha256: str | None = None
