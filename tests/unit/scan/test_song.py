"""Hash, duration and tempo of a song."""

import hashlib
import math

import pytest

from tests.unit.scan.smf_bytes import meta, midi, note, off, on, rmid, tempo, track
from tests.unit.scan.test_formats import scanned


def test_the_hash_is_128_bits_of_the_sha_256_of_all_the_bytes() -> None:
    data = rmid(midi(track(note())), after=b"INFO")
    assert bytes.fromhex(scanned(data).hash) == hashlib.sha256(data).digest()[:16]


def test_without_a_tempo_a_quarter_note_lasts_half_a_second() -> None:
    facts = scanned(midi(track(note(ticks=480))))
    assert (facts.duration_seconds, facts.tempo_bpm) == (0.5, 120.0)


def test_the_duration_ends_with_the_last_note_that_counts() -> None:
    facts = scanned(midi(track(note(ticks=480), on(61), off(62, after=4800), tempo(1, after=9000))))
    assert facts.duration_seconds == 0.5


def test_tempos_of_every_track_apply_to_all() -> None:
    facts = scanned(midi(track(note(ticks=1440)), track(tempo(1_000_000, after=480), tempo(250_000, after=480))))
    assert facts.duration_seconds == 0.5 + 1.0 + 0.25
    assert facts.tempo_bpm == 60.0


def test_the_tempo_is_the_one_in_force_longest_in_time_over_all_its_stretches() -> None:
    stretches = [tempo(400_000), tempo(600_000, after=300), tempo(400_000, after=350), tempo(900_000, after=400)]
    facts = scanned(midi(track(*stretches), track(note(ticks=950))))
    assert facts.tempo_bpm == 150.0
    assert facts.duration_seconds == pytest.approx((600 * 0.4 + 350 * 0.6) / 480)


def test_of_two_tempos_in_one_tick_the_later_one_applies() -> None:
    assert scanned(midi(track(tempo(900_000), tempo(400_000), note(ticks=480)))).duration_seconds == 0.4


def test_a_tempo_of_zero_is_left_out() -> None:
    facts = scanned(midi(track(tempo(0), note(ticks=480))))
    assert (facts.duration_seconds, facts.tempo_bpm, facts.warnings) == (0.5, 120.0, ("bad_event",))


@pytest.mark.parametrize("body", [b"", b"\x01", b"\x01\x02"])
def test_a_tempo_of_less_than_three_bytes_is_left_out(body: bytes) -> None:
    assert scanned(midi(track(meta(0x51, body), note(ticks=480)))).duration_seconds == 0.5


@pytest.mark.parametrize(("frames", "per_second"), [(24, 24), (25, 25), (29, 30_000 / 1001), (30, 30)])
def test_smpte_ticks_are_parts_of_a_frame_whatever_the_tempo(frames: int, per_second: float) -> None:
    facts = scanned(midi(track(tempo(250_000), note(ticks=4000)), division=-(frames << 8) | 40))
    assert facts.duration_seconds == pytest.approx(100 / per_second)
    assert facts.division < 0
    assert facts.tempo_bpm == 240.0


@pytest.mark.parametrize("division", [0, -(25 << 8), -0x8000, -1])
def test_a_division_without_sense_still_gives_a_finite_duration(division: int) -> None:
    facts = scanned(midi(track(note(ticks=480)), division=division))
    assert facts.division == division
    assert math.isfinite(facts.duration_seconds)
    assert facts.duration_seconds > 0
    assert ("bad_header" in facts.warnings) == (division != -1)
