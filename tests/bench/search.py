"""The site's questions at the size of the Lakh MIDI data set, and the original's SQL on the same songs."""

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from urllib.parse import urlencode

import psycopg2
from flask import Flask
from psycopg2 import errors, extensions

from app import create_app, finding, queries
from app.db import EXTENSION, Connection
from app.queries import Index
from app.reading import read
from app.searching import Search
from app.settings import Settings
from tests.bench.row import Row
from tests.large_index import publish_large_index
from tests.postgres import postgres_server
from tests.questions import Questions

SEED = 11
QUERIES = 2_000
SAMPLES = 500
ORIGINAL_QUERIES = 5
ORIGINAL_SECONDS = 60.0

# Facts of the original (2019): its tables, and its question for one instrument. Its pairs at this size would be
# hundreds of millions; the 25 nearest of each song, each pair once, are kinder to it. It is not known to have had any
# index; what it would have done with them is measured too.
_ORIGINAL_TABLES = """
    CREATE TABLE hash_name AS SELECT song_id AS hash, title AS song_name FROM song;
    CREATE TABLE filename_instrument AS
        SELECT song_id AS filename, unnest(programs) AS instrument FROM song WHERE cardinality(programs) >= 3;
    CREATE TABLE filepair_similarity AS
        SELECT DISTINCT least(song_id, near) AS "filename_A", greatest(song_id, near) AS "filename_B", 0.3 AS distance
        FROM neighbour, unnest(neighbour_ids[1:25]) AS near;
    ANALYZE hash_name; ANALYZE filename_instrument; ANALYZE filepair_similarity;
"""
_ORIGINAL_INDEXES = """
    CREATE INDEX ON hash_name (hash);
    CREATE INDEX ON filename_instrument (filename); CREATE INDEX ON filename_instrument (instrument);
    CREATE INDEX ON filepair_similarity ("filename_A"); CREATE INDEX ON filepair_similarity ("filename_B");
"""
_ORIGINAL_QUERY = """
    SELECT chosen.filename, hash_name.song_name, count(DISTINCT every.instrument),
           count(pair.distance) / count(DISTINCT every.instrument)
    FROM filename_instrument AS chosen
    JOIN hash_name ON hash_name.hash = chosen.filename
    JOIN filename_instrument AS every ON every.filename = chosen.filename
    JOIN filepair_similarity AS pair ON pair."filename_A" = chosen.filename OR pair."filename_B" = chosen.filename
    WHERE chosen.instrument = %s
    GROUP BY chosen.filename, hash_name.song_name
"""

Question = Callable[[Connection, Index], object]


def measure() -> Iterator[Row]:
    logging.getLogger("app").setLevel(logging.WARNING)
    with postgres_server() as server, server.database() as url, closing(psycopg2.connect(url)) as connection:
        publish_large_index(connection)
        site = create_app(Settings(database_url=url, client_burst=100_000))
        try:
            yield from _memory(site)
            questions = Questions(connection, SEED)
            yield from _by_instruments(site, questions, connection)
            yield from _in_the_database(site, questions)
            yield from _as_pages(site, questions)
        finally:
            site.extensions[EXTENSION].close()


def _memory(site: Flask) -> Iterator[Row]:
    started = time.perf_counter()
    finding.warm(site)
    note = "once per process and index: sets, songs, titles, popularity"
    yield Row("the index read into memory", time.perf_counter() - started, "s", note=note)


def _by_instruments(site: Flask, questions: Questions, connection: extensions.connection) -> Iterator[Row]:
    found = []

    def question(search: Search) -> Question:
        def ask(connection: Connection, index: Index) -> None:
            found.append(finding.find_songs(connection, index, search, search.first).total)

        return ask

    times = _times(site, [question(questions.search()) for _ in range(QUERIES)])
    answered = sum(total > 0 for total in found)
    note = f"{len(times):,} queries, {answered:,} with an answer, seed {SEED}; all counts of all instruments included"
    yield Row("songs with these instruments, p50", _at(times, 0.5), "ms", note=note)
    yield Row("songs with these instruments, p99", _at(times, 0.99), "ms", bar=10)
    for what, tables in (("its tables", _ORIGINAL_TABLES), ("every join column indexed", _ORIGINAL_INDEXES)):
        original, cut_off = _original(connection, tables)
        note = f"{ORIGINAL_QUERIES} queries for one instrument, {cut_off} of them cut off at {ORIGINAL_SECONDS:.0f} s"
        yield Row(f"the original's SQL, {what}, p50", _at(original, 0.5), "ms", note=note)
        ratio = _at(original, 0.5) / _at(times, 0.5)
        bar = 1000 if tables == _ORIGINAL_TABLES else None
        yield Row(f"its median over ours, {what}", ratio, "×", bar=bar, at_least=True)


