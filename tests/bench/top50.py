"""The exact 50 nearest songs of every song: one core, two processes, memory, growth, beside a C-speed bound.

The songs are those of `generated`, scanned here as the pipeline scans them. Spark and Postgres have no part in this:
the pipeline's stage adds loading the songs and writing the neighbours.
"""

import math
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np
import numpy.typing as npt

from midi.likeness import FEATURES
from midi.scan.song import Reject, SongFacts, scan_song
from midi.sources import open_source
from midi.sources.base import SourceOptions
from midi.sources.cache import user_cache
from spark_jobs.scanning import instrument_bits
from spark_jobs.settings import Parameters
from spark_jobs.similarity.corpus import WORDS, Corpus, SongNotes, build
from spark_jobs.similarity.job import PART_SONGS
from spark_jobs.similarity.machine import compiled, population_count
from spark_jobs.similarity.query import least_shared, query_of
from spark_jobs.similarity.search import nearest
from tests.bench.row import Row

LAKH_FILES, FEWER_FILES = 178_561, 10_000
SECONDS_BAR, MEBIBYTES_BAR = 15, 1536
PROCESSES = 2
SETTINGS = Parameters()

Scores = npt.NDArray[np.int32]


def measure(files: int = LAKH_FILES, fewer: int = FEWER_FILES) -> Iterator[Row]:
    few = _corpus(fewer)
    _search(few, "warming up")
    few_seconds, _ = _search(few, f"{len(few.song_ids):,} songs on one core")
    corpus = _corpus(files)
    songs, sets = len(corpus.song_ids), len(corpus.set_idf)
    size = f"{songs:,} songs, {sets:,} sets"
    seconds, last_scores = _search(corpus, f"{songs:,} songs on one core")
    bare = _bare_seconds(corpus, last_scores)
    together, mebibytes = _search_in_processes(corpus)
    yield Row("exact top-50, 2 cores", together, "s", SECONDS_BAR, note=f"{size}; {PROCESSES} processes, wall clock")
    yield Row("peak memory", mebibytes, "MiB", MEBIBYTES_BAR, note=f"VmHWM of the {PROCESSES} processes together")
    yield Row("exact top-50, one core", seconds, "s", note="processor time")
    yield Row(
        "C-speed bound, one core", bare, "s", note="population counts of the pairs of sets no size bound excludes"
    )
    yield Row("search against the bound", seconds / bare, "×")
    exponent = math.log(seconds / few_seconds) / math.log(songs / len(few.song_ids))
    note = f"{len(few.song_ids):,} songs in {few_seconds:.2f} s to {songs:,} in {seconds:.1f} s"
    yield Row("growth, exponent of the songs", exponent, "", note=note)


def _corpus(files: int) -> Corpus:
    """The songs of `generated:files:0`, numbered as in the index: by hash, their sets by size and bits."""
    source = open_source(f"generated:{files}:0", SourceOptions(user_cache()), lambda what, done, total: None)
    by_hash: dict[str, SongFacts] = {}
    with source.reader() as read:
        for number, member in enumerate(source.objects()):
            if number % 20_000 == 0:
                _progress(f"scanning file {number:,} of {files:,}")
            facts = scan_song(read(member, SETTINGS.max_bytes), member.key)
            if not isinstance(facts, Reject):
                by_hash[facts.hash] = facts
    songs = [by_hash[content] for content in sorted(by_hash)]
    bits = [instrument_bits(song) for song in songs]
    sets = {one: number for number, one in enumerate(sorted(set(bits), key=lambda one: (one.count("1"), one)))}
    notes = [
        SongNotes(song_id, sets[bits[song_id]], list(song.programs), list(song.notes), song.drum_notes)
        for song_id, song in enumerate(songs)
    ]
    return build(sorted(notes, key=lambda song: (song.set_id, song.song_id)))


def _search(corpus: Corpus, what: str) -> tuple[float, Scores]:
    """Processor seconds for all songs, and the last score of each one's list."""
    _progress(what)
    started = time.process_time()
    scores = [_search_part(corpus, first) for first in range(0, len(corpus.song_ids), PART_SONGS)]
    return time.process_time() - started, np.concatenate(scores)


def _search_part(corpus: Corpus, first: int) -> Scores:
    last = min(first + PART_SONGS, len(corpus.song_ids)) - 1
    return nearest(corpus, first, last, SETTINGS.neighbours, SETTINGS.set_weight)[1][:, -1]


def _search_in_processes(corpus: Corpus) -> tuple[float, float]:
    """Seconds by the clock for all songs with PROCESSES processes, and their peak memory together in MiB."""
    _progress(f"{len(corpus.song_ids):,} songs in {PROCESSES} processes")
    # Spawned, so that each counts the memory that it uses, not what it was born with.
    spawn = get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, spawn, _receive, (corpus, spawn.Barrier(PROCESSES))) as pool:
        list(pool.map(_received_part, [0] * PROCESSES))
        started = time.monotonic()
        peaks = dict(pool.map(_received_part, range(0, len(corpus.song_ids), PART_SONGS)))
        return time.monotonic() - started, sum(peaks.values()) / 1024


_received: list[Corpus] = []


def _receive(corpus: Corpus, barrier: Barrier) -> None:
    """Take the corpus, compile the search, and wait until all have."""
    _received.append(corpus)
    _search_part(corpus, 0)
    barrier.wait()


def _received_part(first: int) -> tuple[int, int]:
    """The process that searched, and its peak memory so far in KiB."""
    _search_part(_received[0], first)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["Pid"]), int(status["VmHWM"].split()[0])


def _bare_seconds(corpus: Corpus, last_scores: Scores) -> float:
    """Processor seconds to count what every two sets share, were the last scores known beforehand.

    Whoever compares sets must do this at least, unless by an index over their members: nothing is kept, looked up or
    scored. The sizes are bounded for the song of a set that is hardest to serve, since a set is passed over once.
    """
    _progress("the bare pass")
    scores = last_scores[corpus.song_ids]
    hardest = np.lexsort((scores, corpus.song_sets))[corpus.set_songs[:-1]].astype(np.int64)
    _bare_pass(corpus, hardest[:1], scores, SETTINGS.set_weight)
    started = time.process_time()
    _bare_pass(corpus, hardest, scores, SETTINGS.set_weight)
    return time.process_time() - started


@compiled
def _bare_pass(corpus: Corpus, rows: npt.NDArray[np.int64], scores: Scores, set_weight: int) -> int:
    least_idf = corpus.idf[corpus.idf > 0].min()
    words = [corpus.bits[word] for word in range(WORDS)]
    total = 0
    for row in rows:
        own = corpus.song_sets[row]
        query = query_of(corpus, row, set_weight)
        first, second, third = words[0][own], words[1][own], words[2][own]
        for size in range(1, FEATURES + 1):
            start, end = corpus.size_starts[size], corpus.size_starts[size + 1]
            if start < end and least_shared(query, size, scores[row], least_idf) <= min(query.size, size):
                low, middle, high = words[0][start:end], words[1][start:end], words[2][start:end]
                for other in range(end - start):
                    total += (
                        population_count(first & low[other])
                        + population_count(second & middle[other])
                        + population_count(third & high[other])
                    )
    return total


def _progress(text: str) -> None:
    print(f"bench top50: {text}", file=sys.stderr)
