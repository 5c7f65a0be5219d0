"""A song's file, from the source, as it was when it was indexed; and what is drawn and played of it."""

import base64
import hashlib
import os
import re
import socket
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from xml.etree import ElementTree

import boto3
import psycopg2
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import files, music, roll
from app.files import MOST_READERS, file_name
from app.settings import Settings
from midi.scan.flaws import MEANINGS
from midi.sources import Source
from midi.sources.s3 import S3Source
from midi.sources.zip_archive import ZipSource
from tests.file_index import FileSong, publish_files
from tests.object_store import object_store
from tests.postgres import PostgresServer
from tests.unit.app.conftest import running_site
from tests.unit.scan import samples
from tests.unit.scan.smf_bytes import meta, midi, note, program, track

FILES = {
    "Brook.mid": samples.SONG,
    "copies/Brook again.mid": samples.SONG,
    "Cut short.mid": samples.SONG[:-9],
    "Fjord Été.mid": midi(track(program(73), note(60), note(62))),
    "Two sequences.mid": midi(track(program(1), note(60)), track(note(62)), file_format=2),
    "Vast.mid": midi(track(note(60), meta(0x7F, bytes(roll.MOST_SOURCE_BYTES)))),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "songs"


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as address:
        yield address


@pytest.fixture
def songs(url: str, folder: Path) -> dict[str, FileSong]:
    """The published songs of FILES, by key."""
    with closing(psycopg2.connect(url)) as connection:
        published = publish_files(connection, folder, FILES)
    return {key: song for song in published for key in song.keys}


@pytest.fixture
def site(url: str, folder: Path, songs: dict[str, FileSong]) -> Iterator[Flask]:
    yield from opened(url, str(folder))


def opened(url: str, source: str, endpoint_url: str = "", seconds: float = 5.0) -> Iterator[Flask]:
    """A site whose source was opened, or could not be."""
    settings = Settings(
        database_url=url, source=source, source_endpoint_url=endpoint_url, source_seconds=seconds, client_burst=10_000
    )
    for site in running_site(settings):
        files.open_files(site, settings)
        yield site


def made_from(url: str, description: str, source: Source | None = None) -> None:
    """Have the index be of a source of this description, its files of the versions that the source lists."""
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("UPDATE run SET source = %s", [description])
        for listed in source.objects() if source else ():
            cursor.execute("UPDATE scanned_file SET version = %s WHERE key = %s", [listed.version, listed.key])


def picture(svg: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 (the site's own)


@pytest.mark.parametrize("address", ["/songs/{}/file.mid", "/api/v1/songs/{}/file"])
def test_a_file_is_handed_out_as_it_is_in_the_source(
    client: FlaskClient, songs: dict[str, FileSong], address: str
) -> None:
    song = songs["Fjord Été.mid"]
    answer = client.get(address.format(song.hash))
    assert (answer.status_code, answer.data) == (200, song.data)
    assert answer.content_type == "audio/midi"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "Fjord%20%C3%89t%C3%A9.mid" in answer.headers["Content-Disposition"]
    assert "immutable" in answer.headers["Cache-Control"]
    assert int(answer.headers["X-Index-Version"]) > 0
    again = client.get(address.format(song.hash.upper()), headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_song_in_several_files_is_had_from_any_that_is_left(
    client: FlaskClient, songs: dict[str, FileSong], folder: Path
) -> None:
    (folder / "Brook.mid").unlink()
    assert client.get(f"/songs/{songs['Brook.mid'].hash}/file.mid").data == samples.SONG


def test_a_file_that_was_replaced_is_not_taken_for_the_song(
    client: FlaskClient, songs: dict[str, FileSong], folder: Path
) -> None:
    path, song = folder / "Cut short.mid", songs["Cut short.mid"]
    then = path.stat().st_mtime_ns
    path.write_bytes(samples.SONG)
    os.utime(path, ns=(then, then))
    for address in (f"/songs/{song.hash}/file.mid", f"/api/v1/songs/{song.hash}/file"):
        answer = client.get(address)
        assert answer.status_code == 404
        assert "no longer has this song" in answer.text
    assert client.get(f"/songs/{song.hash}").status_code == 200


def test_a_file_that_is_gone_is_told_in_the_place_of_its_drawing(
    client: FlaskClient, songs: dict[str, FileSong], folder: Path
) -> None:
    (folder / "Cut short.mid").unlink()
    answer = client.get(f"/songs/{songs['Cut short.mid'].hash}/roll.svg")
    assert (answer.status_code, answer.mimetype) == (404, "image/svg+xml")
    assert "no longer has" in "".join(picture(answer.data).itertext())
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_drawing_carries_the_one_style_its_policy_allows(client: FlaskClient, songs: dict[str, FileSong]) -> None:
    answer = client.get(f"/songs/{songs['Brook.mid'].hash}/roll.svg")
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
    style = picture(answer.data).findtext("{http://www.w3.org/2000/svg}style") or ""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.headers["Content-Security-Policy"]
    assert " style=" not in answer.text
    again = client.get(answer.request.path, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_a_file_too_large_to_be_drawn_is_handed_out_all_the_same(
    client: FlaskClient, songs: dict[str, FileSong]
) -> None:
    song = songs["Vast.mid"]
    page = client.get(f"/songs/{song.hash}").text
    assert f"{song.hash}/file.mid" in page
    assert "roll.svg" not in page
    assert client.get(f"/songs/{song.hash}/file.mid").data == song.data
    assert client.get(f"/songs/{song.hash}/roll.svg").status_code == 404


@pytest.mark.parametrize("song_hash", ["0" * 32, "zz", "' OR 1=1"])
@pytest.mark.parametrize("address", ["/songs/{}/file.mid", "/songs/{}/roll.svg", "/api/v1/songs/{}/file"])
def test_an_unknown_song_has_no_file(client: FlaskClient, address: str, song_hash: str) -> None:
    assert client.get(address.format(song_hash)).status_code == 404


def test_the_player_is_offered_for_sound_files_where_there_is_a_synthesiser(
    client: FlaskClient, songs: dict[str, FileSong], monkeypatch: pytest.MonkeyPatch
) -> None:
    def offered(key: str) -> bool:
        return 'class="player"' in client.get(f"/songs/{songs[key].hash}").text

    monkeypatch.setattr(music, "SYNTHESISER", "style.css")
    assert [offered(key) for key in ("Brook.mid", "Cut short.mid", "Two sequences.mid")] == [True, False, False]
    monkeypatch.setattr(music, "SYNTHESISER", "nowhere.js")
    assert not offered("Brook.mid")
    assert set(MEANINGS) > music.PLAYED_ALL_THE_SAME


def test_without_a_source_a_song_page_has_no_music(url: str, songs: dict[str, FileSong]) -> None:
    for site in opened(url, ""):
        assert_silent(site.test_client(), songs["Brook.mid"])


def test_a_source_that_cannot_be_opened_is_logged_and_the_site_goes_on(
    url: str, songs: dict[str, FileSong], caplog: pytest.LogCaptureFixture
) -> None:
    for site in opened(url, "/nowhere/at/all"):
        assert "the site has no files: '/nowhere/at/all' does not exist" in caplog.text
        assert_silent(site.test_client(), songs["Brook.mid"])


def test_an_index_of_another_source_has_no_music(client: FlaskClient, url: str, songs: dict[str, FileSong]) -> None:
    made_from(url, "another")
    assert_silent(client, songs["Brook.mid"])


def assert_silent(client: FlaskClient, song: FileSong) -> None:
    page = client.get(f"/songs/{song.hash}")
    assert page.status_code == 200
    assert not re.search(r"roll\.svg|file\.mid|player", page.text)
    for name in ("file.mid", "roll.svg"):
        assert client.get(f"/songs/{song.hash}/{name}").status_code == 404


def test_a_source_that_does_not_answer_is_a_503_and_holds_up_nothing_else(
    url: str, songs: dict[str, FileSong], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr(files, "REFUSE_SECONDS", 0.0)
    made_from(url, "s3://songs/")
    song = songs["Brook.mid"]
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        for site in opened(url, "s3://songs/", f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=0.2):
            client = site.test_client()
            for _ in range(MOST_READERS + 1):
                answer = client.get(f"/api/v1/songs/{song.hash}/file")
                assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
                assert int(answer.headers["Retry-After"]) > 0
                assert "source of the files cannot be reached" in answer.text
            assert client.get(f"/songs/{song.hash}").status_code == 200
            assert client.get(f"/songs/{song.hash}/roll.svg").status_code == 503


def test_files_in_a_bucket_are_had_while_its_server_is_there(
    url: str, songs: dict[str, FileSong], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as running:
        store = running.enter_context(object_store())
        for name, value in store.environment().items():
            monkeypatch.setenv(name, value)
        client = boto3.session.Session().client("s3", region_name="us-east-1", endpoint_url=store.endpoint_url)
        client.create_bucket(Bucket="songs")
        for key, data in FILES.items():
            client.put_object(Bucket="songs", Key=key, Body=data)
        made_from(url, "s3://songs/", S3Source("songs", endpoint_url=store.endpoint_url))
        for site in opened(url, "s3://songs", store.endpoint_url, seconds=30.0):
            asked = f"/songs/{songs['Brook.mid'].hash}/file.mid"
            assert site.test_client().get(asked).data == samples.SONG
            running.close()
            assert site.test_client().get(asked).status_code == 503


def test_many_visitors_at_once_get_their_own_files(url: str, songs: dict[str, FileSong], folder: Path) -> None:
    archive = folder.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for key, data in FILES.items():
            packed.writestr(key, data)
    made_from(url, ZipSource(archive).description, ZipSource(archive))
    for site in opened(url, str(archive)):
        wanted = [*songs.values()] * 6
        with ThreadPoolExecutor(8) as visitors:
            visits = [visitors.submit(site.test_client().get, f"/songs/{song.hash}/file.mid") for song in wanted]
        assert [visit.result().data for visit in visits] == [song.data for song in wanted]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Brook", "Brook.mid"),
        ('  a/b\\c:d*e?f"g<h>i|j  ', "a b c d e f g h i j.mid"),
        ("..", "song.mid"),
        ("../../etc/passwd", "etc passwd.mid"),
        ("Été (live), No. 4", "Été (live), No. 4.mid"),
        ("x" * 200, "x" * 100 + ".mid"),
    ],
)
def test_a_download_is_named_after_its_song(title: str, name: str) -> None:
    assert file_name(title) == name
