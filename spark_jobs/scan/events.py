"""Compiled: one track's bytes -> note, program and tempo events, each packed into one 64-bit word.

A word of `events` holds, from the high bits: tick, track, kind, channel, key (or program).
A word of `tempos` holds tick and microseconds per quarter note. Ticks and tracks saturate, they never wrap.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from .flaws import BAD_EVENT

compiled = njit(cache=True, nogil=True)
"""Compiles a function when it is first called and keeps the machine code (NUMBA_CACHE_DIR).

A constant in the place of an argument would be compiled as a function of its own; np.int64(...) around it prevents it.
"""

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

NOTE_OFF, NOTE_ON, PROGRAM, NEW_SEQUENCE = range(4)
"""Kinds of events. NEW_SEQUENCE: here a track starts that has nothing to do with those before it (format 2)."""

SMALLEST_EVENT, SMALLEST_TEMPO = 2, 7
"""Bytes of the shortest program change (with running status) and tempo event: they bound the words a file can fill."""

RADIX_BITS = 11
RADIX = 1 << RADIX_BITS

# Slots of the `run` array: what is carried from one call of read_events to the next.
TRACK, TICK, RUNNING, CHANNELS, EVENTS, TEMPOS, FLAWS, STEPS, NAME_AT, NAME_SIZE, USED, SHARED = range(12)
RUN_SLOTS = 12
# CHANNELS: bits of the channels this track has notes or programs on, USED: those of the tracks before it, SHARED: those
# that more than one track uses. STEPS: how many events were read.

# How read_events ended; the last one only read_channel_events.
AT_LIMIT, AT_END_OF_TRACK, AT_NONSENSE, AT_NEXT_TRACK, AT_SYSTEM_EVENT = range(5)


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
        byte = np.int64(data[pos])
        pos += 1
        value = min(value << 7 | byte & 0x7F, np.int64(MAX_TICK))
        if byte < 0x80:
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
def read_channel_events(
    data: Bytes, pos: Int, limit: Int, look_for_track: bool, run: Words, events: Words
) -> tuple[Int, Int]:
    """Read events from pos up to a system event, to limit, or to what makes no sense; keep notes and programs."""
    # What changes with every event is kept in local variables, not in `run`: three times as fast.
    tick, running, n, channels, steps = run[TICK], run[RUNNING], run[EVENTS], run[CHANNELS], run[STEPS]
    track = run[TRACK] << TRACK_SHIFT
    outcome = AT_LIMIT
    while pos < limit:
        if look_for_track and is_track(data, pos):
            outcome = AT_NEXT_TRACK
            break
        at = pos + 1
        delta: Int = np.int64(data[pos])
        if delta > 0x7F:
            delta, at = read_quantity(data, pos, limit)
        if at >= limit:
            break
        status = np.int64(data[at])
        if status > 0x7F:
            at += 1
        else:
            status = running
        kind = status >> 4
        after = at + (1 if kind == 0xC or kind == 0xD else 2)
        if kind == 0xF or status == 0 or after > limit:
            outcome = AT_SYSTEM_EVENT if kind == 0xF else AT_NONSENSE if status == 0 else AT_LIMIT
            break
        running, pos, steps = status, after, steps + 1
        tick = min(tick + delta, MAX_TICK)
        first, second = np.int64(data[at]), np.int64(data[after - 1])
        if first > 0x7F or second > 0x7F:
            run[FLAWS] |= BAD_EVENT
        if first < 0x80 and (kind <= 0x9 or kind == 0xC):
            what = PROGRAM if kind == 0xC else NOTE_ON if kind == 0x9 and second > 0 else NOTE_OFF
            channel = status & 0x0F
            events[n] = tick << TICK_SHIFT | track | what << KIND_SHIFT | channel << CHANNEL_SHIFT | first
            n += 1
            channels |= 1 << channel
    run[TICK], run[RUNNING], run[EVENTS], run[CHANNELS], run[STEPS] = tick, running, n, channels, steps
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
