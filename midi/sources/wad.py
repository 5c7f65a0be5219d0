"""MIDI music in a WAD, the archive of Doom-engine games (format: the "WAD" page of the Doom wiki).

A WAD is a 12-byte header (magic "IWAD" or "PWAD", number of lumps, offset of the directory; little-endian int32) and
a directory of 16-byte entries (offset, size, name of up to 8 bytes). Lumps have no types: music is what begins as MIDI.
"""

import struct
from collections.abc import Iterator

__all__ = ["midi_lumps"]

_HEADER = struct.Struct("<4sii")
_ENTRY = struct.Struct("<ii8s")


def midi_lumps(wad: bytes) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of each lump that begins as a Standard MIDI File; raises ValueError where `wad` is not a WAD."""
    if len(wad) < _HEADER.size:
        raise ValueError("too short for a WAD")
    magic, count, directory = _HEADER.unpack_from(wad)
    if magic not in (b"IWAD", b"PWAD"):
        raise ValueError("not a WAD")
    if count < 0 or directory < 0 or directory + count * _ENTRY.size > len(wad):
        raise ValueError("the directory lies outside of the WAD")
    for offset, size, name in _ENTRY.iter_unpack(wad[directory : directory + count * _ENTRY.size]):
        lump = wad[offset : offset + size] if offset >= 0 and size > 0 else b""
        if lump.startswith(b"MThd"):
            if len(lump) < size:
                raise ValueError("a lump lies outside of the WAD")
            yield _text(name), lump


def _text(name: bytes) -> str:
    return name.partition(b"\0")[0].decode("ascii", "backslashreplace")
