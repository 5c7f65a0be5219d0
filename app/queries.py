"""Every question the pages ask of the database. SQL is constant text, values are parameters.

Each takes the index_id its request read first, so that a switch in mid-request cannot mix two indexes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2 import errors

from app.db import Connection
from app.instruments import DRUMS, Catalogue, mask
from app.searching import PAGE_SIZE, Search


class NoIndex(Exception):
    """There is nothing to show yet. The message says what is missing and what to do."""


@dataclass(frozen=True, slots=True)
class Index:
    """A published index: how many distinct songs and instrument sets it holds."""

    index_id: int
    songs: int
    sets: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SongLine:
    """A song as a list shows it. instruments: bits, ascending, drums last. hash: 32 hex digits."""

    song_id: int
    hash: str
    title: str
    duration_seconds: float
    tempo_bpm: float
    instruments: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search, and how many songs there are in all."""

    songs: list[SongLine]
    total: int


@dataclass(frozen=True, slots=True)
class Song:
    """All that is known of a song. notes: note count by bit."""

    line: SongLine
    format: int
    tracks: int
    notes: dict[int, int]
    warnings: tuple[str, ...]

    @property
    def drums(self) -> bool:
        return DRUMS in self.notes


@dataclass(frozen=True, slots=True)
class Similar:
    """A song like another; score in millionths."""

    line: SongLine
    score: int


_LINE = (
    "song.song_id, song.hash::text, song.title, song.duration_seconds, song.tempo_bpm, song.programs, song.drum_notes"
)

_MATCHING = """
    SELECT set_id, size, songs FROM instrument_set
    WHERE index_id = %s AND bits & %s::bit(129) = %s::bit(129)
      AND (%s OR bits & %s::bit(129) <> %s::bit(129))
"""

_CLOSEST_FIRST = "ORDER BY instrument_set.size, song.set_id, lower(song.title), song.song_id"


def current_index(connection: Connection) -> Index:
    """The index the site shows; raises NoIndex."""
    try:
        rows = connection.rows(
            "SELECT index_id, songs, sets, created_at FROM current_index JOIN index_version USING (index_id)"
        )
    except errors.UndefinedTable as error:
        raise NoIndex("The database has no tables yet; run `python -m app migrate`.") from error
    if not rows:
        raise NoIndex("No index has been published yet; run the pipeline on a source.")
    return Index(*rows[0])


def instruments(connection: Connection) -> Catalogue:
    rows = connection.rows("SELECT program, name, family FROM instrument ORDER BY program")
    return Catalogue.from_rows((program, name, family) for program, name, family in rows)


def find_songs(connection: Connection, index_id: int, search: Search) -> Found:
    """The songs of a search's page: fewest further instruments first, then by set, title and song."""
    if search.title:
        return _find_by_title(connection, index_id, search)
    rows = connection.rows(
        f"""
        WITH matching AS MATERIALIZED ({_MATCHING}),
        placed AS (SELECT set_id, songs, sum(songs) OVER (ORDER BY size, set_id) AS upto FROM matching)
        SELECT total.songs, placed.set_id, placed.upto - placed.songs
        FROM (SELECT coalesce(sum(songs), 0) AS songs FROM matching) AS total
        LEFT JOIN placed ON placed.upto > %s AND placed.upto - placed.songs < %s
        ORDER BY placed.upto
        """,
        [*_matching(index_id, search), search.first, search.first + PAGE_SIZE],
    )
    total, first_set, before = rows[0]
    if first_set is None:
        return Found([], int(total))
    songs = connection.rows(
        f"""
        SELECT {_LINE} FROM song JOIN instrument_set USING (index_id, set_id)
        WHERE index_id = %s AND set_id = ANY(%s) {_CLOSEST_FIRST} LIMIT %s OFFSET %s
        """,
        [index_id, [row[1] for row in rows], PAGE_SIZE, search.first - int(before)],
    )
    return Found([_line(row) for row in songs], int(total))


