"""Which songs stand out, by which facts; and what an index version says of itself as a whole."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from math import exp, log

import numpy as np
import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from spark_jobs import outliers
from spark_jobs.outliers import FACTS, MOST, SONGS_PER_OUTLIER, Matrix, find
from spark_jobs.publish import check, overview
from tests.large_index import publish_large_index
from tests.postgres import PostgresServer

SONGS = 400


@pytest.fixture(scope="module")
def published(postgres: PostgresServer) -> Iterator[tuple[Connection, int]]:
    """A connection to a published index of SONGS songs, and its index_id."""
    with postgres.database() as url, closing(psycopg2.connect(url)) as connection:
        yield connection, publish_large_index(connection, SONGS, seed=3)


def songs(count: int, seed: int = 1) -> Matrix:
    """Songs like each other: facts of lognormal distributions around those of the first column."""
    middle = [180.0, 120.0, 6.0, 2000.0, 11.0, 5.0, 0.3, 0.1]
    found: Matrix = np.random.default_rng(seed).lognormal(np.log(middle), 0.2, (count, len(FACTS)))
    return found


def changed(facts: Matrix, song: int, **values: float) -> Matrix:
    for name, value in values.items():
        facts[song, FACTS.index(name)] = value
    return facts


def test_a_song_unlike_the_others_comes_first_with_the_facts_that_say_so() -> None:
    found = find(changed(songs(500), 77, duration_seconds=36_000, notes=3))
    assert found[0].song_id == 77
    assert found[0].score == max(one.score for one in found)
    reasons = {reason.fact: reason for reason in found[0].reasons}
    assert set(reasons) == {"duration_seconds", "notes"}
    assert reasons["duration_seconds"].value == 36_000
    assert 170 < reasons["duration_seconds"].typical < 190
    assert reasons["notes"].deviations < -10 < 10 < reasons["duration_seconds"].deviations


@pytest.mark.parametrize("rounding", [0.0, 1e-4])
def test_a_fact_in_which_most_songs_are_nearly_equal_is_a_reason_only_for_who_is_far_off(rounding: float) -> None:
    facts = songs(500)
    facts[:300, FACTS.index("tempo_bpm")] = 120 + rounding * np.arange(300) / 300
    found = find(changed(facts, 9, tempo_bpm=9999))
    (odd,) = [one for one in found if one.song_id == 9]
    assert odd.reasons[0].fact == "tempo_bpm"
    assert odd.reasons[0].typical == pytest.approx(120, rel=1e-3)
    assert 10 < odd.reasons[0].deviations < 100
    for one in found:
        assert all(abs(reason.deviations) < 10 for reason in one.reasons if one.song_id != 9)


def test_a_second_reason_is_given_only_where_it_stands_out_too() -> None:
    facts = songs(500)
    facts[9] = np.median(facts, axis=0)
    (odd,) = [one for one in find(changed(facts, 9, tracks=900)) if one.song_id == 9]
    assert [reason.fact for reason in odd.reasons] == ["tracks"]


def test_among_equals_and_among_a_few_none_stands_out() -> None:
    assert find(np.repeat(songs(1), 100, axis=0)) == []
    assert find(songs(SONGS_PER_OUTLIER - 1)) == []
    assert find(songs(0)) == []


@pytest.mark.parametrize("fact", FACTS)
def test_one_odd_fact_is_found_among_many_thousand_songs(fact: str) -> None:
    facts = songs(30_000)
    facts[777] = np.median(facts, axis=0)
    found = find(changed(facts, 777, **{fact: facts[777, FACTS.index(fact)] * 20}))
    assert 777 in [one.song_id for one in found]


@pytest.mark.parametrize(("count", "most"), [(20, 1), (400, 20), (5_000, MOST)])
def test_there_are_never_more_than_bounded(count: int, most: int) -> None:
    found = find(songs(count))
    assert 0 < len(found) <= most
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert all(0.5 < one.score <= 1 and 1 <= len(one.reasons) <= 2 for one in found)


def test_the_same_songs_have_the_same_outliers() -> None:
    assert find(songs(300)) == find(songs(300))


@pytest.mark.parametrize("nonsense", [0.0, 1e-300, 1e300])
def test_facts_without_sense_are_outliers_and_no_failure(nonsense: float) -> None:
    found = find(changed(songs(300), 4, duration_seconds=nonsense, tempo_bpm=nonsense))
    assert found[0].song_id == 4
    json.dumps([reason.deviations for reason in found[0].reasons], allow_nan=False)


def test_the_facts_are_those_of_the_songs(published: tuple[Connection, int]) -> None:
    connection, index_id = published
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT duration_seconds, tempo_bpm, tracks, programs, notes, drum_notes FROM song ORDER BY song_id"
        )
        rows = cursor.fetchall()
    having = Counter(bit for *_, programs, _, drums in rows for bit in [*programs, *([128] if drums else [])])
    expected = []
    for seconds, tempo, tracks, programs, notes, drums in rows:
        bits = [*programs, *([128] if drums else [])]
        total = sum(notes) + drums
        common = exp(sum(log(having[bit] / len(rows)) for bit in bits) / len(bits))
        expected.append([seconds, tempo, tracks, total, total / seconds, len(bits), drums / total, common])
    with connection:
        assert outliers.load(connection, index_id) == pytest.approx(np.array(expected), rel=1e-4)


def test_outliers_are_stored_once_and_are_no_part_of_the_digest(published: tuple[Connection, int]) -> None:
    connection, index_id = published
    stored = f"SELECT outliers FROM index_version WHERE index_id = {index_id}"
    digest = check.digest(connection, index_id)
    with connection, connection.cursor() as cursor:
        cursor.execute(stored)
        (found,) = cursor.fetchone() or (None,)
        cursor.execute("UPDATE index_version SET outliers = '[]'")
    assert found
    assert {"song_id", "score", "reasons"} == set(found[0])
    outliers.record(connection, index_id)
    with connection, connection.cursor() as cursor:
        cursor.execute(stored)
        assert cursor.fetchone() == ([],), "an earlier attempt's are kept"
        cursor.execute("UPDATE index_version SET outliers = NULL")
    outliers.record(connection, index_id)
    with connection, connection.cursor() as cursor:
        cursor.execute(stored)
        assert cursor.fetchone() == (found,)
    assert check.digest(connection, index_id) == digest


def test_the_overview_counts_what_is_there(published: tuple[Connection, int]) -> None:
    connection, index_id = published
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT run_id FROM index_version")
        (run_id,) = cursor.fetchone() or (0,)
        cursor.execute("SELECT cardinality(programs) + (drum_notes > 0)::integer, warnings FROM song")
        rows = cursor.fetchall()
        cursor.execute("SELECT reason, key, detail FROM reject ORDER BY key")
        rejected = cursor.fetchall()
        cursor.execute("SELECT overview FROM index_version")
        (stored,) = cursor.fetchone() or (None,)
    sizes = sorted(Counter(size for size, _ in rows).items())
    assert [tuple(pair) for pair in stored["instruments_per_song"]] == sizes
    assert stored["warnings"] == Counter(warning for _, warnings in rows for warning in warnings)
    assert rejected
    for reason in {reason for reason, _, _ in rejected}:
        first = [{"key": key, "detail": detail} for named, key, detail in rejected if named == reason]
        assert stored["reject_examples"][reason] == first[: overview.EXAMPLES]
    assert json.loads(json.dumps(overview.of(connection, index_id, run_id))) == stored
