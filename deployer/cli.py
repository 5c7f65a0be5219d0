"""The command line: one file in commands/ per command, each registers itself; shown in groups."""

import os
import signal
import sys
from types import FrameType

import typer

from deployer.commands import (
    bench,
    cleanup_postgres,
    demo,
    doctor,
    down,
    gen_pg_assets,
    index,
    pg,
    setup_postgres,
    status,
    test,
    up,
)
from deployer.errors import AlreadySaid, DeployerError

cli = typer.Typer(
    name="run_kube",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

COMMANDS = (
    *(demo, index, gen_pg_assets),
    *(up, status, doctor, setup_postgres, pg, cleanup_postgres, down),
    *(test, bench),
)
for command in COMMANDS:
    command.register(cli)


@cli.callback()
def options(debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error.")) -> None:
    """Chaos at scale: a music-similarity data product, and the tools that prove it stays right while it is broken."""


def main() -> None:
    """Run the command line; the exit code is 0, 2 for what the user can mend, 1 for what only we can."""
    signal.signal(signal.SIGTERM, _end)
    # --debug is taken before and after the command's name.
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    if len(arguments) < len(sys.argv) - 1:
        os.environ["SCALE_DEBUG"] = "1"
    try:
        cli(arguments, prog_name="./run_kube")
    except Exception as error:
        if os.environ.get("SCALE_DEBUG"):
            raise
        sys.exit(_told(error))


def _told(error: Exception) -> int:
    """Say what went wrong in a sentence; returns the exit code."""
    if isinstance(error, AlreadySaid):
        return error.code
    if isinstance(error, DeployerError):
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"error: {type(error).__name__}: {error} That is a defect; --debug shows where.", file=sys.stderr)
    return 1


def _end(number: int, frame: FrameType | None) -> None:
    # An exception, so that every block on the way out cleans up after itself.
    sys.exit(128 + number)
