"""The page about the index, and what the API says of it."""

import html
import json
import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from flask.testing import FlaskClient

from app.about import MOST_INSTRUMENTS, OUTLIERS_SHOWN, PARAMETERS, REJECTS, WORDINGS, Bar, line_ups, told
from app.provenance import Reason
from app.settings import Settings
from midi.scan.song import RejectReason
from spark_jobs.outliers import FACTS
from spark_jobs.settings import Parameters
from tests.large_index import publish_large_index
from tests.postgres import PostgresServer
from tests.tiny_index import publish_tiny_index
from tests.unit.app.conftest import SONGS, running_site
from tests.unit.app.openapi import check, described

HOSTILE = "a&b/<script>alert(1)</script>.mid"


@pytest.fixture(scope="module")
def recorded_url(postgres: PostgresServer) -> Iterator[str]:
    """A database with 600 songs as the pipeline publishes them."""
    with postgres.database() as url:
        with closing(psycopg2.connect(url)) as connection:
            publish_large_index(connection, 600, seed=8)
        yield url


@pytest.fixture
def recorded(recorded_url: str) -> Iterator[FlaskClient]:
    for site in running_site(Settings(database_url=recorded_url)):
        yield site.test_client()


def stored(url: str, what: str) -> Any:
    """One value of the only index and its run."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {what} FROM index_version JOIN run USING (run_id)")
        return (cursor.fetchone() or (None,))[0]


def text_of(page: str) -> str:
    """What a page says, without its tags and further spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def section(page: str, name: str) -> str:
    """The part of the page under the heading with this id."""
    return next(part for part in page.split("<section") if f'id="{name}"' in part)


def test_the_page_says_where_the_index_comes_from(recorded: FlaskClient, recorded_url: str) -> None:
    page = text_of(recorded.get("/index").text)
    assert "Index 1 was made out of large" in page
    assert "Songs 600" in page
    assert "Files 612" in page
    assert "Files left out 12" in page
    assert f"Similar songs listed {600 * 50:,}" in page
    assert stored(recorded_url, "digest") in page
    assert re.search(r"Published \d{4}-\d\d-\d\d \d\d:\d\d UTC", page)


def test_every_instruments_bar_is_as_long_as_its_share_of_the_songs(recorded: FlaskClient) -> None:
    rows = re.findall(r'<th scope="row">(.*?)</th>\s*<td>(.*?)</td>\s*<td class="meter">(.*?)</td>',
                      section(recorded.get("/index").text, "instruments"), re.DOTALL)  # fmt: skip
    told = {html.unescape(re.sub("<.*?>", "", name)): (songs, bar) for name, songs, bar in rows}
    counted = recorded.get("/api/v1/instruments").get_json()
    expected = {one["name"]: one["songs"] for family in counted["families"] for one in family["instruments"]}
    expected |= {family["name"]: family["songs"] for family in counted["families"]}
    expected |= {"Drums": counted["drums"]["songs"]}
    assert {name: int(songs.replace(",", "")) for name, (songs, _) in told.items()} == expected
    for name, (_, bar) in told.items():
        assert f'<rect width="{100 * expected[name] / 600:.2f}"' in bar


def test_the_instruments_lead_to_their_songs(recorded: FlaskClient) -> None:
    page = section(recorded.get("/index").text, "instruments")
    addresses = [html.unescape(address) for address in re.findall(r'href="(/songs\?.*?)"', page)]
    assert len(addresses) == 128 + 16 + 1
    counts = recorded.get("/api/v1/instruments").get_json()
    for address, songs in ((addresses[0], counts["families"][0]["songs"]), (addresses[-1], counts["drums"]["songs"])):
        assert recorded.get(f"/api/v1{address}").get_json()["total"] == songs


def test_songs_are_counted_by_instruments_and_by_fault(recorded: FlaskClient, recorded_url: str) -> None:
    page, overview = recorded.get("/index").text, stored(recorded_url, "overview")
    line_ups = text_of(section(page, "line-ups"))
    for instruments, songs in overview["instruments_per_song"]:
        assert f"{instruments} instrument{'s' if instruments > 1 else ''} {songs}" in line_ups
    assert overview["warnings"]
    for warning, songs in overview["warnings"].items():
        assert f"{warning.replace('_', ' ')} {songs}" in text_of(section(page, "faults"))


def test_what_was_left_out_is_told_by_reason_with_its_meaning_and_examples(recorded: FlaskClient) -> None:
    page = text_of(section(recorded.get("/index").text, "left-out"))
    for reason, meaning in REJECTS.items():
        assert f"{reason.replace('_', ' ')} 2 files {meaning}" in page
    assert "broken/000000.mid made up" in page


