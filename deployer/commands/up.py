"""`./run_kube up`: a cluster, and everything on it."""

from typing import Annotated

import typer

from deployer.commands import CLUSTER, Context, DryRun


def register(cli: typer.Typer) -> None:
    cli.command(rich_help_panel=CLUSTER)(up)


def up(
    context: Context = None,
    port: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=NUMBER: where something is to be opened on this machine, like site=8080; repeatable.",
            show_default="a free one from 8080 (site), 3000 (grafana), 9090 (prometheus) on",
        ),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Make a Kubernetes cluster of four nodes in three zones on this machine. Safe to repeat."""
    from deployer import lifecycle, process

    with process.dry_run(dry_run):
        status = lifecycle.up(lifecycle.choose(context, port))
    if status:
        print(lifecycle.described(status))
