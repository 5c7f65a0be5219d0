"""The library in memory is of the index that is current, whole, and one at a time."""

import random
import threading
from collections.abc import Callable
from contextlib import closing

import psycopg2
import pytest
from flask import Flask

from app import finding, queries
from app.db import Connection, DatabaseBusy
from app.finding import EXTENSION, Found, find_songs
from app.library import Library
from app.queries import Index, IndexGone
from app.reading import read
from app.searching import HEADINGS, SORTS, Search
from app.settings import Settings
from app.titles import fold
from tests.tiny_index import TinySong, publish_tiny_index
from tests.unit.app.conftest import SONGS, running_site


def page_of(search: Search) -> Callable[[Connection, Index], Found]:
    return lambda connection, index: find_songs(connection, index, search)


def loads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The indexes that are read into memory from now on."""
    loaded: list[int] = []
    load = finding.load

    def noted(connection: Connection, index: Index) -> Library:
        loaded.append(index.index_id)
        return load(connection, index)

    monkeypatch.setattr(finding, "load", noted)
    return loaded


@pytest.mark.parametrize("seed", [1, 2])
def test_every_order_is_what_sorting_the_songs_gives(database_url: str, seed: int) -> None:
    draw = random.Random(seed)
    songs = [
        TinySong(
            title=draw.choice(("Éa", "eb", "Ec", "d e", "D", "ü", "7")),
            programs=dict.fromkeys(draw.sample(range(5), draw.randint(1, 4)), number + 1),
            drum_notes=draw.randint(0, 1) * (number + 1),
            duration_seconds=draw.choice((10.0, 20.0, 30.5)),
            keys=(f"{number}.mid",),
        )
        for number in range(250)
    ]
    with closing(psycopg2.connect(database_url)) as connection:
        publish_tiny_index(connection, songs, near=3)
        with connection.cursor() as cursor:
            cursor.execute("SELECT listed, count(*) FROM neighbour, unnest(neighbour_ids) AS listed GROUP BY listed")
            listed = dict(cursor.fetchall())
            cursor.execute(
                "SELECT song_id, title, duration_seconds, set_id, bits::text"
                " FROM song JOIN instrument_set USING (index_id, set_id)"
            )
            rows = cursor.fetchall()
    closest = sorted(rows, key=lambda row: (row[3], fold(row[1]), row[0]))
    keys: dict[str, Callable[[tuple[int, str, float, int, str]], object]] = {
        "closest": lambda row: 0,
        "title": lambda row: fold(row[1]),
        "duration": lambda row: row[2],
        "popularity": lambda row: -listed.get(row[0], 0),
    }
    chosen = dict.fromkeys(HEADINGS, frozenset[int]()) | {"any": frozenset({1, 128}), "none": frozenset({2})}
    matching = [row for row in closest if "1" in row[4][1] + row[4][128] and row[4][2] == "0"]
    assert len(matching) > 50, "the case shows nothing"
    for site in running_site(Settings(database_url=database_url)):
        with site.app_context():
            for sort in SORTS:
                found = read(page_of(Search(chosen=chosen, sort=sort)))
                expected = [row[0] for row in sorted(matching, key=keys[sort])]  # type: ignore[arg-type]
                assert [line.song_id for line in found.songs] == expected[:50], sort
                assert found.total == len(matching)


def test_the_library_is_read_once_and_replaced_when_the_index_is_switched(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = loads(monkeypatch)
    with closing(psycopg2.connect(database_url)) as connection:
        first = publish_tiny_index(connection, SONGS[:2])
        for site in running_site(Settings(database_url=database_url)):
            with site.app_context():
                assert [read(page_of(Search())).total for _ in range(3)] == [2, 2, 2]
                second = publish_tiny_index(connection, SONGS[2:5])
                assert [read(page_of(Search())).total for _ in range(2)] == [3, 3]
    assert loaded == [first, second]


def test_the_order_by_popularity_is_of_the_index_that_is_current(database_url: str) -> None:
    liked, other = TinySong(title="Liked", programs={0: 1}), TinySong(title="Other", programs={9: 1})
    with closing(psycopg2.connect(database_url)) as connection:
        for site in running_site(Settings(database_url=database_url)):
            with site.app_context():
                for title, program in (("Liked", 0), ("Other", 9), ("Liked", 0)):
                    fans = [
                        TinySong(title=f"Fan {number}", programs={program: 1, 20 + number: 1}) for number in range(5)
                    ]
                    publish_tiny_index(connection, [liked, other, *fans], near=1)
                    assert read(page_of(Search(sort="popularity"))).songs[0].title == title


def test_many_at_once_read_it_once(published_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = loads(monkeypatch)
    totals: list[int] = []

    def visit(site: Flask) -> None:
        with site.app_context():
            totals.append(read(page_of(Search(title="harbor"))).total)

    for site in running_site(Settings(database_url=published_url)):
        threads = [threading.Thread(target=visit, args=[site]) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert totals == [1] * 6
    assert len(loaded) == 1


def test_who_waits_for_a_library_that_does_not_come_is_refused(published_url: str) -> None:
    for site in running_site(Settings(database_url=published_url, pool_wait_seconds=0.05)):
        with site.app_context(), site.extensions[EXTENSION]._lock, pytest.raises(DatabaseBusy):
            read(page_of(Search()))


def test_lists_that_are_not_all_there_give_no_popularity(database_url: str) -> None:
    with closing(psycopg2.connect(database_url)) as writer:
        publish_tiny_index(writer, SONGS)
        with writer, writer.cursor() as cursor:
            cursor.execute("DELETE FROM neighbour WHERE song_id = 3")
    for site in running_site(Settings(database_url=database_url)):
        with site.app_context():
            with pytest.raises(IndexGone):
                read(page_of(Search(sort="popularity")))
            assert read(page_of(Search())).total == len(SONGS)


def test_popularity_is_counted_in_parts_as_in_one(published_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for site in running_site(Settings(database_url=published_url)):
        with site.app_context():
            whole = read(finding.popularity).tolist()
            monkeypatch.setattr(finding, "_SONGS_AT_ONCE", 5)
            assert read(finding.popularity).tolist() == whole
            assert sum(whole) > 0


@pytest.mark.parametrize("table", ["song", "instrument_set"])
def test_an_index_that_is_not_whole_is_not_kept_in_memory(database_url: str, table: str) -> None:
    with closing(psycopg2.connect(database_url)) as writer:
        publish_tiny_index(writer, SONGS)
        with writer, writer.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table} WHERE {'song' if table == 'song' else 'set'}_id = 3")
    for site in running_site(Settings(database_url=database_url)):
        with site.app_context(), pytest.raises(IndexGone):
            read(page_of(Search()))
        assert site.extensions[EXTENSION]._held is None


def test_an_index_without_songs_is_an_empty_library(database_url: str) -> None:
    with closing(psycopg2.connect(database_url)) as writer:
        publish_tiny_index(writer, [])
    for site in running_site(Settings(database_url=database_url)):
        with site.app_context():
            assert read(page_of(Search(title="any"))).total == 0
            assert read(page_of(Search())).songs == []


def test_a_library_that_is_warm_answers_without_reading_the_index_again(
    published_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for site in running_site(Settings(database_url=published_url)):
        finding.warm(site)
        monkeypatch.setattr(queries, "songs_for_search", None)
        monkeypatch.setattr(queries, "listed_songs", None)
        with site.app_context():
            assert read(page_of(Search(title="brook"))).total == 1
