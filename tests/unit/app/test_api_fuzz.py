"""Whatever is asked of the API, it answers as openapi.json says: schemathesis asks, on a real socket.

API_EXAMPLES sets how many questions a phase has for each operation, API_SEED which. What it finds it prints, with a
command to repeat it.
"""

import copy
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.api.document import description
from tests.served import site_address

EXAMPLES = os.environ.get("API_EXAMPLES", "25")
SEED = os.environ.get("API_SEED", "7")
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
OPTIONS = ("--checks=all", "--continue-on-failure", "--generation-database=none", "--no-color")
NO_LIMIT = {"SCALE_CLIENT_BURST": "999999", "SCALE_CLIENT_REQUESTS_PER_SECOND": "999999"}

pytestmark = pytest.mark.timeout(7200)


@pytest.fixture(scope="module")
def api(published_url: str) -> Iterator[str]:
    with site_address(published_url, **NO_LIMIT) as address:
        yield f"{address}/api/v1"


def test_schemathesis_finds_nothing(api: str, tmp_path: Path) -> None:
    said = asked(api, description(), tmp_path, EXAMPLES)
    assert said.returncode == 0, said.stdout + said.stderr
    cases = re.search(r"([\d,]+) generated", said.stdout)
    assert cases, said.stdout
    print(f"{cases[1]} cases, {EXAMPLES} a phase and operation, seed {SEED}")
    assert int(cases[1].replace(",", "")) > len(description()["paths"]) * int(EXAMPLES)


@pytest.mark.parametrize(
    ("where", "lie"),
    [
        (("components", "parameters", "limit", "schema", "maximum"), 1000),
        (("components", "schemas", "Song", "properties", "title", "type"), "integer"),
        (("paths", "/songs", "get", "responses", "400"), None),
    ],
)
def test_schemathesis_finds_what_the_document_has_wrong(
    api: str, tmp_path: Path, where: tuple[str, ...], lie: object
) -> None:
    document = copy.deepcopy(description())
    *path, last = where
    place = document
    for name in path:
        place = place[name]
    place[last] = lie
    if lie is None:
        del place[last]
    said = asked(api, document, tmp_path, "10", "--include-path=/songs")
    assert said.returncode == 1, said.stdout + said.stderr
    assert "FAILURES" in said.stdout


def asked(
    api: str, document: dict[str, object], folder: Path, examples: str, *options: str
) -> subprocess.CompletedProcess[str]:
    """What schemathesis says of a served API and its OpenAPI document; it may write into the folder."""
    described = folder / "openapi.json"
    described.write_text(json.dumps(document), encoding="utf-8")
    command = [sys.executable, "-m", "schemathesis.cli", f"--config-file={CONFIGURATION}", "run", str(described)]
    given = [f"--url={api}", f"--seed={SEED}", f"--max-examples={examples}", *OPTIONS, *options]
    return subprocess.run([*command, *given], cwd=folder, capture_output=True, text=True, check=False)
