"""The database's schema, brought to the version of this code.

schema.sql is the whole schema for a new database; migrations/NNNN_name.sql, numbered from 0002 without a gap, are the
steps for those that exist. Table schema_version records what was applied.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2 import extensions

SCHEMA = Path(__file__).with_name("schema.sql")
MIGRATIONS = Path(__file__).with_name("migrations")

LOCK = 0x5CA1E
"""Advisory lock held while a schema changes; the number means nothing."""


class MigrationError(Exception):
    """The schema cannot be brought to this code's version; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Versions before (0: a new database) and after."""

    before: int
    after: int


def migrate(database_url: str, schema: Path = SCHEMA, migrations: Path = MIGRATIONS) -> Outcome:
    """Apply what is missing, each step in one transaction; the second of two callers waits and finds it done.

    Raises MigrationError.
    """
    steps = _steps(migrations)
    newest = max(steps, default=1)
    try:
        connection = psycopg2.connect(database_url, connect_timeout=10, application_name="scale-migrate")
    except psycopg2.OperationalError as error:
        raise MigrationError(f"The database cannot be reached: {_first_line(error)}. Check DATABASE_URL.") from error
    try:
        return _bring_to(connection, newest, schema, steps)
    finally:
        connection.close()


def _bring_to(connection: extensions.connection, newest: int, schema: Path, steps: dict[int, Path]) -> Outcome:
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        before = _version(cursor)
    if before > newest:
        raise MigrationError(
            f"The database has schema version {before}, this code knows versions up to {newest}; run the newer code."
        )
    if before == 0:
        _apply(connection, schema, newest)
    else:
        for version in range(before + 1, newest + 1):
            _apply(connection, steps[version], version)
    return Outcome(before, newest)


def _version(cursor: extensions.cursor) -> int:
    """The recorded version, 0 for an empty database."""
    cursor.execute("SELECT to_regclass('schema_version') IS NOT NULL, to_regclass('index_version') IS NOT NULL")
    recorded, foreign = cursor.fetchone() or (False, False)
    if recorded:
        cursor.execute("SELECT max(version) FROM schema_version")
        return (cursor.fetchone() or (None,))[0] or 0
    if foreign:
        raise MigrationError(
            "The database has this project's tables but no schema_version, so nothing says how old they are; "
            "give DATABASE_URL a new, empty database."
        )
    return 0


def _apply(connection: extensions.connection, file: Path, version: int) -> None:
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE IF NOT EXISTS schema_version "
                "(version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
            )
            cursor.execute(file.read_text(encoding="utf-8"))
            cursor.execute("INSERT INTO schema_version (version) VALUES (%s)", [version])
    except psycopg2.Error as error:
        raise MigrationError(f"{file.name} failed and was undone: {_first_line(error)}.") from error


def _steps(folder: Path) -> dict[int, Path]:
    """Migration files by the version they lead to; raises MigrationError for a wrong name or a gap."""
    steps: dict[int, Path] = {}
    for file in sorted(folder.glob("*.sql")):
        named = re.fullmatch(r"(\d{4})_\w+\.sql", file.name)
        if not named or int(named[1]) in steps:
            raise MigrationError(f"{file.name} is not a migration's name; write NNNN_name.sql, each number once.")
        steps[int(named[1])] = file
    if list(steps) != list(range(2, len(steps) + 2)):
        raise MigrationError(f"{folder.name}/ is not numbered from 0002 without a gap: {', '.join(map(str, steps))}.")
    return steps


def _first_line(error: psycopg2.Error) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
