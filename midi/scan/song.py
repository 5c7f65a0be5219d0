"""One file's bytes -> the facts of a song, or the reason why not."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from . import flaws
from .run import DRUMS
from .smf import SEQUENCES, scan
from .title import title_of
from .words import Int

HEADER_TAG = b"MThd"
LEADING_BYTES_ALLOWED = 1024
"""How far into a file its MIDI header is looked for: a MacBinary header has 128 bytes, a RIFF wrapper mostly 20."""

HASH_DIGITS = 32
"""Hex digits kept of a content's SHA-256: as many as a uuid holds. Processors of today compute it faster than MD5."""

ASSUMED_DIVISION = 480
"""Ticks per quarter note where the header says 0, which has no meaning."""

NTSC_FRAMES = 30_000 / 1001
"""Frames per second that SMPTE calls 29 (drop frame)."""


class RejectReason(StrEnum):
    """Why a file is not a song of the index. The last two are found before a scan, by who reads the file."""

    EMPTY = "empty"
    NOT_MIDI = "not_midi"
    NO_TRACKS = "no_tracks"
    NO_NOTES = "no_notes"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Reject:
    reason: RejectReason
    detail: str


@dataclass(frozen=True, slots=True)
class SongFacts:
    """What one scan reads out of a Standard MIDI File.

    hash: the first 128 bits of the SHA-256 of the file's bytes, hex. title: at most 200 characters.
    format: the header's, 0-2 in sound files. tracks: how many were read. division: ticks per quarter note, or SMPTE's
    two bytes as a negative number. duration_seconds: to the end of the last note, with the tempos of all tracks.
    tempo_bpm: the one in force longest. programs, notes: ascending General MIDI programs (0-127) that sound on melodic
    channels, and their note counts. drum_notes: notes on channel 10. warnings: names out of flaws.MEANINGS.
    """

    hash: str
    title: str
    format: int
    tracks: int
    division: int
    duration_seconds: float
    tempo_bpm: float
    programs: tuple[int, ...]
    notes: tuple[int, ...]
    drum_notes: int
    warnings: tuple[str, ...]


def scan_song(data: bytes, name: str) -> SongFacts | Reject:
    """Scan one file's bytes; `name` (its key) gives the title, or the file itself where the key says nothing.

    Never raises, whatever the bytes. Which notes count, and for which program, is in notes.py.
    """
    if not data:
        return Reject(RejectReason.EMPTY, "the file has no bytes")
    start, end = midi_part(data)
    if start < 0:
        return Reject(RejectReason.NOT_MIDI, f"no MIDI header in its first {LEADING_BYTES_ALLOWED} bytes")
    found = scan(np.frombuffer(data, np.uint8, end - start, start))
    if found.tracks == 0:
        return Reject(RejectReason.NO_TRACKS, "a MIDI header, but no track follows")
    if found.last_tick < 0:
        return Reject(RejectReason.NO_NOTES, f"no note that ends after it began, in {found.tracks} track(s)")
    name_at = start + found.name_at
    programs = found.notes[:DRUMS].nonzero()[0]
    return SongFacts(
        hash=hashlib.sha256(data).hexdigest()[:HASH_DIGITS],
        title=title_of(name, data[name_at : name_at + found.name_size]),
        format=int(found.format) if found.format <= SEQUENCES else 1,
        tracks=int(found.tracks),
        division=int(found.division),
        duration_seconds=seconds(found.division, found.last_tick, found.tick_tempos),
        tempo_bpm=60e6 / found.tempo,
        programs=tuple(programs.tolist()),
        notes=tuple(found.notes[programs].tolist()),
        drum_notes=int(found.notes[DRUMS]),
        warnings=flaws.names(int(found.flaws) | (flaws.LEADING_BYTES if start > 0 and data[:4] != b"RIFF" else 0)),
    )


def midi_part(data: bytes) -> tuple[int, int]:
    """Where the MIDI data starts (-1: nowhere) and ends: in a RIFF wrapper with its "data" chunk."""
    start = data.find(HEADER_TAG, 0, LEADING_BYTES_ALLOWED)
    if data[:4] == b"RIFF" and data[start - 8 : start - 4] == b"data":
        end = start + int.from_bytes(data[start - 4 : start], "little")
        if start < end <= len(data):
            return start, end
    return start, len(data)


def seconds(division: Int, ticks: Any, tick_tempos: Any) -> Any:
    """The time of a tick, or of an array of them; tick_tempos: the sum of ticks * tempo up to there.

    Exact sums of integers, divided once, so every machine gets the same number.
    """
    if division >= 0:
        return tick_tempos / 1e6 / (division or ASSUMED_DIVISION)
    frames = -(division >> 8)
    return ticks / (NTSC_FRAMES if frames == 29 else frames) / (division & 0xFF or 1)
