"""A client that asks too often is told to wait; nobody else notices."""

import pytest

from app.limits import MOST_CLIENTS, RateLimit
from app.settings import Settings
from tests.unit.app.conftest import running_site


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_empties_and_fills_at_its_rate() -> None:
    clock = Clock()
    limit = RateLimit(rate=2, burst=3, clock=clock)
    assert [limit.take("a") for _ in range(3)] == [0, 0, 0]
    assert limit.take("a") == pytest.approx(0.5)
    assert limit.take("b") == 0
    clock.now += 0.5
    assert limit.take("a") == 0
    assert limit.take("a") > 0
    clock.now += 1000
    assert [limit.take("a") > 0 for _ in range(4)] == [False, False, False, True]


def test_a_dear_request_waits_until_there_are_as_many_tokens_but_no_longer_than_for_a_full_bucket() -> None:
    clock = Clock()
    limit = RateLimit(rate=2, burst=10, clock=clock)
    assert limit.take("a", 7) == 0
    assert limit.take("a", 7) == pytest.approx(2)
    assert limit.take("a", 100) == pytest.approx(3.5)
    assert limit.take("a", 3) == 0
    clock.now += 5
    assert limit.take("a", 100) == 0
    assert limit.take("a") > 0


def test_being_refused_costs_nothing() -> None:
    clock = Clock()
    limit = RateLimit(rate=1, burst=1, clock=clock)
    limit.take("a")
    assert [limit.take("a") for _ in range(50)] == [pytest.approx(1)] * 50
    clock.now += 1
    assert limit.take("a") == 0


def test_the_number_of_clients_remembered_is_bounded_and_the_busy_ones_are_kept() -> None:
    limit = RateLimit(rate=1, burst=1, clock=Clock())
    limit.take("busy")
    for number in range(MOST_CLIENTS + 100):
        limit.take(f"client {number}")
        if number % 1000 == 0:
            assert limit.take("busy") > 0
    assert limit.clients == MOST_CLIENTS


def test_a_client_over_its_limit_gets_429_and_when_to_come_back(published_url: str) -> None:
    for site in running_site(Settings(database_url=published_url, client_requests_per_second=0.01, client_burst=2)):
        client = site.test_client()
        assert [client.get("/songs").status_code for _ in range(3)] == [200, 200, 429]
        answer = client.get("/songs")
        assert 1 <= int(answer.headers["Retry-After"]) <= 101
        assert "too often" in answer.text
        problem = client.get("/api/v1/index")
        assert problem.status_code == 429
        assert problem.mimetype == "application/problem+json"
        for address in ("/healthz", "/readyz", "/metrics", "/static/style.css"):
            assert client.get(address).status_code == 200
        assert client.get("/songs", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200
