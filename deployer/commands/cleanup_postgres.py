"""`./run_kube cleanup_postgres`: removes what `setup_postgres` installed."""

from typing import Annotated

import typer

from deployer.commands import CLUSTER, Context, DryRun


def register(cli: typer.Typer) -> None:
    cli.command("cleanup_postgres", rich_help_panel=CLUSTER)(cleanup_postgres)


def cleanup_postgres(
    context: Context = None,
    with_data: Annotated[
        bool, typer.Option("--with-data", help="Also delete the data, the backups and the passwords, for good.")
    ] = False,
    release: Annotated[
        str | None, typer.Option(help="A restored copy to remove, instead of the database.", show_default=False)
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Remove Postgres; its volumes and passwords stay, and `setup_postgres` goes on with them."""
    from deployer import lifecycle, process
    from deployer.postgres import setup
    from deployer.postgres.database import named

    with process.dry_run(dry_run):
        setup.Setup(lifecycle.choose(context), {}, named(release)).remove(with_data)
