"""What a song is called."""

from random import Random

import pytest

from midi.scan.title import MOST_CHARACTERS, title_of
from tests.unit.scan.smf_bytes import meta, midi, name, note, track
from tests.unit.scan.test_formats import scanned

LAKH = "lmd_full/0/0a1b2c3d4e5f60718293a4b5c6d7e8f9.mid"


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("Blue_Moon.mid", "Blue Moon"),
        ("deep/folder/14-Last-journey.MIDI", "14 Last journey"),
        ("a__b--c .kar", "a b c"),
        ("no extension", "no extension"),
        ("version 1.2 final", "version 1.2 final"),
        ("wine.midday", "wine.midday"),
        ("a\x00b\x1fc\u2028d\udc80e.mid", "a b c d e"),
        ("ｷﾗｷﾗ星.mid", "ｷﾗｷﾗ星"),
        ("x" * 500 + ".mid", "x" * MOST_CHARACTERS),
        (".mid", ".mid"),
        ("", "untitled"),
    ],
)
def test_a_key_that_is_a_name_gives_the_title(key: str, title: str) -> None:
    assert title_of(key, b"Another Name") == title


@pytest.mark.parametrize("key", [LAKH, "1003.mid", "12-34.mid", "D_E1M1", "wads/D_RUNNIN.mid", "d__in_ci.mid"])
def test_where_the_key_says_nothing_the_first_tracks_name_is_the_title(key: str) -> None:
    assert title_of(key, b"Anchor Chain\x00") == "Anchor Chain"


@pytest.mark.parametrize(
    "text",
    [b"", b"untitled", b"Untitled 2", b"MIDI out", b"Track 1", b"TRACK_01", b"Tempo Track", b"0123 - 4", b"\x00"],
)
def test_a_generic_name_is_worse_than_the_key(text: bytes) -> None:
    assert title_of("1003.mid", text) == "1003"


@pytest.mark.parametrize("text", ["Trackless", "Songbird", "Bassline of 1999", "Pianoman", "Channel Crossing"])
def test_a_name_that_only_begins_like_a_generic_one_is_kept(text: str) -> None:
    assert title_of("1003.mid", text.encode()) == text


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Für Elise".encode(), "Für Elise"),
        ("Für Elise".encode("latin-1"), "Für Elise"),
        ("さくら 桜".encode("shift_jis"), "さくら 桜"),
        (b"line one\r\n\tline two", "line one line two"),
        (b"\xff\xfe\x00bad", "ÿþ bad"),
        (b"a" * 10_000, "a" * MOST_CHARACTERS),
    ],
)
def test_names_are_decoded_and_cleaned(text: bytes, title: str) -> None:
    assert title_of("1003.mid", text) == title


def test_the_name_is_the_first_one_of_the_first_track() -> None:
    later = track(name(b"Second Track"), note())
    assert scanned(midi(track(meta(0x01, b"words"), name(b"First"), name(b"Next")), later), LAKH).title == "First"
    assert scanned(midi(track(note()), later), LAKH).title == LAKH.rpartition("/")[2].removesuffix(".mid")


@pytest.mark.parametrize("seed", range(20))
def test_no_title_holds_what_postgres_refuses(seed: int) -> None:
    title = title_of("1003.mid", Random(seed).randbytes(300))
    assert title
    assert title.isprintable()
    assert len(title) <= MOST_CHARACTERS
    title.encode("utf-8")