def _original(connection: extensions.connection, tables: str) -> tuple[list[float], int]:
    """Milliseconds of the original's queries once `tables` is run, and how many of them were cut off."""
    with connection, connection.cursor() as cursor:
        cursor.execute(tables)
    times, cut_off = [], 0
    for program in random.Random(SEED).sample((0, 24, 33, 40, 48, 56, 73), ORIGINAL_QUERIES):
        started = time.perf_counter()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = %s", [int(ORIGINAL_SECONDS * 1000)])
                cursor.execute(_ORIGINAL_QUERY, [program])
                cursor.fetchall()
            times.append((time.perf_counter() - started) * 1000)
        except errors.QueryCanceled:
            cut_off += 1
            times.append(ORIGINAL_SECONDS * 1000)
    return times, cut_off


def _in_the_database(site: Flask, questions: Questions) -> Iterator[Row]:
    def song(connection: Connection, index: Index, song_hash: str) -> None:
        found = queries.song(connection, index.index_id, song_hash)
        assert found is not None
        queries.song_files(connection, index.index_id, found.line.song_id, 20)

    def similar(connection: Connection, index: Index, song_id: int) -> None:
        assert len(queries.similar_songs(connection, index.index_id, song_id)) == 50

    def title(connection: Connection, index: Index, typed: str) -> None:
        finding.find_songs(connection, index, Search(title=typed))

    asked: dict[str, list[Question]] = {
        "a song": [partial(song, song_hash=questions.hash()) for _ in range(SAMPLES)],
        "similar songs": [
            partial(similar, song_id=questions.random.randrange(questions.songs)) for _ in range(SAMPLES)
        ],
        "title search": [partial(title, typed=questions.title()) for _ in range(SAMPLES)],
    }
    for name, all_of_them in asked.items():
        times = _times(site, all_of_them)
        yield Row(f"{name}, p50", _at(times, 0.5), "ms", note=f"{len(times)} asked of memory and database")
        yield Row(f"{name}, p99", _at(times, 0.99), "ms", bar=20)


def _as_pages(site: Flask, questions: Questions) -> Iterator[Row]:
    client = site.test_client()
    addresses = {
        "page of results": [f"/songs?{_arguments(questions.search())}" for _ in range(SAMPLES)],
        "form with counts": [f"/?{_arguments(questions.search())}" for _ in range(SAMPLES)],
        "page of a song and its similar songs": [f"/songs/{questions.hash()}" for _ in range(SAMPLES)],
        "page about the index": ["/index"] * SAMPLES,
        "page of a title search": [f"/songs?{urlencode({'title': questions.title()})}" for _ in range(SAMPLES)],
    }
    for name, asked in addresses.items():
        times = []
        for address in asked:
            started = time.perf_counter()
            assert client.get(address).status_code == 200, address
            times.append((time.perf_counter() - started) * 1000)
        yield Row(f"{name}, p50", _at(times, 0.5), "ms", note=f"{len(times)} through the WSGI application")
        yield Row(f"{name}, p99", _at(times, 0.99), "ms", bar=50)


def _arguments(search: Search) -> str:
    return urlencode(search.arguments(), doseq=True)


def _times(site: Flask, questions: list[Question]) -> list[float]:
    """Milliseconds each took, the checking of the current index included."""
    times = []
    for question in questions:
        with site.app_context():
            started = time.perf_counter()
            read(question)
            times.append((time.perf_counter() - started) * 1000)
    return times


def _at(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]
