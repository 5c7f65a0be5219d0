"""A visitor's own file: what it resembles, as a page and as JSON, and what is refused."""

import io
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import resembling
from app.api.document import description
from app.queries import IndexGone
from app.reading import read
from app.settings import Settings
from midi.likeness import idf_weights, note_weights, score
from midi.scan.song import RejectReason
from tests.tiny_index import publish_tiny_index
from tests.unit.app import openapi
from tests.unit.app.conftest import SONGS, running_site
from tests.unit.app.openapi import check
from tests.unit.scan.smf_bytes import midi, note, program, track

API, PAGE = "/api/v1/similar", "/like"

VIOLIN_AND_FLUTE = midi(
    track(program(40), note(), note(), program(73, channel=1), note(channel=1, ticks=960)),
    track(note(36, channel=9), note(38, channel=9)),
)
MAY_SEND = 2_000


@pytest.fixture
def site(published_url: str) -> Iterator[Flask]:
    """A site that takes small files, and any number of them."""
    yield from running_site(
        Settings(database_url=published_url, max_upload_bytes=MAY_SEND, client_burst=100_000, max_body_bytes=100)
    )


def bare(client: FlaskClient, data: bytes, content_type: str = "audio/midi") -> TestResponse:
    return client.post(API, data=data, content_type=content_type)


def form(client: FlaskClient, data: bytes, name: str = "a song.mid", address: str = PAGE) -> TestResponse:
    return client.post(address, data={"file": (io.BytesIO(data), name)}, content_type="multipart/form-data")


def described(code: int = 200) -> dict[str, Any]:
    return openapi.described("/similar", code, "post")


def test_a_file_is_compared_with_every_song_by_the_definition(client: FlaskClient) -> None:
    answer = bare(client, VIOLIN_AND_FLUTE)
    assert answer.status_code == 200
    told = answer.get_json()
    check(told, described())
    assert answer.headers["X-Index-Version"] == str(told["index"])
    assert answer.headers["Cache-Control"] == "no-store"
    assert {one["program"]: one["notes"] for one in told["song"]["instruments"]} == {40: 2, 73: 1}
    assert (told["song"]["drum_notes"], told["indexed"], told["song"]["files"]) == (2, False, [])

    songs = {one.title: one.programs | ({128: one.drum_notes} if one.drum_notes else {}) for one in SONGS}
    idf = idf_weights([sum(bit in notes for notes in songs.values()) for bit in range(129)], len(songs))
    mine = note_weights({40: 2, 73: 1, 128: 2})
    scores = {title: score(mine, note_weights(notes), idf, 500) / 1_000_000 for title, notes in songs.items()}
    expected = {title: value for title, value in scores.items() if value}
    assert {one["song"]["title"]: one["score"] for one in told["similar"]} == expected
    assert [one["score"] for one in told["similar"]] == sorted(expected.values(), reverse=True)


def test_a_form_and_a_bare_body_give_the_same_answer_but_for_the_title(client: FlaskClient) -> None:
    by_form = form(client, VIOLIN_AND_FLUTE, "my_own-tune.mid", API).get_json()
    by_body = bare(client, VIOLIN_AND_FLUTE, "application/octet-stream").get_json()
    assert by_form["song"].pop("title") == "my own tune"
    assert by_body["song"].pop("title") == "untitled"
    assert by_form == by_body


def test_the_page_tells_the_facts_of_the_file_and_why_songs_are_like_it(client: FlaskClient) -> None:
    page = form(client, VIOLIN_AND_FLUTE, "<b>Mine</b>.mid")
    assert page.status_code == 200
    assert "<h1>b&gt;</h1>" in page.text, "a file's name is text, and ends at its last slash"
    assert "not in the index" in page.text
    assert "Drift 100%" in page.text
    assert "3 shared" in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_a_file_like_no_song_is_told_so(client: FlaskClient) -> None:
    gunshot = midi(track(program(120), note()))
    assert bare(client, gunshot).get_json()["similar"] == []
    assert "has an instrument in common" in form(client, gunshot).text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"a letter to you", "not_midi"),
        (midi(), "no_tracks"),
        (midi(track(program(3))), "no_notes"),
    ],
)
def test_a_file_that_is_no_song_is_refused_with_the_reason(client: FlaskClient, data: bytes, reason: str) -> None:
    answer = bare(client, data)
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    check(answer.get_json(), described(422))
    assert answer.get_json()["reason"] == reason
    page = form(client, data)
    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert 'type="file"' in page.text


def test_the_description_names_every_reason_a_scan_can_give() -> None:
    found_before_a_scan = {RejectReason.TOO_LARGE, RejectReason.UNREADABLE}
    named = description()["components"]["schemas"]["Problem"]["properties"]["reason"]["enum"]
    assert set(named) == set(RejectReason) - found_before_a_scan


def of_size(size: int) -> bytes:
    return VIOLIN_AND_FLUTE + bytes(size - len(VIOLIN_AND_FLUTE))


@pytest.mark.parametrize("send", [bare, form])
def test_the_largest_file_is_taken_and_one_byte_more_is_too_large(client: FlaskClient, send: Any) -> None:
    assert send(client, of_size(MAY_SEND)).status_code == 200
    for size in (MAY_SEND + 1, 10 * MAY_SEND + 16_384):
        refused = send(client, of_size(size))
        assert refused.status_code == 413
        assert f"{MAY_SEND:,} bytes" in refused.text
    check(bare(client, of_size(MAY_SEND + 1)).get_json(), described(413))


