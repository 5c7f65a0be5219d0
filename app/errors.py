"""Every failure as a page: what went wrong, what to do."""

import logging
from http import HTTPStatus

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException, default_exceptions

from app.db import DatabaseAway, DatabaseBusy, StatementTooSlow
from app.queries import NoIndex
from app.settings import Settings

log = logging.getLogger("app.errors")

RETRY_SECONDS = 5

SENTENCES = {
    400: "The request cannot be understood.",
    404: "There is no page at this address.",
    405: "This address does not take requests of this kind.",
    410: "What was at this address is gone.",
    413: "The request is too large. Send less.",
    414: "The address is too long. Choose fewer instruments or a shorter title.",
    429: "This is asked for too often from one address. Wait a moment and try again.",
    500: "Something went wrong here, and was noted. Try again in a moment.",
}


def init_app(app: Flask, settings: Settings) -> None:
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(DatabaseAway, _database_away)
    app.register_error_handler(StatementTooSlow, _too_slow)
    app.register_error_handler(NoIndex, _no_index)


def _http_error(error: HTTPException) -> Response:
    code = error.code or 500
    stock = default_exceptions[code].description if code in default_exceptions else None
    given = error.description if error.description != stock and code != 500 else None
    response = failure(code, given or SENTENCES.get(code, stock or HTTPStatus(code).description))
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _database_away(error: DatabaseAway) -> Response:
    log.warning("database: %s", error)
    if isinstance(error, DatabaseBusy):
        return _retry("Too many visitors are searching at this moment. Try again in a few seconds.")
    return _retry("The song database cannot be reached at this moment. Try again in a few seconds.")


def _too_slow(error: StatementTooSlow) -> Response:
    log.warning("statement cancelled: %s", error)
    return _retry("The search took too long and was stopped. Narrow it by more instruments, or try again later.")


def _no_index(error: NoIndex) -> Response:
    return _retry(str(error))


def _retry(sentence: str) -> Response:
    response = failure(503, sentence)
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def failure(code: int, sentence: str, **further: str) -> Response:
    """The page of a failure, or its JSON where the client prefers that; under /api a problem as RFC 9457 has it.

    further: what else the problem says, by name.
    """
    title = HTTPStatus(code).phrase
    if request.path.startswith("/api/"):
        problem = jsonify(
            type="about:blank", title=title, status=code, detail=sentence, request_id=g.request_id, **further
        )
        problem.mimetype = "application/problem+json"
        return make_response(problem, code)
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        return make_response(jsonify(error=sentence), code)
    return make_response(render_template("error.html", code=code, title=title, sentence=sentence), code)
