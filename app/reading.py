"""One request's reading: which index it shows, and what to do when that index goes away under it."""

import re
from collections.abc import Callable
from typing import TypeVar

import psycopg2
from flask import abort, current_app, g
from werkzeug.exceptions import HTTPException

from app import queries
from app.db import Connection, DatabaseAway, pool
from app.instruments import Catalogue
from app.queries import Index, IndexGone, Song

Answer = TypeVar("Answer")

ATTEMPTS = 3
_CATALOGUE = "scale_catalogue"


def read(page: Callable[[Connection, Index], Answer]) -> Answer:
    """What `page` reads from the current index, read anew if another became current meanwhile.

    A replaced index may be collected at any moment, and a partition that is gone reads like an empty one; while the
    same index is still current after the reading, nothing of it was missing: neither an answer nor a refusal is told
    before that is known. Raises DatabaseAway, NoIndex, StatementTooSlow.
    """
    with pool().connection() as connection:
        index = queries.current_index(connection)
        for _ in range(ATTEMPTS):
            failure: psycopg2.Error | IndexGone | HTTPException | None = None
            try:
                answer = page(connection, index)
            except (psycopg2.Error, IndexGone, HTTPException) as error:
                failure = error
            before, index = index, queries.current_index(connection)
            if before.index_id == index.index_id:
                g.index_version = index.index_id
                if failure:
                    raise failure
                return answer
    raise DatabaseAway("the index was switched again and again while it was read")


def wanted_song(connection: Connection, index: Index, song_hash: str) -> Song:
    """The song of a content hash; refuses (404) what is none, or no song of this index."""
    found = None
    if re.fullmatch("[0-9a-fA-F]{32}", song_hash):
        found = queries.song(connection, index.index_id, song_hash)
    if found is None:
        abort(404, "No song of the present index has this hash; hashes are 32 hexadecimal digits.")
    return found


def catalogue(connection: Connection) -> Catalogue:
    """The instruments; read once in a process's life, because only a migration changes them."""
    if _CATALOGUE not in current_app.extensions:
        current_app.extensions[_CATALOGUE] = queries.instruments(connection)
    found: Catalogue = current_app.extensions[_CATALOGUE]
    return found
