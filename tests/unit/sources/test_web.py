"""Downloads over connections that break, from servers that change their minds."""

import hashlib
import io
import os
import random
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from midi.errors import SourceError
from midi.sources import SourceOptions, open_source
from midi.sources.web import Download, file_name, shown_url
from tests.unit.sources.songs import contents, quiet, song
from tests.unit.sources.web_server import Web

BODY = bytes(range(251)) * 4000
"""Several times what is read at once."""


def download(web: Web, options: SourceOptions, sha256: str | None = None) -> Download:
    web.files.setdefault("/a.mid", BODY)
    return Download(f"{web.url}/a.mid", options.cache_dir, sha256, pause_seconds=0.001)


def stop_after(most: int) -> type[BaseException]:
    """An exception to stand for a kill: nothing in the code under test catches it."""
    return type(f"Killed{most}", (BaseException,), {})


def half_done(web: Web, options: SourceOptions) -> Download:
    """A download that was killed after a good part of its bytes."""
    killed = stop_after(1)

    def kill(what: str, done: int, total: int | None) -> None:
        if done > 400_000:
            raise killed

    fetching = download(web, options)
    with pytest.raises(killed):
        fetching.fetch(kill)
    web.requests.clear()
    return fetching


def test_a_single_file_and_an_archive_are_treated_by_their_names(web: Web, options: SourceOptions) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("in/b.mid", song("b"))
    web.files |= {"/x/a%20b.mid": song("a"), "/music.zip": packed.getvalue()}
    assert contents(open_source(f"{web.url}/x/a%20b.mid", options, quiet)) == {"a b.mid": song("a")}
    source = open_source(f"{web.url}/music.zip?token=secret", options, quiet)
    assert contents(source) == {"in/b.mid": song("b")}
    assert source.description == f"{web.url}/music.zip"


def test_what_was_fetched_is_not_asked_for_again(web: Web, options: SourceOptions) -> None:
    path = download(web, options).fetch(quiet)
    assert path.read_bytes() == BODY
    assert download(web, options).fetch(quiet) == path
    assert web.requests == [("/a.mid", None)]


def test_progress_is_in_bytes_of_the_whole_file(web: Web, options: SourceOptions) -> None:
    seen: list[tuple[str, int, int | None]] = []
    download(web, options).fetch(lambda *report: seen.append(report))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert seen[-1] == ("downloading a.mid", len(BODY), len(BODY))


@pytest.mark.parametrize("seed", range(3))
def test_a_connection_that_breaks_is_taken_up_where_it_broke(seed: int, web: Web, options: SourceOptions) -> None:
    drawn = random.Random(seed)
    cuts = [drawn.randrange(1, 120_000) for _ in range(8)]
    web.cuts = list(cuts)
    assert download(web, options).fetch(quiet).read_bytes() == BODY
    begins = [sum(cuts[:number]) for number in range(9)]
    assert [asked for _, asked in web.requests] == [None, *(f"bytes={begin}-" for begin in begins[1:])]


def test_a_killed_download_goes_on_where_it_was(web: Web, options: SourceOptions) -> None:
    fetching = half_done(web, options)
    assert fetching.fetch(quiet).read_bytes() == BODY
    ((_, asked),) = web.requests
    assert asked is not None
    assert int(asked.removeprefix("bytes=").removesuffix("-")) > 400_000


def test_a_file_that_changed_meanwhile_is_fetched_from_the_beginning(web: Web, options: SourceOptions) -> None:
    fetching = half_done(web, options)
    web.files["/a.mid"], web.etag = BODY[::-1] + b"longer", '"second"'
    assert fetching.fetch(quiet).read_bytes() == BODY[::-1] + b"longer"


def test_without_a_validator_two_halves_are_never_put_together(web: Web, options: SourceOptions) -> None:
    web.etag = 'W/"weak"'
    fetching = half_done(web, options)
    web.files["/a.mid"] = BODY[::-1]
    assert fetching.fetch(quiet).read_bytes() == BODY[::-1]
    assert web.requests == [("/a.mid", None)]


def test_a_server_without_ranges_is_read_from_the_beginning(web: Web, options: SourceOptions) -> None:
    web.ranges = False
    web.cuts = [300_000, 500_000]
    assert download(web, options).fetch(quiet).read_bytes() == BODY


