"""Which notes count, and for which program."""

from midi.scan.song import Reject, RejectReason, scan_song
from tests.unit.scan.smf_bytes import midi, note, off, on, program, track
from tests.unit.scan.test_formats import scanned


def test_a_note_belongs_to_the_program_at_its_end() -> None:
    facts = scanned(midi(track(program(1), on(60), program(2), off(60, after=9))))
    assert (facts.programs, facts.notes) == ((2,), (1,))


def test_a_channel_without_a_program_plays_program_0() -> None:
    assert scanned(midi(track(note()))).programs == (0,)


def test_one_note_off_ends_every_earlier_note_of_its_key() -> None:
    assert scanned(midi(track(on(60), on(60, after=5), off(60, after=5)))).notes == (2,)


def test_a_note_that_begins_where_another_ends_goes_on() -> None:
    facts = scanned(midi(track(on(60), on(60, after=5), off(60), off(60, after=5))))
    assert (facts.notes, facts.warnings) == ((2,), ())


def test_a_note_on_without_velocity_is_a_note_off() -> None:
    assert scanned(midi(track(on(60), on(60, after=5, velocity=0)))).notes == (1,)


def test_a_note_off_for_nothing_is_nothing() -> None:
    assert scanned(midi(track(off(60), note(61), off(61)))).notes == (1,)


def test_a_note_without_length_does_not_count() -> None:
    facts = scanned(midi(track(program(8), on(60), off(60), program(9), note(61))))
    assert (facts.programs, facts.warnings) == ((9,), ("zero_length_notes",))


def test_a_note_never_ended_does_not_count() -> None:
    facts = scanned(midi(track(program(8), note(60), on(61))))
    assert (facts.notes, facts.warnings) == ((1,), ("unclosed_notes",))


def test_a_file_of_such_notes_alone_has_no_notes() -> None:
    outcome = scan_song(midi(track(on(60), off(60), on(61))), "x.mid")
    assert isinstance(outcome, Reject)
    assert outcome.reason is RejectReason.NO_NOTES


def test_a_channel_takes_its_program_from_another_track() -> None:
    facts = scanned(midi(track(program(30)), track(note(60))))
    assert (facts.programs, facts.warnings) == ((30,), ("program_from_other_track",))


def test_programs_of_other_tracks_apply_in_the_order_of_time() -> None:
    facts = scanned(midi(track(note(60), note(62), note(64)), track(program(5, after=15))))
    assert (facts.programs, facts.notes) == ((0, 5), (1, 2))


def test_in_one_tick_the_lower_track_comes_first() -> None:
    facts = scanned(midi(track(program(4), on(60), off(60, after=10)), track(program(6, after=10))))
    assert (facts.programs, facts.warnings) == ((4,), ())
    facts = scanned(midi(track(program(6, after=10)), track(program(4), on(60), off(60, after=10))))
    assert (facts.programs, facts.warnings) == ((6,), ("program_from_other_track",))


def test_the_same_program_in_both_tracks_is_no_reason_for_a_warning() -> None:
    assert scanned(midi(track(program(4), note(60)), track(program(4), note(62)))).warnings == ()


def test_a_drum_program_from_another_track_is_no_reason_for_a_warning() -> None:
    facts = scanned(midi(track(program(4, channel=9), note(60)), track(note(36, channel=9))))
    assert (facts.drum_notes, facts.warnings) == (1, ())


def test_many_tracks_on_one_channel_are_merged_like_one() -> None:
    tracks = [track(program(i, after=100 * i), note(60, after=10, ticks=50)) for i in range(100)]
    facts = scanned(midi(track(), *reversed(tracks)))
    assert facts.programs == tuple(range(100))
    assert facts.notes == (1,) * 100


def test_channels_of_one_track_and_channels_of_several_count_in_one_file() -> None:
    alone, first, second = note(60, channel=1), note(61, ticks=50), note(62, after=20, ticks=50)
    facts = scanned(midi(track(program(3, channel=1), alone, alone), track(first), track(program(7, after=10), second)))
    assert (facts.programs, facts.notes) == ((3, 7), (2, 2))
    assert facts.warnings == ("program_from_other_track",)


def test_a_note_on_in_one_track_ends_with_the_note_off_of_another() -> None:
    facts = scanned(midi(track(on(60), note(50, channel=1)), track(off(60, after=90))))
    assert (facts.notes, facts.warnings) == ((2,), ())


def test_a_note_never_ended_is_told_on_channels_of_one_track_and_of_several() -> None:
    assert scanned(midi(track(note(60), on(61)), track(note(62, channel=1)))).warnings == ("unclosed_notes",)
    assert scanned(midi(track(note(60), on(61)), track(note(62)))).warnings == ("unclosed_notes",)


def test_a_sequence_begins_with_no_program_and_no_note_of_the_one_before() -> None:
    facts = scanned(midi(track(program(9), note(60), on(61)), track(off(61, after=5), note(62)), file_format=2))
    assert (facts.programs, facts.notes, facts.warnings) == ((0, 9), (1, 1), ("unclosed_notes",))
