"""The files that visitors send: which requests bring one, how large it may be, and its bytes. Nothing is stored."""

from dataclasses import dataclass

from flask import Flask, abort, current_app, request

from app.settings import Settings

ENDPOINTS = frozenset({"like.compare", "api.compare"})

FORM = "multipart/form-data"
FIELD = "file"
BARE = ("audio/midi", "application/octet-stream")
"""The form's type and its field; the types of a body that is the file itself."""

AROUND_A_FILE = 16_384
"""Bytes that a form may have beside its file."""


@dataclass(frozen=True, slots=True)
class Upload:
    """name: as the visitor's machine calls the file, "" where it does not say."""

    name: str
    data: bytes


def init_app(app: Flask, settings: Settings) -> None:
    app.config["MAX_UPLOAD_BYTES"] = settings.max_upload_bytes
    app.before_request(_refuse_large_body)


def is_expected() -> bool:
    """Whether the present request is one that brings a file."""
    return request.endpoint in ENDPOINTS


def read_upload() -> Upload:
    """The file of the present request; refuses a request without one (400, 415) and a file that is too large (413)."""
    if request.mimetype == FORM:
        given = [(file.filename, file) for file in request.files.getlist(FIELD) if file.filename]
        if len(given) != 1:
            abort(400, f"The form has {len(given) or 'no'} files; send one, in the field “{FIELD}”.")
        upload = Upload(given[0][0], given[0][1].read())
    elif request.mimetype in BARE:
        upload = Upload("", request.get_data(cache=False))
    else:
        abort(415, f"Send the bytes of a MIDI file as {' or '.join(BARE)}, or in a form ({FORM}).")
    if len(upload.data) > current_app.config["MAX_UPLOAD_BYTES"]:
        abort(413, _too_large())
    return upload


def _refuse_large_body() -> None:
    if is_expected():
        request.max_content_length = current_app.config["MAX_UPLOAD_BYTES"] + AROUND_A_FILE
    if (request.content_length or 0) > (request.max_content_length or 0):
        abort(413, _too_large() if is_expected() else None)


def _too_large() -> str:
    return f"The file is too large: at most {current_app.config['MAX_UPLOAD_BYTES']:,} bytes are compared."
