"""Music out of WADs, made by hand."""

import struct

import pytest

from midi.sources.wad import midi_lumps
from tests.unit.sources.songs import song


def make_wad(lumps: list[tuple[bytes, bytes]], magic: bytes = b"IWAD") -> bytes:
    body, directory, offset = b"", b"", 12
    for name, data in lumps:
        directory += struct.pack("<ii8s", offset, len(data), name)
        body += data
        offset += len(data)
    return struct.pack("<4sii", magic, len(lumps), offset) + body + directory


def test_lumps_that_begin_as_midi_are_found_whatever_they_are_called() -> None:
    lumps = [(b"PLAYPAL", b"colours"), (b"D_E1M1", song("1")), (b"E1M1", b""), (b"EIGHTLET", song("2"))]
    for magic in (b"IWAD", b"PWAD"):
        assert list(midi_lumps(make_wad(lumps, magic))) == [("D_E1M1", song("1")), ("EIGHTLET", song("2"))]


def test_a_name_that_is_not_ascii_is_readable() -> None:
    assert [name for name, _ in midi_lumps(make_wad([(b"D_\xff\0junk", song("1"))]))] == ["D_\\xff"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"IWAD",
        make_wad([], b"ZWAD"),
        struct.pack("<4sii", b"IWAD", 1, 12),
        struct.pack("<4sii", b"IWAD", -1, 12),
        struct.pack("<4sii", b"IWAD", 0, -5),
        struct.pack("<4sii", b"IWAD", 2**31 - 1, 12) + bytes(64),
        struct.pack("<4sii", b"IWAD", 1, 12) + struct.pack("<ii8s", 28, 100, b"D_CUT") + b"MThd",
    ],
)
def test_what_is_no_whole_wad_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"WAD"):
        list(midi_lumps(data))


def test_lumps_at_nonsense_places_are_no_music() -> None:
    wad = struct.pack("<4sii", b"PWAD", 3, 16) + b"MThd"
    for offset, size in ((-4, 4), (2**31 - 1, 4), (12, -1)):
        wad += struct.pack("<ii8s", offset, size, b"D_ODD")
    assert list(midi_lumps(wad)) == []
