"""`./run_kube setup_postgres`: the database on the cluster."""

from typing import Annotated

import typer

from deployer.commands import CLUSTER, Context, DryRun


def register(cli: typer.Typer) -> None:
    cli.command("setup_postgres", rich_help_panel=CLUSTER)(setup_postgres)


def setup_postgres(
    context: Context = None,
    nodes: Annotated[
        int | None, typer.Option(min=1, help="How many nodes; kept from then on.", show_default="3 at first")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="PATH=VALUE of the chart's values; kept from then on; repeatable."),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Install Postgres on three nodes, or change it: no acknowledged write is lost by it. Safe to repeat."""
    from deployer import lifecycle, process
    from deployer.postgres import setup

    with process.dry_run(dry_run):
        setup.Setup(lifecycle.choose(context), setup.settings(nodes, set_ or [])).install()
