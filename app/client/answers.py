"""What is asked of the API and what it answers, as dataclasses.

Fields that an answer has beyond these are left aside, so that a newer site can be asked.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeVar, get_args

Json = dict[str, Any]
Heading = Literal["all", "any", "none"]
HEADINGS: tuple[Heading, ...] = get_args(Heading)
Sort = Literal["closest", "title", "duration", "popularity"]
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which songs. all, any, none: program numbers or names. drums: the heading they are chosen under, if any."""

    all: Collection[int | str] = ()
    any: Collection[int | str] = ()
    none: Collection[int | str] = ()
    drums: Heading | None = None
    title: str = ""

    def arguments(self) -> list[tuple[str, str]]:
        """As in an address."""
        given = [("drums", self.drums or ""), ("title", self.title)]
        chosen = [(heading, str(one)) for heading in HEADINGS for one in getattr(self, heading)]
        return chosen + [(name, text) for name, text in given if text]


@dataclass(frozen=True, slots=True)
class Song:
    """programs: General MIDI program numbers, ascending, without the drums."""

    hash: str
    title: str
    duration_seconds: float
    tempo_bpm: float
    programs: list[int]
    drums: bool


@dataclass(frozen=True, slots=True)
class SongPage:
    """Some songs of a search. total: how many there are on all pages, as_written: with the title in just this spelling.

    next_cursor: None on the last page.
    """

    index: int
    total: int
    as_written: int
    songs: list[Song]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Part:
    """A melodic instrument of a song, and how many notes it plays."""

    program: int
    name: str
    notes: int


@dataclass(frozen=True, slots=True)
class SongDetail(Song):
    """format: of the MIDI file. files: keys of the first files that hold the song, of file_count."""

    format: int
    tracks: int
    instruments: list[Part]
    drum_notes: int
    warnings: list[str]
    files: list[str]
    file_count: int


@dataclass(frozen=True, slots=True)
class Similar:
    """score: 0 to 1."""

    score: float
    song: Song


@dataclass(frozen=True, slots=True)
class Resemblance:
    """What a file is, whether the index has that very song, and at most 50 others, the most similar first."""

    index: int
    indexed: bool
    song: SongDetail
    similar: list[Similar]


@dataclass(frozen=True, slots=True)
class InstrumentCount:
    program: int
    name: str
    songs: int


@dataclass(frozen=True, slots=True)
class FamilyCount:
    name: str
    songs: int
    instruments: list[InstrumentCount]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many songs a choice finds, and how many of them have each instrument, any of each family, and drums."""

    index: int
    total: int
    families: list[FamilyCount]
    drums: int


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """created_at: ISO 8601. rejects: files that could not be read, by reason."""

    index: int
    songs: int
    sets: int
    created_at: str
    digest: str | None
    source: str
    code_version: str
    rejects: dict[str, int]


def made(kind: type[Made], found: Json, **inner: object) -> Made:
    """An object of a dataclass, its fields from an answer, or `inner` where they are more than numbers and text.

    Raises KeyError where the answer lacks a field.
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: inner[name] if name in inner else found[name] for name in names})
