"""Files fetched over HTTP(S): resumed where a connection broke, checked, and kept in the cache."""

import hashlib
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import HTTPError, LocationValueError, ResponseError, SSLError

from midi.errors import SourceError
from midi.sources.base import Progress
from midi.sources.cache import build_once, disk_errors, require_space

__all__ = ["Download", "file_name", "shown_url"]

_CHUNK_BYTES = 1 << 18
# Attempts in a row that bring not one byte.
_ATTEMPTS = 6
_LONGEST_WAIT_SECONDS = 30.0
_RETRIED = {408, 429, 500, 502, 503, 504}
_PERMANENT = (LocationValueError, SSLError, ResponseError)
# A compressed transfer would make lengths and ranges those of other bytes than the file's.
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "chaos-at-scale"}


class _TemporaryError(Exception):
    """The server, or the way to it, failed for now."""


@dataclass(frozen=True, slots=True)
class Download:
    """One URL and where it is kept: <cache>/downloads/<digest of the URL>/<its file name>.

    sha256: digest (hex) the file must have, None to take what comes. pause_seconds: the first wait after a failure;
    each further one is twice as long.
    """

    url: str
    cache_dir: Path
    sha256: str | None = None
    pause_seconds: float = 0.5

    def fetch(self, progress: Progress) -> Path:
        """The whole file. What is in the cache is not asked for again; raises SourceError."""
        folder = self.cache_dir / "downloads" / hashlib.sha256(self.url.encode()).hexdigest()[:24]
        path = build_once(folder / file_name(self.url), lambda part: self._complete(part, progress))
        with disk_errors(path):
            self._check(path)
        return path

    def _complete(self, part: Path, progress: Progress) -> None:
        failures = 0
        with _pool(self.url) as pool:
            while True:
                had = _size(part)
                try:
                    return self._continue(pool, part, progress)
                except (_TemporaryError, HTTPError, ConnectionError, TimeoutError) as error:
                    # urllib3 wraps it in a message that shows the whole URL, and a query may hold a signature.
                    cause = getattr(error, "reason", None) or error
                    if isinstance(cause, _PERMANENT):
                        raise SourceError(f"Cannot open {shown_url(self.url)} ({cause}); check the URL.") from error
                    failures = 1 if _size(part) > had else failures + 1
                    if failures >= _ATTEMPTS:
                        raise SourceError(
                            f"{shown_url(self.url)} cannot be fetched ({cause}); what came so far is kept: check the "
                            "network and run the same command again."
                        ) from error
                time.sleep(min(self.pause_seconds * 2 ** (failures - 1), _LONGEST_WAIT_SECONDS))

    def _continue(self, pool: urllib3.PoolManager, part: Path, progress: Progress) -> None:
        """Fetch what `part` still lacks."""
        state = part.with_suffix(".state")
        had = _size(part)
        # Without something to tell that the file is the same as before, its two halves might not fit together.
        validator = json.loads(state.read_text())["validator"] if had else None
        headers = _HEADERS | _authorization(self.url)
        if validator:
            headers |= {"Range": f"bytes={had}-", "If-Range": validator}
        timeout = urllib3.Timeout(connect=10, read=60)
        answer = pool.request("GET", self.url, headers=headers, preload_content=False, timeout=timeout)
        try:
            if answer.status == 416 and answer.headers.get("Content-Range") == f"bytes */{had}":
                return  # stopped between the last byte and the renaming
            begin = _begin(answer.status, answer.headers, had if validator else 0)
            if begin is None:
                self._refuse(answer.status, part)
            else:
                self._receive(answer, part, begin, progress)
        finally:
            answer.close()

    def _receive(self, answer: urllib3.BaseHTTPResponse, part: Path, begin: int, progress: Progress) -> None:
        total = _total(answer.headers, begin)
        require_space(part.parent, (total or 0) - begin, f"Downloading {shown_url(self.url)}")
        with part.open("r+b" if begin else "wb") as out:
            # Only now that nothing of another version is left may this one's validator be noted.
            part.with_suffix(".state").write_text(json.dumps({"validator": _validator(answer.headers)}))
            done = out.seek(begin)
            for data in answer.stream(_CHUNK_BYTES, decode_content=False):
                done += out.write(data)
                progress(f"downloading {file_name(self.url)}", done, total)

    def _refuse(self, status: int, part: Path) -> None:
        if status == 416:
            part.unlink()
            raise _TemporaryError("the file is shorter than it was")
        if status in _RETRIED:
            raise _TemporaryError(f"HTTP status {status}")
        raise SourceError(f"{shown_url(self.url)} answers with HTTP status {status}; check the URL.")

    def _check(self, path: Path) -> None:
        """Compare with the digest asked for; a file once found right is not read again."""
        if self.sha256 is None:
            return
        wanted = self.sha256.lower()
        known = path.with_name(path.name + ".sha256")
        if not known.exists():
            with path.open("rb") as file:
                known.write_text(hashlib.file_digest(file, "sha256").hexdigest())
        found = known.read_text()
        if found != wanted:
            known.unlink()
            path.unlink()
            raise SourceError(
                f"{shown_url(self.url)} has the SHA-256 {found}, not {wanted}; it was deleted: check the digest, "
                "or fetch it again."
            )


def file_name(url: str) -> str:
    """The last part of a URL's path, as a file name that is safe to write."""
    return re.sub(r"[^\w.\- ]", "_", PurePosixPath(unquote(urlsplit(url).path)).name)[-150:]


def shown_url(url: str) -> str:
    """A URL without what may be secret in it: user, password, query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _pool(url: str) -> urllib3.PoolManager:
    parts = urlsplit(url)
    # Redirects are followed; failures are ours to retry, since only we know what has come already.
    retries = urllib3.Retry(total=None, connect=0, read=0, redirect=5, status=0, other=0, raise_on_redirect=True)
    proxy = getproxies().get(parts.scheme)
    if proxy and not proxy_bypass(parts.hostname or ""):
        return urllib3.ProxyManager(proxy, retries=retries)
    return urllib3.PoolManager(retries=retries)


def _authorization(url: str) -> dict[str, str]:
    user, separator, _ = urlsplit(url).netloc.rpartition("@")
    return urllib3.make_headers(basic_auth=unquote(user)) if separator else {}


def _begin(status: int, headers: Mapping[str, str], asked: int) -> int | None:
    """At which byte of the file the answer's body begins; None where it is no part of the file."""
    if status == 200:
        return 0
    if status == 206 and headers.get("Content-Range", "").startswith(f"bytes {asked}-"):
        return asked
    return None


def _total(headers: Mapping[str, str], begin: int) -> int | None:
    length = headers.get("Content-Length", "")
    return begin + int(length) if length.isdecimal() else None


def _validator(headers: Mapping[str, str]) -> str | None:
    """What If-Range may hold: a strong ETag, else the date (RFC 9110, section 13.1.5)."""
    etag = headers.get("ETag", "")
    return etag if etag.startswith('"') else headers.get("Last-Modified")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
