"""The site as one process, asked at a steady rate whether or not it keeps up.

Open loop: each request has a time at which it should be sent, and its latency counts from then. A site that stalls is
charged for all who would have asked meanwhile, not only for the one that was waiting.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import urlencode

import psycopg2
import urllib3

from app.client import Choice, Client, ScaleError
from app.searching import Search
from tests.bench.row import Row
from tests.large_index import publish_large_index
from tests.postgres import postgres_server
from tests.questions import Questions
from tests.served import site_address

SEED = 12
RATE = 50
SECONDS = 30
SENDERS = 48
"""Requests under way at once, at most; with all of them waiting, the next are late, and are charged for it."""


class Visitor:
    """Whoever asks for pages, and for the API by its client; by several threads at once. Nothing is asked twice."""

    def __init__(self, site: str) -> None:
        self.api = Client(site, seconds=30, retries=0, connections=SENDERS)
        self._site = site
        self._pool = urllib3.PoolManager(maxsize=SENDERS, retries=False, timeout=30)

    def page(self, address: str) -> None:
        answer = self._pool.request("GET", self._site + address)
        if answer.status != 200:
            raise urllib3.exceptions.HTTPError(f"{answer.status} {address}")


Visit = Callable[[Visitor], object]


def measure() -> Iterator[Row]:
    with postgres_server() as server, server.database() as url:
        with closing(psycopg2.connect(url)) as connection:
            publish_large_index(connection)
            visits = _visits(Questions(connection, SEED), RATE * SECONDS)
        with site_address(url) as address:
            visitor = Visitor(address)
            _load(visitor, visits[:RATE], RATE)
            times, failures = _load(visitor, visits, RATE)
    times.sort()
    mix = f"{len(visits):,} requests in {SECONDS} s: results, songs, titles, forms, API by its client"
    yield Row("site, open loop, p50", times[len(times) // 2], "ms", note=f"{RATE} requests/s, one process; {mix}")
    yield Row("site, open loop, p99", times[int(len(times) * 0.99)], "ms", bar=50, note="from the intended send time")
    yield Row("site, open loop, errors", len(failures), "", bar=0, note="; ".join(failures[:3]))


def _visits(questions: Questions, count: int) -> list[Visit]:
    def page(path: str) -> Visit:
        return lambda visitor: visitor.page(path)

    def songs(search: Search) -> Visit:
        given = search.arguments()
        sort = given.pop("sort", "closest")
        given.pop("page", None)
        return lambda visitor: visitor.api.page(Choice(**given), sort=sort)

    def similar(song_hash: str) -> Visit:
        return lambda visitor: visitor.api.similar(song_hash)

    kinds: tuple[Callable[[], Visit], ...] = (
        lambda: page(f"/songs?{_arguments(questions.search())}"),
        lambda: page(f"/songs/{questions.hash()}"),
        lambda: page(f"/songs?{urlencode({'title': questions.title()})}"),
        lambda: page(f"/?{_arguments(questions.search())}"),
        lambda: songs(questions.search()),
        lambda: similar(questions.hash()),
    )
    return [questions.random.choices(kinds, weights=(6, 5, 3, 2, 2, 2))[0]() for _ in range(count)]


def _arguments(search: Search) -> str:
    return urlencode(search.arguments(), doseq=True)


def _load(visitor: Visitor, visits: list[Visit], rate: float) -> tuple[list[float], list[str]]:
    """Milliseconds of each visit from its intended time, and what went wrong with any."""
    start = time.perf_counter() + 0.5
    numbers = itertools.count()
    times: list[float] = []
    failures: list[str] = []

    def send() -> None:
        while (number := next(numbers)) < len(visits):
            intended = start + number / rate
            time.sleep(max(0.0, intended - time.perf_counter()))
            try:
                visits[number](visitor)
            except (ScaleError, urllib3.exceptions.HTTPError) as error:
                failures.append(f"{type(error).__name__} {error}")
            times.append(1000 * (time.perf_counter() - intended))

    senders = [threading.Thread(target=send) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return times, failures
