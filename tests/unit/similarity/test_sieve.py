"""What lets the search pass over sets: the counts are right, and no song ever scores more than its set's bound."""

import random

import numpy as np
import pytest

from midi.likeness import FEATURES
from spark_jobs.similarity.corpus import Corpus, SongNotes, build
from spark_jobs.similarity.query import least_shared, query_of
from spark_jobs.similarity.sieve import MOST_COUNTED, bound, count_shared, find, room_for
from tests.unit.similarity.made_up import SHAPES, by_definition, features, songs_of

SONGS = 70
CASES = [(shape, seed) for shape in SHAPES for seed in range(3)]


def _made_up(shape: str, seed: int) -> tuple[list[SongNotes], Corpus]:
    songs = songs_of(SHAPES[shape](random.Random(f"sieve {shape} {seed}"), SONGS))
    return songs, build(songs)


def _sets(songs: list[SongNotes]) -> list[set[int]]:
    by_id = {song.set_id: set(features(song)) for song in songs}
    return [by_id[set_id] for set_id in range(len(by_id))]


@pytest.mark.parametrize(("shape", "seed"), CASES)
def test_the_counts_of_shared_instruments_are_those_of_the_sets(shape: str, seed: int) -> None:
    songs, corpus = _made_up(shape, seed)
    sets = _sets(songs)
    counts = np.empty((len(sets) + 7) // 8 * 8, dtype=np.uint8)
    for own in range(len(sets)):
        count_shared(corpus, own, counts)
        assert counts[: len(sets)].tolist() == [min(len(sets[own] & other), MOST_COUNTED) for other in sets]


@pytest.mark.parametrize("seed", range(20))
def test_what_is_found_is_what_shares_enough_and_was_not_seen(seed: int) -> None:
    rng = random.Random(seed)
    sizes = sorted(rng.choice([1, 2, 3, 5, 9, 129]) for _ in range(rng.randint(1, 90)))
    counts = np.array([rng.choice([0, 1, 2, 3, 126, 127]) for _ in range((len(sizes) + 7) // 8 * 8)], dtype=np.uint8)
    least = np.array([rng.choice([0, 1, 2, 127, 128]) for _ in range(FEATURES + 1)])
    seen = np.array([rng.choice([1, 2, 3, 127, 128]) for _ in range(FEATURES + 1)])
    starts = np.searchsorted(sizes, np.arange(FEATURES + 2)).astype(np.int32)
    found = room_for(len(sizes)).sets
    number = find(starts, counts, least, seen, found)
    expected = [at for at, size in enumerate(sizes) if least[size] <= counts[at] < seen[size]]
    assert found[:number].tolist() == expected


@pytest.mark.parametrize("set_weight", [0, 500, 1000])
@pytest.mark.parametrize(("shape", "seed"), CASES)
def test_no_song_scores_more_than_the_bounds_allow(shape: str, seed: int, set_weight: int) -> None:
    songs, corpus = _made_up(shape, seed)
    sets = _sets(songs)
    set_of = {song.song_id: song.set_id for song in songs}
    found = room_for(len(sets))
    found.sets[: len(sets)] = np.arange(len(sets))
    least_idf = int(corpus.idf[corpus.idf > 0].min())
    for song_id, others in by_definition(songs, set_weight).items():
        query = query_of(corpus, int(corpus.row_of_song[song_id]), set_weight)
        bound(corpus, query, found, len(sets))
        for score, other in others:
            its_set = sets[set_of[other]]
            assert score <= found.bounds[set_of[other]]
            assert len(sets[set_of[song_id]] & its_set) >= least_shared(query, len(its_set), score, least_idf)


def test_the_bound_of_songs_of_one_set_with_one_song_is_close() -> None:
    """A bound that let everything through would still be a bound."""
    songs = songs_of([{0: 8, 1: 8}, {0: 8, 2: 8}, {3: 1}])
    corpus = build(songs)
    found = room_for(3)
    found.sets[:3] = [0, 1, 2]
    sets = {song.song_id: song.set_id for song in songs}
    bound(corpus, query_of(corpus, int(corpus.row_of_song[0]), 500), found, 3)
    bounds = [found.bounds[sets[song_id]] for song_id in range(3)]
    scores = {other: score for score, other in by_definition(songs, 500)[0]}
    assert bounds[1] - scores[1] < 5
    assert bounds[2] < 5
