"""When a replica starts anew: by a real server that has removed its WAL, and by Patroni's words for its state."""

import importlib
import sys
import time
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn

from deployer.images.artefacts import IMAGES
from tests.postgres import postgres_server

SEGMENT = 16 * 2**20


@pytest.fixture
def rebuild(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # the image is named by the hash of all in that folder
    monkeypatch.syspath_prepend(str(IMAGES / "postgres"))
    return importlib.import_module("rebuild")


def _run(url: str, *statements: str) -> Any:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchone() if cursor.description else None


def test_wal_is_beyond_reach_once_the_primary_has_removed_it(rebuild: Any) -> None:
    with postgres_server() as server:
        url = server.url()
        _run(url, "ALTER SYSTEM SET max_wal_senders = 4", "ALTER SYSTEM SET wal_level = replica")
        server.stop()
        server.start()
        _run(url, "ALTER SYSTEM SET max_wal_size = '32MB'", "ALTER SYSTEM SET min_wal_size = '32MB'")
        _run(url, "SELECT pg_reload_conf()")
        dsn = {key: value for key, value in parse_dsn(url).items() if key in ("host", "user", "port")}
        (begun,) = _run(url, "SELECT (pg_current_wal_lsn() - '0/0')::bigint")
        needed = begun // SEGMENT * SEGMENT
        assert not rebuild.is_beyond(dsn, 1, needed)
        for _ in range(6):
            _run(url, "SELECT pg_switch_wal()", "SELECT txid_current()", "CHECKPOINT")
        assert rebuild.is_beyond(dsn, 1, needed)
        (now,) = _run(url, "SELECT (pg_current_wal_lsn() - '0/0')::bigint")
        assert not rebuild.is_beyond(dsn, 1, now // SEGMENT * SEGMENT)


def test_a_primary_that_does_not_answer_has_not_removed_anything(rebuild: Any) -> None:
    assert not rebuild.is_beyond({"host": "127.0.0.1", "port": 9, "user": "standby"}, 1, 0)


@pytest.mark.parametrize(
    ("states", "seconds", "hopeless"),
    [
        (["starting", "start failed"] * 3, 10, True),
        (["running", "crashed"] * 3, 10, True),
        (["starting", "start failed"] * 2, 10, False),
        (["start failed"] * 9, 10, False),
        (["starting"] * 9, 10, False),
        (["starting", "start failed"] * 3, 900, False),
    ],
    ids=["start-fails", "crashes", "twice", "once-for-long", "long-recovery", "seldom"],
)
def test_files_are_damaged_where_postgres_fails_again_and_again(
    rebuild: Any, states: list[str], seconds: float, hopeless: bool
) -> None:
    starts = rebuild.Starts()
    assert any(starts.fail(state, step * seconds / len(states)) for step, state in enumerate(states)) is hopeless


def watched(rebuild: Any, monkeypatch: pytest.MonkeyPatch, state: dict[str, Any]) -> Any:
    """A node of which Patroni says this, and whose primary has none of its WAL."""
    monkeypatch.setattr(rebuild, "asked", lambda path: state if path == "patroni" else {})
    monkeypatch.setattr(rebuild, "primary", lambda: "127.0.0.1")
    monkeypatch.setattr(rebuild, "replication", lambda address: {})
    monkeypatch.setattr(rebuild, "is_beyond", lambda server, timeline, position: position == 7)
    return rebuild.Watch(asked=time.monotonic() - 60)


BEHIND = {"role": "replica", "state": "running", "timeline": 1, "xlog": {"received_location": 7}}


@pytest.mark.parametrize(
    ("state", "trouble"),
    [
        (BEHIND, "the primary has no longer the WAL that comes next"),
        (BEHIND | {"replication_state": "streaming"}, None),
        (BEHIND | {"xlog": {"received_location": 8, "replayed_location": 7}}, None),
        (BEHIND | {"state": "creating replica"}, None),
        (BEHIND | {"role": "primary"}, None),
    ],
    ids=["behind", "streams", "not-so-far", "is-being-made", "primary"],
)
def test_only_a_replica_that_does_not_stream_asks_for_its_wal(
    rebuild: Any, monkeypatch: pytest.MonkeyPatch, state: dict[str, Any], trouble: str | None
) -> None:
    assert watched(rebuild, monkeypatch, state).trouble() == trouble
