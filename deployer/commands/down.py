"""`./run_kube down`: removes what `up` made."""

from typing import Annotated

import typer

from deployer.commands import CLUSTER, Context, DryRun


def register(cli: typer.Typer) -> None:
    cli.command(rich_help_panel=CLUSTER)(down)


def down(
    context: Context = None,
    cluster: Annotated[
        str | None,
        typer.Option(help="Another checkout's cluster, as `status` names it.", show_default="this checkout's"),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Remove the cluster and all that is on it; what was downloaded and built stays for the next `up`."""
    from deployer import lifecycle, process

    with process.dry_run(dry_run):
        removed = lifecycle.down(lifecycle.choose(context, name=cluster))
    if not dry_run:
        print("Removed." if removed else "There was nothing to remove.")
