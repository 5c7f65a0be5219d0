"""What machines ask: is the process alive, can it serve, how is it doing."""

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app import queries
from app.db import DatabaseAway, StatementTooSlow, pool
from app.metrics import metrics
from app.queries import Index, NoIndex

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> ResponseReturnValue:
    """The process answers; says nothing of the database, so that its outage restarts nothing here."""
    return _text("alive\n")


@blueprint.get("/readyz")
def ready() -> ResponseReturnValue:
    """200 if the database is reachable and an index is published, else 503 with the reason."""
    try:
        index = _index()
    except NoIndex as reason:
        return _text(f"not ready: {reason}\n", 503)
    except (DatabaseAway, StatementTooSlow) as reason:
        return _text(f"not ready: database: {reason}\n", 503)
    return _text(f"ready: index {index.index_id}, {index.songs} songs\n")


@blueprint.get("/metrics")
def exposition() -> ResponseReturnValue:
    """Prometheus' text format. The database's state is part of it, so its outage does not fail the scrape."""
    measured = metrics()
    up, index = 1, None
    try:
        index = _index()
    except NoIndex:
        up = 1
    except (DatabaseAway, StatementTooSlow):
        up = 0
    measured.database_up.set(up)
    measured.database_idle.set(pool().idle)
    if up:
        measured.index_version.set(index.index_id if index else 0)
        measured.index_songs.set(index.songs if index else 0)
    return Response(generate_latest(measured.registry), content_type=CONTENT_TYPE_LATEST)


def _index() -> Index:
    with pool().connection() as connection:
        return queries.current_index(connection)


def _text(text: str, code: int = 200) -> Response:
    return Response(text, code, mimetype="text/plain", headers={"Cache-Control": "no-store"})
