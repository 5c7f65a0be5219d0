"""`./run_kube bench`: the figures, measured."""

from typing import Annotated

import typer

from deployer.commands import DEVELOP


def register(cli: typer.Typer) -> None:
    cli.command(rich_help_panel=DEVELOP)(bench)


def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Which to run.", show_default="all")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")] = False,
) -> None:
    """Measure speed beside the baselines, on the same machine and files; prints ratios."""
    from deployer import checks

    checks.bench([*(names or []), *(["--json"] if json else [])])
