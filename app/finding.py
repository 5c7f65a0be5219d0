"""Searching a published index: the library in memory chooses, the database tells what is shown.

The library and its order by popularity are kept on shelves: one each per process, of the index last asked for.
"""

import logging
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from flask import Flask, current_app

from app import queries
from app.db import Connection
from app.instruments import BITS
from app.library import Library, Places, asks_for_popularity
from app.queries import Index, IndexGone, SongLine
from app.reading import catalogue, read
from app.searching import PAGE_SIZE, Search
from app.settings import Settings
from app.shelf import Shelf

log = logging.getLogger("app.finding")

EXTENSION = "scale_library"
POPULARITY = "scale_popularity"

_BIT_HEADER = 4
"""Bytes before the bits in Postgres' binary form of bit(n): the number of bits."""

_SONGS_AT_ONCE = 20_000
"""Songs whose lists are read by one statement: a million numbers, well within a statement's time."""

_SET_BYTES = _BIT_HEADER + -(-BITS // 8)


@dataclass(frozen=True, slots=True)
class Found:
    """Some of the songs of a search; the rest as in library.Hits."""

    songs: list[SongLine]
    total: int
    as_written: int
    instruments: list[int]
    families: list[int]


def init_app(app: Flask, settings: Settings) -> None:
    library = Shelf(load, settings.pool_wait_seconds)

    def by_popularity(connection: Connection, index: Index) -> Places:
        return library.of(connection, index).by_popularity(popularity(connection, index))

    app.extensions[EXTENSION] = library
    app.extensions[POPULARITY] = Shelf(by_popularity, settings.pool_wait_seconds)


def find_songs(connection: Connection, index: Index, search: Search, first: int = 0, most: int = PAGE_SIZE) -> Found:
    """The songs of a search from place `first` on."""
    library: Shelf[Library] = current_app.extensions[EXTENSION]
    by_popularity: Shelf[Places] = current_app.extensions[POPULARITY]
    popular = by_popularity.of(connection, index) if asks_for_popularity(search) else None
    hits = library.of(connection, index).find(search, first, most, popular)
    lines = queries.song_lines(connection, index.index_id, hits.song_ids) if hits.song_ids else []
    return Found(lines, hits.total, hits.as_written, hits.instruments, hits.families)


def warm(app: Flask) -> None:
    """Read the current index into memory, so that the first visitor need not wait. Raises as `read` does."""
    with app.app_context():
        read(lambda connection, index: find_songs(connection, index, Search(sort="popularity"), most=1))


def load(connection: Connection, index: Index) -> Library:
    """Read an index into memory; raises IndexGone if not all of it is there."""
    started = time.perf_counter()
    packed = np.frombuffer(queries.set_bits(connection, index.index_id), dtype=np.uint8)
    set_ids, durations, titles = queries.songs_for_search(connection, index.index_id)
    set_of_song = np.frombuffer(set_ids, dtype=">i4").astype(np.int32)
    _check(index, len(set_of_song))
    if len(packed) != index.sets * _SET_BYTES:
        raise IndexGone(f"not all instrument sets of index {index.index_id} are there")
    library = Library(
        np.unpackbits(packed.reshape(-1, _SET_BYTES)[:, _BIT_HEADER:], axis=1, count=BITS),
        set_of_song,
        np.frombuffer(durations, dtype=">f4").astype(np.float32),
        titles,
        [[one.bit for one in family.instruments] for family in catalogue(connection).families],
    )
    log.info("index %d: %d songs in memory in %.2f s", index.index_id, index.songs, time.perf_counter() - started)
    return library


def popularity(connection: Connection, index: Index) -> npt.NDArray[np.int64]:
    """By song id, in how many songs' lists of similar songs it is; raises IndexGone if not all of them are there."""
    counted = np.zeros(index.songs, dtype=np.int64)
    songs = 0
    for first in range(0, index.songs, _SONGS_AT_ONCE):
        lists, listed = queries.listed_songs(connection, index.index_id, first, first + _SONGS_AT_ONCE - 1)
        counted += np.bincount(np.frombuffer(listed, dtype=">i4"), minlength=index.songs)
        songs += lists
    _check(index, songs)
    return counted


def _check(index: Index, songs: int) -> None:
    if songs != index.songs:
        raise IndexGone(f"index {index.index_id} has {index.songs} songs, {songs} were read")
