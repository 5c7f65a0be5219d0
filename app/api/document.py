"""openapi.json as it is served, and as a page to read."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from flask import Response, render_template, request

_FILE = Path(__file__).with_name("openapi.json")


@cache
def description() -> dict[str, Any]:
    """The OpenAPI document."""
    described: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return described


@cache
def stamp() -> str:
    """Changes with what the API promises, so with what its answers look like."""
    return hashlib.sha256(_FILE.read_bytes()).hexdigest()[:8]


def document() -> Response:
    response = Response(_FILE.read_bytes(), mimetype="application/json")
    response.set_etag(stamp())
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response


def page() -> str:
    return render_template("api.html", api=description(), resolve=resolve)


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    """The node itself, or what its $ref points to."""
    if "$ref" not in node:
        return node
    found: Any = description()
    for name in str(node["$ref"]).removeprefix("#/").split("/"):
        found = found[name]
    return resolve(found)
