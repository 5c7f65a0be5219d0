"""`python -m app serve` and `python -m app migrate`."""

import argparse
import os
import sys

from app.migrate import MigrationError, migrate
from app.serve import ServeError, serve
from app.settings import Settings, SettingsError


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, 2 with one sentence on stderr for what the user can mend, 1 for what only we can."""
    parser = argparse.ArgumentParser(prog="python -m app", description="The Scale site. DATABASE_URL says where.")
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="answer HTTP until stopped")
    serving.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    serving.add_argument("--port", type=_port, default=8080, help="0 takes a free one (default %(default)s)")
    commands.add_parser("migrate", help="bring the database's schema to this code's version")
    options = parser.parse_args(arguments)
    try:
        settings = Settings.from_environment(os.environ)
        if options.command == "serve":
            serve(settings, options.host, options.port)
        else:
            outcome = migrate(settings.database_url)
            done = "already" if outcome.before == outcome.after else "now"
            print(f"The schema is {done} at version {outcome.after}.")
    except Exception as error:
        if os.environ.get("SCALE_DEBUG"):
            raise
        if isinstance(error, SettingsError | MigrationError | ServeError):
            print(f"error: {error}", file=sys.stderr)
            return 2
        print(f"error: {type(error).__name__}: {error} That is a defect; --debug shows where.", file=sys.stderr)
        return 1
    return 0


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a number from 0 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
