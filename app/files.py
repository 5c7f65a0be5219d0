"""The bytes of songs, fetched on demand from the source their index was made of. Nothing is stored.

A source may be slow, away, or no longer what it was: every wait has an end, a few files are fetched at a time, and what
comes is a song's file only if it has the song's hash (docs/decisions/song-files.md).
"""

import hashlib
import io
import logging
import re
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack

from flask import Flask, Response, abort, current_app, request, send_file
from werkzeug.exceptions import NotFound, ServiceUnavailable

from app import queries
from app.db import Connection
from app.queries import FileOrigin, Index, Song
from app.reading import read, wanted_song
from app.settings import Settings
from midi.errors import ObjectUnreadable, SourceError
from midi.scan.song import HASH_DIGITS
from midi.sources import Read, Source, SourceObject, SourceOptions, open_source
from midi.sources.cache import user_cache

log = logging.getLogger("app.files")

EXTENSION = "scale_files"

MOST_READERS = 4
"""Files fetched at once; together they may take that many times the largest file's memory."""

MOST_TRIED = 3
"""Files that hold the same song that are tried, if the first ones are gone."""

TURN_SECONDS = 0.5
"""How long a request waits until a file may be fetched for it."""

REFUSE_SECONDS = 2.0
"""For so long after a fetch in vain none is tried, so that a source that is away does not take all threads."""

RETRY_SECONDS = 5
YEAR_SECONDS = 365 * 86400


class FileGone(Exception):
    """The source no longer has this file."""


class SourceAway(Exception):
    """The source cannot be asked now; it may be later."""


class Files:
    """The opened source, if there is one, with a few readers that are kept from request to request."""

    def __init__(self, seconds: float) -> None:
        """seconds: how long a fetch may take."""
        self._seconds = seconds
        self._source: Source | None = None
        self._free = threading.BoundedSemaphore(MOST_READERS)
        self._lock = threading.Lock()
        self._idle: list[tuple[Read, ExitStack]] = []
        self._refused_until = 0.0

    def open(self, spec: str, options: SourceOptions) -> None:
        """Have files from this source from now on, a first reader at hand; raises SourceError."""
        source = open_source(spec, options, lambda what, done, total: None)
        self._idle.append(_reader(source))
        self._source = source

    def offers(self, origins: Sequence[FileOrigin]) -> bool:
        """Whether the song of these origins is of this source."""
        return self._source is not None and any(one.source == self._source.description for one in origins)

    def fetch(self, origin: FileOrigin, song_hash: str) -> bytes:
        """The bytes of a song that is offered; raises FileGone, SourceAway."""
        if self._source is None:
            raise SourceAway("no source is open")
        if time.monotonic() < self._refused_until:
            raise SourceAway("it did not answer a moment ago")
        if not self._free.acquire(timeout=TURN_SECONDS):
            raise SourceAway("too many files are being fetched")
        # A client of the source may wait for longer than a request should: what it waits in is left behind then.
        outcome: Future[bytes] = Future()
        threading.Thread(target=self._settle, args=[self._source, origin, outcome], daemon=True).start()
        try:
            data = outcome.result(self._seconds)
        except TimeoutError as error:
            self._refused_until = time.monotonic() + REFUSE_SECONDS
            raise SourceAway(f"it did not answer within {self._seconds:g} s") from error
        except ObjectUnreadable as error:
            raise FileGone(str(error)) from error
        except SourceError as error:
            raise SourceAway(str(error)) from error
        if hashlib.sha256(data).hexdigest()[:HASH_DIGITS] != song_hash:
            raise FileGone("other content")
        return data

    def _settle(self, source: Source, origin: FileOrigin, outcome: "Future[bytes]") -> None:
        try:
            outcome.set_result(self._read(source, origin))
        except Exception as error:  # raised again where the outcome is waited for
            outcome.set_exception(error)
        finally:
            self._free.release()

    def _read(self, source: Source, origin: FileOrigin) -> bytes:
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        reader, opened = kept or _reader(source)
        try:
            data = reader(SourceObject(origin.key, origin.size, origin.version), origin.max_bytes)
        except ObjectUnreadable:
            self._idle.append((reader, opened))
            raise
        except BaseException:
            opened.close()
            raise
        self._idle.append((reader, opened))
        return data


def _reader(source: Source) -> tuple[Read, ExitStack]:
    """A reader of the source, and what closes it."""
    opened = ExitStack()
    return opened.enter_context(source.reader()), opened


def init_app(app: Flask, settings: Settings) -> None:
    app.extensions[EXTENSION] = Files(settings.source_seconds)


def open_files(app: Flask, settings: Settings) -> None:
    """Open the source of the settings, which may take long; where it cannot be opened the site has no files."""
    if settings.source:
        try:
            options = SourceOptions(user_cache(), settings.source_endpoint_url or None)
            app.extensions[EXTENSION].open(settings.source, options)
        except SourceError as reason:
            log.warning("the site has no files: %s", reason)


def offered(origins: Sequence[FileOrigin]) -> bool:
    """Whether this site has the file of a song with these origins, as far as it knows without asking the source."""
    return _files().offers(origins)


def song_file(song_hash: str) -> tuple[Song, bytes]:
    """A song of the current index and the bytes of its file; refuses (404, 503) where it cannot be had."""
    song, origins = read(lambda connection, index: _origins(connection, index, song_hash))
    if not offered(origins):
        abort(404, "This site has no files of this index's source.")
    for origin in origins:
        try:
            return song, _files().fetch(origin, song.line.hash)
        except FileGone as reason:
            log.info("%s is gone: %s", origin.key, reason)
        except SourceAway as reason:
            log.warning("source: %s", reason)
            raise ServiceUnavailable(
                "The source of the files cannot be reached at this moment. Try again in a few seconds.",
                retry_after=RETRY_SECONDS,
            ) from reason
    raise NotFound("The source no longer has this song's file.")


def download(song_hash: str) -> Response:
    """A song's file, to be saved under the song's title; it may be kept for ever, since its address names its hash."""
    song, data = song_file(song_hash)
    response = send_file(
        io.BytesIO(data),
        mimetype="audio/midi",
        as_attachment=True,
        download_name=file_name(song.line.title),
        etag=song.line.hash,
        max_age=YEAR_SECONDS,
        conditional=False,
    )
    response.cache_control.public = True
    response.cache_control.immutable = True
    response.make_conditional(request)
    return response


def file_name(title: str) -> str:
    """A title as a file's name that every system takes: words, single spaces, .mid."""
    words = " ".join(re.sub(r"[^\w.,()'&+-]+", " ", title).split()).strip(". ")
    return f"{words[:100].rstrip() or 'song'}.mid"


def _origins(connection: Connection, index: Index, song_hash: str) -> tuple[Song, list[FileOrigin]]:
    found = wanted_song(connection, index, song_hash)
    return found, queries.file_origins(connection, index.index_id, found.line.song_id, MOST_TRIED)


def _files() -> Files:
    files: Files = current_app.extensions[EXTENSION]
    return files
