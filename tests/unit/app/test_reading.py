"""A request keeps to one index, and starts anew when that one goes away under it."""

from contextlib import closing

import psycopg2
import pytest

from app.db import Connection, DatabaseAway
from app.finding import Found, find_songs
from app.queries import Index
from app.reading import read
from app.searching import Search
from app.settings import Settings
from tests.tiny_index import collect_tiny_index, publish_tiny_index
from tests.unit.app.conftest import SONGS, running_site


def test_an_index_collected_in_mid_request_is_read_anew(database_url: str) -> None:
    with closing(psycopg2.connect(database_url)) as writer:
        first = publish_tiny_index(writer, SONGS[:2])
        seen: list[int] = []

        def page(connection: Connection, index: Index) -> Found:
            if not seen:
                publish_tiny_index(writer, SONGS[2:3])
                collect_tiny_index(writer, first)
            seen.append(index.index_id)
            return find_songs(connection, index, Search())

        for site in running_site(Settings(database_url=database_url)):
            with site.app_context():
                assert [line.title for line in read(page).songs] == ["Candle"]
    assert len(seen) == 2


def test_a_failing_query_is_told_when_the_index_is_still_there(published_url: str) -> None:
    def page(connection: Connection, index: Index) -> object:
        return connection.rows("SELECT no_such_column")

    for site in running_site(Settings(database_url=published_url)):
        with site.app_context(), pytest.raises(psycopg2.errors.UndefinedColumn):
            read(page)


def test_an_index_switched_again_and_again_is_an_outage_and_no_endless_loop(database_url: str) -> None:
    with closing(psycopg2.connect(database_url)) as writer:
        publish_tiny_index(writer, SONGS[:1])
        for site in running_site(Settings(database_url=database_url)):
            with site.app_context(), pytest.raises(DatabaseAway, match="again"):
                read(lambda connection, index: publish_tiny_index(writer, SONGS[:1]))
