"""The original system's addresses keep working."""

import pytest
from flask.testing import FlaskClient

from tests.unit.app.conftest import SONGS, song


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("instrument=40", "/songs?all=40"),
        ("instrument=violin", "/songs?all=40"),
        ("instrument=40&instrument=Flute", "/songs?all=40&all=73"),
        ("instrument=drums", "/songs?drums=all"),
    ],
)
def test_songs_for_instruments_lead_to_the_results(client: FlaskClient, query: str, target: str) -> None:
    answer = client.get(f"/get_songs_for_instruments?{query}")
    assert answer.status_code == 302
    assert answer.location == target
    assert client.get(answer.location).status_code == 200


@pytest.mark.parametrize("query", ["", "instrument=", "instrument=kazoo", "instrument=128"])
def test_songs_for_no_or_unknown_instruments_are_a_bad_request(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/get_songs_for_instruments?{query}")
    assert answer.status_code == 400
    assert "instrument" in answer.text


def test_songs_for_instruments_answer_a_post_in_json(client: FlaskClient) -> None:
    answer = client.post("/get_songs_for_instruments", json={"instruments": "24"})
    assert answer.status_code == 200
    assert {row["song_name"] for row in answer.get_json()} == {one.title for one in SONGS if 24 in one.programs}
    jetty = next(row for row in answer.get_json() if row["song_name"] == "Jetty")
    assert jetty["filename"] == song("Jetty").hash
    assert jetty["num_of_inst"] == 3
    assert jetty["num_of_simSongs"] > 0


@pytest.mark.parametrize("body", [{}, [], {"instruments": 500}, {"instruments": {"a": 1}}, None])
def test_a_post_that_names_no_instrument_is_a_bad_request(client: FlaskClient, body: object) -> None:
    answer = client.post("/get_songs_for_instruments", json=body)
    assert answer.status_code == 400
    assert answer.get_json()["error"]


@pytest.mark.parametrize("name", ["folder/Brook.mid", "Brook.mid", "{hash}", "{hash}.mid"])
def test_a_file_leads_to_its_song_by_key_base_name_or_hash(client: FlaskClient, name: str) -> None:
    answer = client.get("/show_similar_songs/" + name.format(hash=song("Brook").hash))
    assert answer.status_code == 302
    assert answer.location == f"/songs/{song('Brook').hash}#similar"


def test_a_base_name_of_several_songs_is_a_choice(client: FlaskClient) -> None:
    answer = client.get("/show_similar_songs/same.mid")
    assert answer.status_code == 200
    assert "Jetty" in answer.text
    assert "Kelp" in answer.text


@pytest.mark.parametrize("name", ["nothing.mid", "0" * 32, "%25", "a/../b", "x" * 4000])
def test_an_unknown_file_is_not_found(client: FlaskClient, name: str) -> None:
    assert client.get(f"/show_similar_songs/{name}").status_code == 404
    assert client.get(f"/get_similar_songs?filename={name}").status_code == 404


def test_similar_songs_are_told_in_json(client: FlaskClient) -> None:
    answer = client.get("/get_similar_songs?filename=Brook.mid")
    (info,) = answer.get_json()["song_info"]
    assert info == {"filename": song("Brook").hash, "songname": "Brook", "instruments": [0, 40]}
    best = answer.get_json()["similar_songs"][0]
    assert best["songname"] == "Elm_Tree"
    assert 0.66 < best["similarity"] < 0.67
    assert best["instrument_code"] == [0, 40, 73]
    assert client.get("/get_similar_songs").status_code == 400


def test_the_index_page_data_has_up_to_ten_songs_an_instrument(client: FlaskClient) -> None:
    rows = client.get("/load_index").get_json()
    assert {title for title, _ in rows["Violin"]} == {one.title for one in SONGS if 40 in one.programs}
    assert rows["Bagpipe"] == []


def test_test_db_answers_in_plain_text(client: FlaskClient) -> None:
    answer = client.get("/test_db")
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
