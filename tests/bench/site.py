"""The site as one process, asked at a steady rate whether or not it keeps up.

Open loop: each request has a time at which it should be sent, and its latency counts from then. A site that stalls is
charged for all who would have asked meanwhile, not only for the one that was waiting.
"""

import http.client
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlencode, urlsplit

import psycopg2

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


def measure() -> Iterator[Row]:
    with postgres_server() as server, server.database() as url:
        with closing(psycopg2.connect(url)) as connection:
            publish_large_index(connection)
            addresses = _addresses(Questions(connection, SEED), RATE * SECONDS)
        with site_address(url) as address:
            host, port = _host_and_port(address)
            _load(host, port, addresses[:RATE], RATE)
            times, failures = _load(host, port, addresses, RATE)
    times.sort()
    mix = f"{len(addresses):,} requests in {SECONDS} s: results, songs, titles, forms, API"
    yield Row("site, open loop, p50", times[len(times) // 2], "ms", note=f"{RATE} requests/s, one process; {mix}")
    yield Row("site, open loop, p99", times[int(len(times) * 0.99)], "ms", bar=50, note="from the intended send time")
    yield Row("site, open loop, errors", len(failures), "", bar=0, note="; ".join(failures[:3]))


def _addresses(questions: Questions, count: int) -> list[str]:
    def arguments() -> str:
        return urlencode(questions.search().arguments(), doseq=True)

    kinds = (
        lambda: f"/songs?{arguments()}",
        lambda: f"/songs/{questions.hash()}",
        lambda: f"/songs?{urlencode({'title': questions.title()})}",
        lambda: f"/?{arguments()}",
        lambda: f"/api/v1/songs?{arguments()}",
        lambda: f"/api/v1/songs/{questions.hash()}/similar",
    )
    return [questions.random.choices(kinds, weights=(6, 5, 3, 2, 2, 2))[0]() for _ in range(count)]


def _host_and_port(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


def _load(host: str, port: int, addresses: list[str], rate: float) -> tuple[list[float], list[str]]:
    """Milliseconds of each request from its intended time, and what went wrong with any."""
    start = time.perf_counter() + 0.5
    numbers = itertools.count()
    times: list[float] = []
    failures: list[str] = []

    def send() -> None:
        connection = http.client.HTTPConnection(host, port, timeout=30)
        while (number := next(numbers)) < len(addresses):
            intended = start + number / rate
            time.sleep(max(0.0, intended - time.perf_counter()))
            try:
                connection.request("GET", addresses[number])
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    failures.append(f"{answer.status} {addresses[number]}")
            except OSError as error:
                failures.append(f"{type(error).__name__} {addresses[number]}")
                connection.close()
            times.append(1000 * (time.perf_counter() - intended))
        connection.close()

    senders = [threading.Thread(target=send) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return times, failures
