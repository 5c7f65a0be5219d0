"""The Python client, asking a served site."""

import json
import re
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, fields
from pathlib import Path

import psycopg2
import pytest

from app.api.document import description
from app.client import (
    Choice,
    Client,
    IndexReplaced,
    NotFound,
    Problem,
    TooManyRequests,
    Unavailable,
    Unintelligible,
    Unreachable,
    answers,
)
from tests.file_index import publish_files
from tests.served import site_address
from tests.tiny_index import publish_tiny_index
from tests.unit.app.conftest import SONGS, song
from tests.unit.scan.smf_bytes import midi, note, program, track

BROOK = song("Brook").hash


@pytest.fixture(scope="module")
def site(published_url: str) -> Iterator[str]:
    with site_address(published_url) as address:
        yield address


@pytest.fixture
def scale(site: str) -> Iterator[Client]:
    with Client(site) as client:
        yield client


def raw(site: str, path: str) -> answers.Json:
    with urllib.request.urlopen(f"{site}/api/v1{path}") as answer:
        found: answers.Json = json.load(answer)
    return found


def test_its_answers_are_what_the_api_says(site: str, scale: Client) -> None:
    choice = Choice(all=["Violin"], any=[0, 73], none=[33], title="e")
    page = scale.page(choice, sort="duration", limit=2)
    assert page.songs
    assert asdict(page) == raw(site, "/songs?all=Violin&any=0&any=73&none=33&title=e&sort=duration&limit=2")
    assert asdict(scale.song(BROOK)) == raw(site, f"/songs/{BROOK}")["song"]
    assert [asdict(one) for one in scale.similar(BROOK)] == raw(site, f"/songs/{BROOK}/similar")["similar"]
    counts = raw(site, "/instruments?drums=all")
    assert asdict(scale.instruments(Choice(drums="all"))) == counts | {"drums": counts["drums"]["songs"]}
    facts = asdict(scale.index())
    assert facts == {name: value for name, value in raw(site, "/index").items() if name in facts}


def test_all_songs_of_a_search_come_once_each_however_large_the_pages(scale: Client) -> None:
    for limit in (1, 5, 12, 100):
        assert sorted(one.title for one in scale.songs(limit=limit)) == sorted(one.title for one in SONGS)
    assert list(scale.songs(Choice(all=[127], drums="none"))) == []


@pytest.mark.parametrize("song_hash", ["0" * 32, "x", "../index", "?", "%"])
def test_a_song_that_is_not_there_is_not_found(scale: Client, song_hash: str) -> None:
    for ask in (scale.song, scale.similar):
        with pytest.raises(NotFound) as refusal:
            ask(song_hash)
        assert re.search("^(No song|There is no page)", refusal.value.detail)
        assert len(refusal.value.request_id) == 32


def test_a_refusal_says_why(scale: Client) -> None:
    with pytest.raises(Problem, match="Violin is chosen under “all” and “none”") as refusal:
        scale.page(Choice(all=[40], none=["violin"]))
    assert refusal.value.status == 422
    with pytest.raises(Problem, match="no instrument “Kazoo”"):
        scale.instruments(Choice(any=["Kazoo"]))


def test_a_file_is_compared_or_refused_with_a_reason(scale: Client) -> None:
    found = scale.compare(midi(track(program(40), note(), note())))
    assert [(one.program, one.notes) for one in found.song.instruments] == [(40, 2)]
    assert not found.indexed
    assert found.similar[0].song == next(iter(scale.songs(Choice(all=[40]))))
    with pytest.raises(Problem) as refusal:
        scale.compare(b"no song")
    assert (refusal.value.status, refusal.value.reason) == (422, "not_midi")


def test_a_site_without_files_has_no_file_of_a_song(scale: Client) -> None:
    with pytest.raises(NotFound):
        scale.file(BROOK)


def test_a_songs_file_is_its_bytes(database_url: str, tmp_path: Path) -> None:
    data = midi(track(program(40), note()))
    with closing(psycopg2.connect(database_url)) as connection:
        (published,) = publish_files(connection, tmp_path / "songs", {"Brook.mid": data})
    with site_address(database_url, SCALE_SOURCE=str(tmp_path / "songs")) as address, Client(address) as scale:
        assert scale.file(published.hash) == data
        assert scale.compare(data).indexed


def test_a_search_that_another_index_interrupts_says_so(database_url: str) -> None:
    with closing(psycopg2.connect(database_url)) as connection:
        publish_tiny_index(connection, SONGS)
        with site_address(database_url) as address, Client(address) as scale:
            songs = scale.songs(limit=2)
            next(songs)
            publish_tiny_index(connection, SONGS)
            with pytest.raises(IndexReplaced):
                list(songs)


def test_a_site_without_an_index_is_unavailable(database_url: str) -> None:
    with site_address(database_url) as address, Client(address, retries=0) as scale:
        with pytest.raises(Unavailable) as refusal:
            scale.page()
        assert refusal.value.status == 503


def test_asked_to_wait_it_waits_and_asks_again(published_url: str) -> None:
    narrow = {"SCALE_CLIENT_BURST": "1", "SCALE_CLIENT_REQUESTS_PER_SECOND": "1"}
    with site_address(published_url, **narrow) as address:
        with Client(address, retries=0) as hasty:
            hasty.index()
            with pytest.raises(TooManyRequests):
                hasty.index()
        with Client(address) as patient:
            assert [patient.index().songs for _ in range(2)] == [len(SONGS)] * 2


def test_nobody_there_and_nobody_answering_are_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with Client(f"http://127.0.0.1:{port}", seconds=0.2, retries=0) as scale, pytest.raises(Unreachable):
            scale.index()
    with Client(f"http://127.0.0.1:{port}", retries=0) as scale, pytest.raises(Unreachable):
        scale.index()


def test_what_is_not_the_api_is_told_apart(site: str) -> None:
    with Client(f"{site}/songs") as scale, pytest.raises(Unintelligible, match="not answer as the API does"):
        scale.index()


def test_fields_it_does_not_know_are_left_aside_and_missing_ones_are_an_error() -> None:
    brook = {"hash": BROOK, "title": "Brook", "duration_seconds": 1.0, "tempo_bpm": 2.0, "programs": [], "drums": True}
    assert asdict(answers.made(answers.Song, brook | {"composer": "unknown"})) == brook
    with pytest.raises(KeyError, match="title"):
        answers.made(answers.Song, {name: value for name, value in brook.items() if name != "title"})


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (answers.Song, "Song"),
        (answers.SongDetail, "SongDetail"),
        (answers.SongPage, "SongPage"),
        (answers.Counts, "InstrumentsAnswer"),
        (answers.IndexFacts, "IndexAnswer"),
        (answers.Resemblance, "Resemblance"),
    ],
)
def test_it_relies_only_on_what_the_api_promises(kind: type, schema: str) -> None:
    assert {field.name for field in fields(kind)} <= set(description()["components"]["schemas"][schema]["required"])
