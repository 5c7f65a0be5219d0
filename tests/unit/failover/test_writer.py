"""The writing client against a real server that crashes, stops answering, refuses."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import extensions

from deployer.process import die_with_parent
from tests.failover import ledger
from tests.postgres import PostgresServer, postgres_server

WRITER = Path(ledger.__file__).with_name("writer.py")
PATIENCE_SECONDS = 60


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server that only one test uses, for it is killed."""
    with postgres_server() as own:
        _query(own, "CREATE TABLE failover_write (source text NOT NULL, number bigint NOT NULL)")
        yield own


def _query(server: PostgresServer, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(server.url())
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def _rows(server: PostgresServer) -> dict[ledger.Key, int]:
    found = _query(server, "SELECT source, number, count(*) FROM failover_write GROUP BY source, number")
    return {(str(source), int(str(number))): int(str(count)) for source, number, count in found}


@pytest.fixture
def writer(server: PostgresServer, tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The client, with two writers and a probe, all at the one server."""
    where = extensions.parse_dsn(server.url())
    command = [str(WRITER), f"--primary={where['host']}", f"--node=node-0={where['host']}", f"--folder={tmp_path}"]
    environment = {**os.environ, "PGUSER": where["user"], "PGDATABASE": where["dbname"]}
    process = subprocess.Popen(
        [sys.executable, *command, "--writers=2", "--pause=0.01"], env=environment, preexec_fn=die_with_parent
    )
    with process:
        yield process
        process.kill()


def _acked(folder: Path) -> int:
    return (folder / "record").read_text().count("\tacked\t") if (folder / "record").exists() else 0


def _wait_for(look: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not look():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.05)


def _stopped(folder: Path) -> list[ledger.Attempt]:
    (folder / "stop").touch()
    _wait_for((folder / "ended").exists, "the end")
    return ledger.parse((folder / "record").read_text())


def test_what_it_records_is_what_the_server_has_though_that_crashes(
    server: PostgresServer, writer: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    _wait_for(lambda: _acked(tmp_path) > 50, "writes")
    # When one of its processes is killed the server throws all clients out and recovers from its log.
    ((process,),) = _query(server, "SELECT pid FROM pg_stat_activity WHERE application_name = 'writer-0'")
    os.kill(int(str(process)), signal.SIGKILL)
    _wait_for(lambda: "\tunknown\t" in (tmp_path / "record").read_text(), "a broken connection")
    before = _acked(tmp_path)
    _wait_for(lambda: _acked(tmp_path) > before + 50, "writes after the kill")
    attempts = _stopped(tmp_path)
    assert {attempt.source for attempt in attempts} == {"writer-0", "writer-1", "node-0"}
    verdict = ledger.judge(attempts, _rows(server))
    assert verdict.is_clean
    assert verdict.outcomes["acked"] > 100
    # The same record does catch a write that goes missing.
    _query(server, "DELETE FROM failover_write WHERE ctid = (SELECT max(ctid) FROM failover_write)")
    assert len(ledger.judge(attempts, _rows(server)).lost) == 1


def test_a_server_that_stops_answering_is_given_up_and_its_answer_is_unknown(
    server: PostgresServer, writer: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    _wait_for(lambda: _acked(tmp_path) > 5, "writes")
    connection = psycopg2.connect(server.url())
    try:
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE failover_write IN ACCESS EXCLUSIVE MODE")
            _wait_for(lambda: "\tunknown\t" in (tmp_path / "record").read_text(), "a write that took too long")
    finally:
        connection.close()
    attempts = _stopped(tmp_path)
    assert ledger.judge(attempts, _rows(server)).is_clean


def test_a_refused_write_is_recorded_as_such(
    server: PostgresServer, writer: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    _wait_for(lambda: _acked(tmp_path) > 5, "writes")
    _query(server, "ALTER SYSTEM SET default_transaction_read_only = on")
    _query(server, "SELECT pg_reload_conf()")
    _wait_for(lambda: "\trefused\t" in (tmp_path / "record").read_text(), "a refusal")
    attempts = _stopped(tmp_path)
    verdict = ledger.judge(attempts, _rows(server))
    assert verdict.is_clean
    assert verdict.outcomes["refused"]
