"""End to end, against the original's design on the same files.

The original parsed every file on the driver with pretty_midi, joined the songs with themselves by MLlib's MinHashLSH at
a Jaccard distance below 0.5, and wrote the rows to Postgres. Its parse time is extrapolated from a sample.
"""

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import pretty_midi
import psycopg2
from psycopg2.extras import execute_values
from pyspark import SparkContext
from pyspark.ml.feature import MinHashLSH
from pyspark.ml.linalg import Vectors
from pyspark.sql import SparkSession
from pyspark.sql.functions import col

from midi.sources import open_source
from midi.sources.base import SourceOptions
from spark_jobs.pipeline import Pipeline
from spark_jobs.progress import Display
from spark_jobs.session import spark_context
from spark_jobs.settings import Parameters
from tests.bench.real_songs import write_corpus
from tests.bench.row import Row
from tests.postgres import postgres_server

FILES = 11_133
SAMPLE = 300
SEED = 1
LEAST_INSTRUMENTS = 3
MOST_DISTANCE = 0.5


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name, postgres_server() as server:
        folder = Path(name)
        size = write_corpus(folder, FILES, SEED)
        with server.database() as url, spark_context("local[*]") as context:
            _say(f"our pipeline on {FILES:,} files, {size / 1e6:.0f} MB")
            ours = _ours(url, context, folder)
            sets = _instrument_sets(url)
            parse = _original_parse(folder)
            join, pairs = _original_join(context, url, sets)
    original = parse + join
    note = f"{FILES:,} files, {size / 1e6:.0f} MB; Spark runs already for both"
    yield Row("ours, scan to published", ours, "s", note=note)
    yield Row("original, parsing on the driver", parse, "s", note=f"extrapolated from {SAMPLE} files, seed {SEED}")
    yield Row("original, MinHashLSH self-join and rows", join, "s", note=f"{pairs:,} pairs")
    yield Row("original / ours", original / ours, "×", bar=30, at_least=True)


def _ours(url: str, context: SparkContext, folder: Path) -> float:
    pipeline = Pipeline(url, lambda: nullcontext(context), Parameters(), "bench", 1, Display(quiet=True))
    options = SourceOptions(folder)
    return pipeline.run(lambda: open_source(str(folder), options, lambda what, done, total: None)).seconds


def _instrument_sets(url: str) -> list[tuple[str, list[int]]]:
    """What the original's parser would find, (file, programs with drums' taken as 0), for the join without the wait."""
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT key, programs FROM song_file JOIN song USING (index_id, song_id) ORDER BY key")
        rows = cursor.fetchall()
    connection.close()
    return [(key, programs) for key, programs in rows if len(programs) >= LEAST_INSTRUMENTS]


def _original_parse(folder: Path) -> float:
    paths = random.Random(SEED).sample(sorted(folder.iterdir()), SAMPLE)
    started = time.monotonic()
    for done, path in enumerate(paths):
        if done % 50 == 0:
            _say(f"pretty_midi, {done} of {SAMPLE}")
        # A file it cannot read costs it its time all the same.
        with suppress(Exception):
            _ = [instrument.program for instrument in pretty_midi.PrettyMIDI(str(path)).instruments]
    return (time.monotonic() - started) / SAMPLE * FILES


def _original_join(context: SparkContext, url: str, sets: list[tuple[str, list[int]]]) -> tuple[float, int]:
    _say(f"MinHashLSH self-join of {len(sets):,} songs")
    session = SparkSession(context)
    started = time.monotonic()
    songs = session.createDataFrame(
        [(key, Vectors.sparse(128, programs, [1.0] * len(programs))) for key, programs in sets], ["key", "features"]
    )
    model = MinHashLSH(inputCol="features", outputCol="hashes", seed=SEED).fit(songs)
    pairs = (
        model.approxSimilarityJoin(songs, songs, MOST_DISTANCE, distCol="distance")
        .where(col("datasetA.key") < col("datasetB.key"))
        .select(col("datasetA.key").alias("a"), col("datasetB.key").alias("b"), "distance")
    )
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute('CREATE TABLE filepair_similarity ("filename_A" text, "filename_B" text, distance real)')
        execute_values(
            cursor,
            "INSERT INTO filepair_similarity VALUES %s",
            ((row.a, row.b, row.distance) for row in pairs.toLocalIterator()),
            page_size=1000,
        )
        cursor.execute("SELECT count(*) FROM filepair_similarity")
        (found,) = cursor.fetchone() or (0,)
    connection.close()
    return time.monotonic() - started, found


def _say(what: str) -> None:
    print(f"  {what} …", file=sys.stderr, flush=True)
