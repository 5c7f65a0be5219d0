"""The names of what the site measures, and the counting of its requests.

Labels are route templates, never raw paths: their number is fixed.
"""

import time

from flask import Flask, Response, current_app, g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from app.settings import Settings

EXTENSION = "scale_metrics"
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})


class Metrics:
    """One application's registry and instruments."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "scale_http_requests", "Requests answered.", ["route", "method", "code"], registry=self.registry
        )
        self.seconds = Histogram(
            "scale_http_request_duration_seconds",
            "From a request's arrival at the application to its answer.",
            ["route"],
            registry=self.registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        )
        self.database_up = Gauge(
            "scale_database_up", "1 if the database answered this scrape, else 0.", registry=self.registry
        )
        self.database_idle = Gauge(
            "scale_database_idle_connections", "Open connections no request uses.", registry=self.registry
        )
        self.index_version = Gauge(
            "scale_index_version", "Number of the current index, 0 if none.", registry=self.registry
        )
        self.index_songs = Gauge("scale_index_songs", "Songs in the current index.", registry=self.registry)


def init_app(app: Flask, settings: Settings) -> None:
    app.extensions[EXTENSION] = Metrics()
    app.after_request(_count)


def metrics() -> Metrics:
    """The present application's metrics."""
    found: Metrics = current_app.extensions[EXTENSION]
    return found


def _count(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "(none)"
    method = request.method if request.method in METHODS else "(other)"
    metrics().requests.labels(route, method, str(response.status_code)).inc()
    metrics().seconds.labels(route).observe(time.perf_counter() - g.started)
    return response
