"""Made-up songs for the tests of the search, and their neighbours by the definition in midi/likeness.py."""

import random
from collections.abc import Mapping, Sequence

from midi.likeness import FEATURES, idf_weights, note_weights, score
from spark_jobs.similarity.corpus import DRUMS, SongNotes

Notes = Mapping[int, int]
"""Feature -> notes of one song."""


def songs_of(notes: Sequence[Notes]) -> list[SongNotes]:
    """Songs as the database gives them: ids by place, sets numbered by size, ordered by set and id."""
    keys = [tuple(sorted(of_song)) for of_song in notes]
    ids = {key: number for number, key in enumerate(sorted(set(keys), key=lambda key: (len(key), key)))}
    songs = [
        SongNotes(at, ids[key], [f for f in key if f != DRUMS], [of_song[f] for f in key if f != DRUMS],
                  of_song.get(DRUMS, 0))
        for at, (key, of_song) in enumerate(zip(keys, notes, strict=True))
    ]  # fmt: skip
    return sorted(songs, key=lambda song: (song.set_id, song.song_id))


def features(song: SongNotes) -> dict[int, int]:
    notes = dict(zip(song.programs, song.notes, strict=True))
    return notes | {DRUMS: song.drum_notes} if song.drum_notes else notes


def by_definition(songs: list[SongNotes], set_weight: int) -> dict[int, list[tuple[int, int]]]:
    """Song id -> all other songs as (score, id), nearest first."""
    with_feature = [sum(feature in features(song) for song in songs) for feature in range(FEATURES)]
    idf = idf_weights(with_feature, len(songs))
    weights = {song.song_id: note_weights(features(song)) for song in songs}
    return {
        one: sorted(
            ((score(weights[one], weights[other], idf, set_weight), other) for other in weights if other != one),
            key=lambda pair: (-pair[0], pair[1]),
        )
        for one in weights
    }


def clusters(rng: random.Random, count: int) -> list[Notes]:
    """Few clusters with common instruments, so that there are equal sets, equal songs and near ones."""
    centres = [rng.sample(range(128), rng.randint(1, 9)) for _ in range(max(1, count // 12))]
    notes: list[Notes] = []
    for _ in range(count):
        programs = set(rng.choice(centres)) ^ set(rng.sample(range(128), rng.choice([0, 0, 0, 1, 2])))
        drums = rng.choice([0, 0, 25, rng.randint(1, 900)])
        if not programs and not drums:
            programs = {0}
        song = {program: rng.choice([10, rng.randint(1, 500)]) for program in sorted(programs)}
        notes.append(song | {DRUMS: drums} if drums else song)
    return notes


def one_feature(rng: random.Random, count: int) -> list[Notes]:
    """One instrument each, among them songs of drums only: every pair scores a million or nothing."""
    return [{rng.choice([0, 1, 2, DRUMS]): rng.randint(1, 9)} for _ in range(count)]


def all_distinct(rng: random.Random, count: int) -> list[Notes]:
    """No two songs with the same set."""
    sets: set[tuple[int, ...]] = set()
    while len(sets) < count:
        sets.add(tuple(sorted(rng.sample(range(FEATURES), rng.randint(1, 6)))))
    return [{feature: rng.randint(1, 50) for feature in one} for one in sorted(sets)]


def huge_sets(rng: random.Random, count: int) -> list[Notes]:
    """Nearly every instrument there is, beside songs with few: counts of shared ones run up to 129."""
    sizes = [rng.choice([1, 2, 60, 126, 127, 128, 129]) for _ in range(count)]
    return [{feature: rng.randint(1, 4) for feature in rng.sample(range(FEATURES), size)} for size in sizes]


def ties(rng: random.Random, count: int) -> list[Notes]:
    """Three sets, two note counts: far more songs tie for the last place of a list than it has room for."""
    return [dict.fromkeys(rng.choice([(0, 1), (0, 2), (0, 1, DRUMS)]), 5) | {0: rng.choice([5, 7])}
            for _ in range(count)]  # fmt: skip


SHAPES = {shape.__name__: shape for shape in (clusters, one_feature, all_distinct, huge_sets, ties)}
