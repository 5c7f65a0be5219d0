"""The API gives what the pages know, as openapi.json says."""

import re
from contextlib import closing

import psycopg2
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.api.document import description, resolve
from app.api.routes import CHOICE
from app.settings import Settings
from tests.tiny_index import TinySong, publish_tiny_index
from tests.unit.app.conftest import SONGS, running_site, song
from tests.unit.app.openapi import check, described

BROOK = song("Brook").hash


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("/songs", "/songs"),
        ("/songs", "/songs?all=40&none=Clavinet&drums=none&title=e&sort=popularity&limit=2"),
        ("/songs/{song_hash}", f"/songs/{BROOK}"),
        ("/songs/{song_hash}", f"/songs/{song('Harbour').hash}"),
        ("/songs/{song_hash}", f"/songs/{BROOK.upper()}"),
        ("/songs/{song_hash}/similar", f"/songs/{BROOK}/similar"),
        ("/songs/{song_hash}/similar", f"/songs/{song('Lantern').hash}/similar"),
        ("/instruments", "/instruments"),
        ("/instruments", "/instruments?any=19,24"),
        ("/index", "/index"),
    ],
)
def test_an_answer_is_as_described_and_says_which_index_gave_it(client: FlaskClient, path: str, address: str) -> None:
    answer = client.get(f"/api/v1{address}")
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    check(answer.get_json(), described(path))
    assert answer.headers["X-Index-Version"] == str(answer.get_json()["index"])
    again = client.get(f"/api/v1{address}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == answer.headers["ETag"]
    assert "no-cache" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("address", "code", "says"),
    [
        ("/songs?all=999", 400, "999"),
        ("/songs?all=40&none=40", 422, "Violin"),
        ("/songs?sort=loud", 400, "loud"),
        ("/songs?limit=0", 400, "1 to 100"),
        ("/songs?limit=101", 400, "1 to 100"),
        ("/songs?limit=1e1", 400, "1 to 100"),
        ("/songs?cursor=x", 400, "cursor"),
        ("/songs?cursor=1.50.00000000", 422, "cursor"),
        ("/songs?cursor=", 400, "empty"),
        ("/songs?all=40&all=", 400, "empty"),
        ("/songs?drums=", 400, "empty"),
        ("/songs?page=2", 400, "“page”"),
        ("/songs?title=a&title=b", 400, "once"),
        ("/songs?title=%ff", 400, "UTF-8"),
        ("/instruments?sort=title", 400, "“sort”"),
        (f"/songs/{BROOK}?verbose=1", 400, "takes none"),
        (f"/songs/{'0' * 32}", 404, "hash"),
        ("/songs/zz", 404, "hash"),
        (f"/songs/{'0' * 32}/similar", 404, "hash"),
        ("/songs?title=" + "x" * 9000, 414, "long"),
        ("/nothing", 404, "no page"),
    ],
)
def test_a_failure_is_a_problem_that_says_why(client: FlaskClient, address: str, code: int, says: str) -> None:
    answer = client.get(f"/api/v1{address}", headers={"Accept": "text/html"})
    assert answer.status_code == code
    assert answer.mimetype == "application/problem+json"
    problem = answer.get_json()
    check(problem, description()["components"]["schemas"]["Problem"])
    assert says in problem["detail"]
    assert problem["status"] == code
    assert problem["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "BREW"])
def test_other_methods_are_a_problem_that_names_the_right_ones(client: FlaskClient, method: str) -> None:
    answer = client.open("/api/v1/songs", method=method)
    assert answer.status_code == 405
    assert answer.mimetype == "application/problem+json"
    assert "GET" in answer.headers["Allow"]


def test_an_outage_is_a_problem_and_says_when_to_try_again() -> None:
    for site in running_site(Settings(database_url="postgresql://nobody@127.0.0.1:1/none")):
        answer = site.test_client().get("/api/v1/songs")
        assert answer.status_code == 503
        assert answer.mimetype == "application/problem+json"
        assert int(answer.headers["Retry-After"]) > 0
        check(answer.get_json(), described("/songs", 503))


@pytest.mark.parametrize("question", ["sort=title", "title=song", "none=127&sort=popularity", ""])
def test_pages_by_cursor_are_all_songs_once(database_url: str, question: str) -> None:
    songs = [TinySong(title=f"Song {number:03}", programs={number % 7: 1, number % 3 + 10: 2}) for number in range(45)]
    with closing(psycopg2.connect(database_url)) as connection:
        publish_tiny_index(connection, songs)
    for site in running_site(Settings(database_url=database_url)):
        client = site.test_client()
        hashes: list[str] = []
        address = f"/api/v1/songs?{question}&limit=10"
        page = client.get(address).get_json()
        for _ in range(4):
            hashes += [one["hash"] for one in page["songs"]]
            page = client.get(f"{address}&cursor={page['next_cursor']}").get_json()
            assert page["total"] == 45
        hashes += [one["hash"] for one in page["songs"]]
        assert page["next_cursor"] is None
        assert sorted(hashes) == sorted(one.hash for one in songs)


def test_a_cursor_is_good_for_its_search_and_its_index_only(database_url: str) -> None:
    with closing(psycopg2.connect(database_url)) as connection:
        publish_tiny_index(connection, SONGS)
        for site in running_site(Settings(database_url=database_url)):
            client = site.test_client()
            first = client.get("/api/v1/songs?any=40,33&limit=2")
            cursor = first.get_json()["next_cursor"]
            assert client.get(f"/api/v1/songs?any=33&any=40&limit=3&cursor={cursor}").status_code == 200
            assert client.get(f"/api/v1/songs?any=40&limit=2&cursor={cursor}").status_code == 422
            publish_tiny_index(connection, SONGS)
            gone = client.get(f"/api/v1/songs?any=40,33&limit=2&cursor={cursor}")
            assert gone.status_code == 410
            check(gone.get_json(), described("/songs", 410))
            fresh = client.get("/api/v1/songs?any=40,33&limit=2", headers={"If-None-Match": first.headers["ETag"]})
            assert fresh.status_code == 200
            assert fresh.get_json()["index"] == first.get_json()["index"] + 1


def test_a_cursor_beyond_the_last_song_is_an_empty_page(client: FlaskClient) -> None:
    found = client.get("/api/v1/songs?limit=1").get_json()
    version, _, digest = found["next_cursor"].split(".")
    page = client.get(f"/api/v1/songs?cursor={version}.999999999.{digest}").get_json()
    assert (page["songs"], page["next_cursor"], page["total"]) == ([], None, len(SONGS))


def test_the_counts_of_instruments_follow_the_choice(client: FlaskClient) -> None:
    counted = client.get("/api/v1/instruments?all=40&drums=none").get_json()
    left = [one for one in SONGS if 40 in one.programs and not one.drum_notes]
    assert counted["total"] == len(left)
    assert counted["drums"]["songs"] == 0
    for family in counted["families"]:
        for one in family["instruments"]:
            assert one["songs"] == sum(one["program"] in known.programs for known in left)
        programs = {one["program"] for one in family["instruments"]}
        assert family["songs"] == sum(bool(programs & set(known.programs)) for known in left)


def test_a_song_and_its_neighbours_are_what_was_published(client: FlaskClient) -> None:
    told = client.get(f"/api/v1/songs/{BROOK}").get_json()["song"]
    assert told["title"] == "Brook"
    assert told["instruments"][1] == {"program": 40, "name": "Violin", "notes": 10}
    assert told["files"] == ["folder/Brook.mid"]
    best = client.get(f"/api/v1/songs/{BROOK}/similar").get_json()["similar"][0]
    assert best["song"]["title"] == "Elm_Tree"
    assert 0.66 < best["score"] < 0.67


def test_the_description_and_the_routes_are_the_same(site: Flask) -> None:
    routes = {
        re.sub(r"<(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1"))
        for rule in site.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/")
    }
    assert routes - {"/", "/openapi.json"} == set(description()["paths"])
    for path, methods in description()["paths"].items():
        assert set(methods) == ({"post"} if path == "/similar" else {"get"})
        for operation in methods.values():
            parameters = [resolve(one) for one in operation["parameters"]]
            assert [one["name"] for one in parameters if one["in"] == "path"] == re.findall(r"{(\w+)}", path)


