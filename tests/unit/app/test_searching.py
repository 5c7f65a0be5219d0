"""Reading a search out of an address's arguments."""

import pytest
from werkzeug.datastructures import MultiDict

from app.instruments import DRUMS, Catalogue
from app.searching import LONGEST_TITLE, Search, read_search

NAMES = [f"Instrument {program}" for program in range(128)]
CATALOGUE = Catalogue.from_rows((program, name, f"Family {program // 8}") for program, name in enumerate(NAMES))


def read(*pairs: tuple[str, str]) -> Search:
    return read_search(MultiDict(pairs), CATALOGUE)


def test_instruments_are_read_by_number_and_by_name_and_in_one_value_by_commas() -> None:
    search = read(("all", "40"), ("all", "instrument 7"), ("any", "1,2, 3"), ("none", "127"))
    assert search.chosen == {"all": {40, 7}, "any": {1, 2, 3}, "none": {127}}
    assert search.problems == ()


def test_drums_are_one_more_instrument_under_the_chosen_heading() -> None:
    assert read(("drums", "none")).chosen["none"] == {DRUMS}
    assert read(("drums", "")).empty


@pytest.mark.parametrize("value", ["128", "999", "-1", "1.5", "1e3", "٣", "piano forte", "9" * 5000, "' OR 1=1 --"])
def test_an_unknown_instrument_is_named_and_the_rest_kept(value: str) -> None:
    search = read(("all", value), ("all", "5"), ("title", "kept"))
    assert search.chosen["all"] == {5}
    assert search.title == "kept"
    (problem,) = search.problems
    assert value[:30] in problem
    assert "0 to 127" in problem


@pytest.mark.parametrize("headings", [("all", "none"), ("any", "none"), ("all", "any")])
def test_one_instrument_under_two_headings_is_a_contradiction_and_both_are_kept(headings: tuple[str, str]) -> None:
    search = read((headings[0], "40"), (headings[1], "40"))
    assert [name in search.problems[0] for name in ("Instrument 40", *headings)] == [True] * 3
    assert all(search.has(heading, 40) for heading in headings)


def test_drums_under_two_headings_are_a_contradiction() -> None:
    assert "Drums" in read(("drums", "all"), ("drums", "none")).problems[0]


def test_an_unknown_choice_for_the_drums_is_a_problem() -> None:
    assert "drums" in read(("drums", "loud")).problems[0]


@pytest.mark.parametrize("page", ["0", "00", "-1", "x", "1.0", "²"])
def test_a_page_that_is_not_a_number_from_one_on_is_a_problem(page: str) -> None:
    assert page in read(("page", page)).problems[0]


def test_a_huge_page_number_is_read_without_overflowing() -> None:
    search = read(("page", "1" + "0" * 30))
    assert search.problems == ()
    assert search.page == 10**9


def test_a_title_is_trimmed_and_one_that_is_too_long_is_a_problem() -> None:
    assert read(("title", "  two \n words ")).title == "two words"
    long = read(("title", "x" * (LONGEST_TITLE + 1)))
    assert long.problems
    assert len(long.title) == LONGEST_TITLE


def test_a_search_and_the_arguments_of_its_address_are_the_same_thing() -> None:
    search = read(
        ("all", "40,41"), ("none", "3"), ("drums", "any"), ("title", "tide"), ("sort", "title"), ("page", "7")
    )
    pairs = [
        (name, str(value))
        for name, given in search.arguments(page=7).items()
        for value in (given if isinstance(given, list) else [given])
    ]
    assert read(*pairs) == search


def test_arguments_without_one_instrument_leave_it_out_under_that_heading_only() -> None:
    search = read(("all", "40,41"), ("drums", "all"))
    assert search.arguments(without=("all", 41)) == {"all": [40], "drums": "all"}
    assert search.arguments(without=("all", DRUMS)) == {"all": [40, 41]}


def test_an_unknown_order_is_a_problem_and_a_known_one_is_kept() -> None:
    assert read(("sort", "duration")).sort == "duration"
    assert read(("sort", "")).sort == "closest"
    assert "loudness" in read(("sort", "loudness")).problems[0]
    assert read(("sort", "popularity")).arguments() == {"sort": "popularity"}
    assert read(("sort", "popularity")).arguments(sort="closest") == {}
