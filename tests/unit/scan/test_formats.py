"""What the format allows is read for what it says."""

import pytest

from midi.scan.song import SongFacts, scan_song
from tests.unit.scan.smf_bytes import (
    chunk,
    header,
    meta,
    midi,
    note,
    off,
    on,
    program,
    quantity,
    rmid,
    sysex,
    tempo,
    track,
)


def scanned(data: bytes, key: str = "some song.mid") -> SongFacts:
    facts = scan_song(data, key)
    assert isinstance(facts, SongFacts), facts
    return facts


def test_one_track_gives_its_program_and_notes() -> None:
    facts = scanned(midi(track(program(24), note(60), note(64))))
    assert (facts.format, facts.tracks, facts.division) == (0, 1, 480)
    assert (facts.programs, facts.notes, facts.drum_notes) == ((24,), (2,), 0)
    assert facts.warnings == ()


def test_tracks_of_format_1_play_together() -> None:
    facts = scanned(midi(track(program(3), note(60, ticks=960)), track(program(7, channel=1), note(62, channel=1))))
    assert (facts.format, facts.tracks) == (1, 2)
    assert facts.programs == (3, 7)
    assert facts.duration_seconds == 1.0


def test_tracks_of_format_2_play_one_after_the_other_and_share_nothing() -> None:
    first = track(tempo(1_000_000), program(3), note(60, ticks=480), on(70))
    second = track(off(70, after=240), note(60, ticks=240))
    facts = scanned(midi(first, second, file_format=2))
    assert facts.programs == (0, 3)
    assert facts.notes == (1, 1)
    assert facts.duration_seconds == 1.0 + 0.5
    assert facts.warnings == ("unclosed_notes",)


def test_a_program_of_format_2_does_not_reach_the_first_tracks_namesake() -> None:
    facts = scanned(midi(track(program(3), note()), track(note()), track(program(3), note()), file_format=2))
    assert (facts.programs, facts.notes) == ((0, 3), (1, 2))
    assert facts.warnings == ()


def test_drums_are_counted_without_their_programs() -> None:
    facts = scanned(midi(track(program(40, channel=9), note(36, channel=9), note(38, channel=9))))
    assert (facts.programs, facts.notes, facts.drum_notes) == ((), (), 2)


def test_running_status_goes_on_across_meta_events_and_sysex() -> None:
    body = on(60) + meta(0x01, b"words") + b"\x0a\x3c\x00" + sysex(b"\x01\xf7") + b"\x00\x3e\x40" + b"\x0a\x3e\x00"
    assert scanned(midi(track(body))).notes == (2,)


def test_sysex_in_pieces_is_passed_over_whatever_is_in_it() -> None:
    pieces = sysex(b"\x90\x3c\x40") + sysex(b"\xc0\x07\xf7", status=0xF7, after=2)
    facts = scanned(midi(track(pieces, note(60))))
    assert (facts.programs, facts.notes, facts.warnings) == ((0,), (1,), ())


@pytest.mark.parametrize("kind", [0x00, 0x01, 0x20, 0x21, 0x54, 0x58, 0x59, 0x7F, 0x60])
def test_meta_events_of_any_kind_are_passed_over(kind: int) -> None:
    assert scanned(midi(track(meta(kind, b"\x00" * 300), note()))).warnings == ()


def test_controllers_pressure_and_bends_are_no_notes() -> None:
    others = b"\x00\xa0\x3c\x40" + b"\x00\xb0\x07\x64" + b"\x00\xd0\x40" + b"\x00\xe0\x00\x40"
    facts = scanned(midi(track(program(5), others, note(), others)))
    assert (facts.programs, facts.notes) == ((5,), (1,))


def test_a_longer_header_is_passed_over() -> None:
    assert scanned(header(0, 1, size=12, extra=b"MTrk??") + track(note())).warnings == ()


def test_a_foreign_chunk_between_tracks_is_passed_over_and_named() -> None:
    facts = scanned(midi(track(program(2), note()), chunk(b"XFKM", track(program(9), note())), track(note()), count=2))
    assert (facts.programs, facts.tracks) == ((2,), 2)
    assert facts.warnings == ("foreign_chunk", "program_from_other_track")


@pytest.mark.parametrize("extra", [b"", b"LIST\x04\x00\x00\x00INFO"])
def test_a_riff_wrapper_is_looked_through(extra: bytes) -> None:
    song = midi(track(program(11), note()))
    facts = scanned(rmid(song, before=extra, after=b"DLS \x04\x00\x00\x00\x00\x00\x00\x00"))
    assert (facts.programs, facts.warnings) == ((11,), ())


def test_a_quantity_may_be_longer_than_it_needs_to_be() -> None:
    padded = b"\x80\x80\x80\x80\x80" + quantity(480)
    facts = scanned(midi(track(on(60), padded + b"\x80\x3c\x00")))
    assert facts.duration_seconds == 0.5


def test_ticks_saturate_instead_of_wrapping() -> None:
    once = scanned(midi(track(tempo(0xFFFFFF), *[note(60, after=0x0FFFFFFF)] * 100), division=1))
    twice = scanned(midi(track(tempo(0xFFFFFF), *[note(60, after=0x0FFFFFFF)] * 200), division=1))
    assert 0 < once.duration_seconds == twice.duration_seconds < 1e12
    assert "zero_length_notes" in twice.warnings
