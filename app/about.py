"""The page about the index that is served: where it comes from, what it holds, what was left out, what stands out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from flask import Blueprint, Response, make_response, render_template, request

from app.db import Connection
from app.finding import Found, find_songs
from app.instruments import Catalogue
from app.presentation import count, duration
from app.provenance import Provenance, Reason, provenance
from app.queries import Index
from app.reading import catalogue, read
from app.searching import Search
from midi.scan.flaws import MEANINGS

blueprint = Blueprint("about", __name__)

Number = TypeVar("Number", int, float)

OUTLIERS_SHOWN = 20
"""The rest is behind a click."""

MOST_INSTRUMENTS = 25
"""Songs of so many instruments and more share a bar."""

REJECTS = {
    "empty": "The file has no bytes.",
    "not_midi": "The file does not begin as a MIDI file does, whatever its name says.",
    "no_tracks": "There is a MIDI header, but nothing to play follows it.",
    "no_notes": "It can be read, but not one note in it ever sounds.",
    "too_large": "The file is larger than the run allowed.",
    "unreadable": "The source listed the file, but could not give its bytes.",
}
"""What the reasons of midi.scan.song.RejectReason mean."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How a fact that stands out is told: its name, and how a value of it is written."""

    name: str
    written: Callable[[float], str]


WORDINGS = {
    "duration_seconds": Wording("length", duration),
    "tempo_bpm": Wording("tempo", lambda value: f"{value:,.0f} bpm"),
    "tracks": Wording("tracks", lambda value: f"{value:,.0f}"),
    "notes": Wording("notes", lambda value: f"{value:,.0f}"),
    "notes_per_second": Wording("notes per second", lambda value: f"{value:,.2g}" if value < 10 else f"{value:,.0f}"),
    "instruments": Wording("instruments", lambda value: f"{value:,.0f}"),
    "drum_share": Wording("notes on the drums", lambda value: f"{100 * value:.0f} %"),
    "commonness": Wording("share of songs with its instruments", lambda value: f"{100 * value:.2g} %"),
}
"""For the facts of spark_jobs.outliers.FACTS."""

PARAMETERS = {
    "max_bytes": "Largest file, in bytes",
    "neighbours": "Similar songs per song",
    "set_weight": "Weight of the instruments in likeness, of 1,000",
    "chunk_bytes": "Most bytes scanned at once",
    "chunk_objects": "Most files scanned at once",
    "result_version": "Version of the results",
}
"""What the parameters of spark_jobs.settings.Parameters mean."""


@dataclass(frozen=True, slots=True)
class Bar:
    """songs: how many. percent: of the bar's length."""

    name: str
    songs: int
    percent: float


@dataclass(frozen=True, slots=True)
class About:
    """found: the counts of a search for every song."""

    index: Index
    catalogue: Catalogue
    origin: Provenance
    found: Found

    def percent(self, songs: int) -> float:
        return 100 * songs / self.index.songs

    @property
    def left_out(self) -> int:
        """Files that are no song."""
        return sum(self.origin.counts.rejects.values())

    @property
    def rejects(self) -> list[tuple[str, int]]:
        """Files by reason, most first."""
        return _most_first(self.origin.counts.rejects)

    @property
    def stages(self) -> list[tuple[str, float, float]]:
        """Each stage's seconds and its percent of all stages', most first."""
        stages = self.origin.run.stage_seconds
        total = sum(stages.values()) or 1
        return [(name, seconds, 100 * seconds / total) for name, seconds in _most_first(stages)]

    @property
    def line_ups(self) -> list[Bar]:
        return line_ups(self.origin.overview.instruments_per_song) if self.origin.overview else []

    @property
    def warnings(self) -> list[Bar]:
        """Songs by what is wrong with their files, most first."""
        found = self.origin.overview.warnings if self.origin.overview else {}
        return [Bar(name, songs, self.percent(songs)) for name, songs in _most_first(found)]


def line_ups(counted: list[tuple[int, int]]) -> list[Bar]:
    """Songs by their number of instruments, (instruments, songs); the most common number fills its bar."""
    bars = [(count(size, "instrument"), songs) for size, songs in counted if size < MOST_INSTRUMENTS]
    many = sum(songs for size, songs in counted if size >= MOST_INSTRUMENTS)
    bars += [(f"{MOST_INSTRUMENTS} and more", many)] if many else []
    most = max((songs for _, songs in bars), default=1)
    return [Bar(name, songs, 100 * songs / most) for name, songs in bars]


@blueprint.get("/index")
def page() -> Response:
    """The page; only its headers if the client has it already."""
    about = read(_about)
    text = render_template(
        "index.html", about=about, shown=OUTLIERS_SHOWN, rejects=REJECTS, flaws=MEANINGS, parameters=PARAMETERS
    )
    response = make_response(text)
    # What the page says is fixed with the index it names; the digest of its text changes with the code as well.
    response.add_etag(weak=True)
    response.make_conditional(request)
    return response


@blueprint.app_template_filter()
def told(reason: Reason) -> str:
    """A reason for an outlier, in words."""
    # The pipeline that made the index may be newer than the site.
    wording = WORDINGS.get(reason.fact, Wording(reason.fact.replace("_", " "), "{:,.3g}".format))
    return f"{wording.name} {wording.written(reason.value)}, typical {wording.written(reason.typical)}"


@blueprint.app_template_filter()
def moment(when: datetime) -> str:
    """A time to the minute, the same wherever the database and the reader are."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _about(connection: Connection, index: Index) -> About:
    found = find_songs(connection, index, Search(), most=0)
    return About(index, catalogue(connection), provenance(connection, index.index_id), found)


def _most_first(counted: Mapping[str, Number]) -> list[tuple[str, Number]]:
    return sorted(counted.items(), key=lambda one: -one[1])
