"""Bitmaps give what sets of instruments give, only faster."""

import random

import numpy as np
import pytest

from app.bitmaps import Bitmaps, size
from app.instruments import BITS

FAMILIES = [range(first, first + 8) for first in range(0, 128, 8)]


def sets(songs: int, seed: int) -> list[set[int]]:
    """Made-up songs' instruments; few kinds, so that choices meet."""
    draw = random.Random(seed)
    return [set(draw.sample((0, 1, 7, 8, 63, 64, 100, 127, 128), draw.randint(0, 6))) for _ in range(songs)]


def bitmaps(songs: list[set[int]]) -> Bitmaps:
    members = np.zeros((len(songs), BITS), dtype=np.uint8)
    for number, instruments in enumerate(songs):
        members[number, list(instruments)] = 1
    return Bitmaps(members, FAMILIES)


@pytest.mark.parametrize("songs", [0, 1, 63, 64, 65, 500])
@pytest.mark.parametrize("seed", range(3))
def test_a_choice_and_its_counts_are_those_of_the_sets(songs: int, seed: int) -> None:
    made = sets(songs, seed)
    built = bitmaps(made)
    draw = random.Random(seed)
    for _ in range(20):
        parts = {
            heading: frozenset(draw.sample(range(BITS), 1) + draw.sample((0, 1, 8, 64, 127, 128), draw.randint(0, 2)))
            if draw.random() < 0.6
            else frozenset[int]()
            for heading in ("all", "any", "none")
        }
        expected = [
            number
            for number, has in enumerate(made)
            if parts["all"] <= has and (not parts["any"] or parts["any"] & has) and not parts["none"] & has
        ]
        found = built.matching(parts)
        assert np.flatnonzero(built.flags(found)).tolist() == expected, parts
        assert size(found) == len(expected)
        instruments, families = built.counts(found)
        assert instruments == [sum(bit in made[number] for number in expected) for bit in range(BITS)]
        assert families == [sum(bool(set(bits) & made[number]) for number in expected) for bits in FAMILIES]


def test_flags_and_packed_are_each_others_inverse() -> None:
    built = bitmaps(sets(77, 5))
    flags = np.arange(77) % 3 == 0
    assert built.flags(built.packed(flags)).tolist() == flags.tolist()
