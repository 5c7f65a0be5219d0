"""Hand-made files, one per feature of the format or of what is done to it in the wild."""

from tests.unit.scan.smf_bytes import (
    END,
    chunk,
    header,
    meta,
    midi,
    name,
    note,
    off,
    on,
    program,
    rmid,
    sysex,
    tempo,
    track,
)

MELODY = track(name(b"Melody"), program(5), note(60), note(62), note(64))
DRUMS = track(note(36, channel=9), note(38, channel=9))
SONG = midi(track(name(b"A Song"), tempo(400_000)), MELODY, DRUMS)

ALL: list[tuple[str, bytes]] = [
    ("format 0", midi(track(program(24), note(60)))),
    ("format 1", SONG),
    ("format 2", midi(track(program(1), note(60)), track(note(62)), file_format=2)),
    ("shared channel", midi(track(program(7), note(60)), track(note(64, after=5), program(9), note(65)))),
    ("running status", midi(track(on(60), b"\x0a\x3c\x00", b"\x00\x3e\x40", b"\x0a\x3e\x00"))),
    (
        "sysex",
        midi(track(sysex(b"\x7e\x7f\xf7"), on(60), sysex(b"\x01", after=3), sysex(b"\xf7", status=0xF7), off(60))),
    ),
    ("system common", midi(track(on(60), b"\x00\xf2\x01\x02", b"\x00\xf8", b"\x00\xf4", off(60, after=9)))),
    ("metas", midi(track(*(meta(kind, b"text") for kind in range(1, 10)), meta(0x7F, b"\x00" * 200), note(60)))),
    ("tempos", midi(track(*(tempo(300_000 + i, after=7) for i in range(50)), note(60, ticks=99)))),
    ("smpte", midi(track(note(60)), division=-(25 << 8) | 40)),
    ("zero division", midi(track(note(60)), division=0)),
    ("long header", header(0, 1, size=10, extra=b"more") + track(note(60))),
    ("foreign chunk", midi(chunk(b"XFIH", b"\x01\x02"), MELODY, count=1)),
    ("length too short", midi(track(note(60), note(61), size=9), MELODY)),
    ("length too long", midi(track(note(60), note(61), size=4000), MELODY)),
    ("length zero", midi(track(note(60), note(61), size=0))),
    ("no end of track", midi(track(note(60), end=b""), MELODY)),
    ("many tracks", midi(*(track(note(40 + i, channel=i % 16)) for i in range(40)))),
    ("empty tracks", midi(*(track() for _ in range(30)), MELODY)),
    ("overlong quantity", midi(track(b"\x80\x80\x80\x80\x80\x05\x90\x3c\x40", off(60, after=9)))),
    ("huge ticks", midi(track(*(note(60, after=0x0FFFFFFF) for _ in range(90))))),
    ("bad data bytes", midi(track(b"\x00\x90\xbc\x40", b"\x00\x90\x3c\xc0", off(60, after=9)))),
    ("rmid", rmid(SONG, before=b"LIST\x04\x00\x00\x00INFO", after=b"DLS \x00\x00\x00\x00")),
    ("leading bytes", b"\x00" * 128 + SONG),
    ("trailing bytes", SONG + b"\x1a" * 300),
    ("truncated", SONG[:-9]),
    ("two files", SONG + SONG),
    ("only ends", header(1, 9) + b"MTrk\xff\xff\xff\xff" * 9 + END * 9),
]
