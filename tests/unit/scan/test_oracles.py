"""The scan agrees with mido and pretty_midi on every real file that both can read."""

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from midi.scan.song import SongFacts, scan_song
from tests.unit.scan import oracles, samples
from tests.unit.scan.fuzzing import FUZZ_SEED
from tests.unit.scan.smf_bytes import midi, off, on, program, tempo, track

FOREIGN = "program_from_other_track"


def found(facts: SongFacts) -> dict[oracles.Instrument, int]:
    notes = {(number, False): count for number, count in zip(facts.programs, facts.notes, strict=True)}
    return notes | ({oracles.DRUMS: facts.drum_notes} if facts.drum_notes else {})


def assert_heard_alike(data: bytes, key: str) -> None:
    """Notes, duration and tempo are those of a player of mido's messages."""
    heard = oracles.hear(data)
    facts = scan_song(data, key)
    assert (found(facts) if isinstance(facts, SongFacts) else {}) == dict(heard.notes), key
    if isinstance(facts, SongFacts) and facts.division > 0:
        assert facts.duration_seconds == pytest.approx(heard.seconds, rel=1e-9), key
        in_force = {60e6 / tempo: seconds for tempo, seconds in heard.tempos.items() if tempo}
        assert in_force[facts.tempo_bpm] == pytest.approx(max(in_force.values()), rel=1e-9), key


def assert_same_instruments(data: bytes, key: str, by_track: set[oracles.Instrument]) -> bool:
    """(program, is_drum) are pretty_midi's; return whether it had to be shown the tracks merged to agree."""
    facts = scan_song(data, key)
    mine = set(found(facts)) if isinstance(facts, SongFacts) else set()
    if mine == by_track:
        return False
    assert isinstance(facts, SongFacts), key
    assert FOREIGN in facts.warnings, f"{key}: pretty_midi differs, yet no program comes from another track"
    assert mine == oracles.instruments_merged(data), key
    return True


def readable(files: list[tuple[str, bytes]]) -> list[tuple[str, bytes, set[oracles.Instrument]]]:
    """The files that mido and pretty_midi both read, and what the latter finds in them."""
    read = ((key, data, oracles.instruments_by_track(data)) for key, data in files)
    return [(key, data, by_track) for key, data, by_track in read if by_track is not None]


READABLE_SAMPLES = readable(samples.ALL)


def test_enough_hand_made_files_are_readable_for_others_to_compare() -> None:
    assert len(READABLE_SAMPLES) >= 8


@pytest.mark.parametrize(("key", "data", "by_track"), READABLE_SAMPLES, ids=[key for key, *_ in READABLE_SAMPLES])
def test_hand_made_files_agree(key: str, data: bytes, by_track: set[oracles.Instrument]) -> None:
    assert_heard_alike(data, key)
    assert_same_instruments(data, key, by_track)


@pytest.mark.timeout(600)
def test_real_files_agree(real_midi_files: list[tuple[str, bytes]]) -> None:
    compared = readable(real_midi_files)
    foreign = merged = 0
    for key, data, by_track in compared:
        assert_heard_alike(data, key)
        merged += assert_same_instruments(data, key, by_track)
        facts = scan_song(data, key)
        foreign += isinstance(facts, SongFacts) and FOREIGN in facts.warnings
    print(
        f"{len(compared)} of {len(real_midi_files)} files compared; a program comes from another track in {foreign};"
        f" {merged} of them agree with pretty_midi only when their tracks are merged"
    )
    assert len(compared) > len(real_midi_files) / 2


def test_programs_from_other_tracks_agree_only_when_merged() -> None:
    data = midi(track(program(30)), track(on(60), off(60, after=9)))
    assert oracles.instruments_by_track(data) == {(0, False)}
    assert assert_same_instruments(data, "foreign", {(0, False)})


channels = st.sampled_from([0, 1, 9])
ticks = st.sampled_from([0, 0, 1, 7, 200])
keys = st.sampled_from([60, 61])
events = st.one_of(
    st.builds(lambda key, after, channel: on(key, after=after, channel=channel), keys, ticks, channels),
    st.builds(lambda key, after, channel: off(key, after=after, channel=channel), keys, ticks, channels),
    st.builds(lambda value, after, channel: program(value, after=after, channel=channel), keys, ticks, channels),
    st.builds(lambda value, after: tempo(value, after=after), st.integers(1, 0xFFFFFF), ticks),
)
tracks = st.lists(st.lists(events, max_size=30).map(lambda body: track(*body)), min_size=1, max_size=4)


@seed(FUZZ_SEED)
@settings(max_examples=300, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(tracks, st.sampled_from([1, 2]))
def test_any_order_of_events_agrees(chunks: list[bytes], file_format: int) -> None:
    assert_heard_alike(midi(*chunks, file_format=file_format), "generated")
