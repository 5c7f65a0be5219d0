"""What a process keeps in memory of the index it serves."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from app.db import Connection, DatabaseBusy
from app.queries import Index

Held = TypeVar("Held")


class Shelf(Generic[Held]):
    """Holds one thing of one index: when another index becomes current, what was held is dropped.

    Those who come while it is read in wait for it, but not for ever.
    """

    def __init__(self, load: Callable[[Connection, Index], Held], wait_seconds: float) -> None:
        self._load = load
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()
        self._held: tuple[int, Held] | None = None

    def of(self, connection: Connection, index: Index) -> Held:
        """What is held of this index, read in if it is not there yet.

        Raises DatabaseAway, DatabaseBusy, IndexGone, StatementTooSlow.
        """
        held = self._held
        if held and held[0] == index.index_id:
            return held[1]
        if not self._lock.acquire(timeout=self._wait_seconds):
            raise DatabaseBusy("another request is reading the index into memory")
        try:
            held = self._held
            if not (held and held[0] == index.index_id):
                self._held = None
                self._held = held = index.index_id, self._load(connection, index)
            return held[1]
        finally:
            self._lock.release()
