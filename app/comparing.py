"""What a song page says about a song's instruments, and why another song is like it. No I/O."""

from dataclasses import dataclass

from app.instruments import Catalogue, Instrument
from app.queries import Similar, Song, SongLine


@dataclass(frozen=True, slots=True)
class Share:
    """An instrument's part in a song: its notes, and their share of all notes in percent."""

    instrument: Instrument
    notes: int
    percent: float


@dataclass(frozen=True, slots=True)
class Likeness:
    """Why a song is like another: what both have, what only the first has, what only the second has.

    score: 0-1.
    """

    line: SongLine
    score: float
    shared: list[Instrument]
    missing: list[Instrument]
    extra: list[Instrument]


def note_shares(song: Song, catalogue: Catalogue) -> list[Share]:
    """Most notes first."""
    total = sum(song.notes.values()) or 1
    shares = [Share(one, song.notes[one.bit], 100 * song.notes[one.bit] / total) for one in catalogue.named(song.notes)]
    return sorted(shares, key=lambda share: -share.notes)


def likeness(song: Song, similar: Similar, catalogue: Catalogue) -> Likeness:
    mine, theirs = set(song.line.instruments), set(similar.line.instruments)
    return Likeness(
        similar.line,
        similar.score / 1_000_000,
        shared=catalogue.named(mine & theirs),
        missing=catalogue.named(mine - theirs),
        extra=catalogue.named(theirs - mine),
    )
