"""Names become keys that can be stored, told apart, and put in one order."""

import json
import os

from hypothesis import given
from hypothesis import strategies as st

from midi.sources.keys import is_midi_name, key_of, name_of, sort_key

ANY_NAME = st.binary(min_size=1).map(os.fsdecode) | st.text(min_size=1)
FILE_NAME = ANY_NAME.filter(lambda name: "/" not in name)


def test_suffixes_count_in_either_case_and_at_the_end_only() -> None:
    assert all(is_midi_name(name) for name in ("a.mid", "A.MID", "b.Midi", "c.rmi", "d.kar", "e.smf", ".mid"))
    assert not any(is_midi_name(name) for name in ("a.mid.txt", "mid", "a.mp3", "a.mid/", "a.xmid"))


@given(ANY_NAME)
def test_every_name_gives_a_key_that_can_be_stored_and_turned_back(name: str) -> None:
    key = key_of(name)
    assert "\0" not in key
    assert json.loads(json.dumps(key)).encode() == key.encode()
    assert name_of(key) == name


@given(st.text(st.characters(blacklist_characters="\0\ufffd", blacklist_categories=["Cs"])))
def test_ordinary_names_are_their_own_keys(name: str) -> None:
    assert key_of(name) == name


@given(st.dictionaries(FILE_NAME, st.none() | st.sets(FILE_NAME, min_size=1), max_size=8))
def test_walking_folders_in_sort_order_gives_keys_in_order(tree: dict[str, set[str] | None]) -> None:
    walked: list[str] = []
    for name, inside in sorted(tree.items(), key=lambda item: sort_key(item[0], item[1] is not None)):
        walked += [key_of(f"{name}/{file}") for file in sorted(inside, key=key_of)] if inside else [key_of(name)]
    assert walked == sorted(walked)


def test_utf8_order_and_key_order_are_one() -> None:
    keys = ["Z", "a", "a-", "a.", "a/", "a0", "é", "\uffee", "\U0001f3b5"]
    assert keys == sorted(keys) == sorted(keys, key=str.encode)