@pytest.mark.parametrize("address", ["/songs", "/api/v1/songs", "/nothing", f"{API}s"])
def test_other_requests_keep_the_small_limit(client: FlaskClient, address: str) -> None:
    assert client.post(address, data=bytes(101)).status_code == 413
    assert client.post(address, data=bytes(100)).status_code in (404, 405)


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/x-www-form-urlencoded", ""])
def test_another_type_of_body_is_refused(client: FlaskClient, content_type: str) -> None:
    refused = bare(client, VIOLIN_AND_FLUTE, content_type)
    assert refused.status_code == 415
    assert "audio/midi" in refused.get_json()["detail"]
    check(refused.get_json(), described(415))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"file": "text, not a file"},
        {"other": (io.BytesIO(VIOLIN_AND_FLUTE), "a.mid")},
        {"file": [(io.BytesIO(VIOLIN_AND_FLUTE), "a.mid"), (io.BytesIO(VIOLIN_AND_FLUTE), "b.mid")]},
        {"file": (io.BytesIO(b""), "")},
    ],
)
def test_a_form_without_just_one_file_is_refused(client: FlaskClient, fields: dict[str, Any]) -> None:
    refused = client.post(API, data=fields, content_type="multipart/form-data")
    assert refused.status_code == 400
    assert "send one" in refused.get_json()["detail"]


def test_a_form_that_is_cut_off_is_refused(client: FlaskClient) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mid"\r\n\r\nMThd'
    assert client.post(API, data=body, content_type="multipart/form-data; boundary=x").status_code == 400


def test_a_parameter_is_refused(client: FlaskClient) -> None:
    assert bare(client, VIOLIN_AND_FLUTE).status_code == 200
    assert client.post(f"{API}?limit=3", data=VIOLIN_AND_FLUTE, content_type="audio/midi").status_code == 400


def test_sending_files_is_limited_sooner_than_asking(published_url: str) -> None:
    slow = Settings(database_url=published_url, client_burst=160, client_requests_per_second=0.01)
    for site in running_site(slow):
        client = site.test_client()
        assert [bare(client, VIOLIN_AND_FLUTE).status_code for _ in range(4)] == [200, 200, 200, 429]
        assert form(client, VIOLIN_AND_FLUTE).status_code == 429
        assert client.get(PAGE).status_code == 200


def test_a_large_file_counts_more_than_a_small_one(published_url: str) -> None:
    slow = Settings(database_url=published_url, client_burst=160, client_requests_per_second=0.01)
    for site in running_site(slow):
        client = site.test_client()
        assert [bare(client, of_size(500_000)).status_code for _ in range(2)] == [200, 429]


def test_a_client_whose_bucket_is_smaller_than_the_cost_may_send_when_it_is_full(published_url: str) -> None:
    for site in running_site(Settings(database_url=published_url, client_burst=2, client_requests_per_second=0.01)):
        client = site.test_client()
        assert [bare(client, VIOLIN_AND_FLUTE).status_code for _ in range(2)] == [200, 429]


def test_who_waits_too_long_for_a_scan_is_told_to_come_back(published_url: str) -> None:
    for site in running_site(Settings(database_url=published_url, pool_wait_seconds=0.05)):
        with site.extensions[resembling.TURN].taken():
            answer = bare(site.test_client(), VIOLIN_AND_FLUTE)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert bare(site.test_client(), VIOLIN_AND_FLUTE).status_code == 200


def test_many_files_at_once_are_all_answered_alike(site: Flask) -> None:
    answers: list[Any] = []

    def send() -> None:
        answers.append(bare(site.test_client(), VIOLIN_AND_FLUTE).get_json())

    senders = [threading.Thread(target=send) for _ in range(6)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(answers) == 6
    assert all(answer == answers[0] for answer in answers)


def test_after_a_switch_files_are_compared_with_the_new_index(database_url: str) -> None:
    with closing(psycopg2.connect(database_url)) as connection:
        for site in running_site(Settings(database_url=database_url)):
            for songs in (SONGS[:2], SONGS[2:5], []):
                index_id = publish_tiny_index(connection, songs)
                told = bare(site.test_client(), VIOLIN_AND_FLUTE).get_json()
                expected = {one.title for one in songs if {40, 73} & set(one.programs)}
                assert ({one["song"]["title"] for one in told["similar"]}, told["index"]) == (expected, index_id)


def test_an_index_that_is_not_whole_is_not_compared_with(database_url: str) -> None:
    with closing(psycopg2.connect(database_url)) as writer:
        publish_tiny_index(writer, SONGS)
        with writer, writer.cursor() as cursor:
            cursor.execute("DELETE FROM song WHERE song_id = 3")
    for site in running_site(Settings(database_url=database_url)):
        with site.app_context(), pytest.raises(IndexGone):
            read(site.extensions[resembling.CORPUS].of)


def test_an_outage_is_a_problem_and_the_form_says_so_too() -> None:
    for site in running_site(Settings(database_url="postgresql://nobody@127.0.0.1:1/none")):
        client = site.test_client()
        assert bare(client, VIOLIN_AND_FLUTE).status_code == 503
        assert client.get(PAGE).status_code == 503
