"""Compiled: one track's bytes -> its events, counted at once or kept to be merged with those of other tracks."""

import numpy as np

from .flaws import BAD_EVENT
from .notes import begin_note, end_notes, set_program
from .run import (
    EVENTS,
    FLAWS,
    MERGED,
    NAME_AT,
    NAME_SIZE,
    RUNNING,
    SOUNDING,
    STEPS,
    TEMPOS,
    TICK,
    TRACK,
)
from .words import (
    CHANNEL_SHIFT,
    KIND_SHIFT,
    MAX_TICK,
    NEW_PROGRAM,
    NOTE_OFF,
    NOTE_ON,
    TEMPO_BITS,
    TICK_SHIFT,
    TRACK_SHIFT,
    Bytes,
    Int,
    Words,
    compiled,
)

# How read_events ended; the last one only read_channel_events.
AT_LIMIT, AT_END_OF_TRACK, AT_NONSENSE, AT_NEXT_TRACK, AT_SYSTEM_EVENT = range(5)


@compiled
def byte(data: Bytes, pos: Int) -> Int:
    """The byte at pos, which must lie within the data.

    An unsigned index is not checked for counting from the end: that was a fifth of the time of a scan.
    """
    return np.int64(data[np.uint64(pos)])


@compiled
def is_track(data: Bytes, pos: Int) -> bool:
    """Whether a track chunk's tag stands at pos."""
    if pos + 4 > data.size:
        return False
    return bool(data[pos] == 0x4D and data[pos + 1] == 0x54 and data[pos + 2] == 0x72 and data[pos + 3] == 0x6B)


@compiled
def read_quantity(data: Bytes, pos: Int, limit: Int) -> tuple[Int, Int]:
    """A variable-length quantity of any length, saturating, and the position after it (beyond limit: it is cut off)."""
    value = np.int64(0)
    while pos < limit:
        part = byte(data, pos)
        pos += 1
        value = min(value << 7 | part & 0x7F, np.int64(MAX_TICK))
        if part < 0x80:
            return value, pos
    return value, limit + 1


@compiled
def keep_meta(data: Bytes, kind: Int, pos: Int, size: Int, run: Words, tempos: Words) -> None:
    """Keep a tempo, and the first name in the first track; let every other meta event go."""
    if kind == 0x51 and size >= 3:
        tempo = np.int64(data[pos]) << 16 | np.int64(data[pos + 1]) << 8 | np.int64(data[pos + 2])
        if tempo == 0:
            run[FLAWS] |= BAD_EVENT
        else:
            tempos[run[TEMPOS]] = run[TICK] << TEMPO_BITS | tempo
            run[TEMPOS] += 1
    elif kind == 0x03 and run[TRACK] == 0 and run[NAME_SIZE] == 0:
        run[NAME_AT] = pos
        run[NAME_SIZE] = size


@compiled
def read_system_event(data: Bytes, pos: Int, limit: Int, run: Words, tempos: Words) -> tuple[Int, bool]:
    """Read the meta, SysEx or (out of place in a file) other system event at pos.

    Returns the position after it, beyond limit if it is cut off, and whether it was the end-of-track event.
    """
    delta, pos = read_quantity(data, pos, limit)
    status = data[pos]
    pos += 1
    kind = np.int64(-1)
    if status == 0xFF and pos < limit:
        kind = np.int64(data[pos])
        pos += 1
    size: Int = np.int64(2 if status == 0xF2 else 1 if status == 0xF1 or status == 0xF3 else 0)
    if status == 0xFF or status == 0xF0 or status == 0xF7:
        size, pos = read_quantity(data, pos, limit)
    else:
        run[FLAWS] |= BAD_EVENT
    if pos + size > limit:
        return limit + 1, False
    run[STEPS] += 1
    run[TICK] = min(run[TICK] + delta, MAX_TICK)
    if kind >= 0:
        keep_meta(data, kind, pos, size, run, tempos)
    return pos + size, bool(kind == 0x2F)


@compiled
def read_channel_events(  # noqa: C901 (cut in two, a call for every event costs half as much again)
    data: Bytes, pos: Int, limit: Int, look_for_track: bool, run: Words, events: Words
) -> tuple[Int, Int]:
    """Read events from pos up to a system event, to limit, or to what makes no sense; keep notes and programs."""
    # What changes with every event is kept in local variables, not in `run`: three times as fast.
    tick, running, n, channels, steps = run[TICK], run[RUNNING], run[EVENTS], run[SOUNDING], run[STEPS]
    merged, track = run[MERGED], run[TRACK] << TRACK_SHIFT
    seen, outcome = np.int64(0), AT_LIMIT
    while pos < limit and not (look_for_track and is_track(data, pos)):
        at = pos + 1
        delta = byte(data, pos)
        if delta > 0x7F:
            delta, at = read_quantity(data, pos, limit)
        if at >= limit:
            break
        status = byte(data, at)
        at += status >> 7
        status = status if status > 0x7F else running
        kind, channel, after = status >> 4, status & 0x0F, at + 2
        # Most events are notes. The processor foretells this branch; a size made from the status it would wait for.
        if kind != 0x8 and kind != 0x9:
            if kind == 0xF or status == 0:
                outcome = AT_SYSTEM_EVENT if kind == 0xF else AT_NONSENSE
                break
            after = at + (1 if kind == 0xC or kind == 0xD else 2)
        if after > limit:
            break
        running, pos, steps = status, after, steps + 1
        tick = min(tick + delta, MAX_TICK)
        first, second = byte(data, at), byte(data, after - 1)
        seen |= first | second
        if first < 0x80 and (kind <= 0x9 or kind == 0xC):
            what = NEW_PROGRAM if kind == 0xC else NOTE_ON if kind == 0x9 and second > 0 else NOTE_OFF
            slot = channel << CHANNEL_SHIFT | first
            channels |= 1 << channel
            if merged >> channel & 1:
                events[n] = tick << TICK_SHIFT | track | what << KIND_SHIFT | slot
                n += 1
            elif what == NOTE_ON:
                begin_note(slot, tick, run)
            elif what == NOTE_OFF:
                end_notes(slot, tick, run)
            else:
                set_program(channel, first, run)
    else:
        outcome = AT_NEXT_TRACK if pos < limit else AT_LIMIT
    run[TICK], run[RUNNING], run[EVENTS], run[SOUNDING], run[STEPS] = tick, running, n, channels, steps
    run[FLAWS] |= BAD_EVENT if seen > 0x7F else 0
    return pos, outcome


@compiled
def read_events(
    data: Bytes, pos: Int, limit: Int, look_for_track: bool, run: Words, events: Words, tempos: Words
) -> tuple[Int, Int]:
    """Read events from pos up to the end-of-track event, to limit, or to what makes no sense.

    An event cut off by limit is not read: the position returned is its start, so a second call with a larger limit
    goes on from there. With look_for_track, the tag of a track chunk in the place of an event ends this track.
    """
    while True:
        pos, outcome = read_channel_events(data, pos, limit, look_for_track, run, events)
        if outcome != AT_SYSTEM_EVENT:
            return pos, outcome
        after, ended = read_system_event(data, pos, limit, run, tempos)
        if after > limit:
            return pos, AT_LIMIT
        pos = after
        if ended:
            return pos, AT_END_OF_TRACK
