"""What holds for every request: limits, clean text, friendly failures, headers, the log."""

import json
import logging
import re
import sys

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape

from app.logs import JsonLines
from tests.unit.app.conftest import song


@pytest.mark.parametrize("address", ["/", "/songs", "/nothing", "/healthz", "/static/style.css"])
def test_every_answer_has_the_security_headers(client: FlaskClient, address: str) -> None:
    headers = client.get(address).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_pages_keep_to_their_own_policy(client: FlaskClient) -> None:
    for address in ("/", "/songs", f"/songs/{song('Brook').hash}"):
        page = client.get(address).text
        for forbidden in ("<style", " style=", "http://", "https://", " onclick="):
            assert forbidden not in page
        for script in re.findall("<script[^>]*>.", page):
            assert re.fullmatch(r'<script src="/static/[^"]+" defer><', script)


@pytest.mark.parametrize("address", ["/songs?title=%ff", "/songs?title=%00", "/songs?all=%c3%28", "/songs/%00"])
def test_an_address_that_is_not_text_is_a_bad_request(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 400
    assert "The address" in answer.text


def test_a_path_that_is_not_text_is_a_bad_request(client: FlaskClient) -> None:
    answer = client.get("/", environ_overrides={"PATH_INFO": "/songs/\xff"})
    assert answer.status_code == 400
    assert "in its path" in answer.text


@pytest.mark.parametrize(
    "title", ["'; DROP TABLE song; --", '"', "\\", "%s", "{0}", "${7*7}", "{{7*7}}", "$$", "é\u0301☃"]
)
def test_metacharacters_are_only_text(client: FlaskClient, title: str) -> None:
    answer = client.get("/songs", query_string={"title": title})
    assert answer.status_code == 200
    assert f"<q>{escape(title)}</q>" in answer.text
    assert "12 songs" in client.get("/songs").text


def test_a_huge_query_is_too_long(client: FlaskClient) -> None:
    answer = client.get("/songs?title=" + "x" * 100_000)
    assert answer.status_code == 414
    assert "too long" in answer.text


def test_every_instrument_chosen_at_once_is_not_too_long(client: FlaskClient) -> None:
    query = "&".join(f"none={program}" for program in range(128))
    assert client.get(f"/songs?{query}&drums=none").status_code == 200


def test_a_huge_body_is_too_large(client: FlaskClient) -> None:
    answer = client.post("/get_songs_for_instruments", data=b"x" * 100_000)
    assert answer.status_code == 413
    assert "too large" in answer.text


def test_a_wrong_method_is_told_and_the_right_ones_named(client: FlaskClient) -> None:
    answer = client.post("/songs")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert "search page" in answer.text


def test_an_unknown_address_is_a_friendly_page(client: FlaskClient) -> None:
    answer = client.get("/nothing/here")
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert "search page" in answer.text


def test_a_client_that_prefers_json_gets_its_failures_so(client: FlaskClient) -> None:
    answer = client.get("/nothing", headers={"Accept": "application/json"})
    assert answer.status_code == 404
    assert "error" in answer.get_json()


def test_a_fault_in_the_code_is_a_friendly_page_without_details(site: Flask, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> str:
        raise RuntimeError("a secret detail")

    site.add_url_rule("/broken", view_func=broken)
    answer = site.test_client().get("/broken")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert "secret" not in answer.text
    assert "a secret detail" in caplog.text


def test_a_request_is_one_log_line_whatever_is_in_its_address(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="app.requests")
    client.get("/nothing%0Aforged line")
    (record,) = [record for record in caplog.records if record.name == "app.requests"]
    assert "\n" not in record.getMessage()
    assert "404" in record.getMessage()


def test_probes_are_not_logged_while_they_succeed(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="app.requests")
    client.get("/healthz")
    client.get("/songs")
    (line,) = [record.getMessage() for record in caplog.records if record.name == "app.requests"]
    assert line.startswith("GET /songs 200")


@pytest.mark.parametrize("given", ["abc-123", "A" * 64, "0.1_x"])
def test_a_request_keeps_the_id_it_came_with(client: FlaskClient, given: str) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "A" * 65, "a b", "é", "<script>", None])
def test_a_request_without_a_sane_id_is_given_one(client: FlaskClient, given: str | None) -> None:
    ids = {
        client.get("/nothing", headers={"X-Request-ID": given} if given is not None else {}).headers["X-Request-ID"]
        for _ in range(2)
    }
    assert len(ids) == 2
    assert given not in ids
    assert all(len(one) == 32 for one in ids)


def test_the_log_line_has_what_machines_ask_for(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="app.requests")
    client.get("/songs?all=40", headers={"X-Request-ID": "mine"})
    (record,) = [record for record in caplog.records if record.name == "app.requests"]
    line = json.loads(JsonLines().format(record))
    expected = {"request_id": "mine", "method": "GET", "path": "/songs", "route": "/songs", "status": 200}
    assert {name: line[name] for name in expected} == expected
    assert line["index_version"] >= 1
    assert line["milliseconds"] > 0
    assert line["client"] == "127.0.0.1"
    assert line["message"].startswith("GET /songs?all=40 200")


def test_a_logged_fault_is_one_line_of_json_with_its_traceback() -> None:
    try:
        raise RuntimeError("two\nlines")
    except RuntimeError:
        record = logging.LogRecord("app", logging.ERROR, "", 0, "failed: %s", ("x",), sys.exc_info())
    text = JsonLines().format(record)
    assert "\n" not in text
    assert json.loads(text)["message"] == "failed: x"
    assert "RuntimeError: two" in json.loads(text)["exception"]


def test_every_page_says_which_index_gave_it(client: FlaskClient) -> None:
    for address in ("/", "/songs", f"/songs/{song('Brook').hash}", f"/songs/{'0' * 32}"):
        assert int(client.get(address).headers["X-Index-Version"]) >= 1
    assert "X-Index-Version" not in client.get("/healthz").headers
