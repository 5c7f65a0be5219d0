"""The page that takes a visitor's own file and shows what it resembles."""

from dataclasses import dataclass

from flask import Blueprint, Response, current_app, make_response, render_template
from flask.typing import ResponseReturnValue

from app.comparing import Likeness, Share, likeness, note_shares
from app.reading import read
from app.resembling import Resemblance, resemblance
from app.uploads import FIELD, read_upload
from midi.scan.song import Reject

blueprint = Blueprint("like", __name__)


@dataclass(frozen=True, slots=True)
class LikePage:
    found: Resemblance
    shares: list[Share]
    similar: list[Likeness]


@blueprint.get("/like")
def form() -> ResponseReturnValue:
    """The form that takes a file."""
    return _page()


@blueprint.post("/like")
def compare() -> ResponseReturnValue:
    """What the file is, and which songs are like it; the form again, with the reason, if it is no song."""
    found = resemblance(read_upload())
    if isinstance(found, Reject):
        return make_response(_page(problem=f"This file cannot be compared: {found.detail}."), 422)
    similar = [likeness(found.song, one, found.catalogue) for one in found.similar]
    return _page(LikePage(found, note_shares(found.song, found.catalogue), similar))


def _page(page: LikePage | None = None, problem: str = "") -> Response:
    index = page.found.index if page else read(lambda connection, index: index)
    limit = current_app.config["MAX_UPLOAD_BYTES"]
    rendered = render_template("like.html", page=page, problem=problem, index=index, field=FIELD, limit=limit)
    response = make_response(rendered)
    response.headers["Cache-Control"] = "no-store" if page else "no-cache"
    return response
