"""The map of a song's neighbours: nearer is more similar, side by side is alike."""

import itertools
import math
import random

import pytest

from app.neighbour_map import INNER, OUTER, SET_WEIGHT, NeighbourMap, likeness, neighbour_map
from midi.likeness import FEATURES, SCORE_UNIT, idf_weights, note_weights, score

Notes = dict[int, int]


def made_up(count: int, seed: int = 1) -> list[Notes]:
    draw = random.Random(seed)
    return [{draw.randrange(FEATURES): draw.randint(1, 900) for _ in range(draw.randint(1, 14))} for _ in range(count)]


def idf_of(songs: list[Notes]) -> list[int]:
    return idf_weights([sum(feature in song for song in songs) for feature in range(FEATURES)], len(songs))


def mapped(songs: list[Notes], scores: list[int]) -> NeighbourMap:
    return neighbour_map(songs, scores, idf_of(songs))


def test_likeness_is_that_of_the_definition() -> None:
    songs = made_up(50)
    idf, found = idf_of(songs), likeness(songs, idf_of(songs))
    for (row, one), (column, other) in itertools.product(enumerate(songs), repeat=2):
        assert found[row, column] == score(note_weights(one), note_weights(other), idf, SET_WEIGHT)


def test_the_more_similar_the_nearer_to_the_middle() -> None:
    draw = random.Random(2)
    scores = sorted((draw.randint(100_000, SCORE_UNIT) for _ in range(50)), reverse=True)
    places = mapped(made_up(50), scores).places
    distances = [math.hypot(place.x, place.y) for place in places]
    assert distances == pytest.approx(sorted(distances))
    assert distances[0] == pytest.approx(INNER, abs=(OUTER - INNER) * (1 - scores[0] / SCORE_UNIT) * 2)
    assert max(distances) <= OUTER + 1e-9


def test_no_song_hides_another_even_if_all_are_equal() -> None:
    for songs, one in ((made_up(50), 700_000), ([{0: 5, 40: 2}] * 50, SCORE_UNIT // 2)):
        places = mapped(songs, [one] * 50).places
        pairs = itertools.combinations(places, 2)
        assert min(math.hypot(a.x - b.x, a.y - b.y) for a, b in pairs) > 1


def test_songs_that_are_alike_are_side_by_side() -> None:
    kinds: list[Notes] = [{0: 9}, {40: 9, 73: 1}, {24: 5, 128: 5}]
    songs = [kinds[number % 3] for number in range(30)]
    places = mapped(songs, [500_000] * 30).places
    round_about = sorted(range(30), key=lambda number: math.atan2(places[number].x, -places[number].y) % math.tau)
    changes = sum(one % 3 != other % 3 for one, other in itertools.pairwise(round_about))
    assert changes == 2


def test_the_same_neighbours_give_the_same_map() -> None:
    assert mapped(made_up(50), [400_000] * 50) == mapped(made_up(50), [400_000] * 50)


@pytest.mark.parametrize("lowest", [1, 123_456, 750_000, 960_000, 999_999, SCORE_UNIT])
def test_rings_of_round_scores_go_around_all_songs(lowest: int) -> None:
    found = mapped(made_up(3), [SCORE_UNIT, SCORE_UNIT, lowest])
    assert 1 <= len(found.rings) <= 4
    assert found.rings[-1].radius == pytest.approx(OUTER)
    assert found.rings[-1].score <= lowest / SCORE_UNIT + 1e-9
    assert all(round(ring.score, 2) == pytest.approx(ring.score) for ring in found.rings)


def test_a_place_says_which_instrument_most_notes_are_of() -> None:
    assert [place.feature for place in mapped([{3: 1, 9: 2}, {128: 7, 0: 7}], [5, 4]).places] == [9, 0]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_neighbours_make_a_map_too(count: int) -> None:
    assert len(mapped(made_up(count), [600_000] * count).places) == count
