"""`./run_kube pg status|switchover|psql|backup|backups|restore`: the database on the cluster."""

import json as json_format
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.commands import CLUSTER, Context, DryRun

if TYPE_CHECKING:
    from deployer.postgres.database import Database


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")]
Release = Annotated[str | None, typer.Option(help="A restored copy.", show_default="the database")]


def register(cli: typer.Typer) -> None:
    pg = typer.Typer(no_args_is_help=True, help="Look at the database on the cluster, and work with it.")
    pg.command()(status)
    pg.command()(switchover)
    pg.command(context_settings={"ignore_unknown_options": True})(psql)
    pg.command()(backup)
    pg.command()(backups)
    pg.command()(restore)
    cli.add_typer(pg, name="pg", rich_help_panel=CLUSTER)


def status(context: Context = None, release: Release = None, json: Json = False) -> None:
    """Show the nodes: which is the primary, which has every write, how far behind the others are."""
    from deployer.postgres import state

    found = _database(context, release)
    nodes, zones = found.nodes(), found.zones()
    wrong = state.ailments(nodes, found.count())
    print(json_format.dumps(state.as_json(nodes, zones, wrong)) if json else state.described(nodes, zones, wrong))


def switchover(
    context: Context = None,
    release: Release = None,
    to: Annotated[
        str | None, typer.Option(help="The node to be the primary.", show_default="a synchronous one")
    ] = None,
) -> None:
    """Make another node the primary; no write is lost, writers wait for a moment."""
    print(f"{_database(context, release).switch_over(to)} is the primary now.")


def psql(
    arguments: Annotated[list[str] | None, typer.Argument(help="Handed to psql.", show_default=False)] = None,
    role: Annotated[str | None, typer.Option(help="Act as this role.", show_default="the superuser")] = None,
    context: Context = None,
    release: Release = None,
) -> None:
    """Run psql on the primary, by hand or with a query (`-- -c 'SELECT 1'`) or a script on standard input."""
    from deployer.errors import AlreadySaid

    code = _database(context, release).psql(role, arguments or [], sys.stdin.isatty())
    if code:
        raise AlreadySaid(code)


def backup(context: Context = None, json: Json = False) -> None:
    """Take a full backup now, and note what is in every table: `pg restore` checks against it."""
    from deployer import steps
    from deployer.postgres import backups

    found = backups.take(_database(context), steps.say)
    tables = f"{len(found.tables)} tables, {sum(table.rows for table in found.tables.values())} rows"
    print(found.as_json() if json else f'Backed up, with a note of {tables}. To have them back: --to "{found.time}"')


def backups(context: Context = None, json: Json = False) -> None:
    """Show the backups that are kept, oldest first: `pg restore` goes back to any time since the first one."""
    from deployer.postgres import backups as listing

    found = listing.listed(_database(context))
    rows = [{"label": each.label, "ended": each.ended.isoformat(), "bytes": each.size} for each in found]
    lines = [f"{each.label}  ended {each.ended}  {each.size / 1e6:.1f} MB" for each in found]
    print(json_format.dumps({"backups": rows}) if json else "\n".join(lines) or "There is none yet.")


def restore(
    to: Annotated[
        str | None, typer.Option(help="The time to go back to, like 2026-01-31 12:00:00 (UTC).", show_default="now")
    ] = None,
    as_: Annotated[str, typer.Option("--as", help="The name of the copy.")] = "restored",
    nodes: Annotated[int, typer.Option(min=1, help="How many nodes the copy has.")] = 1,
    drill: Annotated[bool, typer.Option("--drill", help="Remove the copy after the check.")] = False,
    context: Context = None,
    json: Json = False,
    dry_run: DryRun = False,
) -> None:
    """Restore the database as it was at a time, beside the one that runs, and check the rows of every table."""
    from deployer import process, steps, tools
    from deployer.errors import AlreadySaid
    from deployer.helm import Helm
    from deployer.postgres import restore as restoring
    from deployer.postgres.database import Database, named

    with process.dry_run(dry_run):
        source = _database(context)
        copy = Database(source.kubectl, named(as_), is_synchronous=nodes > 1)
        helm = Helm(tools.helm(steps.say), source.kubectl.kubeconfig)
        done = restoring.Restore(helm, source, copy, nodes, restoring.moment(to) if to else None)
        done.run(drill)
    if not dry_run:
        print(json_format.dumps(done.as_json()) if json else done.described())
        if done.is_equal is False:
            raise AlreadySaid(1)


def _database(context: str | None, release: str | None = None) -> "Database":
    from deployer import lifecycle, tools
    from deployer.errors import DeployerError
    from deployer.kubectl import Kubectl
    from deployer.postgres.database import Database, named

    cluster = lifecycle.choose(context)
    if not cluster.exists():
        raise DeployerError(f"There is no cluster yet ({cluster.description}): `./run_kube up` makes it.")
    return Database(Kubectl(tools.kubectl(lambda what: None), cluster.kubeconfig), named(release))
