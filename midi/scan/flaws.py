"""What can be wrong with a file that is read all the same. One bit each in compiled code, one name each outside."""

TRUNCATED = 1 << 0
WRONG_TRACK_LENGTH = 1 << 1
MISSING_END_OF_TRACK = 1 << 2
WRONG_TRACK_COUNT = 1 << 3
BAD_EVENT = 1 << 4
BAD_HEADER = 1 << 5
FOREIGN_CHUNK = 1 << 6
LEADING_BYTES = 1 << 7
TRAILING_BYTES = 1 << 8
UNCLOSED_NOTES = 1 << 9
ZERO_LENGTH_NOTES = 1 << 10
PROGRAM_FROM_OTHER_TRACK = 1 << 11

MEANINGS = {
    "truncated": "the file ends inside a track",
    "wrong_track_length": "a track's declared length does not lead to its end; its events were followed instead",
    "missing_end_of_track": "a track stops without its end-of-track event",
    "wrong_track_count": "the header announces more or fewer tracks than follow; no more than announced are read",
    "bad_event": "a track holds an undefined or cut event, or a data byte above 127; what cannot be meant is left out",
    "bad_header": "the header is short, or its format or division is undefined; the nearest sense is assumed",
    "foreign_chunk": "there is something between the tracks that is not a track; it is skipped",
    "leading_bytes": "the file starts with something else before its MIDI header",
    "trailing_bytes": "bytes follow the last track",
    "unclosed_notes": "some notes are never switched off; they do not count",
    "zero_length_notes": "some notes are switched off in the tick they start; they do not count",
    "program_from_other_track": "a note sounds with a program that another track has set for its channel",
}
"""Every warning's name and what it says, in the order of the bits."""


def names(bits: int) -> tuple[str, ...]:
    """The names of the set bits, in the order of MEANINGS."""
    return tuple(name for bit, name in enumerate(MEANINGS) if bits >> bit & 1) if bits else ()
