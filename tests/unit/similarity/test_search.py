"""The compiled search against the definition in midi/likeness.py, song by song."""

import random

import pytest

from midi.likeness import idf_weights, note_weights, score
from spark_jobs.similarity import search
from spark_jobs.similarity.corpus import DRUMS, Corpus, SongNotes, build
from spark_jobs.similarity.search import nearest
from tests.unit.similarity.made_up import SHAPES, by_definition, clusters, songs_of


@pytest.mark.parametrize("set_weight", [0, 137, 500, 1000])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shape", SHAPES)
def test_the_search_finds_exactly_what_the_definition_says(shape: str, seed: int, set_weight: int) -> None:
    rng = random.Random(f"{shape} {seed}")
    songs = songs_of(SHAPES[shape](rng, 90))
    expected = by_definition(songs, set_weight)
    for neighbours in (1, rng.randint(2, 49), 50, 200):
        ids, scores = nearest(build(songs), 0, len(songs) - 1, neighbours, set_weight)
        for song in range(len(songs)):
            found = list(zip(scores[song].tolist(), ids[song].tolist(), strict=True))
            assert found == expected[song][:neighbours], f"song {song} of {shape}, seed {seed}, {neighbours} neighbours"


@pytest.mark.parametrize("seed", range(2))
def test_more_songs_in_nearer_clusters_give_what_the_definition_says(seed: int) -> None:
    songs = songs_of(clusters(random.Random(seed), 400))
    expected = by_definition(songs, 500)
    ids, scores = nearest(build(songs), 0, len(songs) - 1, 50, 500)
    for song in range(len(songs)):
        assert list(zip(scores[song].tolist(), ids[song].tolist(), strict=True)) == expected[song][:50], seed


def test_a_range_of_songs_gives_the_same_as_all_at_once() -> None:
    corpus = build(songs_of(clusters(random.Random(11), 90)))
    ids, scores = nearest(corpus, 0, 89, 10, 500)
    part_ids, part_scores = nearest(corpus, 30, 41, 10, 500)
    assert part_ids.tolist() == ids[30:42].tolist()
    assert part_scores.tolist() == scores[30:42].tolist()


def test_thousands_of_equal_songs_tie_and_come_in_the_order_of_their_ids() -> None:
    songs = songs_of([{5: 7, 40: 7}] * 5000 + [{5: 7}])
    ids, scores = nearest(build(songs), 0, 5000, 50, 500)
    assert ids[3].tolist() == [song for song in range(51) if song != 3]
    assert ids[4999].tolist() == list(range(50))
    assert set(scores[:5000].flatten().tolist()) == {1_000_000}
    assert ids[5000].tolist() == list(range(50))
    assert scores[5000].max() < 1_000_000


def test_every_song_of_drums_only_finds_the_first_others() -> None:
    ids, scores = nearest(build(songs_of([{DRUMS: notes} for notes in range(1, 8)])), 2, 3, 3, 500)
    assert ids.tolist() == [[0, 1, 3], [0, 1, 2]]
    assert scores.tolist() == [[1_000_000] * 3] * 2


@pytest.mark.parametrize(("songs", "width"), [(1, 0), (2, 1), (4, 3)])
def test_a_small_corpus_gives_as_many_neighbours_as_there_are_other_songs(songs: int, width: int) -> None:
    corpus: Corpus = build([SongNotes(song_id, song_id, [song_id], [3], 0) for song_id in range(songs)])
    ids, scores = nearest(corpus, 0, songs - 1, 50, 500)
    assert ids.shape == scores.shape == (songs, width)


def test_the_levels_fall_to_nothing_so_that_no_set_is_left_out() -> None:
    assert list(search.LEVELS) == sorted(set(search.LEVELS), reverse=True)
    assert search.LEVELS[-1] == 0


def test_songs_that_share_nothing_score_zero_and_the_same_song_a_million() -> None:
    idf = idf_weights([1] * (DRUMS + 1), 3)
    piano, bass = note_weights({0: 10}), note_weights({32: 4, DRUMS: 9})
    assert score(piano, bass, idf, 500) == 0
    assert score(bass, bass, idf, 500) == 1_000_000


def test_a_rare_shared_instrument_counts_for_more_than_a_common_one() -> None:
    idf = idf_weights([100] * 50 + [1] * 79, 100)
    query = note_weights({0: 10, 100: 10})
    shares_common, shares_rare = note_weights({0: 10, 1: 10}), note_weights({1: 10, 100: 10})
    assert score(query, shares_rare, idf, 500) > score(query, shares_common, idf, 500)
