"""The site on a port, by waitress."""

import logging
import signal
import threading
from types import FrameType

import waitress  # type: ignore[import-untyped]
from flask import Flask

from app import create_app, files, finding, logs
from app.channel import ImpatientChannel
from app.db import DatabaseAway, StatementTooSlow
from app.queries import NoIndex
from app.settings import Settings

log = logging.getLogger("app.serve")


BODIES_READ = 8
"""Bodies that are too large are read up to so many times the limit, so that the answer can say what it is."""


class ServeError(Exception):
    """The site cannot listen; the message says why and what to do."""


def serve(settings: Settings, host: str, port: int) -> None:
    """Listen until told to stop (INT or TERM); says where on stdout once it does. port 0 takes a free one.

    Raises ServeError.
    """
    logs.to_stderr()
    site = create_app(settings)
    try:
        server = waitress.create_server(
            site,
            host=host,
            port=port,
            threads=settings.pool_size + settings.spare_threads,
            channel_timeout=settings.slow_client_seconds,
            cleanup_interval=max(1, settings.slow_client_seconds // 3),
            connection_limit=settings.most_connections,
            max_request_body_size=BODIES_READ * max(settings.max_upload_bytes, settings.max_body_bytes),
            asyncore_use_poll=True,
            ident=None,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ServeError(f"Cannot listen on {host}:{port}: {reason}. Choose another with --host or --port.") from error
    server.channel_class = ImpatientChannel
    threading.Thread(target=_warm, args=[site], daemon=True).start()
    threading.Thread(target=files.open_files, args=[site, settings], daemon=True).start()
    signal.signal(signal.SIGTERM, _stop)
    print(f"listening on http://{_bracketed(host)}:{server.effective_port}", flush=True)
    server.run()


def _warm(site: Flask) -> None:
    """Have the index in memory before the first visitor asks; where that cannot be now, that visitor waits for it."""
    try:
        finding.warm(site)
    except (DatabaseAway, NoIndex, StatementTooSlow) as reason:
        log.info("the index is not in memory yet: %s", reason)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _stop(signal_number: int, frame: FrameType | None) -> None:
    """Ends server.run(), which lets requests in progress finish."""
    raise SystemExit(0)
