"""Whatever the bytes, a scan ends with a bounded result and touches nothing beyond them.

FUZZ_INPUTS sets how many damaged files are tried (long mode: 100000 and more), FUZZ_SEED which ones.
"""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from midi.scan.flaws import MEANINGS
from midi.scan.smf import Scan, scan
from midi.scan.song import Reject, SongFacts, scan_song
from midi.scan.title import MOST_CHARACTERS
from tests.unit.scan.fuzzing import FUZZ_INPUTS, FUZZ_SEED, damaged
from tests.unit.scan.rebuilt import bounds_checked, uncompiled
from tests.unit.scan.smf_bytes import header

SLOW_SAMPLE = 50
SLOW_BYTES = 20_000
LONGEST_SECONDS = 2**58 / 1e6
"""2**34 ticks of 2**24 microseconds each."""

SeedFiles = list[tuple[str, bytes]]


@pytest.fixture(scope="session")
def checked_scan() -> Any:
    return bounds_checked(scan)


@pytest.fixture(scope="session")
def plain_scan() -> Any:
    return uncompiled(scan)


def same(one: Scan, other: Scan) -> bool:
    return all(np.array_equal(mine, yours) for mine, yours in zip(one, other, strict=True))


def assert_bounded(found: Scan, size: int) -> None:
    """Nothing is counted that has no bytes of its own in the file."""
    assert found.notes.min() >= 0
    assert 3 * int(found.notes.sum()) <= size
    assert 2 * found.steps <= size
    assert 8 * found.tracks <= size
    assert 0 <= found.name_at <= found.name_at + found.name_size <= size
    assert (found.last_tick >= 0) == bool(found.notes.any())
    assert 0 < found.tempo < 2**24
    assert 0 <= found.tick_tempos < 2**58


def assert_storable(outcome: SongFacts | Reject) -> None:
    """The outcome fits the columns of scanned_file or reject."""
    if isinstance(outcome, Reject):
        assert outcome.detail
        return
    assert outcome.title
    assert len(outcome.title) <= MOST_CHARACTERS
    assert outcome.title.isprintable()
    assert outcome.format in (0, 1, 2)
    assert -(2**15) <= outcome.division < 2**15
    assert math.isfinite(outcome.duration_seconds)
    assert 0 < outcome.duration_seconds <= LONGEST_SECONDS
    assert 3.5 < outcome.tempo_bpm <= 60e6
    assert list(outcome.programs) == sorted(set(outcome.programs))
    assert len(outcome.programs) == len(outcome.notes)
    assert all(0 <= program <= 127 for program in outcome.programs)
    assert all(count > 0 for count in outcome.notes)
    assert outcome.notes or outcome.drum_notes > 0
    assert set(outcome.warnings) <= set(MEANINGS)


def as_array(data: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    start = max(data.find(b"MThd"), 0)
    return np.frombuffer(data, np.uint8, len(data) - start, start)


@pytest.mark.timeout(1800)
def test_damaged_files_give_bounded_results(seed_files: SeedFiles, checked_scan: Any, plain_scan: Any) -> None:
    in_python = 0
    for number in range(FUZZ_INPUTS):
        story, data = damaged(seed_files, number)
        array = as_array(data)
        try:
            found = scan(array)
            assert_bounded(found, array.size)
            assert same(found, checked_scan(array)), "not the same with checked bounds"
            outcome = scan_song(data, "1003.mid")
            assert_storable(outcome)
            assert outcome == scan_song(data, "1003.mid"), "not the same twice"
            if number % SLOW_SAMPLE == 0 and array.size <= SLOW_BYTES:
                in_python += 1
                assert same(found, plain_scan(array)), "not the same uncompiled"
        except Exception as error:
            raise AssertionError(f"{story}: {error!r}") from error
    assert in_python > FUZZ_INPUTS / SLOW_SAMPLE / 4


@seed(FUZZ_SEED)
@settings(max_examples=max(200, FUZZ_INPUTS // 10), deadline=None, database=None)
@given(st.binary(max_size=400), st.integers(0, 3), st.integers(0, 4))
def test_random_bytes_after_a_header_give_bounded_results(
    checked_scan: Any, plain_scan: Any, noise: bytes, file_format: int, tracks: int
) -> None:
    data = header(file_format, tracks) + b"MTrk\x00\x00\x01\x00" + noise
    array = as_array(data)
    found = scan(array)
    assert_bounded(found, array.size)
    assert same(found, checked_scan(array))
    assert same(found, plain_scan(array))
    assert_storable(scan_song(data, "1003.mid"))


@seed(FUZZ_SEED)
@settings(max_examples=200, deadline=None, database=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_rejected_or_read(data: bytes) -> None:
    assert_storable(scan_song(data, "1003.mid"))


def test_the_same_number_gives_the_same_damage(seed_files: SeedFiles) -> None:
    assert [damaged(seed_files, number) for number in range(20)] == [
        damaged(seed_files, number) for number in range(20)
    ]
    assert len({damaged(seed_files, number)[1] for number in range(50)}) > 40
