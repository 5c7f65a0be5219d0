"""What a file from outside resembles: the site scans it, the corpus in memory compares it with every song, the database
tells what is shown. The file is forgotten with the answer.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from flask import Flask, current_app

from app import queries
from app.corpus import Corpus
from app.db import Connection, DatabaseBusy
from app.instruments import DRUMS, Catalogue
from app.queries import Index, IndexGone, Similar, Song, SongLine
from app.reading import catalogue, read
from app.settings import Settings
from app.shelf import Shelf
from app.uploads import Upload
from midi.likeness import note_weights
from midi.scan.song import Reject, SongFacts, scan_song

log = logging.getLogger("app.resembling")

CORPUS = "scale_corpus"
TURN = "scale_scan_turn"

MOST = 50
"""Similar songs of a file."""

FILES_SHOWN = 20

NOT_INDEXED = -1
"""The song_id of a file that is no song of the index."""

_SONGS_AT_ONCE = 20_000
"""Songs read by one statement: some two hundred thousand numbers, well within a statement's time."""


@dataclass(frozen=True, slots=True)
class Resemblance:
    """What a file is, and what it is like.

    song: as one of the index, but its song_id is NOT_INDEXED and its title is the file's own. known: the song of the
    index with the same content, if there is one; files, file_count: the first files that hold it, and how many do.
    similar: the most similar others, best first, at most MOST, none that has nothing in common.
    """

    index: Index
    catalogue: Catalogue
    song: Song
    known: SongLine | None
    files: list[str]
    file_count: int
    similar: list[Similar]


def init_app(app: Flask, settings: Settings) -> None:
    app.extensions[CORPUS] = Shelf(load, settings.pool_wait_seconds)
    app.extensions[TURN] = _Turn(settings.pool_wait_seconds)


def resemblance(upload: Upload) -> Resemblance | Reject:
    """Compare a file with the current index, or say why it is no song.

    Raises DatabaseAway, DatabaseBusy, NoIndex, StatementTooSlow.
    """
    turn: _Turn = current_app.extensions[TURN]
    with turn.taken():
        facts = scan_song(upload.data, upload.name)
    if isinstance(facts, Reject):
        return facts
    return read(lambda connection, index: _compare(connection, index, facts))


def load(connection: Connection, index: Index) -> Corpus:
    """Read what the instruments of an index's songs weigh; raises IndexGone if not all of it is there."""
    started = time.perf_counter()
    sizes, features, notes = [], [], []
    for first in range(0, max(1, index.songs), _SONGS_AT_ONCE):
        part = _notes_of_songs(connection, index.index_id, first, first + _SONGS_AT_ONCE - 1)
        sizes.append(np.frombuffer(part[0], dtype=">i2").astype(np.int16))
        features.append(np.array(part[1].split(), dtype=np.int16))
        notes.append(np.array(part[2].split(), dtype=np.int32))
    songs = sum(map(len, sizes))
    if songs != index.songs:
        raise IndexGone(f"index {index.index_id} has {index.songs} songs, {songs} were read")
    corpus = Corpus(
        np.concatenate(sizes), np.concatenate(features), np.concatenate(notes), _set_weight(connection, index.index_id)
    )
    log.info("index %d: %d songs to compare with in %.2f s", index.index_id, songs, time.perf_counter() - started)
    return corpus


def _compare(connection: Connection, index: Index, facts: SongFacts) -> Resemblance:
    shelf: Shelf[Corpus] = current_app.extensions[CORPUS]
    corpus = shelf.of(connection, index)
    song = _song(facts)
    found = queries.song(connection, index.index_id, facts.hash)
    known = found.line if found else None
    files, file_count = queries.song_files(connection, index.index_id, known.song_id, FILES_SHOWN) if known else ([], 0)
    near = corpus.nearest(note_weights(song.notes), MOST, without=known.song_id if known else None)
    lines = queries.song_lines(connection, index.index_id, [song_id for song_id, _ in near])
    if len(lines) != len(near):
        raise IndexGone(f"index {index.index_id} was collected")
    similar = [Similar(line, score) for line, (_, score) in zip(lines, near, strict=True)]
    return Resemblance(index, catalogue(connection), song, known, files, file_count, similar)


def _song(facts: SongFacts) -> Song:
    notes = queries.notes_by_bit(facts.programs, facts.notes, facts.drum_notes)
    line = SongLine(NOT_INDEXED, facts.hash, facts.title, facts.duration_seconds, facts.tempo_bpm, tuple(notes))
    return Song(line, facts.format, facts.tracks, notes, facts.warnings)


def _notes_of_songs(connection: Connection, index_id: int, first: int, last: int) -> tuple[memoryview, str, str]:
    """Of the songs first..last, by id: how many instruments each has (big-endian int16); these, song after song, and
    their notes, both as numbers with spaces between."""
    sizes, features, notes = connection.rows(
        """
        SELECT string_agg(int2send(cardinality(bits)::smallint), ''::bytea ORDER BY song_id),
               string_agg(array_to_string(bits, ' '), ' ' ORDER BY song_id),
               string_agg(array_to_string(counts, ' '), ' ' ORDER BY song_id)
          FROM (SELECT song_id,
                       CASE WHEN drum_notes > 0 THEN programs || %s::smallint ELSE programs END AS bits,
                       CASE WHEN drum_notes > 0 THEN notes || drum_notes ELSE notes END AS counts
                  FROM song WHERE index_id = %s AND song_id BETWEEN %s AND %s) AS with_drums
        """,
        [DRUMS, index_id, first, last],
    )[0]
    return memoryview(sizes or b""), features or "", notes or ""


def _set_weight(connection: Connection, index_id: int) -> int:
    """The sets' part of the scores that the index was made with, of 1000."""
    rows = connection.rows(
        "SELECT (parameters ->> 'set_weight')::integer FROM index_version JOIN run USING (run_id) WHERE index_id = %s",
        [index_id],
    )
    if not rows:
        raise IndexGone(f"index {index_id} was collected")
    return int(rows[0][0])


class _Turn:
    """One file is scanned at a time: without a compiler that is work for a whole core, and searches must not wait."""

    def __init__(self, wait_seconds: float) -> None:
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()

    @contextmanager
    def taken(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=self._wait_seconds):
            raise DatabaseBusy("another file is being scanned")
        try:
            yield
        finally:
            self._lock.release()
