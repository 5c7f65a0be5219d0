"""A song's neighbours as a small map: the more similar, the nearer to the middle; those alike lie side by side. No I/O.

Directions come from the neighbours' likeness among themselves: a walk from each to the one most like it, in equal steps
round the middle, so that none hides another.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from midi.likeness import FEATURES, SCORE_UNIT, UNIT, note_weights

INNER, OUTER = 16.0, 92.0
"""How far from the middle a song of score 1 is, and the outermost ring."""

GAP = 0.16
"""Radians left free on both sides of straight up, for the rings' scores."""

MOST_RINGS = 4
RING_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25)

SET_WEIGHT = 500
"""The sets' part of the neighbours' likeness among themselves, of 1000: only directions follow from it."""

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Place:
    """Where a neighbour is, from the middle: to the right and downwards, and the feature most of its notes are of."""

    x: float
    y: float
    feature: int


@dataclass(frozen=True, slots=True)
class Ring:
    """All places of one score (0-1)."""

    radius: float
    score: float


@dataclass(frozen=True, slots=True)
class NeighbourMap:
    """places: in the order the neighbours were given. rings: the innermost first."""

    places: list[Place]
    rings: list[Ring]


def neighbour_map(neighbours: Sequence[Mapping[int, int]], scores: Sequence[int], idf: Sequence[int]) -> NeighbourMap:
    """neighbours: each one's notes by feature. scores: in millionths. idf: as in midi.likeness."""
    if not neighbours:
        return NeighbourMap([], [])
    rings = _rings(min(scores) / SCORE_UNIT)
    places: dict[int, Place] = {}
    for step, number in enumerate(_round_about(likeness(neighbours, idf))):
        angle = GAP + 2 * (math.pi - GAP) * (step + 0.5) / len(neighbours)
        radius = _radius(scores[number] / SCORE_UNIT, rings[-1].score)
        notes = neighbours[number]
        most = max(sorted(notes), key=lambda feature: notes[feature])
        places[number] = Place(radius * math.sin(angle), -radius * math.cos(angle), most)
    return NeighbourMap([places[number] for number in range(len(neighbours))], rings)


def likeness(songs: Sequence[Mapping[int, int]], idf: Sequence[int]) -> npt.NDArray[np.int64]:
    """midi.likeness.score of every two of these songs, by the same integers. songs: notes by feature."""
    weights = np.zeros((len(songs), FEATURES), dtype=np.int64)
    for row, notes in zip(weights, songs, strict=True):
        of_song = note_weights(notes)
        row[list(of_song)] = list(of_song.values())
    has = (weights > 0).astype(np.int64)
    shared = (has * np.array(idf, dtype=np.int64)) @ has.T
    own = shared.diagonal()
    sets = shared * UNIT // np.maximum(own[:, None] + own - shared, 1)
    lesser = np.minimum(weights[:, None], weights).sum(axis=2)
    sums = weights.sum(axis=1)
    shares = lesser * UNIT // (sums[:, None] + sums - lesser)
    blend: npt.NDArray[np.int64] = (SET_WEIGHT * sets + (1000 - SET_WEIGHT) * shares) // (1000 * UNIT // SCORE_UNIT)
    return blend


def _round_about(scores: npt.NDArray[np.int64]) -> list[int]:
    """The songs in the order they go round: from the first one on, always to the one most like the last.

    In integers, so the same on every machine. Eigenvectors would give an order too, and a linear algebra library
    starts a thread on every core for them.
    """
    left = scores.copy()
    order = [0]
    left[:, 0] = -1
    while len(order) < len(scores):
        following = int(left[order[-1]].argmax())
        order.append(following)
        left[:, following] = -1
    return order


def _rings(lowest: float) -> list[Ring]:
    """Few enough rings of round scores, the last one around all songs."""
    step = next(step for step in RING_STEPS if 1 - lowest <= MOST_RINGS * step + _ROUNDING)
    count = max(1, math.ceil((1 - lowest) / step - _ROUNDING))
    scores = [1 - step * number for number in range(1, count + 1)]
    return [Ring(_radius(score, scores[-1]), score) for score in scores]


def _radius(score: float, outermost: float) -> float:
    return INNER + (OUTER - INNER) * (1 - score) / (1 - outermost)
