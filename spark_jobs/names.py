"""`python -m spark_jobs.names PATHS OUT`: the names in Lakh's md5_to_paths.json as CSV, ready for COPY.

Streamed: takes the memory of one piece of the file, however large that is.
"""

import csv
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from midi.errors import SourceError
from midi.sources.lakh import song_name

PIECE_CHARACTERS = 1 << 20
LONGEST_ENTRY = 16 * PIECE_CHARACTERS
"""An entry that is longer is none of Lakh's: a hash and the paths of one song."""
HEADER = ("hash", "song_name")
_OPENING = re.compile(r"\s*[{,]\s*")
_COLON = re.compile(r"\s*:\s*")
_CLOSING = re.compile(r"\s*(\{\s*)?\}\s*$")


def names(file: TextIO) -> Iterator[tuple[str, str]]:
    """Hash and name of each entry that has a path, in the order of the file; raises SourceError."""
    for md5, paths in entries(file):
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise SourceError(f"the entry {md5!r} is no list of paths: give Lakh's md5_to_paths.json.")
        if paths:
            yield md5, song_name(paths[0])


def entries(file: TextIO) -> Iterator[tuple[str, object]]:
    """The members of the JSON object that a file holds, one after the other; raises SourceError."""
    text, place = "", 0
    while piece := file.read(PIECE_CHARACTERS):
        text, place = text[place:] + piece, 0
        while found := _entry(text, place):
            key, value, place = found
            yield key, value
        if len(text) - place > LONGEST_ENTRY:
            break
    if not _CLOSING.match(text, place):
        raise SourceError(f"it ends or is broken at {text[place : place + 30]!r}: get Lakh's md5_to_paths.json anew.")


def _entry(text: str, place: int) -> tuple[str, object, int] | None:
    """The member that begins at this place and where it ends; None if it is not there as a whole."""
    decoder = json.JSONDecoder()
    try:
        if not (opening := _OPENING.match(text, place)):
            return None
        key, place = decoder.raw_decode(text, opening.end())
        if not isinstance(key, str) or not (colon := _COLON.match(text, place)):
            return None
        value, place = decoder.raw_decode(text, colon.end())
    except ValueError:
        return None
    return key, value, place


def write(paths: Path, out: Path) -> None:
    """Write the names as CSV; the file appears whole or not at all. Raises SourceError."""
    part = out.with_name(f"{out.name}.part")
    try:
        with paths.open(encoding="utf-8") as given, part.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(HEADER)
            rows.writerows(names(given))
        part.replace(out)
    except OSError as error:
        raise SourceError(f"{error.filename or out}: {error.strerror}.") from error
    except (UnicodeDecodeError, SourceError) as error:
        raise SourceError(f"{paths}: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def main() -> int:
    try:
        write(*map(Path, sys.argv[1:]))
    except SourceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
