"""A roll has the very notes the scan counts, when pretty_midi says they sound; whatever the bytes, it has an end."""

import io
import warnings

import numpy as np
import pretty_midi
import pytest

from midi.scan.roll import Roll, read_roll
from midi.scan.run import DRUMS
from midi.scan.song import SongFacts, scan_song
from tests.unit.scan import samples
from tests.unit.scan.fuzzing import FUZZ_INPUTS, damaged
from tests.unit.scan.oracles import instruments_by_track
from tests.unit.scan.smf_bytes import midi, note, off, on, program, rmid, tempo, track

EVERY = 8
"""pretty_midi reads 15 files a second: one real file of so many is compared."""


def rows(roll: Roll) -> list[tuple[float, float, int, int]]:
    return list(zip(*(column.tolist() for column in roll), strict=True))


def assert_as_scanned(data: bytes, story: str) -> None:
    """As many notes of each program as the scan counts, the last of them ending when the song does."""
    roll, facts = read_roll(data), scan_song(data, "1003.mid")
    counts = {one: count for one, count in enumerate(np.bincount(roll.programs).tolist()) if count}
    if not isinstance(facts, SongFacts):
        assert counts == {}, story
        return
    drums = {DRUMS: facts.drum_notes} if facts.drum_notes else {}
    assert counts == dict(zip(facts.programs, facts.notes, strict=True)) | drums, story
    assert (roll.starts < roll.ends).all(), story
    assert roll.starts.min() >= 0, story
    assert roll.ends.max() == facts.duration_seconds, story
    assert roll.keys.max() < 128, story


def test_notes_have_their_times_keys_and_programs() -> None:
    data = midi(
        track(tempo(250_000)),
        track(program(40), note(60, ticks=480), program(73), note(62, after=480, ticks=960)),
        track(note(38, ticks=240, channel=9)),
    )
    assert rows(read_roll(data)) == [(0, 0.125, 38, DRUMS), (0, 0.25, 60, 40), (0.5, 1.0, 62, 73)]


def test_times_follow_every_change_of_tempo() -> None:
    data = midi(track(tempo(1_000_000), tempo(250_000, after=480)), track(note(60, ticks=240), note(61, ticks=720)))
    assert rows(read_roll(data)) == [(0, 0.5, 60, 0), (0.5, 1.25, 61, 0)]


def test_ticks_of_smpte_are_parts_of_a_second() -> None:
    assert rows(read_roll(midi(track(tempo(1), note(60, ticks=500)), division=-(25 << 8) | 40))) == [(0, 0.5, 60, 0)]


def test_a_note_off_ends_all_notes_of_its_key_but_those_of_its_tick() -> None:
    data = midi(track(on(60), on(60, after=480), on(60, after=480), off(60), off(60, after=480), off(60, after=480)))
    assert rows(read_roll(data)) == [(0, 1, 60, 0), (0.5, 1, 60, 0), (1, 1.5, 60, 0)]


def test_tracks_of_format_2_follow_each_other_and_share_nothing() -> None:
    data = midi(track(program(5), on(60, after=480)), track(off(60), note(61, ticks=480)), file_format=2)
    assert rows(read_roll(data)) == [(0.5, 1.0, 61, 0)]


@pytest.mark.parametrize("data", [b"", b"MThd", b"no midi at all", midi(track()), b"MThd" + bytes(10)])
def test_what_has_no_notes_has_an_empty_roll(data: bytes) -> None:
    assert [len(column) for column in read_roll(data)] == [0, 0, 0, 0]


def test_a_wrapped_file_has_the_roll_of_what_it_wraps() -> None:
    assert rows(read_roll(rmid(samples.SONG))) == rows(read_roll(samples.SONG)) != []


@pytest.mark.parametrize(("story", "data"), samples.ALL, ids=[story for story, _ in samples.ALL])
def test_hand_made_files_have_the_notes_that_are_scanned(story: str, data: bytes) -> None:
    assert_as_scanned(data, story)


@pytest.mark.timeout(1800)
def test_damaged_files_have_the_notes_that_are_scanned(seed_files: list[tuple[str, bytes]]) -> None:
    for number in range(FUZZ_INPUTS):
        story, data = damaged(seed_files, number)
        try:
            assert_as_scanned(data, story)
        except Exception as error:
            raise AssertionError(f"{story}: {error!r}") from error


@pytest.mark.timeout(600)
def test_real_files_sound_as_pretty_midi_has_them(real_midi_files: list[tuple[str, bytes]]) -> None:
    compared = 0
    for key, data in real_midi_files[::EVERY]:
        facts = scan_song(data, key)
        foreign = isinstance(facts, SongFacts) and "program_from_other_track" in facts.warnings
        if foreign or instruments_by_track(data) is None:
            continue
        mine, theirs = _in_order(rows(read_roll(data))), _in_order(_pretty(data))
        assert mine[:, 2:].tolist() == theirs[:, 2:].tolist(), key
        assert mine[:, :2] == pytest.approx(theirs[:, :2], abs=1e-3), key
        compared += 1
    assert compared > len(real_midi_files) / EVERY / 2


def _pretty(data: bytes) -> list[tuple[float, float, int, int]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        heard = pretty_midi.PrettyMIDI(io.BytesIO(data))
    return [
        (one.start, one.end, one.pitch, DRUMS if instrument.is_drum else int(instrument.program))
        for instrument in heard.instruments
        for one in instrument.notes
    ]


def _in_order(notes: list[tuple[float, float, int, int]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """By program, key, start and end, in milliseconds, since the last digits are rounded differently."""
    return np.array(sorted(notes, key=lambda one: (one[3], one[2], round(one[0], 3), round(one[1], 3))), np.float64)
