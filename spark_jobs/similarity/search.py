"""The exact nearest songs, compiled: bounds first, the score only where a song could still get into the list.

For a query song with instrument set A the sets are visited by how far their size is from A's. Of a set B only the
number of shared instruments is counted at first (three population counts). The best score that any song of a set of
that size with that many shared instruments could have is known beforehand, so most sets end there; the rest is scored
by the definition in score.py.
"""

from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from spark_jobs.similarity.corpus import Corpus
from spark_jobs.similarity.score import FEATURES, SCORE_UNIT, UNIT

_SCALE = 1000 * UNIT // SCORE_UNIT
compiled = numba.njit(cache=True, nogil=True)
_SLACK = 2.0
"""Added to the bounds, which are in floating point, so that rounding never drops a song."""


def _ctpop(typingctx: Any, value: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> ir.Value:
        function = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, ir.FunctionType(ir.IntType(64), [ir.IntType(64)]), "llvm.ctpop.i64"
        )
        return builder.call(function, arguments)

    return types.int64(types.uint64), codegen


_population_count: Any = intrinsic(_ctpop)
"""The number of 1 bits of a uint64, by the processor's own instruction."""


def nearest(
    corpus: Corpus, first: int, last: int, neighbours: int, set_weight: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The nearest songs of the songs first..last (inclusive ids), best score first, ties by ascending song id.

    Returns song ids and scores in millionths, both int32[last - first + 1, min(neighbours, songs - 1)].
    """
    width = min(neighbours, len(corpus.song_ids) - 1)
    ids = np.full((last - first + 1, width), np.iinfo(np.int32).max, dtype=np.int32)
    scores = np.full((last - first + 1, width), -1, dtype=np.int32)
    if width:
        _search_all(corpus, corpus.row_of_song[first : last + 1], set_weight, ids, scores)
    return ids, scores


class _Query(NamedTuple):
    """The song that is searched for.

    weights, idf: int64[FEATURES], 0 for a feature it has not; their sums. size: how many it has.
    lost_weight, lost_idf: int64[size], the sums over its 1, 2, ... features that weigh least.
    """

    row: int
    size: int
    weights: npt.NDArray[np.int64]
    weight_sum: int
    lost_weight: npt.NDArray[np.int64]
    idf: npt.NDArray[np.int64]
    idf_sum: int
    lost_idf: npt.NDArray[np.int64]


@compiled
def _search_all(
    corpus: Corpus,
    rows: npt.NDArray[np.int32],
    set_weight: int,
    ids: npt.NDArray[np.int32],
    scores: npt.NDArray[np.int32],
) -> None:
    least_idf = corpus.idf[corpus.idf > 0].min()
    for place in range(len(rows)):
        query = _query(corpus, rows[place])
        _search(corpus, query, set_weight, least_idf, ids[place], scores[place])


@compiled
def _query(corpus: Corpus, row: int) -> _Query:
    own = corpus.song_sets[row]
    features = corpus.features[corpus.set_features[own] : corpus.set_features[own + 1]]
    own_weights = corpus.weights[corpus.weight_starts[row] : corpus.weight_starts[row + 1]].astype(np.int64)
    own_idf = corpus.idf[features]
    weights = np.zeros(FEATURES, dtype=np.int64)
    weights[features] = own_weights
    idf = np.zeros(FEATURES, dtype=np.int64)
    idf[features] = own_idf
    return _Query(
        row,
        len(features),
        weights,
        corpus.weight_sums[row],
        np.cumsum(np.sort(own_weights)),
        idf,
        corpus.set_idf[own],
        np.cumsum(np.sort(own_idf)),
    )


@compiled
def _search(  # noqa: C901 - one loop nest; calls between its levels would count references
    corpus: Corpus,
    query: _Query,
    set_weight: int,
    least_idf: int,
    best_ids: npt.NDArray[np.int32],
    best_scores: npt.NDArray[np.int32],
) -> None:
    # Reading a field of a tuple counts a reference, which costs more than the work of the inner loops: once per query.
    lows, highs, drums = corpus.low, corpus.high, corpus.drums
    features, set_features, set_idf, set_songs = corpus.features, corpus.set_features, corpus.set_idf, corpus.set_songs
    weights, weight_starts, weight_sums = corpus.weights, corpus.weight_starts, corpus.weight_sums
    own_weights, own_idf = query.weights, query.idf
    own = corpus.song_sets[query.row]
    low, high, drum = lows[own], highs[own], drums[own]
    note_weight = 1000 - set_weight
    for step in range(2 * FEATURES):
        size = query.size + (step + 1) // 2 * (1 if step % 2 else -1)
        if size < 1 or size > FEATURES:
            continue
        worst = best_scores[-1]
        least_shared = _least_shared(query, size, worst, set_weight, least_idf)
        if least_shared > min(query.size, size):
            continue
        for other in range(corpus.size_starts[size], corpus.size_starts[size + 1]):
            if (
                _population_count(low & lows[other]) + _population_count(high & highs[other]) + (drum & drums[other])
                < least_shared
            ):
                continue
            first = set_features[other]
            shared_idf = np.int64(0)
            kept = np.int64(0)
            for place in range(size):
                shared_idf += own_idf[features[first + place]]
                kept += own_weights[features[first + place]]
            sets = shared_idf * UNIT // (query.idf_sum + set_idf[other] - shared_idf)
            if (set_weight * sets + note_weight * (kept * UNIT // query.weight_sum)) // _SCALE < best_scores[-1]:
                continue
            for song in range(set_songs[other], set_songs[other + 1]):
                if song == query.row:
                    continue
                lesser = np.int64(0)
                for place in range(size):
                    lesser += min(own_weights[features[first + place]], weights[weight_starts[song] + place])
                notes = lesser * UNIT // (query.weight_sum + weight_sums[song] - lesser)
                score = (set_weight * sets + note_weight * notes) // _SCALE
                if score >= best_scores[-1]:
                    _insert(best_ids, best_scores, corpus.song_ids[song], score)
            if best_scores[-1] != worst:
                worst = best_scores[-1]
                least_shared = _least_shared(query, size, worst, set_weight, least_idf)


@compiled
def _insert(best_ids: npt.NDArray[np.int32], best_scores: npt.NDArray[np.int32], song_id: int, score: int) -> None:
    """Put a song in its place among the best (best score first, then least id); drop the last."""
    place = len(best_ids) - 1
    if score == best_scores[place] and song_id > best_ids[place]:
        return
    while place > 0 and (
        best_scores[place - 1] < score or (best_scores[place - 1] == score and best_ids[place - 1] > song_id)
    ):
        best_scores[place] = best_scores[place - 1]
        best_ids[place] = best_ids[place - 1]
        place -= 1
    best_scores[place] = score
    best_ids[place] = song_id


@compiled
def _least_shared(query: _Query, other_size: int, worst: int, set_weight: int, least_idf: int) -> int:
    """How many instruments a set of other_size must share for one of its songs to reach the score `worst`.

    With some shared, the query loses at least its cheapest other features, and the other set adds at least the corpus'
    cheapest feature for each of its own.
    """
    shared = min(query.size, other_size)
    while shared >= 0:
        lost = query.size - shared
        kept_idf = query.idf_sum - (query.lost_idf[lost - 1] if lost else 0)
        kept_weight = query.weight_sum - (query.lost_weight[lost - 1] if lost else 0)
        sets = kept_idf / (query.idf_sum + (other_size - shared) * least_idf)
        notes = kept_weight / query.weight_sum
        if SCORE_UNIT * (set_weight * sets + (1000 - set_weight) * notes) / 1000 + _SLACK < worst:
            break
        shared -= 1
    return shared + 1
