"""Compiled: packed events -> notes per program.

A note belongs to the program its channel has when the note is switched off (as pretty_midi has it), be it set in the
note's own track or in another. A note-off ends every note of its channel and key that began in an earlier tick; a note
that is never switched off, or in the tick it began, does not count.
"""

import numpy as np

from .events import (
    CHANNEL_SHIFT,
    FLAWS,
    KIND_SHIFT,
    MAX_TRACK,
    NEW_SEQUENCE,
    NOTE_OFF,
    NOTE_ON,
    TICK_SHIFT,
    TRACK_SHIFT,
    Int,
    Words,
    compiled,
)
from .flaws import PROGRAM_FROM_OTHER_TRACK, UNCLOSED_NOTES, ZERO_LENGTH_NOTES

KEYS = 16 * 128
"""Keys of all channels; an event's channel and key number them."""

DRUM_CHANNEL = 9
DRUMS = 128
"""Where the notes of the drum channel are counted; 0-127 are the melodic programs."""


@compiled
def switch_off(slot: Int, tick: Int, began: Words, newest: Words, older: Words) -> tuple[Int, Int]:
    """End a key's notes that began before this tick: how many end; if none, how many of this tick's are dropped."""
    ending, staying = older[slot], newest[slot]
    if began[slot] != tick:
        ending, staying = ending + staying, np.int64(0)
    older[slot], newest[slot] = 0, 0
    if ending == 0:
        return ending, staying
    newest[slot] = staying
    return ending, np.int64(0)


@compiled
def count_notes(events: Words, tracks: Int, run: Words, notes: Words) -> Int:
    """Count into notes[program] and notes[DRUMS]; return the tick in which the last counted note ends, -1 for none.

    events are in tick order wherever tracks share a channel.
    """
    # Of each channel's keys: the tick of the latest note-on, how many notes began in it, how many open ones before it.
    began = np.full(KEYS, -1, np.int64)
    newest, older = np.zeros(KEYS, np.int64), np.zeros(KEYS, np.int64)
    program, own_program = np.zeros(16, np.uint8), np.zeros((tracks, 16), np.uint8)
    program[DRUM_CHANNEL], own_program[:, DRUM_CHANNEL] = DRUMS, DRUMS
    last_tick, still_open, dropped_all, foreign = np.int64(-1), np.int64(0), np.int64(0), np.uint8(0)
    for i in range(events.size):
        tick, track = events[i] >> TICK_SHIFT, events[i] >> TRACK_SHIFT & MAX_TRACK
        kind, slot = events[i] >> KIND_SHIFT & 3, events[i] & KEYS - 1
        channel = slot >> CHANNEL_SHIFT
        if kind == NOTE_ON:
            if began[slot] != tick:
                older[slot] += newest[slot]
                began[slot], newest[slot] = tick, 0
            newest[slot] += 1
            still_open += 1
            foreign |= own_program[track, channel] ^ program[channel]
        elif kind == NOTE_OFF:
            ending, dropped = switch_off(slot, tick, began, newest, older)
            still_open -= ending + dropped
            dropped_all += dropped
            if ending > 0:
                last_tick = max(last_tick, tick)
                notes[program[channel]] += ending
                foreign |= own_program[track, channel] ^ program[channel]
        elif kind == NEW_SEQUENCE:
            newest[:], older[:], program[:] = 0, 0, own_program[track]
        elif channel != DRUM_CHANNEL:
            program[channel] = own_program[track, channel] = slot & 0x7F
    run[FLAWS] |= UNCLOSED_NOTES if still_open > 0 else 0
    run[FLAWS] |= ZERO_LENGTH_NOTES if dropped_all > 0 else 0
    run[FLAWS] |= PROGRAM_FROM_OTHER_TRACK if foreign > 0 else 0
    return last_tick
