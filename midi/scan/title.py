"""What a song is called: after its key, or after its first track where the key says nothing."""

import re

MOST_CHARACTERS = 200
UNTITLED = "untitled"
EXTENSIONS = (".mid", ".midi", ".kar", ".rmi", ".smf")

LONGEST_NAME = 4096
"""Bytes of a track's name that are looked at."""

SAYS_NOTHING = re.compile(r"[0-9a-f]{32,}|[\d\W_]+|d_\w{1,6}", re.IGNORECASE)
"""Stems that are no names: a content hash (Lakh), a number, a music lump of a WAD (D_E1M1, D_RUNNIN)."""

GENERIC = re.compile(
    r"(?:untitled|unnamed|no (?:name|title)|(?:midi|smf|standard midi)(?: (?:file|out|song|music))?|default|"
    r"(?:new )?(?:song|file|sequence|seq)|(?:tempo|conductor|master|control|wave|midi|audio)? ?(?:track|trk)|"
    r"tempo|conductor|master|staff|part|channel|ch|instrument|piano|drums?|bass|guitar|strings|melody|voice|vocals?|"
    r"(?:left|right)(?: hand)?|treble)[\W\d_]*",
    re.IGNORECASE,
)
"""First tracks' names that say what the track is, or what wrote it, but not which song it is of."""


def decode(text: bytes) -> str:
    """UTF-8, else Shift-JIS where it gives Japanese, else Latin-1; on one line, without control characters."""
    text = text[:LONGEST_NAME]
    decoded = _utf8(text)
    if decoded is None:
        decoded = _japanese(text) or text.decode("latin-1")
    return clean(decoded)


def clean(text: str) -> str:
    """One line of at most MOST_CHARACTERS printable characters, single spaces between words."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text[:LONGEST_NAME])
    return " ".join(printable.split())[:MOST_CHARACTERS].rstrip()


def _utf8(text: bytes) -> str | None:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _japanese(text: bytes) -> str | None:
    """Shift-JIS holds every Latin-1 accent as a half-width katakana: only kana or kanji of two bytes are a sign."""
    try:
        decoded = text.decode("shift_jis")
    except UnicodeDecodeError:
        return None
    wide = sum("぀" <= letter <= "ヿ" or "一" <= letter <= "鿿" for letter in decoded)
    return decoded if 2 * wide >= len(decoded.replace(" ", "")) else None


def stem_of(name: str) -> str:
    """The last part of a key, without a MIDI extension."""
    stem = name.rpartition("/")[2]
    for extension in EXTENSIONS:
        if stem.lower().endswith(extension) and len(stem) > len(extension):
            return stem[: -len(extension)]
    return stem


def title_of(name: str, track_name: bytes) -> str:
    """The title of the file `name`, whose first track is called `track_name` (undecoded, may be empty)."""
    stem = stem_of(name)
    if not SAYS_NOTHING.fullmatch(stem):
        return clean(re.sub(r"[_-]+", " ", stem)) or UNTITLED
    title = decode(track_name)
    if any(letter.isalpha() for letter in title) and not GENERIC.fullmatch(title):
        return title
    return clean(stem) or UNTITLED
