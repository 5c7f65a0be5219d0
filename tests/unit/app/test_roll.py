"""A piano-roll is a sound, small picture, whatever the song."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import app
from app.roll import COLUMNS, DRUM_FAMILY, HUES, MOST_BYTES, draw, saying
from midi.scan.roll import Roll, read_roll

SVG = "{http://www.w3.org/2000/svg}"


def roll(*notes: tuple[float, float, int, int]) -> Roll:
    """notes: start, end, key, program."""
    starts, ends, keys, programs = np.array(notes, dtype=np.float64).T
    return Roll(starts, ends, keys.astype(np.uint8), programs.astype(np.uint8))


def picture(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 (the site's own)


def strokes(svg: str) -> dict[int, list[tuple[int, int, int]]]:
    """By family, each stroke's column, row and width."""
    paths = {path.attrib["class"]: path.attrib["d"] for path in picture(svg).iter(f"{SVG}path")}
    return {
        int(name[1:]): [
            (int(column), int(row), int(width)) for column, row, width in re.findall(r"M(\d+) (\d+)h(\d+)", drawn)
        ]
        for name, drawn in paths.items()
    }


def test_time_goes_to_the_right_and_pitch_upwards() -> None:
    drawn = strokes(draw(roll((0, 1, 60, 0), (1, 2, 72, 0), (3, 4, 48, 40)), "A Song"))
    (low, high), (other,) = sorted(drawn[0]), drawn[5]
    assert low[0] == 0
    assert (high[0], high[2]) == (COLUMNS[0] // 4, COLUMNS[0] // 4)
    assert high[1] + 12 == low[1] == other[1] - 12
    assert other[0] + other[2] == COLUMNS[0]


def test_drums_are_below_all_other_notes_one_row_for_each_that_sounds() -> None:
    drawn = strokes(draw(roll((0, 1, 35, 128), (0, 1, 81, 128), (0, 1, 0, 0), (1, 2, 35, 128)), "A Song"))
    bass, treble = max(drawn[DRUM_FAMILY], key=lambda one: one[1]), min(drawn[DRUM_FAMILY], key=lambda one: one[1])
    assert drawn[0][0][1] < treble[1] == bass[1] - 1
    assert bass[2] == COLUMNS[0]


def test_a_note_however_short_is_seen() -> None:
    drawn = strokes(draw(roll((0, 1e-6, 60, 0), (0, 3600, 61, 8), (3600 - 1e-6, 3600, 62, 16)), "A Song"))
    assert [one[2] for family in (0, 2) for one in drawn[family]] == [1, 1]


@pytest.mark.parametrize("notes", [1, 5_000, 150_000])
def test_a_picture_is_small_however_many_notes_there_are(notes: int) -> None:
    rng = np.random.default_rng(notes)
    starts = rng.random(notes) * 600
    noise = Roll(
        starts,
        starts + rng.random(notes) / 20 + 1e-6,
        rng.integers(0, 128, notes).astype(np.uint8),
        rng.integers(0, 129, notes).astype(np.uint8),
    )
    drawn = draw(noise, "& " * 100)
    assert len(drawn.encode()) <= MOST_BYTES
    assert strokes(drawn)


def test_the_busiest_picture_there_can_be_is_small() -> None:
    busiest = [
        (column, column + 1, key, drums or 8 * ((key + column) % 2))
        for column in range(COLUMNS[0])
        for key in range(128)
        for drums in (0, 128 * (column % 2))
    ]
    assert len(draw(roll(*busiest), "<" * 200).encode()) <= MOST_BYTES


def test_real_songs_are_drawn_with_every_family_they_have(real_midi_files: list[tuple[str, bytes]]) -> None:
    drawn = 0
    for key, data in real_midi_files[::4]:
        notes = read_roll(data)
        if len(notes.keys) == 0:
            continue
        svg = draw(notes, key)
        assert len(svg.encode()) <= MOST_BYTES, key
        assert set(strokes(svg)) <= set((notes.programs // 8).tolist()), key
        drawn += 1
    assert drawn > 40


@pytest.mark.parametrize("seconds", [0.01, 0.9, 7, 59, 61, 3599, 90_000, 1e9])
def test_the_time_axis_has_a_few_marks_whatever_the_length(seconds: float) -> None:
    marks = [element.text for element in picture(draw(roll((0, seconds, 60, 0)), "A Song")).iter(f"{SVG}text")]
    assert len(marks) <= 6
    assert len(marks) >= (2 if seconds >= 7 else 0)
    assert len(set(marks)) == len(marks)


def test_titles_and_sentences_are_text_and_not_markup() -> None:
    hostile = "</title><script>alert('&')</script>"
    for svg in (draw(roll((0, 1, 60, 0)), hostile), saying(hostile)):
        assert hostile in "".join(picture(svg).itertext())
        assert not list(picture(svg).iter(f"{SVG}script"))


def test_a_screen_reader_is_told_what_the_picture_is() -> None:
    drawn = picture(draw(roll((0, 83, 60, 0), (1, 2, 61, 0)), "A Song"))
    assert drawn.attrib["role"] == "img"
    assert drawn.findtext(f"{SVG}title") == "Piano-roll of A Song"
    assert "2 notes in 1:23" in (drawn.findtext(f"{SVG}desc") or "")


def test_families_have_the_colours_of_the_style_sheet() -> None:
    sheet = Path(app.__file__).with_name("static").joinpath("style.css").read_text()
    hues = {int(family): int(hue) for family, hue in re.findall(r"\.family-(\d+) \{ --hue: (\d+) \}", sheet)}
    assert hues == dict(enumerate(HUES))
