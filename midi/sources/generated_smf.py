"""An arrangement -> the bytes of a Standard MIDI File that sounds with it.

What the notes are is beside the point; which channels and programs they sound on, how many there are, and in which of
the format's shapes they are written is what a scan sees. Fast because a part is one short phrase, encoded once and
repeated.
"""

import struct
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from random import Random

from midi.sources.generated_sets import Arrangement

__all__ = ["song_bytes"]

_DRUM_CHANNEL = 9
_CHANNELS = tuple(channel for channel in range(16) if channel != _DRUM_CHANNEL)
_DIVISIONS = (96, 120, 192, 240, 384, 480)
_SCALE = (0, 2, 4, 5, 7, 9, 11, 12, 14, 16)
_DRUMS = (36, 42, 38, 42, 36, 36, 38, 46)
_GM_RESET = b"\x00\xf0\x05\x7e\x7f\x09\x01\xf7"
_END_OF_TRACK = b"\x00\xff\x2f\x00"
_PHRASE_NOTES = 8

# Shares of files; the last is what real files show (2.3 % take a channel's program from another track).
_SHARES_A_CHANNEL = 0.1
_FORMAT_0 = 0.08
_RUNNING_STATUS = 0.15
_UNTITLED = 0.15
_GM_RESETS = 0.2
_PROGRAMS_IN_FIRST_TRACK = 0.02


@dataclass(frozen=True, slots=True)
class _Part:
    """`phrase` holds encoded notes to be repeated up to `count`, from the fraction `begin` of the song onwards."""

    channel: int
    program: int
    count: int
    begin: float
    phrase: Sequence[bytes]

    def notes(self) -> Iterable[bytes]:
        return islice(chain.from_iterable(repeat(self.phrase)), self.count)

    def program_change(self) -> bytes:
        # The drum channel has a program as well in most real files; it names a kit, not an instrument.
        return bytes((0, 0xC0 | self.channel, self.program))


def song_bytes(arrangement: Arrangement, title: str, random: Random) -> bytes:
    """A format 1 or format 0 file of a few KB."""
    division = _DIVISIONS[int(random.random() * len(_DIVISIONS))]
    ticks = int(arrangement.seconds * arrangement.tempo_bpm / 60 * division)
    # Products only: a power may differ in its last bit between machines, and the bytes must not.
    drawn = random.random()
    notes = int(120 + 1200 * drawn * drawn)
    single = random.random() < _FORMAT_0
    running = not single and random.random() < _RUNNING_STATUS
    parts = _parts(arrangement, notes, ticks, single, running, random)
    head = _head(arrangement.tempo_bpm, "" if random.random() < _UNTITLED else title, random.random() < _GM_RESETS)
    if single:
        return _file(0, division, [head + _interleaved(parts)])
    if random.random() < _PROGRAMS_IN_FIRST_TRACK:
        head += b"".join(part.program_change() for part in parts if part.begin == 0)
        return _file(1, division, [head, *_tracks(parts, running, programs=False)])
    return _file(1, division, [head, *_tracks(parts, running, programs=True)])


def _parts(
    arrangement: Arrangement, notes: int, ticks: int, single: bool, running: bool, random: Random
) -> list[_Part]:
    wanted = [(program, max(1, round(share * notes))) for program, share in arrangement.shares.items()]
    drums = max(1, round(arrangement.drums * notes)) if arrangement.drums else 0
    total = sum(count for _, count in wanted) + drums
    shared = len(wanted) > len(_CHANNELS) or (len(wanted) > 1 and random.random() < _SHARES_A_CHANNEL)
    channels = min(len(wanted) - shared, len(_CHANNELS))
    parts = []
    for number, (program, count) in enumerate(wanted):
        channel, turn = _CHANNELS[number % channels], number // channels
        turns = (len(wanted) - 1 - number % channels) // channels + 1
        step = ticks // total if single else ticks // turns // count
        phrase = _phrase(channel, max(step, 1), running, random)
        parts.append(_Part(channel, program, count, turn / turns, phrase))
    if drums:
        step = ticks // total if single else ticks // drums
        parts.append(_Part(_DRUM_CHANNEL, 0, drums, 0.0, _phrase(_DRUM_CHANNEL, max(step, 1), running, random)))
    return parts


def _phrase(channel: int, step: int, running: bool, random: Random) -> list[bytes]:
    """A few notes, each `step` ticks from the end of the one before to its own; without status bytes if `running`."""
    on, off = (b"", b"") if running else (bytes((0x90 | channel,)), bytes((0x80 | channel,)))
    base = 36 + int(random.random() * 36)
    length = max(1, step * (2 + int(random.random() * 6)) // 8)
    before, during = _quantity(step - length), _quantity(length)
    phrase = []
    for number in range(_PHRASE_NOTES):
        drawn = random.random()
        pitch = _DRUMS[number] if channel == _DRUM_CHANNEL else base + _SCALE[int(drawn * len(_SCALE))]
        sounding = bytes((pitch, 60 + int(drawn * 60)))
        phrase.append(before + on + sounding + during + off + bytes((pitch, 0)))
    return phrase


def _tracks(parts: list[_Part], running: bool, programs: bool) -> list[bytes]:
    """One track a channel; parts that share a channel follow each other."""
    by_channel = defaultdict(list)
    for part in parts:
        by_channel[part.channel].append(part)
    tracks = []
    for channel, shared in by_channel.items():
        pieces = [bytes((0, 0xB0 | channel, 7, 100))]
        for part in shared:
            if programs or part.begin:
                pieces.append(part.program_change())
            if running:
                # The phrase has no status byte of its own: a silent note-on of the highest key sets it.
                pieces.append(bytes((0, 0x90 | channel, 127, 0)))
            pieces.extend(part.notes())
        tracks.append(b"".join(pieces))
    return tracks


def _interleaved(parts: list[_Part]) -> bytes:
    """All parts in one track, each note where it lies between its part's begin and end."""
    events = []
    for number, part in enumerate(parts):
        later = [other.begin for other in parts if other.channel == part.channel and other.begin > part.begin]
        span = min(later, default=1.0) - part.begin
        events.append((part.begin, -1, number, part.program_change()))
        events += [
            (part.begin + span * (at + 0.5) / part.count, at, number, note) for at, note in enumerate(part.notes())
        ]
    events.sort()
    return b"".join(event[3] for event in events)


def _head(tempo_bpm: int, title: str, reset: bool) -> bytes:
    name = title.encode()
    named = b"\x00\xff\x03" + _quantity(len(name)) + name if name else b""
    tempo = b"\x00\xff\x51\x03" + (60_000_000 // tempo_bpm).to_bytes(3, "big")
    return named + b"\x00\xff\x58\x04\x04\x02\x18\x08" + tempo + (_GM_RESET if reset else b"")


def _file(kind: int, division: int, tracks: list[bytes]) -> bytes:
    chunks = [b"MThd" + struct.pack(">IHHH", 6, kind, len(tracks), division)]
    for track in tracks:
        chunks += [b"MTrk", struct.pack(">I", len(track) + len(_END_OF_TRACK)), track, _END_OF_TRACK]
    return b"".join(chunks)


def _quantity(value: int) -> bytes:
    """A variable-length quantity of the SMF format: 7 bits a byte, high bit set on all but the last."""
    encoded = bytes((value & 0x7F,))
    while value := value >> 7:
        encoded = bytes((value & 0x7F | 0x80,)) + encoded
    return encoded
