"""Instrument sets for made-up songs: real sets (generated_seed.json), crossed with each other and mutated.

Instruments drawn independently would make a corpus in which nothing resembles anything; these keep which instruments
go together, how many a song has, how the notes are shared out, and how often one set recurs. Nothing random is drawn
but by `Random.random`, the one method whose numbers Python promises to keep from version to version.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import TypeVar

__all__ = ["Arrangement", "RealSong", "arrange", "real_songs"]

T = TypeVar("T")

SEED_FILE = Path(__file__).with_name("generated_seed.json")

# Chosen so that 178,561 songs have a number of distinct sets in the range of the Lakh MIDI data set (36,000-126,000).
_UNCHANGED = 0.22
_CROSSED = 0.45
_ONE_MORE_CHANGE = 0.5
_DRUMS_FLIPPED = 0.02
_DRUMS_ALONE = 0.01
_ANY_PROGRAM = 0.04
_SAME_FAMILY = 0.25
_FAMILY = 8


@dataclass(frozen=True, slots=True)
class RealSong:
    """Facts of one real file: notes per melodic program, notes on the drum channel."""

    notes: Mapping[int, int]
    drum_notes: int
    tempo_bpm: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What a made-up song sounds with: each part's share of its notes; the shares add up to 1 with `drums`."""

    shares: Mapping[int, float]
    drums: float
    tempo_bpm: int
    seconds: float


@cache
def real_songs() -> tuple[RealSong, ...]:
    songs = json.loads(SEED_FILE.read_text())["songs"]
    return tuple(
        RealSong(dict(zip(song["programs"], song["notes"], strict=True)), song["drums"], song["bpm"], song["seconds"])
        for song in songs
    )


def arrange(random: Random) -> Arrangement:
    """One arrangement, a function of the generator's state alone."""
    songs = real_songs()
    base = _one_of(songs, random)
    notes = dict(base.notes)
    drums = base.drum_notes
    if random.random() >= _UNCHANGED:
        if random.random() < _CROSSED:
            other = _one_of(_songs_by_program()[_one_of(tuple(notes), random)], random) if notes else base
            notes = _cross(notes, other.notes, random)
            drums = drums if random.random() < 0.5 else other.drum_notes
        else:
            _change(notes, random)
        while random.random() < _ONE_MORE_CHANGE:
            _change(notes, random)
        if random.random() < _DRUMS_FLIPPED or not notes:
            drums = 0 if drums and notes else 200
    if random.random() < _DRUMS_ALONE:
        notes, drums = {}, 200
    weights = {program: count * (0.4 + 1.2 * random.random()) for program, count in sorted(notes.items())}
    total = sum(weights.values()) + drums
    return Arrangement(
        shares={program: weight / total for program, weight in weights.items()},
        drums=drums / total,
        tempo_bpm=round(min(max(base.tempo_bpm * (0.85 + 0.3 * random.random()), 40), 240)),
        seconds=min(max(base.seconds * (0.7 + 0.6 * random.random()), 10), 420),
    )


def _cross(mine: Mapping[int, int], others: Mapping[int, int], random: Random) -> dict[int, int]:
    """A child of two songs, about as large as one of them: what both have, and some of what either has."""
    shared = {program: count for program, count in mine.items() if program in others}
    either = [item for item in (*mine.items(), *others.items()) if item[0] not in shared]
    size = len(mine) if random.random() < 0.5 else len(others)
    while either and len(shared) < size:
        program, count = either.pop(int(random.random() * len(either)))
        shared[program] = count
    return shared


def _change(notes: dict[int, int], random: Random) -> None:
    """Drop, add or replace one program; dropping and adding are as likely, so that sizes stay what they are."""
    kind = random.random()
    new = _companion(tuple(notes), random)
    lost = _one_of(tuple(notes), random) if notes else new
    count = notes.get(lost, 100)
    drops, adds = kind < 0.6, kind >= 0.3
    if drops and (adds or len(notes) > 1):
        notes.pop(lost, None)
    if adds or not notes:
        notes[new] = notes.get(new, count)


def _companion(programs: Sequence[int], random: Random) -> int:
    """A program that goes with these: by co-occurrence mostly, sometimes of one's family, rarely any."""
    kind = random.random()
    if not programs or kind < _ANY_PROGRAM:
        return int(random.random() * 128)
    one = _one_of(programs, random)
    if kind < _ANY_PROGRAM + _SAME_FAMILY:
        return one - one % _FAMILY + int(random.random() * _FAMILY)
    return _one_of(tuple(_one_of(_songs_by_program().get(one, real_songs()), random).notes) or (one,), random)


@cache
def _songs_by_program() -> Mapping[int, tuple[RealSong, ...]]:
    found = defaultdict(list)
    for song in real_songs():
        for program in song.notes:
            found[program].append(song)
    return {program: tuple(songs) for program, songs in found.items()}


def _one_of(choices: Sequence[T], random: Random) -> T:
    return choices[int(random.random() * len(choices))]
