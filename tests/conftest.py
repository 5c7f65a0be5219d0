"""The real parts that every test run shares: one Postgres server, one Spark, the free songs."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark import SparkContext

from deployer import java
from tests.postgres import PostgresServer, postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture
def database_url(postgres: PostgresServer) -> Iterator[str]:
    """A database of the test's own with the schema in it."""
    with postgres.database() as url:
        yield url


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkContext]:
    from spark_jobs.session import spark_context

    os.environ.update(java.environment())
    os.environ.setdefault("SCALE_SPARK_LOG", str(tmp_path_factory.mktemp("spark") / "spark.log"))
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parent.parent)
    with spark_context("local[2]") as context:
        yield context


@pytest.fixture(scope="session")
def real_midi_files() -> list[tuple[str, bytes]]:
    """The free songs as (key, bytes); skips where the package manager can't give them."""
    from midi.errors import SourceError
    from midi.sources import open_source
    from midi.sources.base import SourceOptions
    from midi.sources.cache import user_cache
    from spark_jobs.settings import Parameters

    try:
        source = open_source("free", SourceOptions(user_cache()), lambda what, done, total: None)
    except SourceError as error:
        pytest.skip(f"no real songs: {error}")
    with source.reader() as read:
        return [(member.key, read(member, Parameters().max_bytes)) for member in source.objects()]
