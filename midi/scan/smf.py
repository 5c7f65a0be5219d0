"""Compiled: the chunks of a Standard MIDI File -> a Scan. The facts of the format are from the MIDI Association's
"Standard MIDI Files 1.0" (RP-001); how broken files are read is this module's own choice.

Every read is checked against the end of the data first: compiled code would not raise an IndexError, it would return
garbage or crash. The same functions run uncompiled too (NUMBA_DISABLE_JIT=1); the tests compare the two.

The position in the data never goes back by more than one event, so the work is linear in the size of the data.
Memory: at most MEMORY_PER_BYTE times the size of the data, plus MEMORY_FIXED.
"""

from typing import NamedTuple

import numpy as np

from .events import AT_END_OF_TRACK, AT_LIMIT, AT_NEXT_TRACK, AT_NONSENSE, is_track, read_events
from .flaws import (
    BAD_EVENT,
    BAD_HEADER,
    FOREIGN_CHUNK,
    MISSING_END_OF_TRACK,
    TRAILING_BYTES,
    TRUNCATED,
    WRONG_TRACK_COUNT,
    WRONG_TRACK_LENGTH,
)
from .notes import close_channels, count_merged
from .run import (
    DRUMS,
    EVENTS,
    FLAWS,
    LAST_TICK,
    NAME_AT,
    NAME_SIZE,
    NOTES,
    RUNNING,
    SHARED,
    SOUNDING,
    STEPS,
    TEMPOS,
    TICK,
    TRACK,
    USED,
    start_run,
)
from .tempo import DEFAULT_TEMPO, measure_tempos
from .words import MAX_TRACK, TEMPO_BITS, TICK_SHIFT, Bytes, Int, Words, compiled, in_tick_order

SMALLEST_EVENT, SMALLEST_TEMPO = 2, 7
"""Bytes of the shortest program change (with running status) and tempo event: they bound the words a file can fill."""

HEADER_SIZE, CHUNK_HEADER_SIZE = 14, 8
SEQUENCES = 2
"""The format whose tracks are independent, one after the other."""

MEMORY_PER_BYTE = 12
MEMORY_FIXED = 1 << 17


class Scan(NamedTuple):
    """What one pass over a file found.

    format, division: the header's, division as its signed 16 bits (negative: SMPTE). tracks: how many were read.
    notes: int64[129], notes per melodic program, then of the drums. last_tick: where the last of them ends, -1: none.
    tick_tempos: the sum of ticks * microseconds per quarter note up to there. tempo: the one in force longest.
    name_at, name_size: where the first track's name lies. flaws: bits of flaws.py. steps: events read.
    """

    format: Int
    tracks: Int
    division: Int
    notes: Words
    last_tick: Int
    tick_tempos: Int
    tempo: Int
    name_at: Int
    name_size: Int
    flaws: Int
    steps: Int


@compiled
def big_endian(data: Bytes, pos: Int, size: Int) -> Int:
    """The unsigned number in data[pos:pos + size], which must lie within the data."""
    value = np.int64(0)
    for i in range(size):
        value = value << 8 | np.int64(data[pos + i])
    return value


@compiled
def chunk_end(data: Bytes, pos: Int) -> Int:
    """Where the chunk whose header stands at pos ends by its own account."""
    return pos + CHUNK_HEADER_SIZE + big_endian(data, pos + 4, np.int64(4))


@compiled
def starts_chunk(data: Bytes, pos: Int) -> bool:
    """Whether a track, or a chunk of another kind that fits into the file, starts at pos."""
    if is_track(data, pos):
        return True
    if pos + CHUNK_HEADER_SIZE > data.size:
        return False
    for i in range(4):
        if data[pos + i] < 0x20 or data[pos + i] > 0x7E:
            return False
    return bool(chunk_end(data, pos) <= data.size)


@compiled
def find_track(data: Bytes, pos: Int) -> Int:
    """The first track tag at pos or later, or the end of the data."""
    while pos < data.size and not is_track(data, pos):
        pos += 1
    return pos


@compiled
def last_end_of_track(data: Bytes) -> Int:
    """Where the last three bytes of an end-of-track event stand in the data, -1 for nowhere."""
    for pos in range(data.size - 3, -1, -1):
        if data[pos] == 0xFF and data[pos + 1] == 0x2F and data[pos + 2] == 0:
            return pos
    return -1


@compiled
def read_track(data: Bytes, pos: Int, last_end: Int, run: Words, events: Words, tempos: Words) -> Int:
    """Read the track chunk at pos; return where the next chunk should start.

    The declared length is believed when it leads to another chunk or to the end of the file; else the events are
    followed to the end-of-track event, if there is one further on.
    """
    start = pos + CHUNK_HEADER_SIZE
    end = chunk_end(data, pos)
    sure = end == data.size or starts_chunk(data, end)
    run[RUNNING], run[SOUNDING] = 0, 0
    pos, outcome = read_events(data, start, min(end, data.size), bool(end > data.size), run, events, tempos)
    if outcome == AT_LIMIT and not sure and end < data.size and (end == start or pos <= last_end):
        pos, outcome = read_events(data, pos, data.size, bool(end < data.size), run, events, tempos)
        run[FLAWS] |= WRONG_TRACK_LENGTH
    if outcome == AT_NONSENSE:
        run[FLAWS] |= BAD_EVENT
    elif outcome == AT_END_OF_TRACK:
        if pos != end:
            run[FLAWS] |= WRONG_TRACK_LENGTH
            sure = sure and not is_track(data, pos)
    elif outcome == AT_NEXT_TRACK:
        run[FLAWS] |= WRONG_TRACK_LENGTH | MISSING_END_OF_TRACK
    else:
        run[FLAWS] |= TRUNCATED if end > data.size else MISSING_END_OF_TRACK
        if pos < end <= data.size:
            run[FLAWS] |= BAD_EVENT
    run[SHARED] |= run[USED] & run[SOUNDING]
    run[USED] |= run[SOUNDING]
    return end if sure else pos


