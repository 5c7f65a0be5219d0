"""The life of index versions: publish, list, activate, collect."""

from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import connection as Connection
from psycopg2.extras import Json

from spark_jobs.errors import JobError
from spark_jobs.ledger import finish
from spark_jobs.publish import check, overview, tables

_SWITCH = (
    "INSERT INTO current_index (index_id) VALUES (%s)"
    " ON CONFLICT (only_row) DO UPDATE SET index_id = excluded.index_id, switched_at = now()"
)


@dataclass(frozen=True, slots=True)
class IndexVersion:
    """A row of `index_version` and what made it; `current` says that the site serves it."""

    index_id: int
    run_id: int
    state: str
    current: bool
    songs: int | None
    sets: int | None
    neighbours: int | None
    digest: str | None
    failure: str | None
    source: str
    code_version: str
    created_at: datetime


def publish(connection: Connection, index_id: int, run_id: int, neighbours: int) -> str:
    """Check a finished version and switch to it, or record why not and raise JobError. Returns its digest."""
    found = check.problems(connection, index_id, run_id, neighbours)
    if found:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "UPDATE index_version SET state = 'failed', failure = %s WHERE index_id = %s",
                (" ".join(found), index_id),
            )
        raise JobError(
            f"Index {index_id} failed its checks and was not published; what was served still is. {' '.join(found)}"
            " Run the same command again to build it anew."
        )
    digest = check.digest(connection, index_id)
    counted = overview.of(connection, index_id, run_id)
    with connection, connection.cursor() as cursor:
        tables.attach(cursor, index_id)
        cursor.execute(
            "UPDATE index_version SET state = 'ready', digest = %s, overview = %s, neighbours ="
            f" (SELECT coalesce(sum(cardinality(neighbour_ids)), 0) FROM {tables.partition('neighbour', index_id)})"
            " WHERE index_id = %s",
            (digest, Json(counted), index_id),
        )
        cursor.execute(_SWITCH, (index_id,))
        finish(cursor, run_id, index_id)
    return digest


def versions(connection: Connection) -> list[IndexVersion]:
    """All index versions, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT index_id, run_id, index_version.state, current_index.index_id IS NOT NULL, songs, sets, neighbours,"
            " digest, failure, source, code_version, created_at"
            " FROM index_version JOIN run USING (run_id) LEFT JOIN current_index USING (index_id)"
            " ORDER BY index_id DESC"
        )
        rows = [IndexVersion(*row) for row in cursor.fetchall()]
    connection.rollback()
    return rows


def of_run(connection: Connection, run_id: int) -> IndexVersion | None:
    """The ready version that a run published, None if it is not there (any more)."""
    ready = (version for version in versions(connection) if version.run_id == run_id and version.state == "ready")
    return next(ready, None)


def activate(connection: Connection, index_id: int) -> IndexVersion:
    """Serve an earlier version. Raises JobError for one that is not ready or no longer has the digest it was given."""
    known = {version.index_id: version for version in versions(connection)}
    ready = [version.index_id for version in known.values() if version.state == "ready"]
    if index_id not in ready:
        choice = f"ready are {', '.join(map(str, sorted(ready)))}" if ready else "none is ready yet"
        raise JobError(f"There is no ready index {index_id}: {choice}.")
    if check.digest(connection, index_id) != known[index_id].digest:
        raise JobError(
            f"Index {index_id} is not what was published (its digest differs), so it is not served;"
            " run the pipeline again to build it anew."
        )
    with connection, connection.cursor() as cursor:
        cursor.execute(_SWITCH, (index_id,))
    return known[index_id]


def collect(connection: Connection, keep: int) -> list[int]:
    """Remove all versions but the current one and the newest `keep` ready ones, with their runs' scanned files.

    A version still building belongs to the newest run, which may be resumed: it stays. Returns the ids removed.
    """
    known = versions(connection)
    kept = {version.index_id for version in known if version.current}
    kept |= {version.index_id for version in [version for version in known if version.state == "ready"][:keep]}
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(run_id) FROM run")
        (newest_run,) = cursor.fetchone() or (None,)
    connection.rollback()
    removed = []
    for version in known:
        resumable = version.state == "building" and version.run_id == newest_run
        if version.index_id in kept or resumable:
            continue
        _remove(connection, version.index_id)
        removed.append(version.index_id)
    _forget_scans(connection)
    return sorted(removed)


def _remove(connection: Connection, index_id: int) -> None:
    with connection, connection.cursor() as cursor:
        # Dropping a partition waits for the queries on its table and holds up new ones: give way rather than queue.
        cursor.execute("SET LOCAL lock_timeout = '5s'")
        tables.drop(cursor, index_id)
        cursor.execute("DELETE FROM index_version WHERE index_id = %s", (index_id,))


def _forget_scans(connection: Connection) -> None:
    """Drop the chunks (and with them the scanned files) of runs that no index version needs; the run's row stays."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM chunk WHERE run_id < (SELECT max(run_id) FROM run)"
            " AND run_id NOT IN (SELECT run_id FROM index_version)"
        )
