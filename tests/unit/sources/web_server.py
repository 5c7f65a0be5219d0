"""A web server that can be told to fail."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast


@dataclass
class Web:
    """Files by URL path, and how to serve them.

    cuts: after how many body bytes to break off each of the next answers. refusals: the statuses of the next answers.
    requests: (path, Range header) of what was asked for.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    etag: str = '"first"'
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    web: Web

    def handle_error(self, request: object, client_address: object) -> None:
        """Report what went wrong, but for clients that went away: some tests have theirs killed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        web = cast(_Server, self.server).web
        path = self.path.partition("?")[0]
        asked = self.headers.get("Range")
        web.requests.append((path, asked))
        web.headers.append({name.lower(): value for name, value in self.headers.items()})
        if web.refusals:
            return self._head(web.refusals.pop(0), 0, {})
        if path not in web.files:
            return self._head(404, 0, {})
        body, begin = web.files[path], 0
        # A range of another version than the one there is gets the whole file.
        if asked and web.ranges and self.headers.get("If-Range") in (None, web.etag):
            begin = int(asked.removeprefix("bytes=").partition("-")[0])
            if begin >= len(body):
                return self._head(416, 0, {"Content-Range": f"bytes */{len(body)}"})
        span = {"Content-Range": f"bytes {begin}-{len(body) - 1}/{len(body)}"} if begin else {}
        self._head(206 if begin else 200, len(body) - begin, {"ETag": web.etag} | span)
        cut = web.cuts.pop(0) if web.cuts else len(body)
        self.wfile.write(body[begin : begin + cut])
        if cut < len(body) - begin:
            self.close_connection = True
        return None

    def _head(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(length)}).items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name it has in the base class)
        """Nothing: what was asked for is in Web.requests."""


@contextmanager
def web_server() -> Iterator[Web]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.web = Web(url=f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
