"""The song that is searched for, laid out so that a bound for another song costs a few look-ups."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from midi.likeness import FEATURES, SCORE_UNIT
from spark_jobs.similarity.corpus import WORDS, Corpus
from spark_jobs.similarity.machine import compiled

SLACK = 2.0
"""Millionths added to the bounds, which are in floating point, so that rounding never drops a song."""


class Query(NamedTuple):
    """A song that is searched for.

    row: in the corpus. size: how many features it has. set_weight: the sets' part of the score, of 1000.
    weights: int32[FEATURES], 0 for a feature it has not, and their sum.
    lost_weight, lost_idf: int64[size + 1], the sums over its 0, 1, 2, ... features that weigh least.
    words, shifts: int64[b], where the b bytes of a set's bits are in which the query has features.
    tables: int64[b, 256], for each value of such a byte the sums over the shared features: idf << 32 | weight.
    """

    row: int
    size: int
    set_weight: int
    weights: npt.NDArray[np.int32]
    weight_sum: int
    lost_weight: npt.NDArray[np.int64]
    idf_sum: int
    lost_idf: npt.NDArray[np.int64]
    words: npt.NDArray[np.int64]
    shifts: npt.NDArray[np.int64]
    tables: npt.NDArray[np.int64]


@compiled
def query_of(corpus: Corpus, row: int, set_weight: int) -> Query:
    own = corpus.song_sets[row]
    features = corpus.features[corpus.set_features[own] : corpus.set_features[own + 1]]
    size = len(features)
    start = corpus.set_weights[own] + (row - corpus.set_songs[own]) * size
    own_weights = corpus.weights[start : start + size]
    weights = np.zeros(FEATURES, dtype=np.int32)
    values = np.zeros(64 * WORDS, dtype=np.int64)
    lost_weight = np.zeros(size + 1, dtype=np.int64)
    lost_idf = np.zeros(size + 1, dtype=np.int64)
    for place in range(size):
        idf = corpus.idf[features[place]]
        weights[features[place]] = own_weights[place]
        values[features[place]] = (idf << 32) + own_weights[place]
        lost_weight[place + 1] = own_weights[place]
        lost_idf[place + 1] = idf
    lost_weight.sort()
    lost_idf.sort()
    words, shifts, tables = _tables(values)
    return Query(
        row,
        size,
        set_weight,
        weights,
        corpus.weight_sums[row],
        np.cumsum(lost_weight),
        corpus.set_idf[own],
        np.cumsum(lost_idf),
        words,
        shifts,
        tables,
    )


@compiled
def _tables(
    values: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Words, shifts and tables of a Query, from the value of each feature."""
    words = np.empty(8 * WORDS, dtype=np.int64)
    shifts = np.empty(8 * WORDS, dtype=np.int64)
    used = 0
    for byte in range(8 * WORDS):
        if values[8 * byte : 8 * byte + 8].any():
            words[used], shifts[used] = byte // 8, byte % 8 * 8
            used += 1
    tables = np.zeros((used, 256), dtype=np.int64)
    for number in range(used):
        first = 64 * words[number] + shifts[number]
        for bit in range(8):
            for below in range(1 << bit):
                tables[number, (1 << bit) + below] = tables[number, below] + values[first + bit]
    return words[:used], shifts[:used], tables


@compiled
def least_shared(query: Query, other_size: int, worst: int, least_idf: int) -> int:
    """How many features a set of other_size must share for one of its songs to reach the score `worst`.

    With some shared, the query loses at least its cheapest other features, and the other set adds at least the corpus'
    cheapest feature (least_idf) for each of its own.
    """
    shared = min(query.size, other_size)
    while shared >= 0:
        lost = query.size - shared
        sets = (query.idf_sum - query.lost_idf[lost]) / (query.idf_sum + (other_size - shared) * least_idf)
        notes = (query.weight_sum - query.lost_weight[lost]) / query.weight_sum
        if SCORE_UNIT * (query.set_weight * sets + (1000 - query.set_weight) * notes) / 1000 + SLACK < worst:
            break
        shared -= 1
    return shared + 1
