"""Index versions: what fails its checks is never served, what was served can be served again."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection
from pyspark import SparkContext

from midi.sources import open_source
from midi.sources.base import SourceOptions
from spark_jobs.errors import JobError
from spark_jobs.pipeline import Pipeline, Summary
from spark_jobs.progress import Display
from spark_jobs.publish import check, versions
from spark_jobs.settings import Parameters

Run = Callable[[int], Summary]


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    opened = psycopg2.connect(database_url)
    yield opened
    opened.close()


@pytest.fixture
def run(database_url: str, spark: SparkContext) -> Run:
    """Publish generated songs of a seed."""

    def run(seed: int) -> Summary:
        pipeline = Pipeline(
            database_url, lambda: nullcontext(spark), Parameters(neighbours=5), "test", 5, Display(quiet=True)
        )
        options = SourceOptions(Path("unused"))
        return pipeline.run(lambda: open_source(f"generated:30:{seed}", options, lambda what, done, total: None))

    return run


DAMAGE = {
    "a song is missing": ("DELETE FROM song_{0} WHERE song_id = 3", "distinct contents of the run"),
    "a neighbour is no song": ("UPDATE neighbour_{0} SET neighbour_ids[1] = 99999 WHERE song_id = 0", "orphan"),
    "a song is its own neighbour": ("UPDATE neighbour_{0} SET neighbour_ids[1] = 0 WHERE song_id = 0", "their own"),
    "a neighbour too few": ("UPDATE neighbour_{0} SET scores = scores[1:4] WHERE song_id = 0", "with 5 neighbours"),
    "a set counts wrong": ("UPDATE instrument_set_{0} SET songs = songs + 1 WHERE set_id = 0", "songs in sets"),
    "a file is lost": ("DELETE FROM song_file_{0} WHERE song_id = 1", "files"),
    "a score was changed": ("UPDATE neighbour_{0} SET scores[1] = scores[1] + 1 WHERE song_id = 0", "not what was"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_version_is_never_switched_to(
    damage: str, run: Run, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = run(1)
    statement, complaint = DAMAGE[damage]
    problems = check.problems

    def damaged(connection: Connection, index_id: int, run_id: int, neighbours: int) -> list[str]:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement.format(index_id))
        return problems(connection, index_id, run_id, neighbours)

    monkeypatch.setattr(check, "problems", damaged)
    with pytest.raises(JobError, match=f"failed its checks.*{complaint}"):
        run(2)
    newest, older = versions.versions(connection)
    assert (newest.state, newest.current) == ("failed", False)
    assert (older.index_id, older.current) == (served.index, True)

    monkeypatch.undo()
    again = run(2)
    assert again.resumed
    assert versions.versions(connection)[0].index_id == again.index


def test_an_earlier_version_is_served_again(run: Run, connection: Connection) -> None:
    first, second = run(1), run(2)
    assert versions.activate(connection, first.index).digest == first.digest
    assert [version.current for version in versions.versions(connection)] == [False, True]
    versions.activate(connection, second.index)
    assert [version.current for version in versions.versions(connection)] == [True, False]


def test_a_version_that_was_tampered_with_is_not_activated(run: Run, connection: Connection) -> None:
    first, second = run(1), run(2)
    with connection, connection.cursor() as cursor:
        cursor.execute("UPDATE song SET title = 'another' WHERE index_id = %s AND song_id = 0", (first.index,))
    with pytest.raises(JobError, match="its digest differs"):
        versions.activate(connection, first.index)
    assert [version.index_id for version in versions.versions(connection) if version.current] == [second.index]


def test_activating_what_is_not_there_names_what_is(run: Run, connection: Connection) -> None:
    published = run(1)
    with pytest.raises(JobError, match=f"no ready index 77: ready are {published.index}"):
        versions.activate(connection, 77)


def test_the_digest_names_the_content_not_the_version(run: Run, connection: Connection) -> None:
    first, other, again = run(1), run(2), run(1)
    assert again.index != first.index
    assert again.digest == first.digest != other.digest
    assert check.digest(connection, first.index) == first.digest


def test_collecting_keeps_the_served_version_and_the_newest(run: Run, connection: Connection) -> None:
    published = [run(seed).index for seed in (1, 2, 3, 4)]
    versions.activate(connection, published[0])
    assert versions.collect(connection, keep=1) == published[1:3]
    assert {version.index_id for version in versions.versions(connection)} == {published[0], published[3]}
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s), to_regclass(%s)", (f"song_{published[1]}", f"song_{published[0]}"))
        assert cursor.fetchone() == (None, f"song_{published[0]}")
