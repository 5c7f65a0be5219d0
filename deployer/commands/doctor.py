"""`./run_kube doctor`: what this machine has and lacks."""

import json as json_format
from typing import Annotated

import typer

from deployer.commands import CLUSTER


def register(cli: typer.Typer) -> None:
    cli.command(rich_help_panel=CLUSTER)(doctor)


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")] = False,
) -> None:
    """Show what this machine has and lacks for each way of running, each lack with its remedy."""
    from deployer import doctor as examination

    found = examination.examine()
    print(json_format.dumps(examination.as_json(found)) if json else examination.described(found))
