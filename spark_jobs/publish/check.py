"""What must be true of an index version before anybody is served from it, and the digest that names its content."""

import hashlib

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from spark_jobs.publish.tables import partition

_CONTENT = {
    "instrument_set": "SELECT set_id, bits, size, songs FROM {} ORDER BY set_id",
    "song": "SELECT song_id, hash, set_id, title, format, tracks, division, duration_seconds, tempo_bpm, programs,"
    " notes, drum_notes, warnings FROM {} ORDER BY song_id",
    "song_file": 'SELECT key, song_id FROM {} ORDER BY key COLLATE "C"',
    "neighbour": "SELECT song_id, neighbour_ids, scores FROM {} ORDER BY song_id",
}


class _Hasher:
    """A file that keeps nothing but the digest of what is written to it."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return len(data)


def digest(connection: Connection, index_id: int) -> str:
    """SHA-256 of everything the site can show of an index version; equal for equal content, whatever its number."""
    hasher = _Hasher()
    with connection.cursor() as cursor:
        for table, query in _CONTENT.items():
            hasher.write(f"{table}\n".encode())
            cursor.copy_expert(f"COPY ({query.format(partition(table, index_id))}) TO STDOUT", hasher)
    connection.rollback()
    return hasher.digest.hexdigest()


def problems(connection: Connection, index_id: int, run_id: int, neighbours: int) -> list[str]:
    """What is wrong with a finished index version, in sentences; empty for a sound one.

    neighbours: how many each song should have, where there are enough songs.
    """
    with connection.cursor() as cursor:
        songs = _number(cursor, f"SELECT count(*) FROM {partition('song', index_id)}")
        found = [
            f"{what}: expected {expected}, found {seen}."
            for what, expected, seen in _counts(cursor, index_id, run_id, songs, min(neighbours, songs - 1))
            if expected != seen
        ]
        found += _changed_parts(cursor, index_id)
    connection.rollback()
    return found


def _counts(cursor: Cursor, index_id: int, run_id: int, songs: int, width: int) -> list[tuple[str, int, int]]:
    song, sets, files, neighbour = (
        partition(table, index_id) for table in ("song", "instrument_set", "song_file", "neighbour")
    )
    expected = {
        "distinct contents of the run": f"SELECT count(DISTINCT hash) FROM scanned_file WHERE run_id = {run_id:d}",
        "dense song ids": f"SELECT coalesce(max(song_id), -1) + 1 FROM {song}",
        "songs in sets": f"SELECT coalesce(sum(songs), 0) FROM {sets}",
        "songs whose set is there": f"SELECT count(*) FROM {song} JOIN {sets} USING (set_id)",
        "songs with neighbours": f"SELECT count(*) FROM {neighbour} JOIN {song} USING (song_id)",
        f"songs with {width} neighbours": f"SELECT count(*) FROM {neighbour}"
        f" WHERE cardinality(neighbour_ids) = {width:d} AND cardinality(scores) = {width:d}",
    }
    none = {
        "orphan neighbours": f"SELECT count(*) FROM (SELECT unnest(neighbour_ids) AS id FROM {neighbour}) AS listed"
        f" WHERE id < 0 OR id >= {songs:d}",
        "songs that are their own neighbour": f"SELECT count(*) FROM {neighbour} WHERE song_id = ANY (neighbour_ids)",
    }
    of_files = _number(cursor, f"SELECT count(*) FROM scanned_file WHERE run_id = {run_id:d}")
    return [
        *((what, songs, _number(cursor, query)) for what, query in expected.items()),
        *((what, 0, _number(cursor, query)) for what, query in none.items()),
        ("files", of_files, _number(cursor, f"SELECT count(*) FROM {files}")),
    ]


def _changed_parts(cursor: Cursor, index_id: int) -> list[str]:
    """The parts whose rows are not the bytes that were sent."""
    cursor.execute(
        "SELECT first_song, last_song, digest FROM neighbour_part WHERE index_id = %s ORDER BY first_song", (index_id,)
    )
    changed = []
    for first, last, sent in cursor.fetchall():
        hasher = _Hasher()
        cursor.copy_expert(
            f"COPY (SELECT * FROM {partition('neighbour', index_id)}"
            f" WHERE song_id BETWEEN {first:d} AND {last:d} ORDER BY song_id) TO STDOUT",
            hasher,
        )
        if hasher.digest.hexdigest() != sent:
            changed.append(f"neighbours of songs {first} to {last} are not what was computed.")
    return changed


def _number(cursor: Cursor, query: str) -> int:
    cursor.execute(query)
    row = cursor.fetchone()
    if row is None:
        raise LookupError(f"no row from: {query}")
    return int(row[0])
