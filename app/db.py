"""Connections to Postgres: a bounded pool whose every wait has an end.

psycopg2's own pool is not used: it raises when it is full instead of waiting, and holds its lock while it connects, so
a database that does not answer would make the requests queue up behind each other. Connections are libpq's
asynchronous ones, waited for with a deadline here, because a server-side statement_timeout says nothing when the
server is frozen or the network swallows packets.
"""

import select
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg2
from flask import Flask, current_app
from psycopg2 import errors, extensions

from app.settings import Settings

EXTENSION = "scale_database"
REFUSE_SECONDS = 0.5
"""For so long after a wait that ended in vain requests are refused at once, so that they do not take all threads."""


class DatabaseAway(Exception):
    """The database cannot be asked now; it may be later."""


class DatabaseBusy(DatabaseAway):
    """No connection came free in time."""


class DatabaseTimeout(DatabaseAway):
    """The database neither answered nor refused in time."""


class StatementTooSlow(Exception):
    """The query took longer than settings.statement_seconds, and was cancelled."""


class Connection:
    """One connection: read-only, each statement its own transaction. Used by one thread at a time."""

    def __init__(self, settings: Settings) -> None:
        """Connect; raises DatabaseAway within settings.connect_seconds."""
        self._statement_seconds = settings.statement_seconds + settings.connect_seconds
        milliseconds = int(settings.statement_seconds * 1000)
        given = extensions.parse_dsn(settings.database_url).get("options", "")
        options = f"{given} -c default_transaction_read_only=on -c statement_timeout={milliseconds}"
        try:
            self._raw = psycopg2.connect(
                settings.database_url, async_=1, application_name="scale-app", options=options.strip()
            )
        except psycopg2.OperationalError as error:
            raise DatabaseAway(_first_line(error)) from error
        try:
            self._wait(settings.connect_seconds)
        except psycopg2.Error as error:
            self.close()
            raise DatabaseAway(_first_line(error)) from error

    def rows(
        self, sql: str, parameters: Sequence[object] = (), *, seconds: float | None = None
    ) -> list[tuple[Any, ...]]:
        """Run one statement and fetch all it gives.

        Raises DatabaseAway (the connection is closed then), StatementTooSlow, or psycopg2.Error for a wrong statement.
        """
        cursor = self._raw.cursor()
        try:
            cursor.execute(sql, parameters)
            self._wait(seconds or self._statement_seconds)
            return cursor.fetchall()
        except errors.QueryCanceled as error:
            raise StatementTooSlow(_first_line(error)) from error
        except psycopg2.Error as error:
            if not (self.closed or isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)):
                raise
            self.close()
            raise DatabaseAway(_first_line(error)) from error

    @property
    def closed(self) -> bool:
        return bool(self._raw.closed)

    def close(self) -> None:
        self._raw.close()

    def _wait(self, seconds: float) -> None:
        """Until the connection's present operation is over; raises DatabaseAway, connection closed, at the deadline."""
        deadline = time.monotonic() + seconds
        while (state := self._raw.poll()) != extensions.POLL_OK:
            poller = select.poll()
            poller.register(self._raw, select.POLLIN if state == extensions.POLL_READ else select.POLLOUT)
            left = deadline - time.monotonic()
            if left <= 0 or not poller.poll(left * 1000):
                self.close()
                raise DatabaseTimeout(f"the database did not answer within {seconds:g} s")


class Pool:
    """At most settings.pool_size connections, made when needed, checked when lent, replaced when broken."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._free = threading.BoundedSemaphore(settings.pool_size)
        self._idle: list[Connection] = []
        self._refuse_until = 0.0

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend a connection that answers; raises DatabaseAway or DatabaseBusy."""
        if time.monotonic() < self._refuse_until:
            raise DatabaseAway("the database did not answer a moment ago")
        if not self._free.acquire(timeout=self._settings.pool_wait_seconds):
            raise DatabaseBusy("all connections to the database are in use")
        try:
            connection = self._checked()
            try:
                yield connection
            finally:
                if not connection.closed:
                    self._idle.append(connection)
        except DatabaseTimeout:
            self._refuse_until = time.monotonic() + REFUSE_SECONDS
            raise
        finally:
            self._free.release()

    @property
    def idle(self) -> int:
        """Connections open and not lent."""
        return len(self._idle)

    def close(self) -> None:
        """Close the idle connections; those lent come back and stay usable."""
        while self._idle:
            self._idle.pop().close()

    def _checked(self) -> Connection:
        """The last idle connection that answers, or a new one: a restarted server leaves only dead ones behind."""
        while self._idle:
            connection = self._idle.pop()
            try:
                connection.rows("SELECT 1", seconds=self._settings.connect_seconds)
            except DatabaseTimeout:
                raise
            except DatabaseAway:
                continue
            return connection
        return Connection(self._settings)


def init_app(app: Flask, settings: Settings) -> None:
    app.extensions[EXTENSION] = Pool(settings)


def pool() -> Pool:
    """The present application's pool."""
    found: Pool = current_app.extensions[EXTENSION]
    return found


def _first_line(error: psycopg2.Error) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
