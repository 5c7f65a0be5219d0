"""A published index in memory: which songs a search finds, in which order, and what else they have. No I/O.

Everything a search needs to choose the songs of a page is here; what the page says of them is in the database. The
order by popularity takes longest to read and is seldom asked for, so it is kept apart from the library.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.bitmaps import Bitmaps, Words, size
from app.searching import Search
from app.titles import Titles

Places = npt.NDArray[np.int32]
"""Songs by their place in the library's own order: smallest set first, then by set, title and song."""


@dataclass(frozen=True, slots=True)
class Hits:
    """What a search finds. song_ids: those asked for, in order. total: how many there are in all.

    as_written: how many of these have the title in just this spelling. instruments, families: how many have each.
    """

    song_ids: list[int]
    total: int
    as_written: int
    instruments: list[int]
    families: list[int]


class Library:
    """n songs, m sets."""

    def __init__(
        self,
        members: npt.NDArray[np.uint8],
        set_of_song: npt.NDArray[np.int32],
        durations: npt.NDArray[np.float32],
        titles: Sequence[str],
        families: Sequence[Sequence[int]],
    ) -> None:
        """members: [m, BITS] of 0 and 1, by set id. The others: by song id; durations in seconds."""
        self._titles = Titles(titles)
        self._song_ids = np.lexsort((self._titles.numbers, set_of_song)).astype(np.int32)
        self._bitmaps = Bitmaps(members[set_of_song[self._song_ids]], families)
        self._title_of = self._titles.numbers[self._song_ids]
        self._orders: dict[str, Places] = {
            "title": np.argsort(self._title_of, kind="stable").astype(np.int32),
            "duration": np.argsort(durations[self._song_ids], kind="stable").astype(np.int32),
        }

    def by_popularity(self, listed: npt.NDArray[np.int64]) -> Places:
        """The most popular first. listed: by song id, in how many songs' lists of similar songs it is."""
        return np.argsort(-listed[self._song_ids], kind="stable").astype(np.int32)

    def find(self, search: Search, first: int, most: int, popular: Places | None = None) -> Hits:
        """The songs from place `first` of the results on, at most so many.

        popular: as `by_popularity` gives; not needed unless `asks_for_popularity`.
        """
        orders = self._orders if popular is None else self._orders | {"popularity": popular}
        found = self._bitmaps.matching(search.chosen)
        written, alike = found, None
        if search.title:
            as_written = self._titles.written(search.title)
            alike = self._titles.likeness(search.title)
            alike[as_written] = 0
            written = found & self._bitmaps.packed(as_written[self._title_of])
            found = written | (found & self._bitmaps.packed((alike > 0)[self._title_of]))
        total = size(found)
        instruments, families = self._bitmaps.counts(found)
        if alike is not None and search.sort == "closest":
            places = self._by_likeness(search, written, found & ~written, alike, orders)[first : first + most]
        else:
            places = _ordered(
                self._bitmaps.flags(found),
                None if search.sort == "closest" else orders[search.sort],
                slice(first, first + most),
            )
        return Hits(self._song_ids[places].tolist(), total, size(written), instruments, families)

    def _by_likeness(
        self,
        search: Search,
        written: Words,
        others: Words,
        alike: npt.NDArray[np.float32],
        orders: Mapping[str, Places],
    ) -> Places:
        """Titles as written first, then the most alike; among equals the closest to the instruments, if any are asked
        for, else the most popular."""
        order = None if _asks_for_instruments(search) else orders["popularity"]
        spelled = _ordered(self._bitmaps.flags(others), order)
        spelled = spelled[np.argsort(-alike[self._title_of[spelled]], kind="stable")]
        return np.concatenate((_ordered(self._bitmaps.flags(written), order), spelled))


def asks_for_popularity(search: Search) -> bool:
    """Whether the songs of this search are to be had in order only with the order by popularity."""
    by_title = search.title and search.sort == "closest" and not _asks_for_instruments(search)
    return search.sort == "popularity" or bool(by_title)


def _asks_for_instruments(search: Search) -> bool:
    return bool(search.chosen["all"] or search.chosen["any"])


def _ordered(flags: npt.NDArray[np.bool_], order: Places | None, part: slice = slice(None)) -> Places:
    """The places that are flagged, in an order, by default that of the places."""
    if order is None:
        return np.flatnonzero(flags)[part].astype(np.int32)
    return order[np.flatnonzero(flags[order])[part]]
