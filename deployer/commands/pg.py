"""`./run_kube pg status|switchover|psql`: the database on the cluster."""

import json as json_format
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.commands import CLUSTER, Context

if TYPE_CHECKING:
    from deployer.postgres.database import Database


def register(cli: typer.Typer) -> None:
    pg = typer.Typer(no_args_is_help=True, help="Look at the database on the cluster, and work with it.")
    pg.command()(status)
    pg.command()(switchover)
    pg.command(context_settings={"ignore_unknown_options": True})(psql)
    cli.add_typer(pg, name="pg", rich_help_panel=CLUSTER)


def status(
    context: Context = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")] = False,
) -> None:
    """Show the nodes: which is the primary, which has every write, how far behind the others are."""
    from deployer.postgres import state

    found = _database(context)
    nodes, zones = found.nodes(), found.zones()
    wrong = state.ailments(nodes, found.count())
    print(json_format.dumps(state.as_json(nodes, zones, wrong)) if json else state.described(nodes, zones, wrong))


def switchover(
    context: Context = None,
    to: Annotated[
        str | None, typer.Option(help="The node to be the primary.", show_default="a synchronous one")
    ] = None,
) -> None:
    """Make another node the primary; no write is lost, writers wait for a moment."""
    print(f"{_database(context).switch_over(to)} is the primary now.")


def psql(
    arguments: Annotated[list[str] | None, typer.Argument(help="Handed to psql.", show_default=False)] = None,
    role: Annotated[str | None, typer.Option(help="Act as this role.", show_default="the superuser")] = None,
    context: Context = None,
) -> None:
    """Run psql on the primary, by hand or with a query (`-- -c 'SELECT 1'`) or a script on standard input."""
    from deployer.errors import AlreadySaid

    code = _database(context).psql(role, arguments or [], sys.stdin.isatty())
    if code:
        raise AlreadySaid(code)


def _database(context: str | None) -> "Database":
    from deployer import lifecycle, tools
    from deployer.errors import DeployerError
    from deployer.kubectl import Kubectl
    from deployer.postgres.database import Database

    cluster = lifecycle.choose(context)
    if not cluster.exists():
        raise DeployerError(f"There is no cluster yet ({cluster.description}): `./run_kube up` makes it.")
    return Database(Kubectl(tools.kubectl(lambda what: None), cluster.kubeconfig))
