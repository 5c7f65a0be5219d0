"""The compiled search against the definition in score.py, song by song."""

import random

import pytest

from spark_jobs.similarity.corpus import DRUMS, Corpus, SongNotes, build
from spark_jobs.similarity.score import idf_weights, note_weights, score
from spark_jobs.similarity.search import nearest


def _songs(rng: random.Random, count: int) -> list[SongNotes]:
    """Songs in few clusters with a common instrument, so that there are equal sets, equal songs and near ones."""
    clusters = [rng.sample(range(128), rng.randint(1, 9)) for _ in range(max(1, count // 12))]
    notes: list[tuple[tuple[int, ...], list[int], int]] = []
    for _ in range(count):
        programs = set(rng.choice(clusters)) ^ set(rng.sample(range(128), rng.choice([0, 0, 0, 1, 2])))
        drums = rng.choice([0, 0, 25, rng.randint(1, 900)])
        if not programs and not drums:
            programs = {0}
        notes.append((tuple(sorted(programs)), [rng.choice([10, rng.randint(1, 500)]) for _ in programs], drums))
    sets = sorted({(len(p) + bool(d), p, bool(d)) for p, _, d in notes})
    ids = {(p, d): number for number, (_, p, d) in enumerate(sets)}
    songs = [SongNotes(at, ids[p, bool(d)], list(p), n, d) for at, (p, n, d) in enumerate(notes)]
    return sorted(songs, key=lambda song: (song.set_id, song.song_id))


def _features(song: SongNotes) -> dict[int, int]:
    notes = dict(zip(song.programs, song.notes, strict=True))
    return notes | {DRUMS: song.drum_notes} if song.drum_notes else notes


def _by_definition(songs: list[SongNotes], set_weight: int) -> dict[int, list[tuple[int, int]]]:
    """Song id -> all other songs as (score, id), nearest first."""
    with_feature = [sum(feature in _features(song) for song in songs) for feature in range(DRUMS + 1)]
    idf = idf_weights(with_feature, len(songs))
    weights = {song.song_id: note_weights(_features(song)) for song in songs}
    return {
        one: sorted(
            ((score(weights[one], weights[other], idf, set_weight), other) for other in weights if other != one),
            key=lambda pair: (-pair[0], pair[1]),
        )
        for one in weights
    }


@pytest.mark.parametrize("set_weight", [0, 500, 1000])
@pytest.mark.parametrize("seed", range(6))
def test_the_search_finds_exactly_what_the_definition_says(seed: int, set_weight: int) -> None:
    songs = _songs(random.Random(seed), 180)
    expected = _by_definition(songs, set_weight)
    ids, scores = nearest(build(songs), 0, len(songs) - 1, 50, set_weight)
    for song in range(len(songs)):
        found = list(zip(scores[song].tolist(), ids[song].tolist(), strict=True))
        assert found == expected[song][:50], f"song {song} of seed {seed}"


def test_a_range_of_songs_gives_the_same_as_all_at_once() -> None:
    songs = _songs(random.Random(11), 90)
    corpus = build(songs)
    ids, scores = nearest(corpus, 0, 89, 10, 500)
    part_ids, part_scores = nearest(corpus, 30, 41, 10, 500)
    assert part_ids.tolist() == ids[30:42].tolist()
    assert part_scores.tolist() == scores[30:42].tolist()


def test_songs_that_tie_come_in_the_order_of_their_ids() -> None:
    songs = [SongNotes(song_id, 0, [5, 40], [7, 7], 0) for song_id in range(9)]
    ids, scores = nearest(build(songs), 4, 4, 5, 500)
    assert ids.tolist() == [[0, 1, 2, 3, 5]]
    assert scores.tolist() == [[1_000_000] * 5]


@pytest.mark.parametrize(("songs", "width"), [(1, 0), (2, 1), (4, 3)])
def test_a_small_corpus_gives_as_many_neighbours_as_there_are_other_songs(songs: int, width: int) -> None:
    corpus: Corpus = build([SongNotes(song_id, song_id, [song_id], [3], 0) for song_id in range(songs)])
    ids, scores = nearest(corpus, 0, songs - 1, 50, 500)
    assert ids.shape == scores.shape == (songs, width)


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
