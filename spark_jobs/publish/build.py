"""Songs, their files and their instrument sets: from the ledger's scanned files into an index version's own tables."""

from dataclasses import dataclass

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from spark_jobs.errors import JobError
from spark_jobs.publish import tables


@dataclass(frozen=True, slots=True)
class Version:
    """An index version under construction: its songs are there, its neighbours may not be."""

    index_id: int
    songs: int
    sets: int


def build(connection: Connection, run_id: int) -> Version:
    """The run's index version, built in one transaction, or found if an earlier attempt at the run came this far."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT index_id, songs, sets FROM index_version WHERE run_id = %s AND state = 'building'", (run_id,)
        )
        found = cursor.fetchone()
        if found:
            return Version(*found)
        cursor.execute("INSERT INTO index_version (run_id) VALUES (%s) RETURNING index_id", (run_id,))
        (index_id,) = cursor.fetchone() or (0,)
        tables.create(cursor, index_id)
        songs, sets = _fill(cursor, run_id, index_id)
        if not songs:
            raise JobError(f"No file of the source could be read as a song: {_reasons(cursor, run_id)}.")
        cursor.execute("UPDATE index_version SET songs = %s, sets = %s WHERE index_id = %s", (songs, sets, index_id))
    return Version(index_id, songs, sets)


def _fill(cursor: Cursor, run_id: int, index_id: int) -> tuple[int, int]:
    # Of several files with the same content the first by key gives the title, unless the name is known from outside.
    # COLLATE "C" throughout: the order, and so the ids and the digest, must not depend on the server's locale.
    cursor.execute(
        """
        CREATE TEMPORARY TABLE content ON COMMIT DROP AS
        SELECT (row_number() OVER (ORDER BY hash) - 1)::integer AS song_id, *
          FROM (SELECT DISTINCT ON (hash) scanned_file.*, coalesce(song_name.name, scanned_file.title) AS name
                  FROM scanned_file
                  LEFT JOIN song_name ON stem = regexp_replace(regexp_replace(key, '^.*/', ''), '[.][^.]*$', '')
                 WHERE run_id = %s
                 ORDER BY hash, key COLLATE "C") AS distinct_content
        """,
        (run_id,),
    )
    cursor.execute(
        f"""
        INSERT INTO {tables.partition("instrument_set", index_id)} (index_id, set_id, bits, size, songs)
        SELECT %s, row_number() OVER (ORDER BY bit_count(bits), bits) - 1, bits, bit_count(bits), count(*)
          FROM content GROUP BY bits
        """,
        (index_id,),
    )
    sets = cursor.rowcount
    cursor.execute(
        f"""
        INSERT INTO {tables.partition("song", index_id)} (index_id, song_id, hash, set_id, title, format, tracks,
               division, duration_seconds, tempo_bpm, programs, notes, drum_notes, warnings)
        SELECT %s, song_id, hash, set_id, name, format, tracks,
               division, duration_seconds, tempo_bpm, programs, notes, drum_notes, warnings
          FROM content JOIN {tables.partition("instrument_set", index_id)} USING (bits)
         ORDER BY song_id
        """,
        (index_id,),
    )
    songs = cursor.rowcount
    cursor.execute(
        f"""
        INSERT INTO {tables.partition("song_file", index_id)} (index_id, key, song_id)
        SELECT %s, scanned_file.key, song_id
          FROM scanned_file JOIN content USING (hash)
         WHERE scanned_file.run_id = %s
        """,
        (index_id, run_id),
    )
    return songs, sets


def _reasons(cursor: Cursor, run_id: int) -> str:
    cursor.execute(
        "SELECT string_agg(files || ' ' || reason, ', ' ORDER BY reason)"
        " FROM (SELECT reason, count(*) AS files FROM reject WHERE run_id = %s GROUP BY reason) AS counted",
        (run_id,),
    )
    row = cursor.fetchone()
    return str(row[0]) if row and row[0] else "nothing was scanned"
