"""Words that are spelled like a word: within one edit, from six letters on two. Pure arrays, no I/O.

An edit adds, drops or changes a letter, or swaps two neighbours ("optimal string alignment"). Letters are UTF-8 bytes:
outside ASCII a letter is worth two or more. The distance is exact, worked out for all candidates at once; candidates
are the words of about the same length and the same letters, which dismisses nearly all of them in one comparison.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

LONGEST = 24
"""Longer words have only themselves."""

_FAR = 9


def tolerated(word: bytes) -> int:
    """How many edits a word may be away: 0 below three letters, 1 below six, then 2."""
    return 0 if not 3 <= len(word) <= LONGEST else 1 if len(word) < 6 else 2


class Vocabulary:
    """Distinct words, numbered in the order given."""

    def __init__(self, words: Sequence[bytes]) -> None:
        self._number = {word: number for number, word in enumerate(words)}
        fit = [word if len(word) <= LONGEST else b"" for word in words]
        self._letters = np.array(fit, dtype=f"S{LONGEST}").view(np.uint8).reshape(len(fit), LONGEST)
        self._lengths = np.array([len(word) for word in fit], dtype=np.int8)
        self._signatures = _signatures(self._letters)

    def near(self, word: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
        """The words within the edits that are tolerated: their numbers and distances, nearest last."""
        most = tolerated(word)
        if most == 0:
            found = [self._number[word]] if word in self._number else []
            return np.array(found, dtype=np.int64), np.zeros(len(found), dtype=np.uint8)
        letters = np.frombuffer(word, dtype=np.uint8)
        padded = np.zeros((1, LONGEST), dtype=np.uint8)
        padded[0, : len(letters)] = letters
        # One edit changes the presence of at most two letters.
        alike = np.bitwise_count(self._signatures ^ _signatures(padded)[0]) <= 2 * most
        alike &= np.abs(self._lengths - np.int8(len(word))) <= most
        candidates = np.flatnonzero(alike)
        distances = _distances(letters, self._letters[candidates].T, self._lengths[candidates], most)
        near = np.flatnonzero(distances <= most)
        near = near[np.argsort(-distances[near].astype(np.int8), kind="stable")]
        return candidates[near], distances[near]


def _signatures(letters: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """Which letters a word has, one bit for each kind of letter (modulo 32)."""
    bits = np.where(letters > 0, np.uint32(1) << (letters & 31).astype(np.uint32), np.uint32(0))
    return np.asarray(np.bitwise_or.reduce(bits, axis=1), dtype=np.uint32)


def _distances(
    word: npt.NDArray[np.uint8], others: npt.NDArray[np.uint8], lengths: npt.NDArray[np.int8], most: int
) -> npt.NDArray[np.uint8]:
    """Distances of one word to others, exact up to `most`. others: [LONGEST, words], padded with 0."""
    columns = min(LONGEST, len(word) + most)
    first = np.arange(columns + 1, dtype=np.uint8)[:, None].repeat(len(lengths), axis=1)
    before, last = first, first
    for row, letter in enumerate(word, start=1):
        now = np.full_like(first, _FAR)
        if row <= most:
            now[0] = row
        # Cells further than `most` off the diagonal cannot be part of a short enough way.
        for column in range(max(1, row - most), min(columns, row + most) + 1):
            cell = last[column - 1] + (others[column - 1] != letter)
            np.minimum(cell, last[column] + 1, out=cell)
            np.minimum(cell, now[column - 1] + 1, out=cell)
            if row > 1 and column > 1:
                swapped = (others[column - 1] == word[row - 2]) & (others[column - 2] == letter)
                np.minimum(cell, np.where(swapped, before[column - 2] + 1, np.uint8(_FAR)), out=cell)
            now[column] = cell
        before, last = last, now
    return np.asarray(last[lengths, np.arange(len(lengths))], dtype=np.uint8)
