"""Work and memory of a scan are bounded by the size of the file."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

from midi.scan.smf import MEMORY_FIXED, MEMORY_PER_BYTE, scan
from midi.scan.song import scan_song
from tests.unit.scan.rebuilt import uncompiled
from tests.unit.scan.smf_bytes import END, header, midi, name, note, on, program, tempo, track

SIZE = 30_000
READS_PER_BYTE = 6

NASTY = {
    "programs": midi(track(program(1), b"\x00\x07" * (SIZE // 2))),
    "programs in shared channels": midi(
        *[track(program(1, after=9), b"\x01\x07" * (SIZE // 8)) for _ in range(4)], file_format=1
    ),
    "notes": midi(track(on(60), b"\x01\x3c\x00\x01\x3c\x40" * (SIZE // 6))),
    "tempos": midi(track(*[tempo(300_000 + i, after=1) for i in range(SIZE // 7)], note())),
    "tempos out of order": midi(
        *[track(*[tempo(300_000 + i, after=1) for i in range(SIZE // 14)], note()) for _ in range(2)]
    ),
    "empty tracks": header(1, 0) + b"MTrk\x00\x00\x00\x00" * (SIZE // 8) + track(note()),
    "empty sequences": header(2, 0) + b"MTrk\x00\x00\x00\x00" * (SIZE // 8) + track(note()),
    "tracks of endless length": header(1, 0) + b"MTrk\xff\xff\xff\xff\x00\x90\x3c" * (SIZE // 11) + END,
    "tracks of too short length": header(1, 0) + b"MTrk\x00\x00\x00\x04\x00\x90\x3c\x40" * (SIZE // 12) + END,
    "tracks in the place of tracks": header(1, 0) + b"MTrk" * (SIZE // 4),
    "tags that are none": header(1, 0) + b"MTr" * (SIZE // 3),
    "one endless quantity": midi(track(b"\x80" * SIZE)),
    "endless quantities": header(1, 0) + (b"MTrk\x00\x00\x00\x10" + b"\x80" * 30) * (SIZE // 38) + END,
    "meta events beyond the end": header(1, 0) + b"MTrk\x00\x00\x00\x06\x00\xff\x01\xff\xff\x7f" * (SIZE // 14) + END,
    "foreign chunks": header(1, 1) + b"XXXX\x00\x00\x00\x00" * (SIZE // 8) + track(note()),
    "sysex": midi(track(b"\x00\xf0\x00" * (SIZE // 3))),
}


class CountedBytes:
    """A file's bytes that count how often they are looked at."""

    def __init__(self, data: bytes) -> None:
        self.array = np.frombuffer(data, np.uint8)
        self.size = self.array.size
        self.reads = 0

    def __getitem__(self, at: int) -> np.uint8:
        self.reads += 1
        value: np.uint8 = self.array[at]
        return value


@pytest.fixture(scope="module")
def plain_scan() -> Any:
    return uncompiled(scan)


@pytest.mark.parametrize("case", NASTY)
def test_every_byte_is_looked_at_a_bounded_number_of_times(case: str, plain_scan: Any) -> None:
    data = CountedBytes(NASTY[case])
    plain_scan(data)
    assert data.reads <= READS_PER_BYTE * data.size


@pytest.mark.parametrize("case", NASTY)
def test_memory_is_at_most_a_fixed_multiple_of_the_size(case: str, plain_scan: Any) -> None:
    data = np.frombuffer(NASTY[case], np.uint8)
    plain_scan(data[:20])
    tracemalloc.start()
    try:
        plain_scan(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= MEMORY_PER_BYTE * data.size + MEMORY_FIXED


@pytest.mark.parametrize("case", NASTY)
def test_compiled_and_uncompiled_agree_on_it(case: str, plain_scan: Any) -> None:
    data = np.frombuffer(NASTY[case], np.uint8)
    for mine, yours in zip(scan(data), plain_scan(data), strict=True):
        assert np.array_equal(mine, yours)


def test_a_name_as_long_as_the_file_takes_no_more_than_that() -> None:
    data = midi(track(name("ü".encode("latin-1") * 2_000_000), note()))
    tracemalloc.start()
    try:
        scan_song(data, "1003.mid")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= MEMORY_PER_BYTE * len(data) + MEMORY_FIXED
