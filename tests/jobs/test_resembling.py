"""A file of the index, sent to the site, has the very neighbours and scores that the pipeline published."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pyspark import SparkContext

from app import create_app, resembling
from app.db import EXTENSION
from app.settings import Settings
from midi.sources import open_source
from midi.sources.base import Source, SourceOptions
from spark_jobs.pipeline import Pipeline
from spark_jobs.progress import Display
from spark_jobs.settings import Parameters

SET_WEIGHT = 370
"""Not the default: the site must take it from the run."""


@pytest.fixture
def source() -> Source:
    return open_source("generated:120:3", SourceOptions(Path("unused")), lambda what, done, total: None)


@pytest.fixture
def client(database_url: str, spark: SparkContext, source: Source) -> Iterator[FlaskClient]:
    """A site on what the pipeline published."""
    parameters = Parameters(set_weight=SET_WEIGHT)
    Pipeline(database_url, lambda: nullcontext(spark), parameters, "test", 3, Display(quiet=True)).run(lambda: source)
    site = create_app(Settings(database_url=database_url, client_burst=100_000))
    yield site.test_client()
    site.extensions[EXTENSION].close()


@pytest.mark.parametrize("at_once", [50, 20_000])
def test_an_indexed_file_gets_its_published_neighbours(
    client: FlaskClient, source: Source, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resembling, "_SONGS_AT_ONCE", at_once)
    compared = 0
    with source.reader() as read:
        for member in source.objects():
            answer = client.post("/api/v1/similar", data=read(member, 1 << 20), content_type="audio/midi")
            if answer.status_code == 422:
                continue
            told = answer.get_json()
            assert told["indexed"]
            assert member.key in told["song"]["files"]
            published = client.get(f"/api/v1/songs/{told['song']['hash']}/similar").get_json()["similar"]
            assert told["similar"] == [one for one in published if one["score"]]
            facts = client.get(f"/api/v1/songs/{told['song']['hash']}").get_json()["song"]
            assert told["song"] | {"title": facts["title"]} == facts
            compared += len(published)
    assert compared > 100 * 50, "the case shows nothing"
