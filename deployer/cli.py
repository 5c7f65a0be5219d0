"""The command line: one file in commands/ per command, each registers itself; shown in groups."""

import os
import signal
import sys
from types import FrameType

import typer

from deployer.commands import demo, index, test
from deployer.errors import AlreadySaid, DeployerError

cli = typer.Typer(
    name="run_kube",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (demo, index, test):
    command.register(cli)


@cli.callback()
def options(debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error.")) -> None:
    """Chaos at scale: a music-similarity data product, and the tools that prove it stays right while it is broken."""
    if debug:
        os.environ["SCALE_DEBUG"] = "1"


def main() -> None:
    signal.signal(signal.SIGTERM, _end)
    try:
        cli(prog_name="./run_kube")
    except DeployerError as error:
        if os.environ.get("SCALE_DEBUG"):
            raise
        if not isinstance(error, AlreadySaid):
            print(f"error: {error}", file=sys.stderr)
        sys.exit(error.code if isinstance(error, AlreadySaid) else 2)


def _end(number: int, frame: FrameType | None) -> None:
    # An exception, so that every block on the way out cleans up after itself.
    sys.exit(128 + number)