def test_outliers_lead_to_their_songs_and_say_why(recorded: FlaskClient, recorded_url: str) -> None:
    outliers = stored(recorded_url, "outliers")
    page = section(recorded.get("/index").text, "outliers")
    shown, further = page.split('<details class="more">')
    assert shown.count("<li>") == OUTLIERS_SHOWN
    assert further.count("<li>") == len(outliers) - OUTLIERS_SHOWN > 0
    entry = text_of(shown.split("<li>")[1])
    for reason in outliers[0]["reasons"]:
        assert told(Reason(**reason)) in entry
    for address in re.findall(r'href="(/songs/.*?)"', page)[:3]:
        assert recorded.get(address).status_code == 200


def test_a_reason_is_told_in_its_own_unit() -> None:
    assert told(Reason("duration_seconds", 7385.0, 122.4, 9.1)) == "length 2:03:05, typical 2:02"
    assert (
        told(Reason("commonness", 0.00231, 0.125, -4.0)) == "share of songs with its instruments 0.23 %, typical 12 %"
    )
    assert told(Reason("notes", 1234567.0, 2477.0, 4.0)) == "notes 1,234,567, typical 2,477"
    assert told(Reason("something_newer", 0.5, 0.25, 4.0)) == "something newer 0.5, typical 0.25"


def test_everything_the_pipeline_records_has_words() -> None:
    assert set(REJECTS) == {reason.value for reason in RejectReason}
    assert set(PARAMETERS) == set(Parameters().as_json())
    assert set(WORDINGS) == set(FACTS)
    for fact in FACTS:
        assert told(Reason(fact, 0.0, 1e12, -3.0))


def test_the_largest_line_ups_share_a_bar_and_the_most_common_number_fills_its_own() -> None:
    assert line_ups([(1, 10), (MOST_INSTRUMENTS - 1, 40), (MOST_INSTRUMENTS, 3), (90, 5)]) == [
        Bar("1 instrument", 10, 25.0),
        Bar(f"{MOST_INSTRUMENTS - 1} instruments", 40, 100.0),
        Bar(f"{MOST_INSTRUMENTS} and more", 8, 20.0),
    ]
    assert line_ups([]) == []


def test_an_index_older_than_its_recording_is_told_as_that(client: FlaskClient) -> None:
    page = text_of(client.get("/index").text)
    assert f"Songs {len(SONGS)}" in page
    assert page.count("This index was made before") == 3
    assert "Files left out" in page
    told = client.get("/api/v1/index").get_json()
    assert (told["overview"], told["outliers"], told["files"], told["rejects"]) == (None, None, None, {})


def test_a_browser_that_has_the_page_is_not_sent_it_again_until_the_index_changes(database_url: str) -> None:
    with closing(psycopg2.connect(database_url)) as connection:
        publish_tiny_index(connection, SONGS)
        for site in running_site(Settings(database_url=database_url)):
            client = site.test_client()
            first = client.get("/index")
            known = {"If-None-Match": first.headers["ETag"]}
            again = client.get("/index", headers=known)
            assert (again.status_code, again.data) == (304, b"")
            assert "no-cache" in again.headers["Cache-Control"]
            assert again.headers["X-Index-Version"] == first.headers["X-Index-Version"]
            publish_tiny_index(connection, SONGS)
            assert client.get("/index", headers=known).status_code == 200


def test_names_of_files_are_text_never_markup(database_url: str) -> None:
    overview = {
        "instruments_per_song": [[1, 12]],
        "warnings": {"<b>odd</b>": 1},
        "reject_examples": {"not_midi": [{"key": HOSTILE, "detail": HOSTILE}]},
    }
    with closing(psycopg2.connect(database_url)) as connection:
        publish_tiny_index(connection, SONGS)
        with connection, connection.cursor() as cursor:
            cursor.execute("UPDATE index_version SET overview = %s", [json.dumps(overview)])
            cursor.execute("UPDATE run SET source = %s, counts = %s", [HOSTILE, '{"rejects": {"not_midi": 1}}'])
    for site in running_site(Settings(database_url=database_url)):
        page = site.test_client().get("/index").text
        assert page.count("a&amp;b/&lt;script&gt;alert(1)&lt;/script&gt;.mid") == 4
        assert "<script>alert" not in page
        assert "<b>odd" not in page


def test_the_api_says_what_is_recorded(recorded: FlaskClient, recorded_url: str) -> None:
    answer = recorded.get("/api/v1/index")
    check(answer.get_json(), described("/index"))
    told = answer.get_json()
    overview = stored(recorded_url, "overview")
    assert told["overview"]["warnings"] == overview["warnings"]
    assert told["overview"]["reject_examples"] == overview["reject_examples"]
    sizes = [[one["instruments"], one["songs"]] for one in told["overview"]["instruments_per_song"]]
    assert sizes == overview["instruments_per_song"]
    outliers = stored(recorded_url, "outliers")
    assert [(one["score"], one["reasons"]) for one in told["outliers"]] == [
        (one["score"], one["reasons"]) for one in outliers
    ]
    assert (told["files"], told["carried"], told["neighbours"]) == (612, 0, 30_000)
    assert told["digest"] == stored(recorded_url, "digest")
    song = told["outliers"][0]["song"]
    assert recorded.get(f"/api/v1/songs/{song['hash']}").get_json()["song"]["title"] == song["title"]
