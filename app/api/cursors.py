"""Where the next page of a search begins, as text that means something to this site only."""

import json
import re
import zlib

from flask import abort

from app.queries import Index
from app.searching import Search

_FORM = re.compile(r"(\d{1,18})\.(\d{1,9})\.([0-9a-f]{8})", re.ASCII)


def write(index: Index, search: Search, first: int) -> str:
    return f"{index.index_id}.{first}.{_digest(search)}"


def read(text: str, index: Index, search: Search) -> int:
    """The songs before the page; refuses what is no cursor (400), one of another search (422), and one of an index that
    was replaced (410).
    """
    found = _FORM.fullmatch(text)
    if not found or found[3] != _digest(search):
        refusal = 422 if found else 400
        abort(refusal, "The cursor is not one that this search was given; leave it out to begin at the first page.")
    if int(found[1]) != index.index_id:
        abort(410, "Another index was published since the first page; leave the cursor out to begin anew.")
    return int(found[2])


def _digest(search: Search) -> str:
    """The same for the same search, whatever the page."""
    return f"{zlib.crc32(json.dumps(search.arguments(), sort_keys=True).encode()):08x}"
