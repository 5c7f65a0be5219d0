"""From a source's listing to a run: continue the newest, or record a new one with chunks of what has to be scanned."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json, execute_values

from midi.sources.base import Source, SourceObject
from spark_jobs.errors import JobError
from spark_jobs.ledger import CARRIED, REJECT_COLUMNS, SCANNED_COLUMNS
from spark_jobs.settings import Parameters

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Run:
    """A row of `run`. `state` is running or published; `resumed` says that it was found, not made."""

    run_id: int
    state: str
    resumed: bool


def plan(connection: Connection, source: Source, parameters: Parameters, code_version: str) -> Run:
    """Continue the newest run if it is of this source and these parameters, else record a new one with its chunks.

    What the last published run of the source scanned, and has not changed since, is carried over into the new run.
    Raises JobError for a source without objects.
    """
    with connection, connection.cursor() as cursor:
        fingerprint = _list(cursor, source.objects())
        newest = _newest(cursor)
        if newest and newest[2:] == (fingerprint, parameters.as_json()):
            return Run(newest[0], newest[1], resumed=True)
        cursor.execute(
            "INSERT INTO run (source, source_fingerprint, parameters, code_version) VALUES (%s, %s, %s, %s)"
            " RETURNING run_id",
            (source.description, fingerprint, Json(parameters.as_json()), code_version),
        )
        (run_id,) = cursor.fetchone() or (0,)
        _carry_over(cursor, run_id, source.description, parameters)
        _write_chunks(cursor, run_id, parameters)
        _write_names(cursor, source.names())
    return Run(run_id, "running", resumed=False)


def _list(cursor: Cursor, objects: Iterable[SourceObject]) -> str:
    """Stream the listing into a temporary table; returns its fingerprint."""
    digest = hashlib.sha256()

    def rows() -> Iterator[tuple[str, int, str]]:
        for member in objects:
            row = (member.key, member.size, member.version)
            digest.update(json.dumps(row).encode())
            yield row

    cursor.execute("CREATE TEMPORARY TABLE listing (key text PRIMARY KEY, size bigint, version text) ON COMMIT DROP")
    execute_values(cursor, "INSERT INTO listing VALUES %s", rows(), page_size=PAGE)
    cursor.execute("SELECT FROM listing LIMIT 1")
    if not cursor.rowcount:
        raise JobError("The source holds no MIDI files (.mid, .midi, .kar, .rmi): give another --source.")
    return digest.hexdigest()


def _newest(cursor: Cursor) -> tuple[int, str, str, dict[str, int]] | None:
    cursor.execute("SELECT run_id, state, source_fingerprint, parameters FROM run ORDER BY run_id DESC LIMIT 1")
    return cursor.fetchone()


def _carry_over(cursor: Cursor, run_id: int, description: str, parameters: Parameters) -> None:
    """Take over what is unchanged since the last published run that would have scanned it alike, as one done chunk."""
    cursor.execute(
        "SELECT max(run_id) FROM run WHERE state = 'published' AND source = %s AND"
        " parameters @> jsonb_build_object('max_bytes', %s, 'result_version', %s)",
        (description, parameters.max_bytes, parameters.result_version),
    )
    (earlier,) = cursor.fetchone() or (None,)
    if earlier is None:
        return
    cursor.execute(
        "INSERT INTO chunk (run_id, chunk_id, objects, object_count, bytes, done_at)"
        " VALUES (%s, %s, '[]', 0, 0, now())",
        (run_id, CARRIED),
    )
    for table, columns in (("scanned_file", SCANNED_COLUMNS), ("reject", REJECT_COLUMNS)):
        cursor.execute(
            f"INSERT INTO {table} (run_id, chunk_id, {columns}) SELECT %s, %s, {columns}"
            f" FROM {table} JOIN listing USING (key, size, version) WHERE run_id = %s",
            (run_id, CARRIED, earlier),
        )
        cursor.execute(
            f"WITH carried AS (DELETE FROM listing USING {table} AS taken"
            " WHERE taken.run_id = %s AND taken.key = listing.key RETURNING listing.size)"
            " UPDATE chunk SET object_count = object_count + (SELECT count(*) FROM carried),"
            " bytes = bytes + (SELECT coalesce(sum(size), 0) FROM carried) WHERE run_id = %s AND chunk_id = %s",
            (run_id, run_id, CARRIED),
        )


def _write_chunks(cursor: Cursor, run_id: int, parameters: Parameters) -> None:
    """Chunks of what is left of the listing, in key order."""
    with cursor.connection.cursor("listing") as listed:
        listed.itersize = PAGE
        listed.execute('SELECT key, size, version FROM listing ORDER BY key COLLATE "C"')
        for chunk_id, members in enumerate(chunked((SourceObject(*row) for row in listed), parameters)):
            cursor.execute(
                "INSERT INTO chunk (run_id, chunk_id, objects, object_count, bytes) VALUES (%s, %s, %s, %s, %s)",
                (
                    run_id,
                    chunk_id,
                    Json([[member.key, member.size, member.version] for member in members]),
                    len(members),
                    sum(member.size for member in members),
                ),
            )


def _write_names(cursor: Cursor, names: Iterable[tuple[str, str]]) -> None:
    execute_values(
        cursor,
        "INSERT INTO song_name (stem, name) VALUES %s ON CONFLICT (stem) DO UPDATE SET name = excluded.name",
        names,
        page_size=PAGE,
    )


def chunked(objects: Iterable[SourceObject], parameters: Parameters) -> Iterator[list[SourceObject]]:
    """Cut a listing into chunks of bounded bytes and count; an object over the byte bound is a chunk of its own."""
    chunk: list[SourceObject] = []
    size = 0
    for member in objects:
        if chunk and (size + member.size > parameters.chunk_bytes or len(chunk) == parameters.chunk_objects):
            yield chunk
            chunk, size = [], 0
        chunk.append(member)
        size += member.size
    if chunk:
        yield chunk
