"""Compiled: note, program and tempo events, each packed into one 64-bit word, and their order in time.

A word of an event holds, from the high bits: tick, track, kind, channel, key (or program).
A word of a tempo holds tick and microseconds per quarter note. Ticks and tracks saturate, they never wrap.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

# numba has 200 MB, too much for the image of the site, which scans one file at a time.
COMPILES = find_spec("numba") is not None

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compiles a function when it is first called and keeps the machine code (NUMBA_CACHE_DIR).

    Without numba it runs as it is, with the same result. A constant in the place of an argument would be compiled as a
    function of its own; np.int64(...) around it prevents it.
    """
    if not COMPILES:
        return function
    from numba import njit

    return cast(Function, njit(cache=True, nogil=True)(function))


Int = int | np.int64
"""A 64-bit integer in compiled code; what it is when the same function runs uncompiled."""

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.int64]

TEMPO_BITS = 24
TRACK_SHIFT, KIND_SHIFT, CHANNEL_SHIFT = 13, 11, 7
TICK_SHIFT = TRACK_SHIFT + 16
MAX_TRACK = (1 << 16) - 1
MAX_TICK = (1 << 34) - 1
"""Longest time kept: 207 days at 480 ticks per quarter note and 120 bpm."""

NOTE_OFF, NOTE_ON, NEW_PROGRAM = range(3)
"""Kinds of events."""

RADIX_BITS = 11
RADIX = 1 << RADIX_BITS


@compiled
def in_tick_order(words: Words, shift: Int) -> Words:
    """The words ordered by their bits from `shift` upwards, equal ones as they came: a radix sort, linear in time."""
    highest = np.int64(0)
    ordered = True
    for i in range(words.size):
        ordered = ordered and words[i] >> shift >= highest
        highest = max(highest, words[i] >> shift)
    if ordered:
        return words
    other = np.empty_like(words)
    ends = np.empty(RADIX, np.int64)
    while highest > 0:
        ends[:] = 0
        for i in range(words.size):
            ends[words[i] >> shift & RADIX - 1] += 1
        total = 0
        for digit in range(RADIX):
            total += ends[digit]
            ends[digit] = total
        for i in range(words.size - 1, -1, -1):
            digit = words[i] >> shift & RADIX - 1
            ends[digit] -= 1
            other[ends[digit]] = words[i]
        words, other = other, words
        shift += RADIX_BITS
        highest >>= RADIX_BITS
    return words
