"""Standard MIDI Files by hand: each function returns the bytes of one part."""

import struct

END = b"\x00\xff\x2f\x00"


def quantity(value: int) -> bytes:
    """A variable-length quantity."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def on(key: int, *, after: int = 0, channel: int = 0, velocity: int = 64) -> bytes:
    return quantity(after) + bytes([0x90 | channel, key, velocity])


def off(key: int, *, after: int = 0, channel: int = 0) -> bytes:
    return quantity(after) + bytes([0x80 | channel, key, 0])


def note(key: int = 60, *, after: int = 0, ticks: int = 10, channel: int = 0) -> bytes:
    return on(key, after=after, channel=channel) + off(key, after=ticks, channel=channel)


def program(number: int, *, after: int = 0, channel: int = 0) -> bytes:
    return quantity(after) + bytes([0xC0 | channel, number])


def meta(kind: int, body: bytes = b"", *, after: int = 0) -> bytes:
    return quantity(after) + bytes([0xFF, kind]) + quantity(len(body)) + body


def tempo(microseconds: int, *, after: int = 0) -> bytes:
    return meta(0x51, microseconds.to_bytes(3, "big"), after=after)


def name(text: bytes) -> bytes:
    return meta(0x03, text)


def sysex(body: bytes, *, status: int = 0xF0, after: int = 0) -> bytes:
    return quantity(after) + bytes([status]) + quantity(len(body)) + body


def chunk(tag: bytes, body: bytes, size: int | None = None) -> bytes:
    """A chunk; `size` makes its header lie about its length."""
    return tag + struct.pack(">I", len(body) if size is None else size) + body


def track(*events: bytes, end: bytes = END, size: int | None = None) -> bytes:
    return chunk(b"MTrk", b"".join(events) + end, size)


def header(file_format: int, tracks: int, division: int = 480, *, size: int = 6, extra: bytes = b"") -> bytes:
    return b"MThd" + struct.pack(">IHHH", size, file_format, tracks, division & 0xFFFF) + extra


def midi(*tracks: bytes, file_format: int | None = None, count: int | None = None, division: int = 480) -> bytes:
    """A whole file; format 0 for one track, 1 for more, unless told otherwise."""
    if file_format is None:
        file_format = 0 if len(tracks) == 1 else 1
    return header(file_format, len(tracks) if count is None else count, division) + b"".join(tracks)


def rmid(data: bytes, *, before: bytes = b"", after: bytes = b"") -> bytes:
    """A RIFF wrapper, with other RIFF chunks before and after the MIDI data."""
    body = b"RMID" + before + b"data" + struct.pack("<I", len(data)) + data + after
    return b"RIFF" + struct.pack("<I", len(body)) + body