def _find_by_title(connection: Connection, index_id: int, search: Search) -> Found:
    rows = connection.rows(
        f"""
        WITH matching AS ({_MATCHING}),
        hits AS MATERIALIZED (
            SELECT song.song_id, count(*) OVER () AS total, row_number() OVER (
                ORDER BY matching.size, song.set_id, lower(song.title), song.song_id) AS place
            FROM song JOIN matching USING (set_id)
            WHERE song.index_id = %s AND song.title ILIKE %s
        )
        SELECT total.songs, {_LINE}
        FROM (SELECT coalesce(max(total), 0) AS songs FROM hits) AS total
        LEFT JOIN hits ON hits.place > %s AND hits.place <= %s
        LEFT JOIN song ON song.index_id = %s AND song.song_id = hits.song_id
        ORDER BY hits.place
        """,
        [
            *_matching(index_id, search),
            *(index_id, f"%{_literal(search.title)}%"),
            *(search.first, search.first + PAGE_SIZE, index_id),
        ],
    )
    return Found([_line(row[1:]) for row in rows if row[1] is not None], rows[0][0])


def song(connection: Connection, index_id: int, hash_hex: str) -> Song | None:
    """The song of a content hash (32 hex digits)."""
    rows = connection.rows(
        f"SELECT {_LINE}, format, tracks, notes, warnings FROM song WHERE index_id = %s AND hash = %s::uuid",
        [index_id, hash_hex],
    )
    if not rows:
        return None
    programs, drum_notes, file_format, tracks, notes, warnings = rows[0][5:]
    counts = dict(zip(programs, notes, strict=True)) | ({DRUMS: drum_notes} if drum_notes else {})
    return Song(_line(rows[0][:7]), file_format, tracks, counts, tuple(warnings))


def song_files(connection: Connection, index_id: int, song_id: int, limit: int) -> tuple[list[str], int]:
    """The first `limit` files (keys in the source) that hold a song, and how many there are."""
    rows = connection.rows(
        "SELECT key, count(*) OVER () FROM song_file WHERE index_id = %s AND song_id = %s ORDER BY key LIMIT %s",
        [index_id, song_id, limit],
    )
    return [row[0] for row in rows], rows[0][1] if rows else 0


def similar_songs(connection: Connection, index_id: int, song_id: int) -> list[Similar]:
    """A song's most similar songs, best first."""
    rows = connection.rows(
        f"""
        SELECT near.score, {_LINE} FROM neighbour
        CROSS JOIN LATERAL unnest(neighbour_ids, scores) WITH ORDINALITY AS near (song_id, score, place)
        JOIN song ON song.index_id = %s AND song.song_id = near.song_id
        WHERE neighbour.index_id = %s AND neighbour.song_id = %s ORDER BY near.place
        """,
        [index_id, index_id, song_id],
    )
    return [Similar(_line(row[1:]), row[0]) for row in rows]


def similar_counts(connection: Connection, index_id: int, song_ids: Iterable[int]) -> dict[int, int]:
    """How many similar songs each of these songs has."""
    rows = connection.rows(
        "SELECT song_id, cardinality(neighbour_ids) FROM neighbour WHERE index_id = %s AND song_id = ANY(%s)",
        [index_id, list(song_ids)],
    )
    return dict(rows)


def songs_in_file(connection: Connection, index_id: int, name: str, limit: int) -> list[SongLine]:
    """The songs of the file with this key, or, where there is none, of the files with this base name."""
    for condition in ("key = %s", "regexp_replace(key, '^.*/', '') = %s"):
        rows = connection.rows(
            f"""
            SELECT {_LINE} FROM song WHERE index_id = %s AND song_id IN (
                SELECT song_id FROM song_file WHERE index_id = %s AND {condition} ORDER BY key LIMIT %s)
            ORDER BY lower(song.title), song.song_id
            """,
            [index_id, index_id, name, limit],
        )
        if rows:
            return [_line(row) for row in rows]
    return []


def _matching(index_id: int, search: Search) -> list[object]:
    """Parameters of _MATCHING: `all` and `none` are one comparison."""
    wanted, any_of = mask(search.chosen["all"]), search.chosen["any"]
    asked = mask(search.chosen["all"] | search.chosen["none"])
    return [index_id, asked, wanted, not any_of, mask(any_of), mask(())]


def _literal(text: str) -> str:
    """Text that LIKE takes for itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _line(row: tuple[Any, ...]) -> SongLine:
    song_id, hash_text, title, duration, tempo, programs, drum_notes = row
    bits = (*programs, DRUMS) if drum_notes else tuple(programs)
    return SongLine(song_id, hash_text.replace("-", ""), title, duration, tempo, bits)
