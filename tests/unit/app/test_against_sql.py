"""What memory finds is what SQL over the published tables finds, on songs like real ones."""

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from psycopg2 import extensions

from app.db import Connection
from app.finding import Found, find_songs
from app.instruments import DRUMS
from app.queries import Index
from app.reading import read
from app.searching import Search
from app.settings import Settings
from tests.large_index import publish_large_index
from tests.postgres import PostgresServer
from tests.questions import Questions
from tests.unit.app.conftest import running_site

SONGS = 1_500


@pytest.fixture(scope="module")
def songs_url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as url, closing(psycopg2.connect(url)) as connection:
        publish_large_index(connection, SONGS, seed=4)
        yield url


def by_sql(connection: extensions.connection, search: Search) -> dict[int, int]:
    """How many of the songs found have each instrument; their number under -1."""
    conditions: list[str] = ["true"]
    parameters: list[object] = []
    for bit in sorted(search.chosen["all"]):
        conditions.append("%s = ANY (has)")
        parameters.append(bit)
    if search.chosen["any"]:
        conditions.append("has && %s::smallint[]")
        parameters.append(sorted(search.chosen["any"]))
    conditions.append("NOT has && %s::smallint[]")
    parameters.append(sorted(search.chosen["none"]))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH heard AS (
                SELECT song_id,
                       programs || CASE WHEN drum_notes > 0 THEN ARRAY[{DRUMS}]::smallint[] ELSE '{{}}' END AS has
                FROM song JOIN current_index USING (index_id)),
            found AS (SELECT * FROM heard WHERE {" AND ".join(conditions)})
            SELECT bit, count(*) FROM found, unnest(has) AS bit GROUP BY bit UNION ALL SELECT -1, count(*) FROM found
            """,
            parameters,
        )
        return dict(cursor.fetchall())


@pytest.mark.parametrize("seed", [1, 2])
def test_totals_and_counts_are_those_of_sql(songs_url: str, seed: int) -> None:
    answered = 0
    with closing(psycopg2.connect(songs_url)) as connection:
        questions = Questions(connection, seed)
        for site in running_site(Settings(database_url=songs_url)):
            for search in [questions.search() for _ in range(60)]:

                def page(connection: Connection, index: Index, search: Search = search) -> Found:
                    return find_songs(connection, index, search)

                with site.app_context():
                    found = read(page)
                counted = by_sql(connection, search)
                assert found.total == counted[-1], (seed, search)
                assert {bit: songs for bit, songs in enumerate(found.instruments) if songs} == {
                    bit: songs for bit, songs in counted.items() if bit >= 0
                }, (seed, search)
                assert len(found.songs) == min(50, found.total)
                answered += found.total > 0
    assert answered > 30, "hardly any question has an answer, so the case shows little"


def test_questions_are_the_same_for_the_same_seed(songs_url: str) -> None:
    with closing(psycopg2.connect(songs_url)) as connection:
        one, same, other = Questions(connection, 1), Questions(connection, 1), Questions(connection, 2)
        drawn = [[(q.search(), q.hash(), q.title()) for _ in range(20)] for q in (one, same, other)]
    assert drawn[0] == drawn[1] != drawn[2]
