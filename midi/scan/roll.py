"""One file's bytes -> its notes with their times: the notes the scan counts, for whoever draws them.

Events are read as a scan reads them, all channels merged; which note-off ends which notes is as in notes.py.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .run import CHANNELS, DRUM_CHANNEL, DRUMS
from .smf import HEADER_SIZE, SEQUENCES, read_file, read_header
from .song import midi_part, seconds
from .tempo import DEFAULT_TEMPO
from .words import (
    CHANNEL_SHIFT,
    KIND_SHIFT,
    MAX_TRACK,
    NOTE_OFF,
    NOTE_ON,
    TEMPO_BITS,
    TICK_SHIFT,
    TRACK_SHIFT,
    Int,
    Words,
)

ALL_CHANNELS = np.int64((1 << CHANNELS) - 1)
Seconds = npt.NDArray[np.float64]


class Roll(NamedTuple):
    """A song's n notes in the order they end: when each starts and ends, its key (0-127), its program or DRUMS."""

    starts: Seconds
    ends: Seconds
    keys: npt.NDArray[np.uint8]
    programs: npt.NDArray[np.uint8]


class _Key:
    """The open notes of one key of a channel: starts of the older ones, and those of the latest tick."""

    __slots__ = ("latest", "newest", "older")

    def __init__(self) -> None:
        self.older: list[int] = []
        self.latest = 0
        self.newest = 0

    def begin(self, tick: int) -> None:
        if tick != self.latest:
            self._age()
            self.latest = tick
        self.newest += 1

    def end(self, tick: int) -> list[int]:
        """Where the notes started that end now; if there are none, those of this tick are dropped."""
        if tick != self.latest:
            self._age()
        ended, self.older = self.older, []
        if not ended:
            self.newest = 0
        return ended

    def _age(self) -> None:
        self.older += [self.latest] * self.newest
        self.newest = 0


def read_roll(data: bytes) -> Roll:
    """The notes of a file; none where there is no MIDI data. Never raises, whatever the bytes."""
    start, end = midi_part(data)
    if start < 0 or end - start < HEADER_SIZE:
        return _roll([], np.empty(0, np.int64), np.int64(0))
    part = np.frombuffer(data, np.uint8, end - start, start)
    file_format, announced, division = read_header(part)
    _, _, events, tempos = read_file(part, file_format, announced, ALL_CHANNELS)
    return _roll(_notes(events, bool(file_format == SEQUENCES)), tempos, division)


def _notes(events: Words, separate: bool) -> list[tuple[int, int, int, int]]:
    """(start, end, key, program) in ticks. separate: each track begins with no program set and no note open."""
    notes: list[tuple[int, int, int, int]] = []
    keys: dict[int, _Key] = {}
    programs = [0] * CHANNELS
    sequence = 0
    for event in events.tolist():
        tick, slot = event >> TICK_SHIFT, event & (1 << KIND_SHIFT) - 1
        channel, kind, track = slot >> CHANNEL_SHIFT, event >> KIND_SHIFT & 3, event >> TRACK_SHIFT & MAX_TRACK
        if separate and track != sequence:
            keys, programs, sequence = {}, [0] * CHANNELS, track
        if kind == NOTE_ON:
            keys.setdefault(slot, _Key()).begin(tick)
        elif kind == NOTE_OFF:
            program = DRUMS if channel == DRUM_CHANNEL else programs[channel]
            ended = keys[slot].end(tick) if slot in keys else ()
            notes += [(start, tick, slot & 0x7F, program) for start in ended]
        else:
            programs[channel] = slot & 0x7F
    return notes


def _roll(notes: list[tuple[int, int, int, int]], tempos: Words, division: Int) -> Roll:
    starts, ends, keys, programs = np.array(notes, np.int64).reshape(-1, 4).T
    return Roll(
        _seconds(starts, tempos, division),
        _seconds(ends, tempos, division),
        keys.astype(np.uint8),
        programs.astype(np.uint8),
    )


def _seconds(ticks: Words, tempos: Words, division: Int) -> Seconds:
    """The times of ticks; tempos as read_file gives them."""
    since = np.concatenate(([0], tempos >> TEMPO_BITS))
    tempo = np.concatenate(([DEFAULT_TEMPO], tempos & (1 << TEMPO_BITS) - 1))
    before = np.concatenate(([0], np.cumsum(np.diff(since) * tempo[:-1])))
    stretch = np.searchsorted(since, ticks, side="right") - 1
    times = seconds(division, ticks, before[stretch] + (ticks - since[stretch]) * tempo[stretch])
    return np.asarray(times, dtype=np.float64)
