"""`./run_kube bench`: the figures, measured."""

from typing import Annotated

import typer

from deployer.commands import DEVELOP


def register(cli: typer.Typer) -> None:
    cli.command(rich_help_panel=DEVELOP)(bench)


def bench(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which to run.", show_default="all that need no cluster")
    ] = None,
    kills: Annotated[
        int | None, typer.Option(min=1, help="How many faults postgres-failover puts in.", show_default="100")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Which ones, and when.", show_default="1")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")] = False,
) -> None:
    """Measure speed beside the baselines, on the same machine and files; prints ratios."""
    from deployer import checks

    chosen = {"KILLS": kills, "KILL_SEED": seed}
    settings = {name: str(value) for name, value in chosen.items() if value is not None}
    checks.bench([*(names or []), *(["--json"] if json else [])], settings)
