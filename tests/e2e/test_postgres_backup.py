"""Backups on a cluster: taken, kept, and restored as of a time beside the database that runs."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deployer.postgres import contents
from deployer.postgres.database import Database
from tests.checkout import Checkout
from tests.pods import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def backed_up(installed: Checkout, database: Database) -> Iterator[dict[str, Any]]:
    """The note of a backup, after which songs were deleted and changed, and a table dropped."""
    database.sql("""
        CREATE TABLE songs AS SELECT n AS id, md5(n::text) AS title FROM generate_series(1, 5000) AS n;
        CREATE TABLE dropped AS SELECT 1 AS n;
    """)
    found: dict[str, Any] = json.loads(installed.run("pg", "backup", "--json"))
    database.sql(
        "DELETE FROM songs WHERE id % 3 = 0; UPDATE songs SET title = '' WHERE id % 5 = 0; DROP TABLE dropped;"
    )
    yield found
    database.sql("DROP TABLE songs")


def _remove(installed: Checkout, name: str) -> None:
    installed.run("cleanup_postgres", f"--release={name}", "--with-data")


def test_wal_reaches_the_bucket_before_any_backup_was_taken(database: Database) -> None:
    database.sql("SELECT pg_logical_emit_message(true, 'test', ''); SELECT pg_switch_wal();")
    archived = "SELECT archived_count > 0 FROM pg_stat_archiver"
    eventually(lambda: database.sql(archived).strip() == "t", "WAL in the bucket")


def test_a_backup_is_listed_and_notes_what_it_holds(installed: Checkout, backed_up: dict[str, Any]) -> None:
    assert backed_up["tables"]["public.songs"]["rows"] == 5000
    (kept, *_) = json.loads(installed.run("pg", "backups", "--json"))["backups"]
    assert datetime.fromisoformat(kept["ended"]) < datetime.fromisoformat(backed_up["time"])


def test_a_restore_as_of_a_noted_time_has_what_was_there(
    installed: Checkout, database: Database, backed_up: dict[str, Any]
) -> None:
    found = json.loads(installed.run("pg", "restore", f"--to={backed_up['time']}", "--as=then", "--json"))
    assert (found["compared_with"], found["equal"]) == ("record", True)
    assert found["tables"] == backed_up["tables"]
    assert "public.dropped" not in contents.read(database.sql).tables
    assert "There is a database then already" in installed.refused("pg", "restore", "--as=then")
    assert json.loads(installed.run("pg", "status", "--release=then", "--json"))["nodes"][0]["role"] == "Leader"
    _remove(installed, "then")
    here = f"--namespace={database.release.namespace}"
    assert not database.kubectl.items("persistentvolumeclaims", here, "--selector=app.kubernetes.io/instance=then")


def test_a_drill_compares_with_the_database_as_it_is_and_leaves_nothing(
    installed: Checkout, database: Database, backed_up: dict[str, Any]
) -> None:
    found = json.loads(installed.run("pg", "restore", "--drill", "--as=drilled", "--json"))
    assert (found["compared_with"], found["equal"]) == ("record", True)
    assert found["tables"]["public.songs"]["rows"] < backed_up["tables"]["public.songs"]["rows"]
    here, mine = f"--namespace={database.release.namespace}", "--selector=app.kubernetes.io/instance=drilled"
    for kind in ("pods", "persistentvolumeclaims", "secrets", "services"):
        assert not database.kubectl.items(kind, here, mine), kind


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--to=yesterday"], "write it as 2026-01-31 12:00:00"),
        (["--to=2020-01-01"], "There is nothing to restore"),
        ([f"--to={datetime.now(UTC) + timedelta(days=9)}"], "is not yet"),
        (["--as=postgres"], "not restored over itself"),
    ],
    ids=["no-time", "before-all-backups", "in-the-future", "over-itself"],
)
def test_a_restore_that_cannot_be_is_refused_with_a_sentence(
    installed: Checkout, backed_up: dict[str, Any], arguments: list[str], complaint: str
) -> None:
    assert complaint in installed.refused("pg", "restore", *arguments)