def test_every_parameter_described_is_known_and_no_other(client: FlaskClient) -> None:
    good = {
        "all": "1", "any": "2", "none": "3", "drums": "any", "title": "x", "sort": "title", "limit": "5",
    }  # fmt: skip
    for path, methods in description()["paths"].items():
        if "get" not in methods:
            continue
        parameters = {resolve(one)["name"] for one in methods["get"]["parameters"] if resolve(one)["in"] == "query"}
        address = "/api/v1" + path.replace("{song_hash}", BROOK)
        for name, value in good.items():
            expected = 200 if name in parameters else 400
            assert client.get(address, query_string={name: value}).status_code == expected, (path, name)
    assert set(CHOICE) < set(good)


def test_every_reference_of_the_description_leads_somewhere_and_every_part_is_referred_to(client: FlaskClient) -> None:
    text = client.get("/api/v1/openapi.json").text
    assert client.get("/api/v1/openapi.json").get_json()["openapi"] == "3.1.0"
    referred = set(re.findall(r'"\$ref": "#/components/(\w+/[\w-]+)"', text))
    there = {f"{kind}/{name}" for kind, parts in description()["components"].items() for name in parts}
    assert referred == there


def test_the_page_for_people_tells_every_address_parameter_and_field(client: FlaskClient) -> None:
    page = client.get("/api/v1/").text
    assert client.get("/api/v1").status_code == 200
    assert "<script" not in page
    for path, methods in description()["paths"].items():
        assert f"/api/v1{path}" in page
        for operation in methods.values():
            for parameter in operation["parameters"]:
                assert f"<code>{resolve(parameter)['name']}</code>" in page
            for content_type in operation.get("requestBody", {}).get("content", {}):
                assert f"<code>{content_type}</code>" in page
    for field in ("next_cursor", "as_written", "file_count", "code_version"):
        assert f"<code>{field}</code>" in page


def test_the_document_names_every_instrument(client: FlaskClient) -> None:
    families = client.get("/api/v1/instruments").get_json()["families"]
    names = [one["name"] for family in families for one in family["instruments"]]
    assert description()["components"]["schemas"]["InstrumentName"]["enum"] == [*names, "Drums"]
    program = re.compile(description()["components"]["schemas"]["Program"]["pattern"])
    assert all(program.search(str(number)) for number in range(128))
    assert not any(program.search(text) for text in ("128", "-1", "1000", "", "4 0"))


@pytest.mark.parametrize(("title", "code"), [("a\0b", 400), ("a\nb", 200), ("", 200)])
def test_the_document_says_which_titles_can_be_asked_for(client: FlaskClient, title: str, code: int) -> None:
    assert client.get("/api/v1/songs", query_string={"title": title}).status_code == code
    described = description()["components"]["parameters"]["title"]["schema"]
    assert bool(re.search(described["pattern"], title)) == (code == 200)


def test_an_instrument_may_be_named_as_often_as_the_address_is_long(client: FlaskClient) -> None:
    assert client.get("/api/v1/songs?" + "&".join(["all=40"] * 500)).status_code == 200
    assert "maxItems" not in description()["components"]["parameters"]["all"]["schema"]
