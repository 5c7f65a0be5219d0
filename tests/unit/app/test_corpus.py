"""The songs nearest to one from outside are those of the definition in midi/likeness.py, to the last millionth."""

from random import Random

import numpy as np
import pytest

from app.corpus import Corpus, note_weights
from midi import likeness
from midi.likeness import FEATURES, idf_weights, score

Notes = dict[int, int]


def corpus_of(songs: list[Notes], set_weight: int = 500) -> Corpus:
    return Corpus(
        np.array([len(song) for song in songs], dtype=np.int16),
        np.array([feature for song in songs for feature in sorted(song)], dtype=np.int16),
        np.array([song[feature] for song in songs for feature in sorted(song)], dtype=np.int32),
        set_weight,
    )


def drawn(draw: Random, features: int) -> Notes:
    """One to eight of so many instruments, with few notes or very many."""
    chosen = draw.sample(range(features), draw.randint(1, min(8, features)))
    return {feature: draw.choice((1, 2, 7, 300, 2_000_000_000)) for feature in chosen}


def by_definition(song: Notes, songs: list[Notes], set_weight: int, most: int) -> list[tuple[int, int]]:
    idf = idf_weights([sum(feature in other for other in songs) for feature in range(FEATURES)], len(songs))
    own = likeness.note_weights(song)
    scores = [
        (-score(own, likeness.note_weights(other), idf, set_weight), number) for number, other in enumerate(songs)
    ]
    return [(number, -negative) for negative, number in sorted(scores)[:most] if negative]


@pytest.mark.parametrize("set_weight", [0, 300, 500, 1000])
@pytest.mark.parametrize("features", [4, 12, FEATURES])
def test_scores_and_order_are_those_of_the_definition(features: int, set_weight: int) -> None:
    draw = Random(features * 10_000 + set_weight)
    songs = [drawn(draw, features) for _ in range(120)]
    corpus = corpus_of(songs, set_weight)
    for song in [*songs[:10], *(drawn(draw, FEATURES) for _ in range(10))]:
        for most in (1, 7, 500):
            found = corpus.nearest(likeness.note_weights(song), most)
            assert found == by_definition(song, songs, set_weight, most)


def test_a_song_left_out_changes_nothing_for_the_others() -> None:
    draw = Random(5)
    songs = [drawn(draw, 6) for _ in range(60)]
    corpus = corpus_of(songs)
    weights = likeness.note_weights(songs[3])
    everything = corpus.nearest(weights, 60)
    assert everything[0][1] == 1_000_000
    assert corpus.nearest(weights, 60, without=3) == [one for one in everything if one[0] != 3]


def test_equally_near_songs_come_in_the_order_of_their_ids_and_are_cut_there() -> None:
    corpus = corpus_of([{7: 1}, {0: 5}, {0: 9}, {0: 1}, {0: 2, 7: 2}])
    assert [song for song, _ in corpus.nearest(likeness.note_weights({0: 3}), 2)] == [1, 2]


def test_songs_with_nothing_in_common_are_not_similar() -> None:
    songs = [{0: 5}, {1: 5}, {1: 1, 2: 9}]
    assert corpus_of(songs).nearest(likeness.note_weights({0: 1}), 50) == [(0, 1_000_000)]
    assert corpus_of(songs).nearest(likeness.note_weights({100: 1}), 50) == []


@pytest.mark.parametrize("songs", [[], [{}], [{}, {}]])
def test_songs_without_instruments_and_no_songs_at_all_are_nothing_to_be_like(songs: list[Notes]) -> None:
    assert corpus_of(songs).nearest(likeness.note_weights({0: 1}), 50) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_weights_of_all_songs_at_once_are_those_of_each(seed: int) -> None:
    draw = Random(seed)
    songs = [drawn(draw, 40) for _ in range(200)]
    songs += [{0: 1, 1: 65536**2 // 2 - 1}, {0: 2**31 - 1}, {0: 2**31 - 1, 1: 1, 2: 2**31 - 1}]
    songs += [{0: root * root, 1: 65536 * 4 - root * root} for root in range(1, 500, 7)]
    notes = np.array([song[feature] for song in songs for feature in sorted(song)], dtype=np.int32)
    owners = np.repeat(np.arange(len(songs), dtype=np.int32), [len(song) for song in songs])
    expected = [weight for song in songs for weight in likeness.note_weights(song).values()]
    assert note_weights(notes, owners, len(songs)).tolist() == expected
