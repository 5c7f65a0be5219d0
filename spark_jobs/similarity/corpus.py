"""The songs as the search reads them: flat arrays, ordered by instrument set, small enough to broadcast."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spark_jobs.similarity.score import FEATURES, idf_weights, note_weights

DRUMS = FEATURES - 1


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

    song_ids: int32[n], by set then song, and row_of_song: int32[n], its inverse.
    song_sets: int32[n], the set of each row.
    set_songs: int32[m + 1], where each set's songs begin. set_features: int32[m + 1], where each set's features begin.
    features: int16[f]. low, high: uint64[m], the programs 0-63 and 64-127 as bits; drums: uint8[m].
    set_sizes: int16[m]; size_starts: int32[FEATURES + 2], where the sets of each size begin.
    weights: int32[sum over songs of their set's size], and weight_starts: int64[n + 1], where each song's begin.
    weight_sums: int64[n]. idf: int64[FEATURES]; set_idf: int64[m], its sum over the set.

    A NamedTuple because that is what compiled code takes whole.
    """

    song_ids: npt.NDArray[np.int32]
    row_of_song: npt.NDArray[np.int32]
    song_sets: npt.NDArray[np.int32]
    set_songs: npt.NDArray[np.int32]
    set_features: npt.NDArray[np.int32]
    features: npt.NDArray[np.int16]
    low: npt.NDArray[np.uint64]
    high: npt.NDArray[np.uint64]
    drums: npt.NDArray[np.uint8]
    set_sizes: npt.NDArray[np.int16]
    size_starts: npt.NDArray[np.int32]
    weights: npt.NDArray[np.int32]
    weight_starts: npt.NDArray[np.int64]
    weight_sums: npt.NDArray[np.int64]
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
    weight_starts = [0]
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
        weight_starts.append(len(weights))
        for feature in notes:
            songs_with[feature] += 1
    set_songs.append(len(song_ids))

    flat_features = np.array(features, dtype=np.int16)
    starts = np.array(set_features, dtype=np.int32)
    low, high, drums = _bits(flat_features, starts)
    idf = np.array(idf_weights(songs_with, len(song_ids)), dtype=np.int64)
    flat_weights = np.array(weights, dtype=np.int32)
    song_starts = np.array(weight_starts, dtype=np.int64)
    sizes = np.diff(starts).astype(np.int16)
    return Corpus(
        song_ids=np.array(song_ids, dtype=np.int32),
        row_of_song=np.argsort(song_ids).astype(np.int32),
        song_sets=np.array(song_sets, dtype=np.int32),
        set_songs=np.array(set_songs, dtype=np.int32),
        set_features=starts,
        features=flat_features,
        low=low,
        high=high,
        drums=drums,
        set_sizes=sizes,
        size_starts=np.searchsorted(sizes, np.arange(FEATURES + 2)).astype(np.int32),
        weights=flat_weights,
        weight_starts=song_starts,
        weight_sums=_sums(flat_weights.astype(np.int64), song_starts),
        idf=idf,
        set_idf=_sums(idf[flat_features], starts),
    )


def _bits(
    features: npt.NDArray[np.int16], starts: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64], npt.NDArray[np.uint8]]:
    sets = len(starts) - 1
    owner = np.repeat(np.arange(sets), np.diff(starts))
    member = np.zeros((sets, FEATURES), dtype=bool)
    member[owner, features] = True
    powers = np.uint64(1) << np.arange(64, dtype=np.uint64)
    low = (member[:, :64] * powers).sum(axis=1, dtype=np.uint64)
    high = (member[:, 64:128] * powers).sum(axis=1, dtype=np.uint64)
    return low, high, member[:, DRUMS].astype(np.uint8)


def _sums(
    values: npt.NDArray[np.int64], starts: npt.NDArray[np.int64] | npt.NDArray[np.int32]
) -> npt.NDArray[np.int64]:
    running = np.concatenate(([0], np.cumsum(values)))
    return np.asarray(running[starts[1:]] - running[starts[:-1]], dtype=np.int64)
