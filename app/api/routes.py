"""The API's addresses. Arguments are those of the pages; one that is not known is refused, not ignored."""

from collections.abc import Callable

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from app import queries
from app.api import cursors, document
from app.api.answers import Json, about, alike, answer, answer_once, detail, line, resembled
from app.db import Connection
from app.errors import failure
from app.files import download
from app.finding import find_songs
from app.instruments import DRUMS
from app.provenance import provenance
from app.queries import Index
from app.reading import catalogue, read, wanted_song
from app.resembling import resemblance
from app.searching import PAGE_SIZE, Search, read_search
from app.uploads import read_upload
from midi.scan.song import Reject

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

CHOICE = ("all", "any", "none", "drums", "title")
LARGEST_PAGE = 100
FILES_SHOWN = 20


@blueprint.get("/")
def page() -> ResponseReturnValue:
    """The description, for people."""
    return document.page()


@blueprint.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """The description, for machines."""
    return document.document()


@blueprint.get("/songs")
def songs() -> ResponseReturnValue:
    """The songs of a choice of instruments and a title, a page at a time."""
    _refuse_unknown(*CHOICE, "sort", "limit", "cursor")
    limit = _limit(request.args.get("limit"))

    def body(connection: Connection, index: Index) -> Json:
        wanted = _search(connection)
        cursor = request.args.get("cursor")
        first = 0 if cursor is None else cursors.read(cursor, index, wanted)
        found = find_songs(connection, index, wanted, first, limit)
        more = first + limit < found.total
        return {
            "total": found.total,
            "as_written": found.as_written,
            "songs": [line(one) for one in found.songs],
            "next_cursor": cursors.write(index, wanted, first + limit) if more else None,
        }

    return _answered(body)


@blueprint.get("/songs/<song_hash>")
def song(song_hash: str) -> ResponseReturnValue:
    """All that is known of a song."""
    _refuse_unknown()

    def body(connection: Connection, index: Index) -> Json:
        found = wanted_song(connection, index, song_hash)
        files = queries.song_files(connection, index.index_id, found.line.song_id, FILES_SHOWN)
        return {"song": detail(found, catalogue(connection), *files)}

    return _answered(body)


@blueprint.get("/songs/<song_hash>/file")
def file(song_hash: str) -> ResponseReturnValue:
    """A song's file, as it is in the source."""
    _refuse_unknown()
    return download(song_hash)


@blueprint.get("/songs/<song_hash>/similar")
def similar(song_hash: str) -> ResponseReturnValue:
    """A song's most similar songs, best first."""
    _refuse_unknown()

    def body(connection: Connection, index: Index) -> Json:
        found = wanted_song(connection, index, song_hash)
        near = queries.similar_songs(connection, index.index_id, found.line.song_id)
        return {"hash": found.line.hash, "similar": alike(near)}

    return _answered(body)


@blueprint.post("/similar")
def compare() -> ResponseReturnValue:
    """What the file in the request is, and which songs are most similar to it."""
    _refuse_unknown()
    found = resemblance(read_upload())
    if isinstance(found, Reject):
        return failure(422, f"The file is no song that can be compared: {found.detail}.", reason=found.reason)
    return answer_once(found.index, resembled(found))


@blueprint.get("/instruments")
def instruments() -> ResponseReturnValue:
    """Every instrument, and how many of the songs of a choice have it."""
    _refuse_unknown(*CHOICE)

    def body(connection: Connection, index: Index) -> Json:
        names = catalogue(connection)
        found = find_songs(connection, index, _search(connection), most=0)
        return {
            "total": found.total,
            "families": [
                {
                    "name": family.name,
                    "songs": found.families[family.place],
                    "instruments": [
                        {"program": one.bit, "name": one.name, "songs": found.instruments[one.bit]}
                        for one in family.instruments
                    ],
                }
                for family in names.families
            ],
            "drums": {"songs": found.instruments[DRUMS]},
        }

    return _answered(body)


@blueprint.get("/index")
def index() -> ResponseReturnValue:
    """The index that is served, and the run that made it."""
    _refuse_unknown()

    def body(connection: Connection, index: Index) -> Json:
        return about(index, provenance(connection, index.index_id))

    return _answered(body)


def _answered(body: Callable[[Connection, Index], Json]) -> Response:
    return answer(*read(lambda connection, index: (index, body(connection, index))))


def _search(connection: Connection) -> Search:
    wanted = read_search(request.args, catalogue(connection))
    if wanted.problems:
        abort(422 if wanted.contradictory else 400, " ".join(wanted.problems))
    return wanted


def _refuse_unknown(*known: str) -> None:
    for name, values in request.args.lists():
        if name not in known:
            choice = f"known are {', '.join(known)}" if known else "this address takes none"
            abort(400, f"There is no parameter “{name[:40]}”: {choice}.")
        if len(values) > 1 and name not in ("all", "any", "none"):
            abort(400, f"The parameter “{name}” is given {len(values)} times; give it once.")
        if name != "title" and not all(value.strip() for value in values):
            abort(400, f"The parameter “{name}” is empty; give it a value or leave it out.")


def _limit(text: str | None) -> int:
    if text is None:
        return PAGE_SIZE
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= LARGEST_PAGE):
        abort(400, f"“{text[:40]}” is no limit; give a number from 1 to {LARGEST_PAGE}.")
    return int(text)
