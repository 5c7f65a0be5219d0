"""Which songs have which instruments, as one bit per song and instrument. Pure arrays, no I/O.

A choice of instruments is a few bitwise operations on whole rows (22 KB each at 178,561 songs), and so is the question
how many of the songs found have each other instrument (docs/decisions/search-in-memory.md).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from app.instruments import BITS

Words = npt.NDArray[np.uint64]
"""A set of songs: bit p is the song at place p. The order of bits within the words is numpy's affair."""


class Bitmaps:
    """A row of bits for each instrument, then one for each family (has any of its instruments)."""

    def __init__(self, members: npt.NDArray[np.uint8], families: Sequence[Sequence[int]]) -> None:
        """members: [songs, BITS] of 0 and 1. families: the instruments of each."""
        self.songs = len(members)
        self._rows = np.zeros((BITS + len(families), -(-self.songs // 64)), dtype=np.uint64)
        for bit in range(BITS):
            self._rows[bit] = self.packed(members[:, bit])
        for place, bits in enumerate(families):
            self._rows[BITS + place] = np.bitwise_or.reduce(self._rows[list(bits)], axis=0)
        self._everything = self.packed(np.ones(self.songs, dtype=np.uint8))

    def matching(self, chosen: Mapping[str, frozenset[int]]) -> Words:
        """The songs that have all of, any of, none of the instruments under these headings."""
        found = self._everything.copy()
        for bit in chosen["all"]:
            found &= self._rows[bit]
        if chosen["any"]:
            found &= np.bitwise_or.reduce(self._rows[list(chosen["any"])], axis=0)
        for bit in chosen["none"]:
            found &= ~self._rows[bit]
        return found

    def counts(self, found: Words) -> tuple[list[int], list[int]]:
        """How many of these songs have each instrument, and how many have any of each family."""
        counted = np.bitwise_count(self._rows & found).sum(axis=1, dtype=np.int64).tolist()
        return counted[:BITS], counted[BITS:]

    def flags(self, found: Words) -> npt.NDArray[np.bool_]:
        """One truth value per song."""
        return np.unpackbits(found.view(np.uint8), count=self.songs, bitorder="little").view(np.bool_)

    def packed(self, flags: npt.NDArray[np.uint8] | npt.NDArray[np.bool_]) -> Words:
        """The inverse of `flags`."""
        packed = np.zeros(-(-self.songs // 64) * 8, dtype=np.uint8)
        packed[: -(-self.songs // 8)] = np.packbits(flags, bitorder="little")
        return packed.view(np.uint64)


def size(found: Words) -> int:
    """How many songs these are."""
    return int(np.bitwise_count(found).sum(dtype=np.int64))
