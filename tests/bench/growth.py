"""How each stage grows from 10 thousand songs to Lakh's 178,561, and a plot of it (docs/images/growth.svg)."""

import math
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from matplotlib.figure import Figure
from pyspark import SparkContext

from midi.sources import open_source
from midi.sources.base import SourceOptions
from spark_jobs.pipeline import Pipeline, Summary
from spark_jobs.progress import Display
from spark_jobs.session import spark_context
from spark_jobs.settings import Parameters
from tests.bench.row import Row
from tests.postgres import PostgresServer, postgres_server

FILES = (11_160, 28_255, 71_000, 178_561)
STAGES = ("scan", "build", "similarity", "outliers", "publish")
LINEARITHMIC = math.log(FILES[-1] * math.log(FILES[-1]) / (FILES[0] * math.log(FILES[0]))) / math.log(
    FILES[-1] / FILES[0]
)
"""The exponent that n log n looks like over this range."""
PLOT = Path(__file__).resolve().parents[2] / "docs" / "images" / "growth.svg"


def measure() -> Iterator[Row]:
    with postgres_server() as server, spark_context("local[*]") as context:
        _run(server, context, 1_000)  # compiles, and fills caches
        runs = [_run(server, context, files) for files in FILES]
    seconds = {stage: [run.stage_seconds[stage] for run in runs] for stage in STAGES}
    _plot(seconds)
    for stage in STAGES:
        exponent = math.log(seconds[stage][-1] / seconds[stage][0]) / math.log(FILES[-1] / FILES[0])
        times = ", ".join(f"{second:.2f}" for second in seconds[stage])
        # 10 % for the machine's noise: exponents come from two times each.
        bar = None if stage == "similarity" else LINEARITHMIC * 1.1
        yield Row(f"{stage}, exponent", exponent, "", bar=bar, note=f"{times} s at {', '.join(map(str, FILES))} files")


def _run(server: PostgresServer, context: SparkContext, files: int) -> Summary:
    print(f"  {files:,} files …", file=sys.stderr, flush=True)
    with server.database() as url:
        pipeline = Pipeline(url, lambda: nullcontext(context), Parameters(), "bench", 1, Display(quiet=True))
        options = SourceOptions(Path("unused"))
        return pipeline.run(lambda: open_source(f"generated:{files}", options, lambda what, done, total: None))


def _plot(seconds: dict[str, list[float]]) -> None:
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for stage, times in seconds.items():
        axes.loglog(FILES, times, marker="o", label=f"{stage}, {times[-1]:.1f} s in the end")
    start = seconds["scan"][0]
    axes.loglog(FILES, [start * n / FILES[0] for n in FILES], color="0.6", linestyle=":", label="n")
    axes.set(xlabel="files", ylabel="seconds", xticks=FILES, xticklabels=[f"{n:,}" for n in FILES])
    axes.minorticks_off()
    axes.grid(color="0.9")
    axes.legend(frameon=False)
    figure.savefig(PLOT, metadata={"Date": None})
