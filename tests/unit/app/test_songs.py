"""The pages people come for, on a published index."""

import re
from contextlib import closing

import psycopg2
import pytest
from flask.testing import FlaskClient

from app.settings import Settings
from tests.tiny_index import TinySong, collect_tiny_index, publish_tiny_index
from tests.unit.app.conftest import SONGS, running_site, song


def titles(client: FlaskClient, address: str) -> list[str]:
    """The titles a results page lists, in order."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return [
        found.replace("&lt;", "<").replace("&gt;", ">")
        for found in re.findall(r'class="title"[^>]*>(.*?)</a>', answer.text)
    ]


def with_all(*programs: int) -> set[str]:
    return {one.title for one in SONGS if set(programs) <= set(one.programs)}


def test_the_form_offers_every_instrument_under_every_heading(client: FlaskClient) -> None:
    page = client.get("/").text
    for heading in ("all", "any", "none"):
        values = re.findall(rf'name="{heading}" value="(\d+)"', page)
        assert values == [str(program) for program in range(128)]
    assert page.count("<details") == 16


def test_all_of_finds_the_songs_that_have_every_one(client: FlaskClient) -> None:
    assert set(titles(client, "/songs?all=40&all=73")) == with_all(40, 73) != set()


def test_any_of_finds_the_songs_that_have_at_least_one(client: FlaskClient) -> None:
    assert set(titles(client, "/songs?any=19&any=24")) == with_all(19) | with_all(24) != set()


def test_none_of_leaves_out_the_songs_that_have_one(client: FlaskClient) -> None:
    found = set(titles(client, "/songs?none=40&none=33"))
    assert found == {one.title for one in SONGS if not {40, 33} & set(one.programs)} != set()


def test_all_any_none_and_title_hold_together(client: FlaskClient) -> None:
    assert titles(client, "/songs?all=40&any=0&any=73&none=24&drums=none&title=E") == ["Elm_Tree"]


@pytest.mark.parametrize(("heading", "drums"), [("all", True), ("any", True), ("none", False)])
def test_drums_are_chosen_like_an_instrument(client: FlaskClient, heading: str, drums: bool) -> None:
    expected = {one.title for one in SONGS if bool(one.drum_notes) == drums}
    assert set(titles(client, f"/songs?drums={heading}")) == expected


def test_any_of_drums_or_an_instrument_is_one_choice(client: FlaskClient) -> None:
    expected = {one.title for one in SONGS if one.drum_notes or 19 in one.programs}
    assert set(titles(client, "/songs?drums=any&any=19")) == expected


def test_results_are_ordered_by_fewest_further_instruments_then_by_set_title_and_song(client: FlaskClient) -> None:
    found = titles(client, "/songs?all=40")
    assert found[0] == "Candle"
    assert found[-1] == "Island <b>Song</b>"
    assert titles(client, "/songs?all=33&drums=all&none=127,0") == ["Jetty", "Kelp"]
    assert titles(client, "/songs?all=40") == found


@pytest.mark.parametrize(("part", "expected"), [("100%", ["Drift 100%"]), ("%", ["Drift 100%"]), ("_", ["Elm_Tree"])])
def test_a_title_is_searched_for_as_it_is_written(client: FlaskClient, part: str, expected: list[str]) -> None:
    assert titles(client, f"/songs?title={part.replace('%', '%25')}") == expected


@pytest.mark.parametrize("part", ["ANCHOR", "anchor", "école", "%C3%89COLE"])
def test_a_title_is_found_whatever_the_case(client: FlaskClient, part: str) -> None:
    assert len(titles(client, f"/songs?title={part}")) == 1


def test_a_backslash_in_a_title_is_a_backslash(client: FlaskClient) -> None:
    assert titles(client, "/songs?title=%5C") == []


def test_no_match_is_an_answer_that_says_what_to_do(client: FlaskClient) -> None:
    answer = client.get("/songs?all=1&all=2")
    assert answer.status_code == 200
    assert "0 songs" in answer.text
    assert "No song is like this" in answer.text


def test_titles_are_text_and_not_markup(client: FlaskClient) -> None:
    answer = client.get("/songs?all=24&drums=all&any=0")
    assert "Island &lt;b&gt;Song&lt;/b&gt;" in answer.text
    assert "<b>Song</b>" not in answer.text


def test_wrong_input_gets_the_form_again_as_it_was_filled_in(client: FlaskClient) -> None:
    answer = client.get("/songs?all=999&all=40&none=7&title=tide&drums=none")
    assert answer.status_code == 400
    assert "There is no instrument “999”" in answer.text
    assert re.search(r'name="all" value="40"[^>]* checked', answer.text)
    assert re.search(r'name="none" value="7"[^>]* checked', answer.text)
    assert 'value="tide"' in answer.text
    assert re.search(r'name="drums" value="none" checked', answer.text)


@pytest.mark.parametrize("page", ["2", "1" + "0" * 30])
def test_a_page_out_of_range_is_not_found_and_leads_to_the_last(client: FlaskClient, page: str) -> None:
    for question in (f"/songs?all=40&page={page}", f"/songs?title=e&page={page}"):
        answer = client.get(question)
        assert answer.status_code == 404
        assert "only 1 page" in answer.text
        assert "Go to the last page" in answer.text


def test_pages_together_are_all_songs_once_in_one_order(database_url: str) -> None:
    songs = [TinySong(title=f"Song {number:03}", programs={number % 7: 1, number % 3 + 10: 2}) for number in range(120)]
    with closing(psycopg2.connect(database_url)) as connection:
        publish_tiny_index(connection, songs)
    for site in running_site(Settings(database_url=database_url)):
        client = site.test_client()
        for question in ("/songs?title=SONG", "/songs?sort=popularity", "/songs?sort=duration", "/songs?none=127"):
            pages = [titles(client, f"{question}&page={page}") for page in (1, 2, 3)]
            assert [len(page) for page in pages] == [50, 50, 20]
            assert sorted(title for page in pages for title in page) == [one.title for one in songs]
        assert [titles(client, f"/songs?page={page}") for page in (1, 2, 3)] == pages
        assert "120 songs" in client.get("/songs?page=2").text


def test_results_are_sorted_as_asked(client: FlaskClient) -> None:
    assert titles(client, "/songs?all=40&sort=title") == sorted(with_all(40))
    assert titles(client, "/songs?sort=duration")[0] == "Candle"
    assert titles(client, "/songs?sort=duration")[-1] == "Lantern"
    assert titles(client, "/songs?sort=popularity")[-1] == "Lantern"
    assert re.search(r'aria-current="true">\s*by title', client.get("/songs?sort=title").text)


def test_an_unknown_order_gets_the_form_again(client: FlaskClient) -> None:
    answer = client.get("/songs?sort=loudness")
    assert answer.status_code == 400
    assert "loudness" in answer.text


@pytest.mark.parametrize("typed", ["Grnaite", "granit", "Granitte", "kranite", "GRENITE"])
def test_a_misspelt_title_is_found_and_the_page_says_that_it_is_spelled_otherwise(
    client: FlaskClient, typed: str
) -> None:
    assert titles(client, f"/songs?title={typed}") == ["Granite"]
    exact = typed.lower() in "granite"
    assert ("no song has it as written" in client.get(f"/songs?title={typed}").text) is not exact


def test_titles_as_written_come_before_those_spelled_alike(database_url: str) -> None:
    songs = [TinySong(title=title, programs={0: 1}) for title in ("Yestarday", "A Yesterday", "Yesterday Once More")]
    with closing(psycopg2.connect(database_url)) as connection:
        publish_tiny_index(connection, songs)
    for site in running_site(Settings(database_url=database_url)):
        assert titles(site.test_client(), "/songs?title=yesterday")[2:] == ["Yestarday"]
        assert "2 songs have it as written, 1 has words" in site.test_client().get("/songs?title=yesterday").text


def test_the_form_says_how_many_songs_remain_with_one_more_instrument(client: FlaskClient) -> None:
    page = client.get("/?all=40&none=24").text
    left = [one for one in SONGS if 40 in one.programs and 24 not in one.programs]
    remaining = dict(re.findall(r'<span class="name">([^<]+?) <span class="remain">([\d,]+)<', page))
    assert remaining["Flute"] == str(sum(73 in one.programs for one in left))
    assert remaining["Violin"] == str(len(left))
    assert remaining["Acoustic Guitar (nylon)"] == "0"
    assert len(remaining) == 128
    tallies = re.findall(r'<span class="tally">(?:\d+ chosen · )?([\d,]+) songs?</span>', page)
    assert tallies[9] == str(sum(any(72 <= program < 80 for program in one.programs) for one in left))


def test_results_offer_the_instruments_that_narrow_them_down(client: FlaskClient) -> None:
    page = client.get("/songs?all=40").text
    offered = re.findall(r'aria-label="with ([^"]+) too: (\d+) songs?"', page)
    assert ("Flute", str(len(with_all(40, 73)))) in offered
    assert "Violin" not in [name for name, _ in offered]
    assert titles(client, "/songs?all=40&all=73") == titles(
        client,
        next(link for link in re.findall(r'class="chip family-\d+" href="([^"]+)"', page) if "73" in link).replace(
            "&amp;", "&"
        ),
    )


def test_a_song_page_shows_what_is_known_of_it(client: FlaskClient) -> None:
    page = client.get(f"/songs/{song('Granite').hash}").text
    for fact in ("Granite", "Electric Bass (finger)", "Gunshot", "Drums", "62.5 %", "120 bpm", "2:05", "4 tracks"):
        assert fact in page
    assert "missing end of track" in page
    assert "folder/Granite.mid" in page
    assert "1:02:05" in client.get(f"/songs/{song('Lantern').hash}").text


def test_a_song_page_lists_all_files_that_hold_it(client: FlaskClient) -> None:
    page = client.get(f"/songs/{song('Fjord École').hash}").text
    assert "2 files" in page
    assert "a/fjord.mid" in page
    assert "b/fjord copy.mid" in page


def test_a_song_page_says_why_the_similar_songs_are_similar(client: FlaskClient) -> None:
    page = client.get(f"/songs/{song('Brook').hash}").text.partition('<ol class="similar">')[2]
    entry = next(part for part in page.split("<li>") if "Elm_Tree" in part)
    assert "0.666" in entry or "0.667" in entry
    reasons = dict(re.findall(r"<dt>\d+ (\w+)</dt><dd>(.*?)</dd>", entry, re.DOTALL))
    assert "Violin" in reasons["shared"]
    assert "Acoustic Grand Piano" in reasons["shared"]
    assert "Flute" in reasons["extra"]
    assert "missing" not in reasons
    candle = next(part for part in page.split("<li>") if "Candle" in part)
    assert "1 missing" in candle


def test_a_song_page_has_a_map_of_the_songs_it_lists(client: FlaskClient) -> None:
    page, _, listed = client.get(f"/songs/{song('Brook').hash}").text.partition('<ol class="similar">')
    mapped = page[page.index('class="map"') :]
    links = re.findall(r'href="(/songs/[0-9a-f]{32})" tabindex="-1"', mapped)
    assert links == re.findall(r'class="title" href="(/songs/[0-9a-f]{32})"', listed) != []
    assert 'class="map"' not in client.get(f"/songs/{song('Lantern').hash}").text


def test_a_song_without_neighbours_says_so(client: FlaskClient) -> None:
    assert "No other song" in client.get(f"/songs/{song('Lantern').hash}").text


@pytest.mark.parametrize("address", ["0" * 32, "zz", "0" * 31, "..%2F..%2Fetc%2Fpasswd", "' OR 1=1"])
def test_an_unknown_song_is_not_found(client: FlaskClient, address: str) -> None:
    answer = client.get(f"/songs/{address}")
    assert answer.status_code == 404
    assert "search page" in answer.text


def test_an_upper_case_hash_leads_to_the_song(client: FlaskClient) -> None:
    answer = client.get(f"/songs/{song('Brook').hash.upper()}")
    assert answer.status_code == 301
    assert answer.location == f"/songs/{song('Brook').hash}"


def test_a_collected_index_gives_way_to_the_new_one(database_url: str) -> None:
    with closing(psycopg2.connect(database_url)) as connection:
        first = publish_tiny_index(connection, SONGS[:2])
        for site in running_site(Settings(database_url=database_url)):
            client = site.test_client()
            assert titles(client, "/songs") == ["Anchor Chain", "Brook"]
            publish_tiny_index(connection, SONGS[2:3])
            collect_tiny_index(connection, first)
            assert titles(client, "/songs") == ["Candle"]
            assert client.get(f"/songs/{SONGS[0].hash}").status_code == 404
            assert client.get(f"/songs/{SONGS[2].hash}").status_code == 200
