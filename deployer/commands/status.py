"""`./run_kube status`: how the cluster is."""

import json as json_format
from typing import Annotated

import typer

from deployer.commands import CLUSTER, Context


def register(cli: typer.Typer) -> None:
    cli.command(rich_help_panel=CLUSTER)(status)


def status(
    context: Context = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")] = False,
) -> None:
    """Show nodes, zones, releases, what can be opened, and what is not healthy and why."""
    from deployer import lifecycle

    found = lifecycle.status(lifecycle.choose(context))
    print(json_format.dumps(found.as_json()) if json else lifecycle.described(found))
