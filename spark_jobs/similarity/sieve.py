"""Which sets may hold songs for the list: first by the number of shared features, then by what these weigh."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from midi.likeness import FEATURES, SCORE_UNIT
from spark_jobs.similarity.corpus import WORDS, Corpus
from spark_jobs.similarity.machine import compiled, population_count
from spark_jobs.similarity.query import SLACK, Query

MOST_COUNTED = 127
"""Counts of shared features end here: eight are compared at once, which needs the highest bit of each byte."""

WEIGHT_MASK = np.int64(0xFFFFFFFF)
"""The weight in a sum of Query.tables."""

_ONE_EACH = np.uint64(0x0101010101010101)
_HIGH_BITS = np.uint64(0x8080808080808080)


class Found(NamedTuple):
    """Sets that may hold songs for the list; how many are in use is told beside it.

    sets: int32. shared: int64, the sums over the features they share, as in Query.tables.
    bounds: float64, no song of the set has a higher score, in millionths.
    """

    sets: npt.NDArray[np.int32]
    shared: npt.NDArray[np.int64]
    bounds: npt.NDArray[np.float64]


@compiled
def room_for(sets: int) -> Found:
    # find() writes whole groups of eight.
    room = sets + 8
    return Found(np.empty(room, np.int32), np.empty(room, np.int64), np.empty(room, np.float64))


@compiled
def count_shared(corpus: Corpus, own: int, counts: npt.NDArray[np.uint8]) -> None:
    """How many features each set shares with the set `own`; counts is filled up to a multiple of eight."""
    counts[:] = 0
    for word in range(WORDS):
        own_bits = corpus.bits[word, own]
        if own_bits:
            others = corpus.bits[word]
            for other in range(len(others)):
                counts[other] += population_count(own_bits & others[other])
    if corpus.set_features[own + 1] - corpus.set_features[own] > MOST_COUNTED:
        for other in range(len(counts)):
            counts[other] = min(counts[other], MOST_COUNTED)


@compiled
def find(
    size_starts: npt.NDArray[np.int32],
    counts: npt.NDArray[np.uint8],
    least: npt.NDArray[np.int64],
    seen: npt.NDArray[np.int64],
    sets: npt.NDArray[np.int32],
) -> np.int64:
    """List the sets that share at least `least` and less than `seen` features, both by set size; returns how many.

    Byte by byte, count + 128 - limit has its highest bit set where the count reaches the limit, and never carries.
    """
    eights = counts.view(np.uint64)
    found = np.int64(0)
    for size in range(1, FEATURES + 1):
        if least[size] >= seen[size]:
            continue
        first, last = size_starts[size], size_starts[size + 1]
        to_least = _ONE_EACH * np.uint64(MOST_COUNTED + 1 - least[size])
        to_seen = _ONE_EACH * np.uint64(MOST_COUNTED + 1 - seen[size])
        for eight in range(first // 8, (last + 7) // 8):
            hits = (eights[eight] + to_least) & ~(eights[eight] + to_seen) & _HIGH_BITS
            if not hits:
                continue
            if 8 * eight < first:
                hits &= _HIGH_BITS << np.uint64(8 * (first - 8 * eight))
            if 8 * eight + 8 > last:
                hits &= _HIGH_BITS >> np.uint64(8 * (8 * eight + 8 - last))
            # All eight are written, and overwritten unless they count: to branch on each would be a guess each.
            for place in range(8):
                sets[found] = 8 * eight + place
                found += np.int64(hits >> np.uint64(8 * place + 7) & np.uint64(1))
    return found


@compiled
def bound(corpus: Corpus, query: Query, found: Found, count: int | np.int64) -> None:
    """Fill in shared and bounds of the first `count` sets found.

    The lesser weights of two songs sum to no more than the query's weights of the shared features, nor than all the
    other song's; the greater ones to no less than the two songs' sums without the lesser.
    """
    bits, set_idf, least_sums, most_sums = corpus.bits, corpus.set_idf, corpus.least_sums, corpus.most_sums
    sets, shared, bounds = found.sets[:count], found.shared[:count], found.bounds[:count]
    weight_sum, idf_sum = query.weight_sum, query.idf_sum
    set_part = query.set_weight * SCORE_UNIT / 1000
    note_part = SCORE_UNIT - set_part
    per_weight = 1 / weight_sum
    shared[:] = 0
    for number in range(len(query.words)):
        word, shift, table = bits[query.words[number]], np.uint64(query.shifts[number]), query.tables[number]
        for place in range(count):
            shared[place] += table[(word[sets[place]] >> shift) & np.uint64(255)]
    for place in range(count):
        other = sets[place]
        shared_idf, kept = shared[place] >> 32, shared[place] & WEIGHT_MASK
        all_idf = np.float64(idf_sum + set_idf[other] - shared_idf)
        all_weight = np.float64(weight_sum + max(least_sums[other], kept) - kept)
        # One division for two fractions: divisions would take half of the time here.
        inverse = 1 / (all_idf * all_weight)
        notes = min(kept * all_idf * inverse, most_sums[other] * per_weight)
        bounds[place] = set_part * shared_idf * all_weight * inverse + note_part * notes + SLACK
