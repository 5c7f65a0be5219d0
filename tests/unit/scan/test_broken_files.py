"""Broken files are read as far as they make sense, and the warning says what was wrong."""

import pytest

from midi.scan import flaws
from midi.scan.song import LEADING_BYTES_ALLOWED, Reject, RejectReason, scan_song
from tests.unit.scan.smf_bytes import END, chunk, header, midi, note, off, on, program, tempo, track
from tests.unit.scan.test_formats import scanned

NEXT = track(program(9, channel=1), note(channel=1))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", RejectReason.EMPTY),
        (b"MThx" + bytes(20), RejectReason.NOT_MIDI),
        (b"MTh", RejectReason.NOT_MIDI),
        (b"\x00" * LEADING_BYTES_ALLOWED + midi(track(note())), RejectReason.NOT_MIDI),
        (b"MThd", RejectReason.NO_TRACKS),
        (header(1, 3), RejectReason.NO_TRACKS),
        (header(1, 3) + b"MTrk\x00\x00\x00", RejectReason.NO_TRACKS),
        (midi(track()), RejectReason.NO_NOTES),
        (midi(b"MTrk\x00\x00\x00\x00"), RejectReason.NO_NOTES),
    ],
)
def test_what_holds_no_song_is_rejected_with_its_reason(data: bytes, reason: RejectReason) -> None:
    outcome = scan_song(data, "x.mid")
    assert isinstance(outcome, Reject)
    assert outcome.reason is reason
    assert outcome.detail


@pytest.mark.parametrize("size", [0, 1, 8, 9, 15])
def test_a_length_too_short_does_not_cut_the_track(size: int) -> None:
    facts = scanned(midi(track(note(60), note(61), size=size), NEXT))
    assert (facts.tracks, facts.programs, facts.notes) == (2, (0, 9), (2, 1))
    assert facts.warnings == ("wrong_track_length",)


@pytest.mark.parametrize("size", [21, 30, 100, 5000, 0xFFFFFFFF])
def test_a_length_too_long_does_not_swallow_the_next_track(size: int) -> None:
    facts = scanned(midi(track(note(60), note(61), size=size), NEXT))
    assert (facts.tracks, facts.programs, facts.notes) == (2, (0, 9), (2, 1))
    assert facts.warnings == ("wrong_track_length",)


def test_a_length_zero_in_the_last_track_is_read_to_the_end() -> None:
    facts = scanned(midi(track(note(60), note(61), end=b"", size=0)))
    assert facts.notes == (2,)
    assert facts.warnings == ("wrong_track_length", "missing_end_of_track")


def test_padding_inside_a_track_is_not_played() -> None:
    facts = scanned(midi(track(note(60), END, note(61), end=b""), NEXT))
    assert facts.notes == (1, 1)
    assert facts.warnings == ("wrong_track_length",)


def test_a_missing_end_of_track_loses_nothing() -> None:
    facts = scanned(midi(track(note(60), end=b""), NEXT))
    assert (facts.notes, facts.warnings) == ((1, 1), ("missing_end_of_track",))


def test_a_missing_end_and_a_wrong_length_lose_nothing() -> None:
    facts = scanned(midi(track(note(60), note(61), end=b"", size=900), NEXT))
    assert (facts.notes, facts.tracks) == ((2, 1), 2)
    assert facts.warnings == ("wrong_track_length", "missing_end_of_track")


def test_a_cut_file_keeps_what_is_there() -> None:
    whole = midi(track(note(60), note(61), note(62)))
    facts = scanned(whole[:-6])
    assert (facts.notes, facts.warnings) == ((2,), ("truncated", "unclosed_notes"))


def test_every_cut_of_a_file_is_read_or_rejected() -> None:
    whole = midi(track(tempo(400_000), note(60)), NEXT)
    for size in range(len(whole)):
        outcome = scan_song(whole[:size], "x.mid")
        assert isinstance(outcome, Reject) or outcome.warnings, size


def test_padding_after_the_last_track_is_named() -> None:
    assert scanned(midi(track(note())) + b"\x00" * 100).warnings == ("trailing_bytes",)


def test_padding_between_tracks_is_skipped() -> None:
    facts = scanned(midi(track(note()) + b"\x00", NEXT))
    assert (facts.tracks, facts.warnings) == (2, ("foreign_chunk",))


