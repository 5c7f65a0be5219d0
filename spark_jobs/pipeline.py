"""One run from the source to the served index: plan -> scan -> build -> similarity -> outliers -> publish.

Each stage is resumable.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass, field

import psycopg2
from psycopg2.extensions import connection as Connection
from pyspark import SparkContext

from midi.sources.base import Source
from spark_jobs import ledger, outliers, planning
from spark_jobs.database import connect
from spark_jobs.errors import JobError
from spark_jobs.progress import Display
from spark_jobs.publish import build, versions
from spark_jobs.scanning import ScanJob
from spark_jobs.session import task_errors
from spark_jobs.settings import Parameters
from spark_jobs.similarity.job import SimilarityJob, load_corpus, pending_parts, songs_done

POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run ended with.

    rejects: files by reason. carried: files not scanned again because an earlier run did. resumed: an interrupted run
    was continued. unchanged: the index was there already. seconds: this command's; stage_seconds: the run's.
    """

    run: int
    index: int
    current_index: int
    digest: str
    source: str
    files: int
    carried: int
    songs: int
    sets: int
    neighbours: int
    rejects: dict[str, int]
    resumed: bool
    unchanged: bool
    seconds: float
    stage_seconds: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Where a run writes and how it works; what it computes is in `parameters`.

    spark: gives the Spark to work on, for as long as there is work. keep_versions: see versions.collect.
    """

    database_url: str
    spark: Callable[[], AbstractContextManager[SparkContext]]
    parameters: Parameters
    code_version: str
    keep_versions: int
    display: Display

    def run(self, open_source: Callable[[], Source]) -> Summary:
        """Publish the source's songs, continuing an interrupted run of the same source and parameters."""
        started = time.monotonic()
        with connect(self.database_url, "scale-driver") as connection, ledger.exclusive(connection):
            source = open_source()
            with self.display.stage("plan"):
                run = planning.plan(connection, source, self.parameters, self.code_version)
            unchanged = run.state == "published" and versions.of_run(connection, run.run_id) is not None
            if not unchanged:
                self._execute(connection, run.run_id, source)
                versions.collect(connection, self.keep_versions)
            return _summary(connection, run, unchanged, time.monotonic() - started)

    def _execute(self, connection: Connection, run_id: int, source: Source) -> None:
        with ExitStack() as stack:
            with self.display.stage("start Spark"):
                context = stack.enter_context(self.spark())
            with self._timed(connection, run_id, "scan"):
                self._scan(connection, context, run_id, source)
            with self._timed(connection, run_id, "build"), self.display.stage("build"):
                version = build.build(connection, run_id)
            with self._timed(connection, run_id, "similarity"):
                self._similarity(connection, context, version)
        with self._timed(connection, run_id, "outliers"), self.display.stage("outliers"):
            outliers.record(connection, version.index_id)
        with self._timed(connection, run_id, "publish"), self.display.stage("publish"):
            versions.publish(connection, version.index_id, run_id, self.parameters.neighbours)

    def _scan(self, connection: Connection, context: SparkContext, run_id: int, source: Source) -> None:
        total = ledger.scan_progress(connection, run_id).all_objects
        with self._bar("scan", "files", total, lambda own: ledger.scan_progress(own, run_id).objects):
            pending = ledger.pending_chunks(connection, run_id)
            if pending:
                scan = ScanJob(self.database_url, run_id, source, self.parameters.max_bytes)
                with task_errors():
                    scan.run(context, pending)

    def _similarity(self, connection: Connection, context: SparkContext, version: build.Version) -> None:
        with self._bar("similarity", "songs", version.songs, lambda own: songs_done(own, version.index_id)):
            pending = pending_parts(connection, version.index_id, version.songs)
            if pending:
                corpus = load_corpus(connection, version.index_id)
                job = SimilarityJob(
                    self.database_url, version.index_id, self.parameters.neighbours, self.parameters.set_weight
                )
                with task_errors():
                    job.run(context, corpus, pending)

    @contextmanager
    def _timed(self, connection: Connection, run_id: int, stage: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        ledger.record_seconds(connection, run_id, stage, time.monotonic() - started)

    @contextmanager
    def _bar(self, name: str, unit: str, total: int, done: Callable[[Connection], int]) -> Iterator[None]:
        """A stage whose progress is read from the ledger while the executors write it."""
        over = threading.Event()
        with self.display.stage(name, unit, total) as update:

            def watch() -> None:
                try:
                    with connect(self.database_url, "scale-progress") as own:
                        while not over.wait(POLL_SECONDS):
                            update(done(own))
                except (JobError, psycopg2.Error) as error:
                    self.display.note(f"The progress of {name} can't be shown: {str(error).strip()}")

            watcher = threading.Thread(target=watch, name=f"{name}-progress")
            watcher.start()
            try:
                yield
            finally:
                over.set()
                watcher.join()


def _summary(connection: Connection, run: planning.Run, unchanged: bool, seconds: float) -> Summary:
    published = versions.of_run(connection, run.run_id)
    if published is None or published.digest is None:
        raise LookupError(f"run {run.run_id} ended without a ready index")
    facts = ledger.facts(connection, run.run_id)
    return Summary(
        run=run.run_id,
        index=published.index_id,
        current_index=next(version.index_id for version in versions.versions(connection) if version.current),
        digest=published.digest,
        source=published.source,
        **facts.counts,
        resumed=run.resumed and not unchanged,
        unchanged=unchanged,
        seconds=round(seconds, 3),
        stage_seconds=facts.stage_seconds,
    )
