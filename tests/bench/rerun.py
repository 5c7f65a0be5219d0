"""A second run after one file in a hundred changed, against the first."""

import random
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from midi.sources import open_source
from midi.sources.base import SourceOptions
from spark_jobs.pipeline import Pipeline, Summary
from spark_jobs.progress import Display
from spark_jobs.session import spark_context
from spark_jobs.settings import Parameters
from tests.bench.real_songs import write_corpus
from tests.bench.row import Row
from tests.postgres import postgres_server

FILES = 5_000
CHANGED = FILES // 100
SEED = 2


def measure() -> Iterator[Row]:
    with (
        tempfile.TemporaryDirectory() as name,
        postgres_server() as server,
        server.database() as url,
        spark_context("local[*]") as context,
    ):
        folder = Path(name)
        write_corpus(folder, FILES, SEED)
        pipeline = Pipeline(url, lambda: nullcontext(context), Parameters(), "bench", 2, Display(quiet=True))
        options = SourceOptions(folder)

        def run() -> Summary:
            return pipeline.run(lambda: open_source(str(folder), options, lambda what, done, total: None))

        first = run()
        for path in random.Random(SEED).sample(sorted(folder.iterdir()), CHANGED):
            path.write_bytes(path.read_bytes() + b"\0")
        second = run()
    note = f"{CHANGED} of {FILES:,} files changed"
    scanned = (second.files - second.carried) / first.files
    yield Row("files scanned again", 100 * scanned, "%", bar=10, note=note)
    seconds = second.stage_seconds["scan"] / first.stage_seconds["scan"]
    yield Row("scan stage's time", 100 * seconds, "%", note=f"{first.stage_seconds['scan']} s, then a task's overhead")
