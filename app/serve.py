"""The site on a port, by waitress."""

import logging
import signal
import sys
from types import FrameType

import waitress  # type: ignore[import-untyped]

from app import create_app
from app.settings import Settings


class ServeError(Exception):
    """The site cannot listen; the message says why and what to do."""


def serve(settings: Settings, host: str, port: int) -> None:
    """Listen until told to stop (INT or TERM); says where on stdout once it does. port 0 takes a free one.

    Raises ServeError.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    site = create_app(settings)
    try:
        server = waitress.create_server(
            site, host=host, port=port, threads=settings.pool_size + settings.spare_threads, ident=None
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ServeError(f"Cannot listen on {host}:{port}: {reason}. Choose another with --host or --port.") from error
    signal.signal(signal.SIGTERM, _stop)
    print(f"listening on http://{_bracketed(host)}:{server.effective_port}", flush=True)
    server.run()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _stop(signal_number: int, frame: FrameType | None) -> None:
    """Ends server.run(), which lets requests in progress finish."""
    raise SystemExit(0)
