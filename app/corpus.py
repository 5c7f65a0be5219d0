"""What the instruments of every song weigh, and the songs nearest to one from outside. Pure arrays, no I/O.

The score is that of midi/likeness.py, in the same integers, so it is the one the pipeline published. A song from
outside is compared with every song there is: for each of its instruments one pass over the songs that have it.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from midi.likeness import FEATURES, SCORE_UNIT, UNIT, WEIGHT_UNIT, idf_weights

Integers = npt.NDArray[np.int64]

_SCALE = 1000 * UNIT // SCORE_UNIT


class Corpus:
    """n songs by id. set_weight: the sets' part of the score, of 1000."""

    def __init__(
        self,
        sizes: npt.NDArray[np.int16],
        features: npt.NDArray[np.int16],
        notes: npt.NDArray[np.int32],
        set_weight: int,
    ) -> None:
        """sizes: [n], how many instruments each song has. features, notes: [sum of sizes], song after song, which ones
        these are, and their notes, at least 1."""
        songs = len(sizes)
        owners = np.repeat(np.arange(songs, dtype=np.int32), sizes)
        weights = note_weights(notes, owners, songs)
        by_feature = np.argsort(features, kind="stable")
        songs_with = np.bincount(features, minlength=FEATURES)
        self.songs = songs
        self._set_weight = set_weight
        self._starts = np.concatenate(([0], np.cumsum(songs_with))).tolist()
        self._owners = owners[by_feature]
        self._weights = weights[by_feature]
        self._idf = idf_weights(songs_with.tolist(), songs)
        self._idf_sums = _sums(np.array(self._idf)[features], owners, songs)
        self._weight_sums = _sums(weights, owners, songs)

    def nearest(self, weights: Mapping[int, int], most: int, without: int | None = None) -> list[tuple[int, int]]:
        """The songs with the highest scores: (song id, score in millionths), best first, ties by ascending id.

        Those of score 0 are not among them, they have nothing in common. weights: feature -> weight, as
        midi.likeness.note_weights gives. without: a song to leave out.
        """
        scores = self._scores(weights)
        if without is not None:
            scores[without] = 0
        alike = np.flatnonzero(scores)
        if len(alike) > most:
            least = np.partition(scores[alike], -most)[-most]
            alike = alike[scores[alike] >= least]
        best = alike[np.argsort(-scores[alike], kind="stable")][:most]
        return list(zip(best.tolist(), scores[best].tolist(), strict=True))

    def _scores(self, weights: Mapping[int, int]) -> Integers:
        """midi.likeness.score of the song with these weights and each song."""
        shared_idf = np.zeros(self.songs, dtype=np.int64)
        lesser = np.zeros(self.songs, dtype=np.int64)
        for feature, weight in weights.items():
            part = slice(self._starts[feature], self._starts[feature + 1])
            having = self._owners[part]
            shared_idf[having] += self._idf[feature]
            lesser[having] += np.minimum(self._weights[part], weight)
        all_idf = self._idf_sums - shared_idf + sum(self._idf[feature] for feature in weights)
        greater = self._weight_sums - lesser + sum(weights.values())
        # Nothing on either side that any song has: 0 of 0, which is no likeness.
        sets = shared_idf * UNIT // np.maximum(all_idf, 1)
        notes = lesser * UNIT // greater
        scores: Integers = (self._set_weight * sets + (1000 - self._set_weight) * notes) // _SCALE
        return scores


def note_weights(notes: npt.NDArray[np.int32], owners: npt.NDArray[np.int32], songs: int) -> npt.NDArray[np.int32]:
    """midi.likeness.note_weights of all songs at once. owners: whose notes these are.

    A square root of less than 2**52, rounded down, is the same in floating point as in integers.
    """
    totals = _sums(notes, owners, songs).astype(np.uint64)[owners]
    squares = notes.astype(np.uint64) * np.uint64(WEIGHT_UNIT * WEIGHT_UNIT) // totals
    weights: npt.NDArray[np.int32] = np.maximum(np.sqrt(squares), 1).astype(np.int32)
    return weights


def _sums(values: npt.NDArray[np.int32] | Integers, owners: npt.NDArray[np.int32], songs: int) -> Integers:
    """The sum of each song's values; below 2**53, so floating point holds it exactly."""
    return np.bincount(owners, weights=values, minlength=songs).astype(np.int64)
