"""A song's music: its file, to keep or to play, and the piano-roll that is drawn from it."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, abort, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, ServiceUnavailable

from app import files, roll
from app.queries import FileOrigin, Song
from midi.scan.roll import read_roll
from midi.scan.smf import SEQUENCES

blueprint = Blueprint("music", __name__)

SYNTHESISER = "vendor/webaudio-tinysynth.min.js"
"""Among the static files, where it was fetched (docs/decisions/song-files.md)."""

PLAYED_ALL_THE_SAME = frozenset({"trailing_bytes", "unclosed_notes", "zero_length_notes", "program_from_other_track"})
"""Faults of a file that the synthesiser does not stumble over; in others it may never find the end of a track."""

DRAWING_SECONDS = 86400
"""How long a drawing may be kept: the song stays, its picture may be drawn better one day."""

_WAIT_SECONDS = 2.0

_drawing = threading.Lock()
"""One file is drawn at a time: without a compiler that is work for a whole core, and searches must not wait."""


@dataclass(frozen=True, slots=True)
class Music:
    """What a song's page offers of its file: a drawing of it, and to play it."""

    drawn: bool
    played: bool


def offered(song: Song, origins: Sequence[FileOrigin]) -> Music | None:
    """None where the file cannot be had."""
    if not files.offered(origins):
        return None
    sound = set(song.warnings) <= PLAYED_ALL_THE_SAME and song.format < SEQUENCES
    return Music(
        drawn=min(origin.size for origin in origins) <= roll.MOST_SOURCE_BYTES,
        played=sound and Path(current_app.static_folder or "", SYNTHESISER).is_file(),
    )


@blueprint.get("/songs/<song_hash>/file.mid")
def file(song_hash: str) -> ResponseReturnValue:
    """The file as it is in the source."""
    return files.download(song_hash)


@blueprint.get("/songs/<song_hash>/roll.svg")
def drawing(song_hash: str) -> ResponseReturnValue:
    """The piano-roll; where there is none, a picture that says why, since it stands in the place of one."""
    try:
        response = Response(_drawn(song_hash), mimetype="image/svg+xml")
        response.cache_control.public = True
        response.cache_control.max_age = DRAWING_SECONDS
    except HTTPException as refusal:
        response = Response(roll.saying(refusal.description or ""), refusal.code, mimetype="image/svg+xml")
        response.cache_control.no_store = True
    response.headers["Content-Security-Policy"] = roll.CONTENT_POLICY
    response.add_etag()
    return response.make_conditional(request)


def _drawn(song_hash: str) -> str:
    song, data = files.song_file(song_hash)
    if len(data) > roll.MOST_SOURCE_BYTES:
        abort(404, "This song's file is too large to be drawn.")
    if not _drawing.acquire(timeout=_WAIT_SECONDS):
        raise ServiceUnavailable("Too many songs are being drawn at this moment. Try again in a few seconds.")
    try:
        return roll.draw(read_roll(data), song.line.title)
    finally:
        _drawing.release()