def test_a_download_killed_after_its_last_byte_is_complete(
    web: Web, options: SourceOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = stop_after(2)

    def kill(part: Path, final: Path) -> None:
        raise killed

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", kill)
        with pytest.raises(killed):
            download(web, options).fetch(quiet)
    assert download(web, options).fetch(quiet).read_bytes() == BODY
    assert web.requests == [("/a.mid", None), ("/a.mid", f"bytes={len(BODY)}-")]


def test_a_file_that_became_shorter_is_fetched_anew(web: Web, options: SourceOptions) -> None:
    fetching = half_done(web, options)
    web.files["/a.mid"] = BODY[:1000]
    assert fetching.fetch(quiet).read_bytes() == BODY[:1000]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_server_that_fails_for_now_is_asked_again(status: int, web: Web, options: SourceOptions) -> None:
    web.refusals = [status, status]
    assert download(web, options).fetch(quiet).read_bytes() == BODY


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_server_that_refuses_is_not_asked_again(status: int, web: Web, options: SourceOptions) -> None:
    web.refusals = [status]
    with pytest.raises(SourceError, match=f"answers with HTTP status {status}; check the URL"):
        download(web, options).fetch(quiet)
    assert len(web.requests) == 1


def test_a_server_that_fails_for_long_is_said_in_a_sentence_and_what_came_is_kept(
    web: Web, options: SourceOptions
) -> None:
    web.cuts, web.refusals = [500_000], []
    fetching = download(web, options)
    web.refusals = []
    with pytest.raises(SourceError, match="what came so far is kept"):
        fetching.fetch(lambda what, done, total: web.refusals.extend([503] * 20) if not web.refusals else None)
    web.refusals.clear()
    web.requests.clear()
    assert fetching.fetch(quiet).read_bytes() == BODY
    assert web.requests == [("/a.mid", "bytes=500000-")]


def test_a_host_that_does_not_answer_is_said_in_a_sentence(options: SourceOptions) -> None:
    with pytest.raises(SourceError, match="cannot be fetched") as refused:
        Download("http://127.0.0.1:1/a.mid?signature=abc", options.cache_dir, pause_seconds=0.001).fetch(quiet)

    assert "signature" not in str(refused.value)


@pytest.mark.parametrize("url", ["http:///a.mid", "http://[::1/a.mid", "http://127.0.0.1:port/a.mid"])
def test_a_malformed_url_is_said_in_a_sentence(url: str, options: SourceOptions) -> None:
    with pytest.raises(SourceError):
        open_source(url, options, quiet)


def test_the_right_digest_passes_and_is_remembered(web: Web, options: SourceOptions) -> None:
    right = hashlib.sha256(BODY).hexdigest()
    path = download(web, options, right).fetch(quiet)
    assert download(web, options, right.upper()).fetch(quiet) == path
    assert len(web.requests) == 1


def test_a_wrong_digest_deletes_the_file_and_names_both(web: Web, options: SourceOptions) -> None:
    with pytest.raises(SourceError, match=f"has the SHA-256 {hashlib.sha256(BODY).hexdigest()}, not {'0' * 64}"):
        download(web, options, "0" * 64).fetch(quiet)
    assert list(options.cache_dir.rglob("a.mid")) == []
    download(web, options, hashlib.sha256(BODY).hexdigest()).fetch(quiet)
    assert len(web.requests) == 2


def test_a_digest_given_later_checks_what_is_in_the_cache(web: Web, options: SourceOptions) -> None:
    download(web, options).fetch(quiet)
    with pytest.raises(SourceError, match="it was deleted"):
        open_source(f"{web.url}/a.mid", replace(options, sha256="0" * 64), quiet)


def test_no_room_for_the_file_is_said_before_it_is_fetched(
    web: Web, options: SourceOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10}))
    with pytest.raises(SourceError, match=r"needs 1 MB but .* has 0 MB free"):
        download(web, options).fetch(quiet)


def test_credentials_in_a_url_are_sent_and_never_shown(web: Web, options: SourceOptions) -> None:
    web.files["/a.mid"] = song("a")
    url = web.url.replace("http://", "http://me:p%40ss@") + "/a.mid?signature=abc"
    source = open_source(url, options, quiet)
    assert web.headers[0]["authorization"] == "Basic bWU6cEBzcw=="
    assert source.description == f"{web.url}/a.mid" == shown_url(url)
    web.files.clear()
    with pytest.raises(SourceError) as refused:
        open_source(url.replace("a.mid", "b.mid"), options, quiet)
    assert "p%40ss" not in str(refused.value)
    assert "signature" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://h/a/b.tar.gz", "b.tar.gz"),
        ("http://h/a%2F..%2Fb.mid?x=/c.zip#d.kar", "b.mid"),
        ("http://h/a%00b.mid", "a_b.mid"),
        ("http://h/..", ".."),
        ("http://h/" + "x" * 300 + ".mid", "x" * 146 + ".mid"),
    ],
)
def test_a_files_name_is_safe_to_write(url: str, name: str) -> None:
    assert file_name(url) == name
