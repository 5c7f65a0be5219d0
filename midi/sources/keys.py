"""Which names are MIDI files, and how any name becomes a key that every later stage can hold.

Keys are compared by code point, the order Python sorts strings and S3 lists UTF-8 keys in, so two listings of one
source can be merged. No I/O happens here.
"""

import os
import re

__all__ = ["MIDI_SUFFIXES", "is_midi_name", "key_of", "name_of", "shown", "sort_key"]

MIDI_SUFFIXES = (".mid", ".midi", ".rmi", ".kar", ".smf")

# PostgreSQL text and JSON hold neither NUL nor lone surrogates, which is what Python makes of names that are not UTF-8.
_UNSTORABLE = re.compile("[\0\ud800-\udfff\ufffd]")
_STORED = re.compile("\ufffd(\ufffd|[0-9a-f]{4})")


def is_midi_name(name: str) -> bool:
    return name.lower().endswith(MIDI_SUFFIXES)


def key_of(name: str) -> str:
    """A name as a key: characters that cannot be stored become U+FFFD and four hex digits, U+FFFD itself is doubled."""
    return _UNSTORABLE.sub(lambda found: "\ufffd" + _digits(found[0]), name)


def name_of(key: str) -> str:
    """The name that `key_of` turned into this key."""
    return _STORED.sub(lambda found: found[1] if found[1] == "\ufffd" else chr(int(found[1], 16)), key)


def shown(path: os.PathLike[str] | str) -> str:
    """A path as text that can be printed and stored, whatever bytes it is made of."""
    return key_of(os.fspath(path))


def sort_key(name: str, is_folder: bool) -> str:
    """What to sort the entries of one folder by, so that walking it in this order gives keys in ascending order.

    A folder's keys all go on with "/", which sorts after "-" and "." but before digits and letters: "a-b.mid" comes
    before "a/x.mid", and that before "a0.mid".
    """
    return key_of(name) + ("/" if is_folder else "")


def _digits(character: str) -> str:
    return character if character == "\ufffd" else f"{ord(character):04x}"
