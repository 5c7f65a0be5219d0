"""The songs as the search reads them: flat arrays, ordered by instrument set, small enough to broadcast."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from midi.likeness import FEATURES, idf_weights, note_weights

DRUMS = FEATURES - 1
WORDS = (FEATURES + 63) // 64
"""Words of 64 bits that hold a set."""


@dataclass(frozen=True, slots=True)
class SongNotes:
    """One song as it comes out of the database; `programs` ascending and parallel to `notes`."""

    song_id: int
    set_id: int
    programs: list[int]
    notes: list[int]
    drum_notes: int


class Corpus(NamedTuple):
    """All songs of an index, grouped by set, sets by size. n songs, m sets, f features of all sets together.

    Features are numbered by how many songs have them, most first: the few common ones, which is nearly all of a
    usual set, lie together in the first bytes of its bits.

    song_ids: int32[n], by set then song, and row_of_song: int32[n], its inverse.
    song_sets: int32[n], the set of each row.
    set_songs: int32[m + 1], where each set's songs begin. set_features: int32[m + 1], where each set's features begin.
    features: int16[f]. bits: uint64[WORDS, m], feature 64 w + b of a set as bit b of its word w.
    size_starts: int32[FEATURES + 2], where the sets of each size begin.
    weights: int32[sum over songs of their set's size], parallel to the features of the song's set, and set_weights:
    int64[m + 1], where those of each set's songs begin.
    weight_sums: int64[n]; least_sums, most_sums: int64[m], their least and most in a set.
    idf: int64[FEATURES]; set_idf: int64[m], its sum over the set.

    A NamedTuple because that is what compiled code takes whole.
    """

    song_ids: npt.NDArray[np.int32]
    row_of_song: npt.NDArray[np.int32]
    song_sets: npt.NDArray[np.int32]
    set_songs: npt.NDArray[np.int32]
    set_features: npt.NDArray[np.int32]
    features: npt.NDArray[np.int16]
    bits: npt.NDArray[np.uint64]
    size_starts: npt.NDArray[np.int32]
    weights: npt.NDArray[np.int32]
    set_weights: npt.NDArray[np.int64]
    weight_sums: npt.NDArray[np.int64]
    least_sums: npt.NDArray[np.int64]
    most_sums: npt.NDArray[np.int64]
    idf: npt.NDArray[np.int64]
    set_idf: npt.NDArray[np.int64]


def build(songs: Iterable[SongNotes]) -> Corpus:
    """Lay the songs out. They come ordered by (set_id, song_id); both ids dense, set ids ascending by size."""
    song_ids: list[int] = []
    song_sets: list[int] = []
    set_songs: list[int] = []
    set_features = [0]
    features: list[int] = []
    weights: list[int] = []
    songs_with = [0] * FEATURES
    for song in songs:
        notes = dict(zip(song.programs, song.notes, strict=True))
        if song.drum_notes:
            notes[DRUMS] = song.drum_notes
        if song.set_id == len(set_songs):
            set_songs.append(len(song_ids))
            features.extend(notes)
            set_features.append(len(features))
        song_ids.append(song.song_id)
        song_sets.append(song.set_id)
        weights.extend(note_weights(notes).values())
        for feature in notes:
            songs_with[feature] += 1
    set_songs.append(len(song_ids))
    by_songs = np.argsort(-np.array(songs_with), kind="stable")
    number = np.empty(FEATURES, dtype=np.int16)
    number[by_songs] = np.arange(FEATURES)

    flat_features = number[np.array(features, dtype=np.int16)]
    starts = np.array(set_features, dtype=np.int32)
    idf = np.array(idf_weights(songs_with, len(song_ids)), dtype=np.int64)[by_songs]
    flat_weights = np.array(weights, dtype=np.int32)
    sizes = np.diff(starts)
    song_starts = np.concatenate(([0], np.cumsum(sizes[song_sets])))
    first_songs = np.array(set_songs, dtype=np.int32)
    sums = _sums(flat_weights.astype(np.int64), song_starts)
    return Corpus(
        song_ids=np.array(song_ids, dtype=np.int32),
        row_of_song=np.argsort(song_ids).astype(np.int32),
        song_sets=np.array(song_sets, dtype=np.int32),
        set_songs=first_songs,
        set_features=starts,
        features=flat_features,
        bits=_bits(flat_features, starts),
        size_starts=np.searchsorted(sizes, np.arange(FEATURES + 2)).astype(np.int32),
        weights=flat_weights,
        set_weights=song_starts[first_songs],
        weight_sums=sums,
        least_sums=np.minimum.reduceat(sums, first_songs[:-1]),
        most_sums=np.maximum.reduceat(sums, first_songs[:-1]),
        idf=idf,
        set_idf=_sums(idf[flat_features], starts),
    )


def _bits(features: npt.NDArray[np.int16], starts: npt.NDArray[np.int32]) -> npt.NDArray[np.uint64]:
    sets = len(starts) - 1
    bits = np.zeros((WORDS, sets), dtype=np.uint64)
    owner = np.repeat(np.arange(sets), np.diff(starts))
    np.bitwise_or.at(bits, (features // 64, owner), np.uint64(1) << (features % 64).astype(np.uint64))
    return bits


def _sums(
    values: npt.NDArray[np.int64], starts: npt.NDArray[np.int64] | npt.NDArray[np.int32]
) -> npt.NDArray[np.int64]:
    running = np.concatenate(([0], np.cumsum(values)))
    return np.asarray(running[starts[1:]] - running[starts[:-1]], dtype=np.int64)
