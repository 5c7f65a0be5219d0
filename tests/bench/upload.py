"""Find by upload at Lakh's size: a file sent to the site, against 178,561 songs."""

import logging
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
from flask import Flask

from app import create_app, resembling
from app.db import EXTENSION
from app.reading import read
from app.settings import Settings
from midi.likeness import note_weights
from midi.sources import open_source
from midi.sources.base import SourceOptions
from tests.bench.row import Row
from tests.large_index import publish_large_index
from tests.postgres import postgres_server
from tests.questions import Questions

SEED = 13
SAMPLES = 300


def measure() -> Iterator[Row]:
    logging.getLogger("app").setLevel(logging.WARNING)
    with postgres_server() as server, server.database() as url:
        with closing(psycopg2.connect(url)) as connection:
            publish_large_index(connection)
            songs = Questions(connection, SEED, SAMPLES).known
        site = create_app(Settings(database_url=url, client_burst=1_000_000))
        try:
            yield from _reading(site)
            yield from _searching(site, [dict.fromkeys(song.instruments, 100) for song in songs])
            yield from _sending(site, _files())
        finally:
            site.extensions[EXTENSION].close()


def _reading(site: Flask) -> Iterator[Row]:
    with site.app_context():
        started = time.perf_counter()
        read(site.extensions[resembling.CORPUS].of)
        seconds = time.perf_counter() - started
        tracemalloc.start()
        corpus = read(resembling.load)
        kept, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    note = f"{corpus.songs:,} songs, once per process and index"
    yield Row("what the instruments weigh, read into memory", seconds, "s", note=note)
    yield Row("memory it takes", kept / 2**20, "MiB", note=f"{most / 2**20:.0f} MiB while it is read")


def _searching(site: Flask, songs: list[dict[int, int]]) -> Iterator[Row]:
    times = []
    with site.app_context():
        corpus = read(site.extensions[resembling.CORPUS].of)
    for notes in songs:
        started = time.perf_counter()
        assert corpus.nearest(note_weights(notes), resembling.MOST)
        times.append((time.perf_counter() - started) * 1000)
    yield from _rows("the 50 nearest songs, exactly", times, f"{len(times)} line-ups of the index, seed {SEED}", 100)


def _sending(site: Flask, files: list[bytes]) -> Iterator[Row]:
    client = site.test_client()
    times = []
    for data in files:
        started = time.perf_counter()
        assert client.post("/api/v1/similar", data=data, content_type="audio/midi").status_code in (200, 422)
        times.append((time.perf_counter() - started) * 1000)
    kilobytes = sum(map(len, files)) / len(files) / 1000
    note = f"{len(files)} files of {kilobytes:.0f} kB on average through the WSGI application: scan, search, songs"
    yield from _rows("a file sent", times[1:], note, None)


def _files() -> list[bytes]:
    source = open_source(f"generated:{SAMPLES}:{SEED}", SourceOptions(Path("unused")), lambda what, done, total: None)
    with source.reader() as read_bytes:
        return [read_bytes(member, 1 << 20) for member in source.objects()]


def _rows(figure: str, times: list[float], note: str, bar: float | None) -> Iterator[Row]:
    times.sort()
    yield Row(f"{figure}, p50", times[len(times) // 2], "ms", bar=bar, note=note)
    yield Row(f"{figure}, p99", times[int(len(times) * 0.99)], "ms")
