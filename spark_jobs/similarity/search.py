"""The exact nearest songs, compiled: bounds first, the score only where a song could still get into the list.

For a query song with instrument set A the number of instruments that each set B shares with A is counted (population
counts, the same for all songs of A). The best score that any song of a set of B's size with that many shared
instruments could have is known beforehand, so most sets end there. For the rest the weights of the shared instruments
are looked up, and give a closer bound for B's songs. What is left is scored by the definition in midi/likeness.py.

Sets are taken in rounds of falling bounds (LEVELS), so that the list fills with good songs, and what a song must reach
is high, before the many middling sets are looked at. The search ends with the round that the last of the list reaches.
"""

import numpy as np
import numpy.typing as npt

from midi.likeness import FEATURES, SCORE_UNIT, UNIT
from spark_jobs.similarity.corpus import Corpus
from spark_jobs.similarity.machine import compiled
from spark_jobs.similarity.query import Query, least_shared, query_of
from spark_jobs.similarity.sieve import MOST_COUNTED, Found, bound, count_shared, find, room_for

LEVELS = (900_000, 700_000, 500_000, 300_000, 100_000, 0)
"""Scores in millionths. Any falling list that ends in 0 finds the same songs; this one was the fastest of six."""

_SCALE = 1000 * UNIT // SCORE_UNIT
_LAST_ID = np.int64(0xFFFFFFFF)


def nearest(
    corpus: Corpus, first: int, last: int, neighbours: int, set_weight: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The nearest songs of the songs first..last (inclusive ids), best score first, ties by ascending song id.

    Returns song ids and scores in millionths, both int32[last - first + 1, min(neighbours, songs - 1)].
    """
    ranks = np.full((last - first + 1, min(neighbours, len(corpus.song_ids) - 1)), -1, dtype=np.int64)
    if ranks.size:
        _search_all(corpus, corpus.row_of_song[first : last + 1], set_weight, ranks)
    return (_LAST_ID - (ranks & _LAST_ID)).astype(np.int32), (ranks >> 32).astype(np.int32)


@compiled
def _search_all(corpus: Corpus, rows: npt.NDArray[np.int32], set_weight: int, ranks: npt.NDArray[np.int64]) -> None:
    """Fill ranks: int64[len(rows), neighbours], score << 32 | _LAST_ID - song id, so that the better is the greater."""
    sets = len(corpus.set_idf)
    least_idf = corpus.idf[corpus.idf > 0].min()
    counts = np.empty((sets + 7) // 8 * 8, dtype=np.uint8)
    found = room_for(sets)
    counted = -1
    for place in np.argsort(rows):
        own = corpus.song_sets[rows[place]]
        if own != counted:
            count_shared(corpus, own, counts)
            counted = own
        _search(corpus, query_of(corpus, rows[place], set_weight), least_idf, counts, found, ranks[place])


@compiled
def _search(
    corpus: Corpus,
    query: Query,
    least_idf: int,
    counts: npt.NDArray[np.uint8],
    found: Found,
    best: npt.NDArray[np.int64],
) -> None:
    # Of each size the sets that share at least so many features are done with.
    seen = np.full(FEATURES + 1, MOST_COUNTED + 1, dtype=np.int64)
    for level in LEVELS:
        worst = max(level, best[-1] >> 32)
        least = seen.copy()
        for size in range(1, FEATURES + 1):
            if corpus.size_starts[size] < corpus.size_starts[size + 1]:
                needed = least_shared(query, size, worst, least_idf)
                if needed <= min(query.size, size):
                    # Counts end at MOST_COUNTED: who needs more must look at all that reach it.
                    least[size] = min(seen[size], needed, MOST_COUNTED)
        count = find(corpus.size_starts, counts, least, seen, found.sets)
        bound(corpus, query, found, count)
        _score(corpus, query, found, count, best)
        seen = least
        if best[-1] >> 32 >= level:
            break


@compiled
def _score(corpus: Corpus, query: Query, found: Found, count: int | np.int64, best: npt.NDArray[np.int64]) -> None:
    """Put the songs of the first `count` sets found into the list, where they get in."""
    # Reading a field of a tuple counts a reference, which costs more than the work of the inner loops: once per round.
    features, set_features, set_songs, song_ids = (
        corpus.features,
        corpus.set_features,
        corpus.set_songs,
        corpus.song_ids,
    )
    weights, set_weights, weight_sums, set_idf = corpus.weights, corpus.set_weights, corpus.weight_sums, corpus.set_idf
    own_weights, weight_sum, idf_sum, set_weight = query.weights, query.weight_sum, query.idf_sum, query.set_weight
    note_weight = 1000 - set_weight
    aligned = np.empty(FEATURES, dtype=np.int64)
    worst = best[-1] >> 32
    for place in range(count):
        if found.bounds[place] < worst:
            continue
        other = found.sets[place]
        shared_idf = found.shared[place] >> 32
        sets = set_weight * (shared_idf * UNIT // (idf_sum + set_idf[other] - shared_idf))
        first = set_features[other]
        size = set_features[other + 1] - first
        for at in range(size):
            aligned[at] = own_weights[features[first + at]]
        start = set_weights[other]
        for song in range(set_songs[other], set_songs[other + 1]):
            lesser = np.int64(0)
            for at in range(size):
                lesser += min(aligned[at], weights[start + at])
            start += size
            notes = lesser * UNIT // (weight_sum + weight_sums[song] - lesser)
            score = (sets + note_weight * notes) // _SCALE
            if score >= worst and song != query.row:
                _insert(best, score << 32 | _LAST_ID - song_ids[song])
                worst = best[-1] >> 32


@compiled
def _insert(best: npt.NDArray[np.int64], rank: int) -> None:
    """Put a rank in its place, greatest first, and drop the last."""
    if rank < best[-1]:
        return
    place = len(best) - 1
    while place > 0 and best[place - 1] < rank:
        best[place] = best[place - 1]
        place -= 1
    best[place] = rank
