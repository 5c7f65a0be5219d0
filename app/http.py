"""What holds for every request and every answer: limits, clean text, security headers, one log line, an id."""

import logging
import re
import time
import uuid
from urllib.parse import unquote_to_bytes

from flask import Flask, Response, abort, current_app, g, request

from app.settings import Settings

log = logging.getLogger("app.requests")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

QUIET = ("health.", "static")
"""Endpoints whose successes are not worth a log line each."""


def init_app(app: Flask, settings: Settings) -> None:
    app.before_request(_begin)
    app.after_request(_finish)


def _begin() -> None:
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex
    query = request.query_string
    if len(query) > current_app.config["MAX_QUERY_BYTES"]:
        abort(414)
    path = request.environ.get("PATH_INFO", "").encode("latin-1", "replace")
    for part, raw in (("path", path), ("query", unquote_to_bytes(query))):
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            abort(400, f"The address is not UTF-8 text in its {part}.")
        if "\0" in text:
            abort(400, f"The address has a zero byte in its {part}.")


def _finish(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = g.request_id
    if "index_version" in g:
        response.headers["X-Index-Version"] = str(g.index_version)
    if response.mimetype == "text/html":
        response.headers.setdefault("Cache-Control", "no-cache")
    milliseconds = 1000 * (time.perf_counter() - g.started)
    quiet = response.status_code < 400 and (request.endpoint or "").startswith(QUIET)
    log.log(
        logging.DEBUG if quiet else logging.INFO,
        "%s %s %d %.1f ms",
        request.method,
        _printable(request.full_path.rstrip("?")),
        response.status_code,
        milliseconds,
        extra={"fields": _fields(response, milliseconds)},
    )
    return response


def _fields(response: Response, milliseconds: float) -> dict[str, object]:
    """What a machine wants to know of a request."""
    return {
        "request_id": g.request_id,
        "client": request.remote_addr,
        "method": request.method,
        "path": _printable(request.path),
        "route": request.url_rule.rule if request.url_rule else None,
        "status": response.status_code,
        "milliseconds": round(milliseconds, 1),
        "index_version": g.get("index_version"),
    }


def _printable(text: str) -> str:
    """A log line stays one line, whatever a client sends."""
    short = text if len(text) <= 300 else text[:299] + "…"
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in short)
