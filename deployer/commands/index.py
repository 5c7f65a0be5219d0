"""`./run_kube index list|activate|collect`: the published index versions."""

import json as json_format
from pathlib import Path
from typing import Annotated

import typer

from deployer.commands import TRY

DataDir = Annotated[
    Path | None, typer.Option(help="The folder that was given to demo --data-dir.", show_default="the last demo's")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on the last line.")]


def register(cli: typer.Typer) -> None:
    index = typer.Typer(no_args_is_help=True, help="List, switch between and remove published index versions.")
    index.command("list")(list_)
    index.command()(activate)
    index.command()(collect)
    cli.add_typer(index, name="index", rich_help_panel=TRY)


def list_(data_dir: DataDir = None, json: Json = False) -> None:
    """Show every index version, newest first; * marks the one the site serves."""
    from deployer import indexes

    found = indexes.call(data_dir, "list")
    print(json_format.dumps(found) if json else indexes.table(found))


def activate(
    index_id: Annotated[int, typer.Argument(help="Its number in `index list`.")], data_dir: DataDir = None
) -> None:
    """Serve another ready version from now on; it is checked against its digest first."""
    from deployer import indexes

    indexes.call(data_dir, "activate", str(index_id))
    print(f"The site serves index {index_id} now.")


def collect(
    data_dir: DataDir = None,
    keep: Annotated[int, typer.Option(min=0, help="Ready versions to keep beside the one that is served.")] = 1,
    json: Json = False,
) -> None:
    """Remove failed and old versions; the one that is served always stays."""
    from deployer import indexes

    removed = indexes.call(data_dir, "collect", f"--keep={keep}")
    if json:
        print(json_format.dumps(removed))
    else:
        print(f"Removed {', '.join(map(str, removed))}." if removed else "There was nothing to remove.")
