"""Connections to Postgres, and its refusals in words."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2.extensions import connection as Connection

from spark_jobs.errors import JobError


@contextmanager
def connect(url: str, application: str) -> Iterator[Connection]:
    """A connection that commits nothing by itself; raises JobError where Postgres is away, full or not migrated."""
    with _in_words():
        connection = psycopg2.connect(url, connect_timeout=10, application_name=application)
    try:
        with _in_words():
            yield connection
    finally:
        connection.close()


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except psycopg2.errors.DiskFull as error:
        raise JobError(
            "The database's disk is full: free some space (or give another --data-dir) and run the same command again; "
            "what is done is kept."
        ) from error
    except psycopg2.errors.UndefinedTable as error:
        raise JobError("The database has no schema yet: run `python -m app migrate` first.") from error
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        raise JobError(
            f"The database cannot be used: {str(error).strip()}. Check DATABASE_URL and that it runs."
        ) from error
