"""What the API says of things, and how it is sent."""

from typing import Any

from flask import Response, jsonify, request

from app.api.document import stamp
from app.instruments import DRUMS, Catalogue
from app.queries import Index, Song, SongLine

Json = dict[str, Any]


def answer(index: Index, body: Json) -> Response:
    """The body with its index; only the headers if the client has it already."""
    response = jsonify(index=index.index_id, **body)
    # Another database may count its indexes from 1 too; other code may say the same otherwise.
    response.set_etag(f"{index.index_id}-{int(index.created_at.timestamp() * 1000):x}-{stamp()}", weak=True)
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response


def line(song: SongLine) -> Json:
    return {
        "hash": song.hash,
        "title": song.title,
        "duration_seconds": song.duration_seconds,
        "tempo_bpm": song.tempo_bpm,
        "programs": [bit for bit in song.instruments if bit != DRUMS],
        "drums": DRUMS in song.instruments,
    }


def detail(song: Song, names: Catalogue, files: list[str], file_count: int) -> Json:
    return line(song.line) | {
        "format": song.format,
        "tracks": song.tracks,
        "instruments": [
            {"program": bit, "name": names.by_bit[bit].name, "notes": notes}
            for bit, notes in song.notes.items()
            if bit != DRUMS
        ],
        "drum_notes": song.notes.get(DRUMS, 0),
        "warnings": list(song.warnings),
        "files": files,
        "file_count": file_count,
    }
