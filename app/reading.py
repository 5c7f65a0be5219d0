"""One request's reading: which index it shows, and what to do when that index goes away under it."""

from collections.abc import Callable
from typing import TypeVar

import psycopg2
from flask import current_app, g
from werkzeug.exceptions import HTTPException

from app import queries
from app.db import Connection, DatabaseAway, pool
from app.instruments import Catalogue
from app.queries import Index, IndexGone

Answer = TypeVar("Answer")

ATTEMPTS = 3
_CATALOGUE = "scale_catalogue"


def read(page: Callable[[Connection, Index], Answer]) -> Answer:
    """What `page` reads from the current index, read anew if another became current meanwhile.

    A replaced index may be collected at any moment, and a partition that is gone reads like an empty one; while the
    same index is still current after the reading, nothing of it was missing: neither an answer nor a refusal is told
    before that is known. Raises DatabaseAway, NoIndex,
    StatementTooSlow.
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


def catalogue(connection: Connection) -> Catalogue:
    """The instruments; read once in a process's life, because only a migration changes them."""
    if _CATALOGUE not in current_app.extensions:
        current_app.extensions[_CATALOGUE] = queries.instruments(connection)
    found: Catalogue = current_app.extensions[_CATALOGUE]
    return found
