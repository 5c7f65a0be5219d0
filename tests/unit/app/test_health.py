"""Probes and metrics."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.settings import Settings
from tests.postgres import PostgresServer
from tests.unit.app.conftest import SONGS, running_site, song

NOBODY = Settings(database_url="postgresql://nobody@127.0.0.1:1/none")
"""No Postgres listens on port 1."""


def sample(client: FlaskClient, name: str) -> float:
    """The value of one sample of /metrics, named with its labels."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", client.get("/metrics").text, re.MULTILINE)
    assert found, f"{name} is not measured"
    return float(found[1])


def test_a_site_with_an_index_is_alive_and_ready(client: FlaskClient) -> None:
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert f"{len(SONGS)} songs" in ready.text


def test_a_site_without_an_index_is_not_ready_and_says_so(database_url: str) -> None:
    for site in running_site(Settings(database_url=database_url)):
        client = site.test_client()
        for address in ("/readyz", "/", "/songs", f"/songs/{song('Brook').hash}"):
            answer = client.get(address)
            assert answer.status_code == 503
            assert "No index has been published yet" in answer.text
        assert client.get("/healthz").status_code == 200
        assert sample(client, "scale_index_version") == 0


def test_a_site_on_an_empty_database_says_how_to_migrate_it(postgres: PostgresServer) -> None:
    with postgres.empty_database() as url:
        for site in running_site(Settings(database_url=url)):
            answer = site.test_client().get("/readyz")
            assert answer.status_code == 503
            assert "python -m app migrate" in answer.text


def test_a_site_without_a_database_is_alive_and_says_why_it_is_not_ready() -> None:
    for site in running_site(NOBODY):
        client = site.test_client()
        assert client.get("/healthz").status_code == 200
        assert "refused" in client.get("/readyz").text
        assert client.get("/readyz").status_code == 503
        assert client.get("/test_db").status_code == 503
        page = client.get("/")
        assert page.status_code == 503
        assert page.headers["Retry-After"]
        assert "cannot be reached" in page.text
        assert sample(client, "scale_database_up") == 0


def test_metrics_say_which_index_is_shown(client: FlaskClient) -> None:
    assert sample(client, "scale_index_songs") == len(SONGS)
    assert sample(client, "scale_index_version") >= 1
    assert sample(client, "scale_database_up") == 1


def test_requests_are_counted_by_route_template_and_never_by_path(client: FlaskClient) -> None:
    for title in ("Brook", "Candle"):
        client.get(f"/songs/{song(title).hash}")
    client.get("/no/such/page")
    client.open("/songs", method="BREW")
    labels = {'route="/songs/<song_hash>"', 'method="GET"', 'code="200"'}
    text = client.get("/metrics").text
    counted = re.findall(r"^scale_http_requests_total{(.*)} (\S+)$", text, re.MULTILINE)
    assert [float(value) for name, value in counted if set(name.split(",")) == labels] == [2]
    assert song("Brook").hash not in text
    assert "no/such" not in text
    assert "BREW" not in text
    assert 'scale_http_request_duration_seconds_count{route="/songs/<song_hash>"} 2.0' in text


@pytest.mark.parametrize("name", ["scale_http_requests_total", "scale_http_request_duration_seconds_bucket"])
def test_two_sites_in_one_process_count_apart(site: Flask, client: FlaskClient, name: str) -> None:
    client.get("/songs")
    for other in running_site(NOBODY):
        assert 'route="/songs"' not in other.test_client().get("/metrics").text
    assert re.search(rf'^{name}{{.*route="/songs"', client.get("/metrics").text, re.MULTILINE)
