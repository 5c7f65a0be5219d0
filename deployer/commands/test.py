"""`./run_kube test`: the linters, the type checker and the tests."""

from typing import Annotated

import typer

from deployer.commands import DEVELOP


def register(cli: typer.Typer) -> None:
    cli.command(rich_help_panel=DEVELOP, context_settings={"ignore_unknown_options": True})(test)


def test(
    pytest_arguments: Annotated[
        list[str] | None, typer.Argument(help="Handed to pytest instead of the whole suite, without the linters.")
    ] = None,
    e2e: Annotated[
        bool, typer.Option("--e2e", help="Also make clusters on this machine and test what works on them.")
    ] = False,
    long: Annotated[
        bool,
        typer.Option("--long", help="Also what takes minutes each, and more of what is random (100,000 fuzzed files)."),
    ] = False,
) -> None:
    """Lint, check types and layers, run every test on real parts; says what it skipped and why."""
    from deployer import checks

    checks.run(pytest_arguments or [], long, e2e)
