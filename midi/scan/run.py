"""Compiled: the array that carries all that is known of a file while it is read.

One array for all of it, because compiled code may count the references to each array that a function is given.
"""

import numpy as np

from .words import Int, Words, compiled

CHANNELS, KEYS = 16, 16 * 128
"""Channels, and keys of all channels; channel and key number them."""

DRUM_CHANNEL = 9
DRUMS = 128
"""Where the notes of the drum channel are counted; 0-127 are the melodic programs."""

# Slots of the array, of type int64. LAST_TICK: where the last counted note ends, -1: none. STEPS: events read.
# Four hold bits of channels. SOUNDING: those this track has notes or programs on, USED: those of the tracks before it,
# SHARED: those that more than one track uses; MERGED: those whose events are kept until all tracks are read and then
# counted in the order of time, the events of all others are counted when they are read.
TRACK, TICK, RUNNING, LAST_TICK, EVENTS, TEMPOS, FLAWS, STEPS, NAME_AT, NAME_SIZE = range(10)
SOUNDING, USED, SHARED, MERGED = range(10, 14)
PROGRAM = 14
"""Here and in the next 15: each channel's program; the drum channel's is DRUMS."""
NOTES = PROGRAM + CHANNELS
"""Here and in the next 128: the notes counted, by program."""
BEGAN, NEWEST, OLDER = range(NOTES + DRUMS + 1, NOTES + DRUMS + 1 + 3 * KEYS, KEYS)
"""By key: the tick of the latest note-on, how many notes began in it, how many open ones began before it."""
RUN_SLOTS = OLDER + KEYS


@compiled
def start_run(merged: Int) -> Words:
    """What is known before the first byte."""
    run = np.zeros(RUN_SLOTS, np.int64)
    run[LAST_TICK] = -1
    run[MERGED] = merged
    run[PROGRAM + DRUM_CHANNEL] = DRUMS
    return run
