"""The pool waits, gives up, and recovers; the server it talks to is stopped, frozen and restarted."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
import pytest

from app.db import DatabaseAway, DatabaseBusy, DatabaseTimeout, Pool, StatementTooSlow
from app.settings import Settings
from tests.postgres import PostgresServer, postgres_server
from tests.tiny_index import publish_tiny_index
from tests.unit.app.conftest import SONGS, running_site


@contextmanager
def pool(**settings: object) -> Iterator[Pool]:
    opened = Pool(Settings(**settings))  # type: ignore[arg-type]
    try:
        yield opened
    finally:
        opened.close()


def test_connections_are_lent_again_and_never_more_than_the_bound(published_url: str) -> None:
    with pool(database_url=published_url, pool_size=3) as lent:
        seen, most, lock = set(), [0, 0], threading.Lock()

        def use() -> None:
            for _ in range(5):
                with lent.connection() as connection:
                    with lock:
                        most[0] += 1
                        most[1] = max(most)
                    seen.add(connection.rows("SELECT pg_backend_pid(), pg_sleep(0.001)")[0][0])
                    with lock:
                        most[0] -= 1

        threads = [threading.Thread(target=use) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 1 <= len(seen) <= 3
        assert most[1] <= 3
        assert lent.idle == len(seen)


def test_a_full_pool_is_waited_for_and_then_refused(published_url: str) -> None:
    with pool(database_url=published_url, pool_size=1, pool_wait_seconds=0.05) as full:
        with full.connection(), pytest.raises(DatabaseBusy), full.connection():
            pass
        with full.connection() as connection:
            assert connection.rows("SELECT 1") == [(1,)]


def test_a_full_pool_is_a_503_page_that_says_so(published_url: str) -> None:
    for site in running_site(Settings(database_url=published_url, pool_size=1, pool_wait_seconds=0.05)):
        with site.extensions["scale_database"].connection():
            answer = site.test_client().get("/songs")
        assert answer.status_code == 503
        assert "Too many visitors" in answer.text
        assert site.test_client().get("/songs").status_code == 200


def test_a_slow_statement_is_cancelled_and_the_connection_stays_usable(published_url: str) -> None:
    with pool(database_url=published_url, statement_seconds=0.05) as slow, slow.connection() as connection:
        with pytest.raises(StatementTooSlow):
            connection.rows("SELECT pg_sleep(5)")
        assert connection.rows("SELECT 1") == [(1,)]


def test_a_slow_search_is_a_503_page_that_says_so(published_url: str) -> None:
    for site in running_site(Settings(database_url=published_url, statement_seconds=0.2)):
        with closing(psycopg2.connect(published_url)) as blocker, blocker.cursor() as cursor:
            assert site.test_client().get("/songs").status_code == 200
            cursor.execute("LOCK TABLE song IN ACCESS EXCLUSIVE MODE")
            answer = site.test_client().get("/songs")
        assert answer.status_code == 503
        assert "took too long" in answer.text


def test_a_page_cannot_write(published_url: str) -> None:
    with (
        pool(database_url=published_url) as reading,
        reading.connection() as connection,
        pytest.raises(psycopg2.errors.ReadOnlySqlTransaction),
    ):
        connection.rows("DELETE FROM song RETURNING 1")


def test_a_wrong_statement_is_an_error_of_the_code_and_keeps_the_connection(published_url: str) -> None:
    with pool(database_url=published_url) as reading, reading.connection() as connection:
        with pytest.raises(psycopg2.errors.UndefinedTable):
            connection.rows("SELECT * FROM no_such_table")
        assert not connection.closed


def test_connections_cut_by_the_server_are_replaced(published_url: str) -> None:
    with pool(database_url=published_url, pool_size=2) as cut:
        with cut.connection() as first, cut.connection() as second:
            pids = [one.rows("SELECT pg_backend_pid()")[0][0] for one in (first, second)]
        with closing(psycopg2.connect(published_url)) as killer, killer.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pid, 5000) FROM unnest(%s) AS pid", [pids])
        with cut.connection() as fresh:
            assert fresh.rows("SELECT pg_backend_pid()")[0][0] not in pids
        assert cut.idle == 1


def test_a_connection_cut_in_mid_query_is_an_outage_and_not_lent_again(published_url: str) -> None:
    with pool(database_url=published_url) as cut:
        with cut.connection() as connection, pytest.raises(DatabaseAway):
            connection.rows("SELECT pg_terminate_backend(pg_backend_pid())")
        assert cut.idle == 0


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server this test alone may stop and freeze."""
    with postgres_server() as running:
        yield running


def test_the_site_outlives_a_restart_of_the_database(own_server: PostgresServer) -> None:
    with own_server.database() as url:
        with closing(psycopg2.connect(url)) as connection:
            publish_tiny_index(connection, SONGS)
        for site in running_site(Settings(database_url=url)):
            client = site.test_client()
            assert client.get("/songs").status_code == 200
            own_server.stop()
            for address in ("/", "/songs", "/readyz"):
                assert client.get(address).status_code == 503
            own_server.start()
            assert client.get("/songs").status_code == 200
            assert client.get("/readyz").status_code == 200


def test_a_frozen_database_is_given_up_on_in_bounded_time_and_serves_again_when_thawed(
    own_server: PostgresServer,
) -> None:
    with own_server.database() as url, pool(database_url=url, connect_seconds=0.3, statement_seconds=0.3) as waiting:
        with waiting.connection() as connection:
            backend = connection.rows("SELECT pg_backend_pid()")[0][0]
        with frozen(own_server.pid, backend):
            with pytest.raises(DatabaseTimeout), waiting.connection():
                pass
            refused_at_once = "a moment ago"
            with pytest.raises(DatabaseAway, match=refused_at_once), waiting.connection():
                pass
        deadline = time.monotonic() + 10
        while True:
            try:
                with waiting.connection() as connection:
                    assert connection.rows("SELECT 1") == [(1,)]
                    return
            except DatabaseAway:
                assert time.monotonic() < deadline, "the pool did not recover"
                time.sleep(0.05)


def test_a_connection_that_does_not_answer_in_mid_query_is_not_lent_again(own_server: PostgresServer) -> None:
    with own_server.database() as url, pool(database_url=url, connect_seconds=0.3, statement_seconds=0.3) as waiting:
        with waiting.connection() as connection:
            backend = connection.rows("SELECT pg_backend_pid()")[0][0]
            with frozen(own_server.pid, backend), pytest.raises(DatabaseTimeout):
                connection.rows("SELECT 1")
        assert waiting.idle == 0


@contextmanager
def frozen(*pids: int) -> Iterator[None]:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
