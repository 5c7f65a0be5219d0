"""What similar means: half the instruments two songs share, half how they share out their notes among them.

A song has 129 features: the melodic programs 0-127 and the drums (128). Its *set* is the features with notes; its
*weights* are the square roots of the features' shares of all its notes. The score of two songs blends

- the Jaccard index of their sets, a feature weighing its inverse document frequency ln(1 + songs / songs with it), and
- the Ruzicka index of their weights (the sum of the lesser over the sum of the greater).

Each index is an integer in UNIT-ths, the score one in millionths, all rounded down.
"""

import math
from collections.abc import Mapping, Sequence

FEATURES = 129
WEIGHT_UNIT = 1 << 16
UNIT = 10**9
SCORE_UNIT = 10**6


def idf_weights(songs_with: Sequence[int], songs: int) -> list[int]:
    """Inverse document frequency of each feature in WEIGHT_UNIT-ths; 0 for a feature no song has.

    songs_with: for each of the FEATURES the number of songs that have it.
    """
    return [round(WEIGHT_UNIT * math.log1p(songs / count)) if count else 0 for count in songs_with]


def note_weights(notes: Mapping[int, int]) -> dict[int, int]:
    """Feature -> the square root of its share of the notes in WEIGHT_UNIT-ths, at least 1.

    notes: feature -> how many, at least 1.
    """
    total = sum(notes.values())
    return {
        feature: max(1, math.isqrt(count * WEIGHT_UNIT * WEIGHT_UNIT // total))
        for feature, count in sorted(notes.items())
    }


def score(a: Mapping[int, int], b: Mapping[int, int], idf: Sequence[int], set_weight: int) -> int:
    """Score of two songs in millionths, by the definition; the oracle of search.py.

    a, b: feature -> weight, as note_weights gives. idf: as idf_weights gives. set_weight: the sets' part, of 1000.
    """
    shared = a.keys() & b.keys()
    either = a.keys() | b.keys()
    sets = sum(idf[f] for f in shared) * UNIT // sum(idf[f] for f in either)
    lesser = sum(min(a[f], b[f]) for f in shared)
    greater = sum(a.values()) + sum(b.values()) - lesser
    return (set_weight * sets + (1000 - set_weight) * (lesser * UNIT // greater)) // (1000 * UNIT // SCORE_UNIT)
