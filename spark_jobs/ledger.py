"""The run ledger: which run this is, its chunks, what is done. The only writer of `run` and `chunk`."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json, execute_values

from spark_jobs.errors import JobError
from spark_jobs.settings import Parameters
from spark_jobs.sources.base import Source, SourceObject

PIPELINE_LOCK = 0x5CA1E
"""Advisory lock of the one run at a time; Postgres lets go of it when the driver dies."""


@dataclass(frozen=True, slots=True)
class Run:
    """A row of `run`. `state` is running or published; `resumed` says that it was found, not made."""

    run_id: int
    state: str
    resumed: bool


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How far the scan of a run is, in objects and bytes of its done chunks, of the whole."""

    objects: int
    all_objects: int
    bytes: int
    all_bytes: int


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a published run says of itself. counts: files, songs, sets, neighbours, and rejects by reason."""

    counts: dict[str, Any]
    stage_seconds: dict[str, float]


@contextmanager
def exclusive(connection: Connection, patience_seconds: int = 60) -> Iterator[None]:
    """Hold the pipeline's lock; raises JobError if another run keeps it for longer than the patience."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", (f"{patience_seconds}s",))
        try:
            cursor.execute("SELECT pg_advisory_lock(%s)", (PIPELINE_LOCK,))
        except Exception as error:
            if getattr(error, "pgcode", None) == "55P03":  # lock_not_available
                raise JobError("Another run is writing to this database: wait for it to end, or stop it.") from error
            raise
        cursor.execute("SELECT set_config('lock_timeout', '0', false)")
    connection.commit()
    try:
        yield
    finally:
        if not connection.closed:
            connection.rollback()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", (PIPELINE_LOCK,))
            connection.commit()


def plan(connection: Connection, source: Source, parameters: Parameters, code_version: str) -> Run:
    """Continue the newest run if it is of this source and these parameters, else record a new one with its chunks.

    The listing is streamed into a new run; where that turns out to be the newest run's, the new one is rolled back.
    Raises JobError for a source without objects.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT run_id, state, source_fingerprint, parameters FROM run ORDER BY run_id DESC LIMIT 1")
        newest = cursor.fetchone()
        cursor.execute(
            "INSERT INTO run (source, source_fingerprint, parameters, code_version) VALUES (%s, '', %s, %s)"
            " RETURNING run_id",
            (source.description, Json(parameters.as_json()), code_version),
        )
        (run_id,) = _one(cursor.fetchone())
        fingerprint = _write_chunks(cursor, run_id, source.objects(), parameters)
        if newest and newest[2] == fingerprint and newest[3] == parameters.as_json():
            connection.rollback()
            return Run(newest[0], newest[1], resumed=True)
        cursor.execute("UPDATE run SET source_fingerprint = %s WHERE run_id = %s", (fingerprint, run_id))
        _write_names(cursor, source.names())
    connection.commit()
    return Run(run_id, "running", resumed=False)


def _write_chunks(cursor: Cursor, run_id: int, objects: Iterable[SourceObject], parameters: Parameters) -> str:
    digest = hashlib.sha256()
    chunk_id = -1
    for chunk_id, members in enumerate(chunked(objects, parameters)):
        rows = [[member.key, member.size, member.version] for member in members]
        digest.update(json.dumps(rows).encode()[1:-1] + b",")
        cursor.execute(
            "INSERT INTO chunk (run_id, chunk_id, objects, object_count, bytes) VALUES (%s, %s, %s, %s, %s)",
            (run_id, chunk_id, Json(rows), len(rows), sum(member.size for member in members)),
        )
    if chunk_id < 0:
        raise JobError("The source holds no MIDI files (.mid, .midi, .kar, .rmi): give another --source.")
    return digest.hexdigest()


def _write_names(cursor: Cursor, names: Iterable[tuple[str, str]]) -> None:
    execute_values(
        cursor,
        "INSERT INTO song_name (hash, name) VALUES %s ON CONFLICT (hash) DO UPDATE SET name = excluded.name",
        names,
        page_size=1000,
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


def pending_chunks(connection: Connection, run_id: int) -> list[int]:
    """The ids of the chunks that are not done yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT chunk_id FROM chunk WHERE run_id = %s AND done_at IS NULL ORDER BY chunk_id", (run_id,))
        return [chunk_id for (chunk_id,) in cursor.fetchall()]


def scan_progress(connection: Connection, run_id: int) -> ScanProgress:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(object_count) FILTER (WHERE done_at IS NOT NULL), 0)::bigint,"
            " sum(object_count)::bigint, coalesce(sum(bytes) FILTER (WHERE done_at IS NOT NULL), 0)::bigint,"
            " sum(bytes)::bigint FROM chunk WHERE run_id = %s",
            (run_id,),
        )
        row = _one(cursor.fetchone())
    connection.rollback()
    return ScanProgress(*row)


def finish(cursor: Cursor, run_id: int, index_id: int) -> None:
    """Record that a run is published and what came out of it, in the transaction that makes it so."""
    cursor.execute(
        "UPDATE run SET state = 'published', finished_at = now(), counts = jsonb_build_object("
        "'files', (SELECT sum(object_count) FROM chunk WHERE chunk.run_id = run.run_id),"
        "'songs', songs, 'sets', sets, 'neighbours', neighbours,"
        "'rejects', (SELECT coalesce(jsonb_object_agg(reason, files), '{}') FROM"
        " (SELECT reason, count(*) AS files FROM reject WHERE reject.run_id = run.run_id GROUP BY reason) AS counted))"
        " FROM index_version WHERE index_id = %s AND run.run_id = %s",
        (index_id, run_id),
    )


def record_seconds(connection: Connection, run_id: int, stage: str, seconds: float) -> None:
    """Add to a stage's time; a resumed run sums what each of its attempts took."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE run SET stage_seconds = stage_seconds ||"
            " jsonb_build_object(%s, round((coalesce((stage_seconds ->> %s)::numeric, 0) + %s)::numeric, 3))"
            " WHERE run_id = %s",
            (stage, stage, seconds, run_id),
        )
    connection.commit()


def facts(connection: Connection, run_id: int) -> RunFacts:
    """What a published run recorded."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT counts, stage_seconds FROM run WHERE run_id = %s", (run_id,))
        row = _one(cursor.fetchone())
    connection.rollback()
    return RunFacts(*row)


def _one(row: tuple | None) -> tuple:  # type: ignore[type-arg]
    if row is None:
        raise LookupError("a query that always gives a row gave none")
    return row
