"""Every question the pages ask of the database. SQL is constant text, values are parameters.

Each takes the index_id its request read first, so that a switch in mid-request cannot mix two indexes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2 import errors

from app.db import Connection
from app.instruments import DRUMS, Catalogue


class NoIndex(Exception):
    """There is nothing to show yet. The message says what is missing and what to do."""


class IndexGone(Exception):
    """An index was collected while it was read."""


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


@dataclass(frozen=True, slots=True)
class FileOrigin:
    """A file that holds a song, as its run's source listed it. source: that source's description.

    max_bytes: the largest file the run took.
    """

    source: str
    max_bytes: int
    key: str
    size: int
    version: str


_LINE = (
    "song.song_id, song.hash::text, song.title, song.duration_seconds, song.tempo_bpm, song.programs, song.drum_notes"
)


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


def set_bits(connection: Connection, index_id: int) -> memoryview:
    """The binary form of all sets' bits, by set_id."""
    rows = connection.rows(
        "SELECT coalesce(string_agg(bit_send(bits), ''::bytea ORDER BY set_id), '') FROM instrument_set"
        " WHERE index_id = %s",
        [index_id],
    )
    return memoryview(rows[0][0])


def songs_for_search(connection: Connection, index_id: int) -> tuple[memoryview, memoryview, list[str]]:
    """By song_id: the sets (big-endian int32), durations in seconds (big-endian float32), titles."""
    sets, durations, titles = connection.rows(
        """
        SELECT string_agg(int4send(set_id), ''::bytea ORDER BY song_id),
               string_agg(float4send(duration_seconds::real), ''::bytea ORDER BY song_id),
               string_agg(replace(title, chr(10), ' '), chr(10) ORDER BY song_id)
        FROM song WHERE index_id = %s
        """,
        [index_id],
    )[0]
    return memoryview(sets or b""), memoryview(durations or b""), [] if titles is None else titles.split("\n")


def listed_songs(connection: Connection, index_id: int, first: int, last: int) -> tuple[int, memoryview]:
    """How many of the songs first..last have a list of similar songs, and all songs in these (big-endian int32)."""
    rows = connection.rows(
        """
        SELECT count(*), coalesce(string_agg(
            (SELECT string_agg(int4send(listed), ''::bytea) FROM unnest(neighbour_ids) AS listed), ''::bytea), '')
        FROM neighbour WHERE index_id = %s AND song_id BETWEEN %s AND %s
        """,
        [index_id, first, last],
    )
    return rows[0][0], memoryview(rows[0][1])


def song_lines(connection: Connection, index_id: int, song_ids: list[int]) -> list[SongLine]:
    """These songs, in this order."""
    rows = connection.rows(
        f"SELECT {_LINE} FROM song WHERE index_id = %s AND song_id = ANY(%s) ORDER BY array_position(%s, song_id)",
        [index_id, song_ids, song_ids],
    )
    return [_line(row) for row in rows]


def song(connection: Connection, index_id: int, hash_hex: str) -> Song | None:
    """The song of a content hash (32 hex digits)."""
    rows = connection.rows(
        f"SELECT {_LINE}, format, tracks, notes, warnings FROM song WHERE index_id = %s AND hash = %s::uuid",
        [index_id, hash_hex],
    )
    if not rows:
        return None
    programs, drum_notes, file_format, tracks, notes, warnings = rows[0][5:]
    return Song(_line(rows[0][:7]), file_format, tracks, notes_by_bit(programs, notes, drum_notes), tuple(warnings))


def song_files(connection: Connection, index_id: int, song_id: int, limit: int) -> tuple[list[str], int]:
    """The first `limit` files (keys in the source) that hold a song, and how many there are."""
    rows = connection.rows(
        "SELECT key, count(*) OVER () FROM song_file WHERE index_id = %s AND song_id = %s ORDER BY key LIMIT %s",
        [index_id, song_id, limit],
    )
    return [row[0] for row in rows], rows[0][1] if rows else 0


def file_origins(connection: Connection, index_id: int, song_id: int, limit: int) -> list[FileOrigin]:
    """Where the first `limit` files come from that hold a song, by key."""
    rows = connection.rows(
        """
        SELECT source, (parameters ->> 'max_bytes')::bigint, key, size, version
        FROM song_file JOIN index_version USING (index_id) JOIN run USING (run_id)
        JOIN scanned_file USING (run_id, key)
        WHERE index_id = %s AND song_id = %s ORDER BY key LIMIT %s
        """,
        [index_id, song_id, limit],
    )
    return [FileOrigin(*row) for row in rows]


def song_notes(connection: Connection, index_id: int, song_ids: list[int]) -> dict[int, dict[int, int]]:
    """By song id, the notes by bit of these songs."""
    rows = connection.rows(
        "SELECT song_id, programs, notes, drum_notes FROM song WHERE index_id = %s AND song_id = ANY(%s)",
        [index_id, song_ids],
    )
    if len(rows) != len(song_ids):
        raise IndexGone(f"index {index_id} was collected")
    return {song_id: notes_by_bit(*counts) for song_id, *counts in rows}


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


def _line(row: tuple[Any, ...]) -> SongLine:
    song_id, hash_text, title, duration, tempo, programs, drum_notes = row
    bits = (*programs, DRUMS) if drum_notes else tuple(programs)
    return SongLine(song_id, hash_text.replace("-", ""), title, duration, tempo, bits)


def notes_by_bit(programs: Sequence[int], notes: Sequence[int], drum_notes: int) -> dict[int, int]:
    """Note counts by bit, drums last. programs: ascending, parallel to notes."""
    return dict(zip(programs, notes, strict=True)) | ({DRUMS: drum_notes} if drum_notes else {})
