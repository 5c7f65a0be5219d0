"""The run ledger: one run at a time, what is done of it, what came out of it. planning.py makes the runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from spark_jobs.errors import JobError

PIPELINE_LOCK = 0x5CA1E
"""Advisory lock of the one run at a time; Postgres lets go of it when the driver dies."""


SCANNED_COLUMNS = (
    "key, size, version, hash, title, format, tracks, division, duration_seconds, tempo_bpm, bits, programs, notes,"
    " drum_notes, warnings"
)
REJECT_COLUMNS = "key, size, version, reason, detail"
"""What `scanned_file` and `reject` say of a file, apart from the run and chunk they say it for."""

CARRIED = -1
"""The id of the chunk that holds what a run took over from an earlier one instead of scanning it again."""


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How far the scan of a run is: the objects of its done chunks, and of all."""

    objects: int
    all_objects: int


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a published run says of itself. counts: files, carried, songs, sets, neighbours, and rejects by reason."""

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


def pending_chunks(connection: Connection, run_id: int) -> list[int]:
    """The ids of the chunks that are not done yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT chunk_id FROM chunk WHERE run_id = %s AND done_at IS NULL ORDER BY chunk_id", (run_id,))
        return [chunk_id for (chunk_id,) in cursor.fetchall()]


def scan_progress(connection: Connection, run_id: int) -> ScanProgress:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(object_count) FILTER (WHERE done_at IS NOT NULL), 0)::bigint,"
            " sum(object_count)::bigint FROM chunk WHERE run_id = %s",
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
        "'carried', (SELECT coalesce(sum(object_count), 0) FROM chunk"
        "   WHERE chunk.run_id = run.run_id AND chunk_id = %s),"
        "'songs', songs, 'sets', sets, 'neighbours', neighbours,"
        "'rejects', (SELECT coalesce(jsonb_object_agg(reason, files), '{}') FROM"
        " (SELECT reason, count(*) AS files FROM reject WHERE reject.run_id = run.run_id GROUP BY reason) AS counted))"
        " FROM index_version WHERE index_id = %s AND run.run_id = %s",
        (CARRIED, index_id, run_id),
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
