"""The API's addresses as methods."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import urllib3

from app.client.answers import (
    Choice,
    Counts,
    FamilyCount,
    IndexFacts,
    InstrumentCount,
    Json,
    Part,
    Resemblance,
    Similar,
    Song,
    SongDetail,
    SongPage,
    Sort,
    made,
)
from app.client.errors import Unintelligible, Unreachable, problem

Answer = TypeVar("Answer")

LONGEST_PAUSE = 30
"""Seconds before another try at most, whatever the site asks for."""

_ALL = Choice()
_MIDI = {"Content-Type": "audio/midi"}


class Client:
    """May be used by several threads at once. Every method raises ScaleError (app.client.errors)."""

    def __init__(self, site: str, *, seconds: float = 10.0, retries: int = 3, connections: int = 1) -> None:
        """site: where it is served, http://host:port. seconds: most for connecting, and between pieces of an answer.

        retries: tries beyond the first when nothing answers or the site asks to be asked later, after the pause it
        asks for; only of what may be asked twice. connections: kept open for further requests.
        """
        self._base = f"{site.rstrip('/')}/api/v1"
        self._pool = urllib3.PoolManager(
            maxsize=connections,
            timeout=urllib3.Timeout(connect=seconds, read=seconds),
            retries=urllib3.Retry(
                total=retries,
                status_forcelist=(429, 503),
                backoff_factor=0.2,
                raise_on_status=False,
                retry_after_max=LONGEST_PAUSE,
            ),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connections that are kept open."""
        self._pool.clear()

    def page(
        self, choice: Choice = _ALL, *, sort: Sort = "closest", limit: int = 50, cursor: str | None = None
    ) -> SongPage:
        """One page of a search. limit: 1 to 100. cursor: that of the page before, None for the first."""
        further = {"sort": sort, "limit": str(limit)} | ({} if cursor is None else {"cursor": cursor})
        return self._get("/songs", _page, [*choice.arguments(), *further.items()])

    def songs(self, choice: Choice = _ALL, *, sort: Sort = "closest", limit: int = 100) -> Iterator[Song]:
        """All songs of a search, fetched a page of `limit` at a time.

        Raises IndexReplaced where another index came meanwhile: the rest is not to be had then.
        """
        page = self.page(choice, sort=sort, limit=limit)
        yield from page.songs
        while page.next_cursor is not None:
            page = self.page(choice, sort=sort, limit=limit, cursor=page.next_cursor)
            yield from page.songs

    def song(self, song_hash: str) -> SongDetail:
        """song_hash: 32 hexadecimal digits. Raises NotFound."""
        return self._get(_song(song_hash), _answered_song)

    def similar(self, song_hash: str) -> list[Similar]:
        """At most 50 songs, the most similar first. Raises NotFound."""
        return self._get(f"{_song(song_hash)}/similar", _similar)

    def file(self, song_hash: str) -> bytes:
        """The song's MIDI file. Raises NotFound where the site has none."""
        return self._answer("GET", f"{_song(song_hash)}/file")

    def compare(self, midi: bytes) -> Resemblance:
        """What a MIDI file is and which songs are like it. Raises Problem, with its reason, where it is none."""
        return self._read(_resemblance, self._answer("POST", "/similar", body=midi, headers=_MIDI))

    def instruments(self, choice: Choice = _ALL) -> Counts:
        """How many of a choice's songs have each instrument."""
        return self._get("/instruments", _counts, choice.arguments())

    def index(self) -> IndexFacts:
        """The index that is served."""
        return self._get("/index", partial(made, IndexFacts))

    def _get(self, path: str, read: Callable[[Json], Answer], arguments: Sequence[tuple[str, str]] = ()) -> Answer:
        return self._read(read, self._answer("GET", path, fields=list(arguments)))

    def _answer(self, method: str, path: str, **sent: Any) -> bytes:
        """The body of a success."""
        try:
            answer = self._pool.request(method, self._base + path, redirect=False, **sent)
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(f"{self._base} does not answer: {error}") from error
        if answer.status != 200:
            raise self._read(partial(problem, answer.status), answer.data)
        return answer.data

    def _read(self, read: Callable[[Json], Answer], body: bytes) -> Answer:
        try:
            return read(json.loads(body))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise Unintelligible(f"{self._base} does not answer as the API does: {error!r}") from error


def _song(song_hash: str) -> str:
    return f"/songs/{quote(song_hash, safe='')}"


def _page(found: Json) -> SongPage:
    return made(SongPage, found, songs=[made(Song, one) for one in found["songs"]])


def _answered_song(found: Json) -> SongDetail:
    return _detail(found["song"])


def _detail(found: Json) -> SongDetail:
    return made(SongDetail, found, instruments=[made(Part, one) for one in found["instruments"]])


def _similar(found: Json) -> list[Similar]:
    return [made(Similar, one, song=made(Song, one["song"])) for one in found["similar"]]


def _resemblance(found: Json) -> Resemblance:
    return made(Resemblance, found, song=_detail(found["song"]), similar=_similar(found))


def _counts(found: Json) -> Counts:
    families = [_family(one) for one in found["families"]]
    return made(Counts, found, families=families, drums=found["drums"]["songs"])


def _family(found: Json) -> FamilyCount:
    return made(FamilyCount, found, instruments=[made(InstrumentCount, one) for one in found["instruments"]])
