"""The Spark session, the same for a laptop and a cluster: the environment's configuration decides where it runs."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from py4j.protocol import Py4JJavaError
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from midi.errors import SourceError
from spark_jobs.errors import JobError


@contextmanager
def spark_context(master: str) -> Iterator[SparkContext]:
    """A Spark of one's own for the block; raises JobError where it cannot start (mostly: no Java)."""
    session = _start(master)
    try:
        yield session.sparkContext
    finally:
        session.stop()


@contextmanager
def task_errors() -> Iterator[None]:
    """A sentence for the user that a task on an executor ended with comes out of the block as a JobError."""
    try:
        yield
    except (Py4JJavaError, PySparkException) as error:
        sentence = _sentence_of(str(error))
        if sentence:
            raise JobError(sentence) from error
        raise


def _start(master: str) -> SparkSession:
    os.environ.setdefault("SPARK_CONF_DIR", str(Path(__file__).parent / "conf"))
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    # py4j logs the end of its connection when the JVM is stopped on purpose.
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    conf = SparkConf().setMaster(master).setAppName("scale")
    conf.setIfMissing("spark.ui.enabled", "false").setIfMissing("spark.ui.showConsoleProgress", "false")
    if master.startswith("local"):
        conf.setIfMissing("spark.driver.host", "127.0.0.1").setIfMissing("spark.driver.bindAddress", "127.0.0.1")
    try:
        with _standard_error_to(os.environ.get("SCALE_SPARK_LOG")):
            return SparkSession.builder.config(conf=conf).getOrCreate()
    except (PySparkException, FileNotFoundError) as error:
        raise JobError(
            f"Spark did not start ({str(error).splitlines()[0]}): "
            "it needs Java 17 or newer, found by JAVA_HOME or on PATH."
        ) from error


@contextmanager
def _standard_error_to(path: str | None) -> Iterator[None]:
    """Let the JVM that is started in the block write to a file: its start-up warnings can't be turned off."""
    if not path:
        yield
        return
    kept = os.dup(2)
    try:
        with open(path, "ab") as log:
            os.dup2(log.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _sentence_of(trace: str) -> str | None:
    """The sentence in the Python traceback that Spark carries over from a task, None if it ended otherwise."""
    for line in trace.splitlines():
        if line.startswith((f"{JobError.__module__}.", f"{SourceError.__module__}.")) and ": " in line:
            return line.split(": ", 1)[1]
    return None
