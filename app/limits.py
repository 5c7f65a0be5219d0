"""How many requests one client may make: a bucket of tokens each, filled at a steady rate."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from flask import Flask, current_app, request
from werkzeug.exceptions import TooManyRequests

from app import uploads
from app.settings import Settings

EXTENSION = "scale_limit"

UNLIMITED = ("health.", "static")
"""Endpoints that are always answered."""

UPLOAD_TOKENS, BYTES_PER_TOKEN = 50, 2048
"""A file sent costs so many tokens, and one more for each so many bytes: scanning and comparing it is work."""

MOST_CLIENTS = 10_000
"""Clients remembered; beyond, the one not seen for longest is forgotten, and starts anew with a full bucket."""


class RateLimit:
    """rate: tokens per second. burst: tokens a bucket holds. clock: seconds, only forwards."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = max(1.0, burst)
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, tokens: float = 1) -> float:
        """Take tokens, at most a full bucket; 0 if there were as many, else the seconds until there will be."""
        cost = min(tokens, self._burst)
        with self._lock:
            now = self._clock()
            there, then = self._buckets.pop(client, (self._burst, now))
            there = min(self._burst, there + (now - then) * self._rate)
            allowed = there >= cost
            self._buckets[client] = there - cost if allowed else there, now
            if len(self._buckets) > MOST_CLIENTS:
                self._buckets.popitem(last=False)
        return 0.0 if allowed else (cost - there) / self._rate

    @property
    def clients(self) -> int:
        """How many are remembered."""
        return len(self._buckets)


def init_app(app: Flask, settings: Settings) -> None:
    app.extensions[EXTENSION] = RateLimit(settings.client_requests_per_second, settings.client_burst)
    app.before_request(_limit)


def _limit() -> None:
    if (request.endpoint or "").startswith(UNLIMITED):
        return
    limit: RateLimit = current_app.extensions[EXTENSION]
    tokens = UPLOAD_TOKENS + (request.content_length or 0) // BYTES_PER_TOKEN if uploads.is_expected() else 1
    wait = limit.take(request.remote_addr or "", tokens)
    if wait:
        raise TooManyRequests(retry_after=int(wait) + 1)