@compiled
def start_sequence(run: Words, tempos: Words) -> None:
    """Let the next track start where the last one ended, with nothing left of its programs, notes and tempo."""
    tempos[run[TEMPOS]] = run[TICK] << TEMPO_BITS | DEFAULT_TEMPO
    run[TEMPOS] += 1
    close_channels(run[USED], run)
    run[USED] = 0


@compiled
def read_tracks(data: Bytes, pos: Int, most: Int, separate: bool, run: Words, events: Words, tempos: Words) -> Int:
    """Read at most `most` tracks from pos on, skipping what else there is; return how many there were."""
    tracks = 0
    last_end = last_end_of_track(data)
    while tracks < most and pos + CHUNK_HEADER_SIZE <= data.size:
        if is_track(data, pos):
            run[TRACK] = tracks
            if separate:
                start_sequence(run, tempos)
            else:
                run[TICK] = 0
            tracks += 1
            pos = read_track(data, pos, last_end, run, events, tempos)
        else:
            known = starts_chunk(data, pos)
            after = chunk_end(data, pos) if known else find_track(data, pos)
            if not known and after == data.size:
                break
            run[FLAWS] |= FOREIGN_CHUNK
            pos = after
    if pos < data.size and run[FLAWS] & TRUNCATED == 0:
        run[FLAWS] |= WRONG_TRACK_COUNT if is_track(data, pos) else TRAILING_BYTES
    return tracks


@compiled
def first_chunk(data: Bytes, run: Words) -> Int:
    """Where the chunks after the header start."""
    end = chunk_end(data, np.int64(0))
    if end < HEADER_SIZE or not starts_chunk(data, end):
        run[FLAWS] |= BAD_HEADER
        return find_track(data, np.int64(CHUNK_HEADER_SIZE))
    return end


@compiled
def read_header(data: Bytes) -> tuple[Int, Int, Int]:
    """The format, how many tracks are announced, and the division (signed), of data with at least HEADER_SIZE bytes."""
    fields = big_endian(data, np.int64(8), np.int64(6))
    return fields >> 32, fields >> 16 & 0xFFFF, (fields & 0xFFFF ^ 0x8000) - 0x8000


@compiled
def read_file(data: Bytes, file_format: Int, announced: Int, merged: Int) -> tuple[Int, Words, Words, Words]:
    """Read the tracks and count their notes, but on the channels `merged` (bits): their events are kept instead.

    Returns how many tracks there were, the run, and in the order of time the events kept and the tempos.
    """
    run = start_run(merged)
    # A new sequence takes the room of one tempo, and its chunk's header has more bytes than that.
    events = np.empty(data.size // SMALLEST_EVENT if merged else 0, np.int64)
    tempos = np.empty(data.size // SMALLEST_TEMPO, np.int64)
    most = announced if announced > 0 else np.int64(MAX_TRACK)
    tracks = read_tracks(data, first_chunk(data, run), most, bool(file_format == SEQUENCES), run, events, tempos)
    return (
        tracks,
        run,
        in_tick_order(events[: run[EVENTS]], np.int64(TICK_SHIFT)),
        in_tick_order(tempos[: run[TEMPOS]], np.int64(TEMPO_BITS)),
    )


@compiled
def scan(data: Bytes) -> Scan:
    """Scan a file whose header chunk starts at its first byte. Never raises: with no tracks, everything is 0."""
    if data.size < HEADER_SIZE:
        return Scan(0, 0, 0, np.zeros(DRUMS + 1, np.int64), -1, 0, DEFAULT_TEMPO, 0, 0, BAD_HEADER, 0)
    file_format, announced, division = read_header(data)
    tracks, run, events, tempos = read_file(data, file_format, announced, np.int64(0))
    if run[SHARED] != 0:
        tracks, run, events, tempos = read_file(data, file_format, announced, run[SHARED])
        count_merged(events, tracks, run)
    close_channels(run[USED], run)
    if file_format > SEQUENCES or division == 0 or (division < 0 and division & 0xFF == 0):
        run[FLAWS] |= BAD_HEADER
    if tracks != announced:
        run[FLAWS] |= WRONG_TRACK_COUNT
    tick_tempos, tempo = measure_tempos(tempos, max(run[LAST_TICK], np.int64(0)), bool(division >= 0))
    return Scan(
        file_format,
        tracks,
        division,
        run[NOTES : NOTES + DRUMS + 1].copy(),
        run[LAST_TICK],
        tick_tempos,
        tempo,
        run[NAME_AT],
        run[NAME_SIZE],
        run[FLAWS],
        run[STEPS],
    )