@pytest.mark.parametrize("junk", [b"\x00" * 128, b"\x00\x05MThx" + bytes(122), b"RIFF????"])
def test_bytes_before_the_header_are_skipped(junk: bytes) -> None:
    facts = scanned(junk + midi(track(program(3), note())))
    assert facts.programs == (3,)
    assert facts.warnings == (() if junk.startswith(b"RIFF") else ("leading_bytes",))


def test_a_header_that_announces_too_many_tracks_is_corrected() -> None:
    facts = scanned(midi(track(note()), count=9, file_format=1))
    assert (facts.tracks, facts.warnings) == (1, ("wrong_track_count",))


def test_tracks_beyond_the_announced_ones_are_not_read() -> None:
    facts = scanned(midi(track(note()), NEXT, count=1))
    assert (facts.tracks, facts.programs, facts.warnings) == (1, (0,), ("wrong_track_count",))


def test_a_header_that_announces_no_tracks_is_not_believed() -> None:
    facts = scanned(midi(track(note()), NEXT, count=0))
    assert (facts.tracks, facts.warnings) == (2, ("wrong_track_count",))


@pytest.mark.parametrize("size", [0, 4, 7, 4000, 0xFFFFFFFF])
def test_a_header_of_a_wrong_length_is_passed_over(size: int) -> None:
    facts = scanned(header(0, 1, size=size) + track(note()))
    assert (facts.format, facts.notes, facts.warnings) == (0, (1,), ("bad_header",))


@pytest.mark.parametrize("file_format", [3, 0x4D54, 0xFFFF])
def test_an_undefined_format_is_read_as_format_1(file_format: int) -> None:
    facts = scanned(midi(track(note()), NEXT, file_format=file_format))
    assert (facts.format, facts.tracks, facts.warnings) == (1, 2, ("bad_header",))


def test_running_status_without_a_status_ends_the_track() -> None:
    facts = scanned(midi(track(b"\x00\x3c\x40", note(60)), NEXT))
    assert (facts.programs, facts.notes, facts.warnings) == ((9,), (1,), ("bad_event",))


@pytest.mark.parametrize(
    "event", [b"\xf1\x01", b"\xf2\x01\x02", b"\xf3\x01", b"\xf4", b"\xf5", b"\xf6", b"\xf8", b"\xf9", b"\xfd", b"\xfe"]
)
def test_a_system_event_that_no_file_should_hold_is_passed_over(event: bytes) -> None:
    facts = scanned(midi(track(on(60), b"\x00" + event, off(60, after=5), note(61))))
    assert (facts.notes, facts.warnings) == ((2,), ("bad_event",))


def test_a_key_or_program_above_127_is_left_out() -> None:
    facts = scanned(midi(track(b"\x00\xc0\x85", b"\x00\x90\xbc\x40", b"\x05\x80\xbc\x40", note(60))))
    assert (facts.programs, facts.notes, facts.warnings) == ((0,), (1,), ("bad_event",))


def test_a_velocity_above_127_still_sounds() -> None:
    facts = scanned(midi(track(b"\x00\x90\x3c\xff", off(60, after=5))))
    assert (facts.notes, facts.warnings) == ((1,), ("bad_event",))


def test_an_event_cut_by_its_tracks_end_is_left_out() -> None:
    facts = scanned(midi(chunk(b"MTrk", note(60) + b"\x00\x90\x3c"), NEXT))
    assert (facts.notes, facts.warnings) == ((1, 1), ("missing_end_of_track", "bad_event"))


def test_a_meta_event_that_claims_more_than_there_is_ends_the_track() -> None:
    facts = scanned(midi(chunk(b"MTrk", note(60) + b"\x00\xff\x01\xff\xff\xff\x7f"), NEXT))
    assert facts.notes == (1, 1)
    assert "bad_event" in facts.warnings


def test_every_warning_has_one_bit_and_one_meaning() -> None:
    bits = {name.lower(): value for name, value in vars(flaws).items() if name.isupper() and isinstance(value, int)}
    assert {name: (bit,) for bit, name in sorted((value, name) for name, value in bits.items())} == {
        flaws.names(bit)[0]: (bit,) for bit in bits.values()
    }
    assert flaws.names(sum(bits.values())) == tuple(flaws.MEANINGS)
