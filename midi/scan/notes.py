"""Compiled: note-ons, note-offs and programs -> notes per program.

A note belongs to the program its channel has when the note is switched off (as pretty_midi has it), be it set in the
note's own track or in another. A note-off ends every note of its channel and key that began in an earlier tick; a note
that is never switched off, or in the tick it began, does not count.
"""

import numpy as np

from .flaws import PROGRAM_FROM_OTHER_TRACK, UNCLOSED_NOTES, ZERO_LENGTH_NOTES
from .run import BEGAN, CHANNELS, DRUM_CHANNEL, DRUMS, FLAWS, KEYS, LAST_TICK, NEWEST, NOTES, OLDER, PROGRAM
from .words import (
    CHANNEL_SHIFT,
    KIND_SHIFT,
    MAX_TRACK,
    NOTE_OFF,
    NOTE_ON,
    TICK_SHIFT,
    TRACK_SHIFT,
    Int,
    Words,
    compiled,
)


@compiled
def begin_note(slot: Int, tick: Int, run: Words) -> None:
    """Switch a key on; `slot` is its number."""
    if run[BEGAN + slot] != tick:
        run[OLDER + slot] += run[NEWEST + slot]
        run[BEGAN + slot], run[NEWEST + slot] = tick, 0
    run[NEWEST + slot] += 1


@compiled
def end_notes(slot: Int, tick: Int, run: Words) -> bool:
    """Switch a key off: count its notes that began before this tick, or, if there are none, drop those of this tick."""
    ending, staying = run[OLDER + slot], run[NEWEST + slot]
    if run[BEGAN + slot] != tick:
        ending, staying = ending + staying, np.int64(0)
    if ending > 0:
        run[NOTES + run[PROGRAM + (slot >> CHANNEL_SHIFT)]] += ending
        run[LAST_TICK] = max(run[LAST_TICK], tick)
    elif staying > 0:
        staying = np.int64(0)
        run[FLAWS] |= ZERO_LENGTH_NOTES
    # On every path the last use of `run`, so that its references need not be counted: half the time of a scan.
    run[OLDER + slot], run[NEWEST + slot] = 0, staying
    return bool(ending > 0)


@compiled
def set_program(channel: Int, program: Int, run: Words) -> None:
    """Set a channel's program; the drum channel has none."""
    run[PROGRAM + channel] = DRUMS if channel == DRUM_CHANNEL else program


@compiled
def close_channels(channels: Int, run: Words) -> None:
    """Leave these channels (bits) as they are in the beginning, with no program set and no note open."""
    for channel in range(CHANNELS):
        if channels >> channel & 1:
            set_program(channel, np.int64(0), run)
            for slot in range(channel << CHANNEL_SHIFT, channel + 1 << CHANNEL_SHIFT):
                if run[NEWEST + slot] + run[OLDER + slot] > 0:
                    run[FLAWS] |= UNCLOSED_NOTES
                run[NEWEST + slot], run[OLDER + slot] = 0, 0


@compiled
def count_merged(events: Words, tracks: Int, run: Words) -> None:
    """Count the notes of the channels that tracks share, from their events in the order of time."""
    own_program = np.zeros((tracks, CHANNELS), np.uint8)
    own_program[:, DRUM_CHANNEL] = DRUMS
    foreign = False
    for i in range(events.size):
        tick, track = events[i] >> TICK_SHIFT, events[i] >> TRACK_SHIFT & MAX_TRACK
        kind, slot = events[i] >> KIND_SHIFT & 3, events[i] & KEYS - 1
        channel = slot >> CHANNEL_SHIFT
        sounds = kind == NOTE_ON
        if kind == NOTE_ON:
            begin_note(slot, tick, run)
        elif kind == NOTE_OFF:
            sounds = end_notes(slot, tick, run)
        else:
            set_program(channel, slot & 0x7F, run)
            own_program[track, channel] = run[PROGRAM + channel]
        foreign |= sounds and own_program[track, channel] != run[PROGRAM + channel]
    if foreign:
        run[FLAWS] |= PROGRAM_FROM_OTHER_TRACK
