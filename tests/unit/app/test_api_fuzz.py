"""Whatever is asked of the API, it answers as openapi.json says.

Hypothesis prints the arguments that failed, and how to repeat them.
"""

from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.api.document import description, resolve
from tests.unit.app.conftest import SONGS
from tests.unit.app.openapi import check, described

KNOWN = ["all", "any", "none", "drums", "title", "sort", "limit", "cursor"]
VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["0", "40", "128", "Violin", "all", "none", "title", "popularity", "50", "1", "e", "1.2.00000000"]),
    st.integers().map(str),
    st.text("0123456789,. ", max_size=12),
)
ARGUMENTS = st.dictionaries(
    st.one_of(st.sampled_from(KNOWN), st.text(max_size=8)), st.lists(VALUES, min_size=1, max_size=3), max_size=4
)
HASHES = st.one_of(
    st.sampled_from([one.hash for one in SONGS]),
    st.text("0123456789abcdefABCDEF", min_size=32, max_size=32),
    st.text(min_size=1),
)


def fits(site: Flask, path: str, query: dict[str, list[str]], **parts: str) -> None:
    client = site.test_client()
    address = "/api/v1" + path
    for name, value in parts.items():
        address = address.replace("{" + name + "}", quote(value, safe=""))
    answer = client.get(address, query_string=query)
    assert answer.status_code < 500, answer.text
    if answer.status_code in (301, 308, 404, 405):
        return
    assert str(answer.status_code) in description()["paths"][path]["get"]["responses"], answer.text
    expected: dict[str, Any] = described(path, answer.status_code)
    check(answer.get_json(), resolve(expected))
    assert answer.mimetype == ("application/json" if answer.status_code == 200 else "application/problem+json")


FEW = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("path", ["/songs", "/instruments", "/index"])
@FEW
@given(query=ARGUMENTS)
def test_any_arguments_get_an_answer_that_is_described(site: Flask, path: str, query: dict[str, list[str]]) -> None:
    fits(site, path, query)


@pytest.mark.parametrize("path", ["/songs/{song_hash}", "/songs/{song_hash}/similar"])
@FEW
@given(song_hash=HASHES)
def test_any_hash_gets_an_answer_that_is_described(site: Flask, path: str, song_hash: str) -> None:
    fits(site, path, {}, song_hash=song_hash)
