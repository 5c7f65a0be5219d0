"""The site on a real Postgres, with a dozen songs."""

import logging
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.db import EXTENSION
from app.settings import Settings
from tests.postgres import PostgresServer
from tests.tiny_index import TinySong, publish_tiny_index

SONGS = [
    TinySong(title="Anchor Chain", programs={0: 100}),
    TinySong(title="Brook", programs={0: 90, 40: 10}),
    TinySong(title="Candle", programs={40: 50}, duration_seconds=59.6),
    TinySong(title="Drift 100%", programs={40: 30, 73: 70}, drum_notes=100),
    TinySong(title="Elm_Tree", programs={40: 30, 73: 70, 0: 20}),
    TinySong(title="Fjord École", programs={73: 10}, keys=("a/fjord.mid", "b/fjord copy.mid")),
    TinySong(title="Granite", programs={33: 10, 127: 5}, drum_notes=1, warnings=("missing_end_of_track",)),
    TinySong(title="Harbour", drum_notes=64),
    TinySong(title="Island <b>Song</b>", programs={0: 1, 24: 1, 33: 1, 40: 1, 73: 1}, drum_notes=1),
    TinySong(title="Jetty", programs={33: 200, 24: 300}, drum_notes=500, keys=("a/same.mid",)),
    TinySong(title="Kelp", programs={33: 20, 24: 30}, drum_notes=50, keys=("b/same.mid",)),
    TinySong(title="Lantern", programs={19: 40, 52: 40}, duration_seconds=3725.0),
]


@pytest.fixture(scope="session")
def published_url(postgres: PostgresServer) -> Iterator[str]:
    """A database with SONGS published, shared by the tests that only read."""
    with postgres.database() as url:
        with closing(psycopg2.connect(url)) as connection:
            publish_tiny_index(connection, SONGS)
        yield url


@pytest.fixture
def site(published_url: str) -> Iterator[Flask]:
    yield from running_site(Settings(database_url=published_url))


@pytest.fixture
def client(site: Flask) -> FlaskClient:
    return site.test_client()


def running_site(settings: Settings) -> Iterator[Flask]:
    """The site, its connections closed after."""
    logging.getLogger("app").setLevel(logging.DEBUG)
    site = create_app(settings)
    try:
        yield site
    finally:
        site.extensions[EXTENSION].close()


def song(title: str) -> TinySong:
    """The one of SONGS with this title."""
    return next(one for one in SONGS if one.title == title)
