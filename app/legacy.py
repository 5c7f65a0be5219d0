"""The original system's addresses. Pages lead to the present ones; what was JSON stays JSON with the same keys."""

import re

from flask import Blueprint, Response, abort, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import finding, queries
from app.db import Connection, DatabaseAway, StatementTooSlow, pool
from app.instruments import DRUMS
from app.queries import Index, Song, SongLine
from app.reading import catalogue, read
from app.searching import all_of, read_instruments

blueprint = Blueprint("legacy", __name__)

FILES_SHOWN = 50

SHOWCASE = (2, 40, 48, 71, 73, 109, 114)
"""Programs the original front page showed ten songs of."""


@blueprint.get("/get_songs_for_instruments")
def songs_for_instruments() -> ResponseReturnValue:
    """?instrument=40&instrument=Flute -> the results page of the songs that have all of them."""
    names = read(lambda connection, index: catalogue(connection))
    bits, problems = read_instruments(request.args.getlist("instrument"), names)
    if problems or not bits:
        abort(400, " ".join(problems) or "Name at least one instrument, as in ?instrument=40 or ?instrument=Violin.")
    return redirect(url_for("songs.results", **all_of(bits).arguments()), 302)


@blueprint.post("/get_songs_for_instruments")
def songs_for_instruments_json() -> ResponseReturnValue:
    """{"instruments": "40"} (or a list) -> the closest songs as JSON, at most one page of them."""
    body = request.get_json(silent=True)
    wanted = body.get("instruments") if isinstance(body, dict) else None
    values = [str(value) for value in (wanted if isinstance(wanted, list) else [wanted]) if value is not None]

    def page(connection: Connection, index: Index) -> tuple[list[str], list[SongLine], dict[int, int]]:
        bits, problems = read_instruments(values, catalogue(connection))
        if problems or not bits:
            return problems or ['Send {"instruments": "40"}, a program number or a list of them.'], [], {}
        found = finding.find_songs(connection, index, all_of(bits)).songs
        return [], found, queries.similar_counts(connection, index.index_id, (one.song_id for one in found))

    problems, found, similar = read(page)
    if problems:
        return jsonify(error=" ".join(problems)), 400
    return jsonify(
        [
            {
                "filename": one.hash,
                "song_name": one.title,
                "num_of_inst": len(one.instruments),
                "num_of_simSongs": similar.get(one.song_id, 0),
            }
            for one in found
        ]
    )


@blueprint.get("/show_similar_songs/<path:filename>")
def show_similar_songs(filename: str) -> ResponseReturnValue:
    """A file's song, by key in the source, base name, or content hash; a choice where a name has several."""
    lines = read(lambda connection, index: _lines(connection, index, filename))
    if not lines:
        abort(404, "No song of the present index is in a file of this name.")
    if len(lines) > 1:
        return render_template("choice.html", filename=filename, songs=lines)
    return redirect(url_for("songs.song", song_hash=lines[0].hash, _anchor="similar"), 302)


@blueprint.get("/get_similar_songs")
def get_similar_songs() -> ResponseReturnValue:
    """?filename=... -> the song and its similar songs as JSON."""
    filename = request.args.get("filename", "")
    if not filename:
        return jsonify(error="Name the song's file, as in ?filename=<key, base name or hash>."), 400

    def page(connection: Connection, index: Index) -> tuple[Song, list[queries.Similar]] | None:
        lines = _lines(connection, index, filename)
        found = queries.song(connection, index.index_id, lines[0].hash) if lines else None
        return (found, queries.similar_songs(connection, index.index_id, found.line.song_id)) if found else None

    found = read(page)
    if found is None:
        return jsonify(error="No song of the present index is in a file of this name."), 404
    song, similar = found
    info = {"filename": song.line.hash, "songname": song.line.title, "instruments": _codes(song.line.instruments)}
    songs = [
        {
            "filename": one.line.hash,
            "songname": one.line.title,
            "similarity": one.score / 1_000_000,
            "num_of_inst": len(one.line.instruments),
            "instrument_code": _codes(one.line.instruments),
        }
        for one in similar
    ]
    return jsonify(song_info=[info], similar_songs=songs)


@blueprint.get("/load_index")
def load_index() -> ResponseReturnValue:
    """Ten songs for each of a few instruments, as JSON: {name: [[title, hash], ...]}."""

    def page(connection: Connection, index: Index) -> dict[str, list[tuple[str, str]]]:
        names = catalogue(connection)
        return {
            names.by_bit[program].name: [
                (one.title, one.hash) for one in finding.find_songs(connection, index, all_of([program])).songs[:10]
            ]
            for program in SHOWCASE
        }

    return jsonify(read(page))


@blueprint.get("/test_db")
def test_database() -> ResponseReturnValue:
    """Plain text: 200 if the database answers, else 503."""
    try:
        with pool().connection() as connection:
            connection.rows("SELECT 1")
    except (DatabaseAway, StatementTooSlow) as reason:
        return _text(f"database away: {reason}\n", 503)
    return _text("database reachable\n", 200)


def _lines(connection: Connection, index: Index, name: str) -> list[SongLine]:
    """The songs a name may mean: a file's key or base name, else a content hash with or without ".mid"."""
    if lines := queries.songs_in_file(connection, index.index_id, name, FILES_SHOWN):
        return lines
    if hash_hex := re.fullmatch(r"([0-9a-fA-F]{32})(\.midi?)?", name):
        found = queries.song(connection, index.index_id, hash_hex[1])
        return [found.line] if found else []
    return []


def _codes(bits: tuple[int, ...]) -> list[int]:
    """Program numbers; the original had none for the drums."""
    return [bit for bit in bits if bit != DRUMS]


def _text(text: str, code: int) -> Response:
    return make_response(text, code, {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"})
