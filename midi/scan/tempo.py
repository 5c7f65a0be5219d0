"""Compiled: tempo events -> the time they make of ticks, in exact integers."""

import numpy as np

from .words import MAX_TICK, TEMPO_BITS, Int, Words, compiled, in_tick_order

TICK_BITS = MAX_TICK.bit_length()
DEFAULT_TEMPO = 500_000
"""Microseconds per quarter note where a file names none."""


@compiled
def ticks_by_tempo(tempos: Words, last_tick: Int) -> Words:
    """How long each tempo is in force up to last_tick: one word per stretch, tempo << TICK_BITS | ticks, by tempo."""
    stretches = np.empty(tempos.size + 1, np.int64)
    tempo = np.int64(DEFAULT_TEMPO)
    since = np.int64(0)
    for i in range(tempos.size):
        tick = min(tempos[i] >> TEMPO_BITS, last_tick)
        stretches[i] = tempo << TICK_BITS | tick - since
        tempo = tempos[i] & (1 << TEMPO_BITS) - 1
        since = tick
    stretches[tempos.size] = tempo << TICK_BITS | last_tick - since
    return in_tick_order(stretches, np.int64(TICK_BITS))


@compiled
def measure_tempos(tempos: Words, last_tick: Int, metrical: bool) -> tuple[Int, Int]:
    """Sum ticks * tempo up to last_tick (below 2**58), and find the tempo in force longest, the faster of two equals.

    tempos are in tick order. Not metrical: a tick is a part of a second (SMPTE), whatever the tempo.
    """
    total = np.int64(0)
    tempo = np.int64(DEFAULT_TEMPO)
    longest = np.int64(0)
    current = np.int64(0)
    current_ticks = np.int64(0)
    for stretch in ticks_by_tempo(tempos, last_tick):
        ticks = stretch & MAX_TICK
        if stretch >> TICK_BITS != current:
            current = stretch >> TICK_BITS
            current_ticks = np.int64(0)
        current_ticks += ticks
        total += ticks * current
        length = current_ticks * current if metrical else current_ticks
        if length > longest:
            longest = length
            tempo = current
    return total, tempo
