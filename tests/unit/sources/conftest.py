"""A cache folder of each test's own, and a web server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from midi.sources import SourceOptions
from tests.unit.sources.web_server import Web, web_server


@pytest.fixture
def options(tmp_path: Path) -> SourceOptions:
    return SourceOptions(cache_dir=tmp_path / "cache")


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as served:
        yield served
