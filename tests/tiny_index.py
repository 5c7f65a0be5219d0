"""A published index out of a few songs written in a test: what the pipeline leaves behind, in miniature."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from psycopg2 import extensions, sql
from psycopg2.extras import Json

PARTITIONED = ("instrument_set", "song", "song_file", "neighbour")


@dataclass(frozen=True, kw_only=True)
class TinySong:
    """programs: notes by program. keys: the files that hold it, by default one named after the title."""

    title: str
    programs: dict[int, int] = field(default_factory=dict)
    drum_notes: int = 0
    duration_seconds: float = 125.0
    tempo_bpm: float = 120.0
    keys: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def hash(self) -> str:
        return hashlib.md5(
            repr((self.title, self.programs, self.drum_notes)).encode(), usedforsecurity=False
        ).hexdigest()

    @property
    def bits(self) -> str:
        bits = set(self.programs) | ({128} if self.drum_notes else set())
        return "".join("1" if bit in bits else "0" for bit in range(129))


def publish_tiny_index(connection: extensions.connection, songs: Sequence[TinySong], near: int = 50) -> int:
    """Write an index of these songs, make it the current one, and return its index_id.

    Neighbours are those with the highest Jaccard index above 0, ties by song_id.
    """
    with connection, connection.cursor() as cursor:
        index_id = _new_index(cursor, songs)
        ordered = sorted(songs, key=lambda song: song.hash)
        sets = sorted({song.bits for song in ordered}, key=lambda bits: (bits.count("1"), bits))
        for set_id, bits in enumerate(sets):
            count = sum(song.bits == bits for song in ordered)
            _insert(cursor, f"instrument_set_{index_id}", index_id, set_id, bits, bits.count("1"), count)
        for song_id, song in enumerate(ordered):
            programs, notes = sorted(song.programs), [song.programs[program] for program in sorted(song.programs)]
            facts = (song.hash, sets.index(song.bits), song.title, 1, 4, 480, song.duration_seconds, song.tempo_bpm)
            _insert(
                cursor,
                f"song_{index_id}",
                *(index_id, song_id, *facts, programs, notes, song.drum_notes, list(song.warnings)),
            )
            for key in song.keys or (f"folder/{song.title}.mid",):
                _insert(cursor, f"song_file_{index_id}", index_id, key, song_id)
            scores = _scores(ordered, song_id)[:near]
            ids, millionths = [other for _, other in scores], [-score for score, _ in scores]
            _insert(cursor, f"neighbour_{index_id}", index_id, song_id, ids, millionths)
        for table in PARTITIONED:
            cursor.execute(
                sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES IN ({})").format(
                    sql.Identifier(table), sql.Identifier(f"{table}_{index_id}"), sql.Literal(index_id)
                )
            )
        cursor.execute(
            "INSERT INTO current_index (index_id) VALUES (%s) "
            "ON CONFLICT (only_row) DO UPDATE SET index_id = EXCLUDED.index_id, switched_at = now()",
            [index_id],
        )
        return index_id


def collect_tiny_index(connection: extensions.connection, index_id: int) -> None:
    """Remove an index that is not current, its partitions and its record."""
    with connection, connection.cursor() as cursor:
        for table in PARTITIONED:
            cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(f"{table}_{index_id}")))
        cursor.execute("DELETE FROM index_version WHERE index_id = %s", [index_id])


def _new_index(cursor: extensions.cursor, songs: Sequence[TinySong]) -> int:
    cursor.execute(
        "INSERT INTO run (source, source_fingerprint, parameters, code_version, state) "
        "VALUES ('tiny', 'tiny', %s, 'test', 'published') RETURNING run_id",
        [Json({"set_weight": 500})],
    )
    (run_id,) = cursor.fetchone() or (0,)
    cursor.execute(
        "INSERT INTO index_version (run_id, state, songs, sets) VALUES (%s, 'ready', %s, %s) RETURNING index_id",
        [run_id, len(songs), len({song.bits for song in songs})],
    )
    (index_id,) = cursor.fetchone() or (0,)
    for table in PARTITIONED:
        cursor.execute(
            sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL, CHECK (index_id = {}))").format(
                sql.Identifier(f"{table}_{index_id}"), sql.Identifier(table), sql.Literal(index_id)
            )
        )
    return int(index_id)


def _insert(cursor: extensions.cursor, table: str, *values: object) -> None:
    places = sql.SQL(", ").join([sql.Placeholder()] * len(values))
    cursor.execute(sql.SQL("INSERT INTO {} VALUES ({})").format(sql.Identifier(table), places), values)


def _scores(songs: Sequence[TinySong], song_id: int) -> list[tuple[int, int]]:
    """(-score in millionths, song_id) of the songs that share an instrument, best first."""
    mine = int(songs[song_id].bits, 2)
    found = []
    for other, song in enumerate(songs):
        theirs = int(song.bits, 2)
        if other != song_id and mine & theirs:
            found.append((-(1_000_000 * (mine & theirs).bit_count() // (mine | theirs).bit_count()), other))
    return sorted(found)
