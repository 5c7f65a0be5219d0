"""A restart of the nodes one after the other, replicas first: writers see at most one switchover."""

import time

from deployer import process
from deployer.errors import DeployerError
from deployer.postgres.database import ASK_AGAIN_SECONDS, Database
from deployer.postgres.state import ordinal
from deployer.steps import Report

WELL_SECONDS = 600
"""A replica that fell behind copies the whole database."""
NOTICED_SECONDS = 15
"""By then every node has read changed settings and knows whether it needs a restart for them."""
_REVISION = "controller-revision-hash"


def replace_outdated(database: Database, report: Report) -> None:
    """Replace the pods that are not of the chart's present state; raises DeployerError."""
    outdated = _outdated(database)
    for name in _replicas_first(database, outdated) if outdated else ():
        report(f"restarting {name}")
        _step_down(database, name)
        database.kubectl.run("delete", "pod", name, f"--namespace={database.release.namespace}")
        database.wait_until_well(WELL_SECONDS, report)


def configure(database: Database, report: Report) -> None:
    """Give all nodes the chart's settings; restart those whose Postgres takes one only at its start."""
    if process.is_dry_run() or not database.configure():
        return
    time.sleep(NOTICED_SECONDS)
    # A lowered setting reaches a replica only after the primary: it may need a second restart.
    for _ in range(2):
        pending = {node.name for node in database.nodes() if node.is_restart_pending}
        for name in _replicas_first(database, pending):
            report(f"restarting Postgres on {name}")
            _step_down(database, name)
            database.kubectl.run(*database.inside(name), "patronictl", "restart", "--force", database.scope, name)
            database.wait_until_well(WELL_SECONDS, report)


def make_room(database: Database, count: int) -> None:
    """Before a database is made smaller: have a primary that stays. Raises DeployerError."""
    nodes = database.nodes()
    staying = [node for node in nodes if ordinal(node.name) < count]
    if any(node.is_leader for node in staying):
        return
    able = [node.name for node in staying if node.is_synchronous]
    if not able:
        raise DeployerError(
            f"None of the {count} nodes that would stay can take over now, because the synchronous replica is another: "
            "restart that one with `kubectl delete pod`, and try again when `./run_kube pg status` shows another."
        )
    database.switch_over(able[0])


def _outdated(database: Database) -> set[str]:
    """The pods that are not of the newest revision."""
    while True:
        found = database.stateful_set()
        if found is None:
            return set()
        if found["status"].get("observedGeneration") == found["metadata"]["generation"]:
            break
        time.sleep(ASK_AGAIN_SECONDS)
    newest = found["status"]["updateRevision"]
    return {pod["metadata"]["name"] for pod in database.pods() if pod["metadata"]["labels"][_REVISION] != newest}


def _replicas_first(database: Database, names: set[str]) -> list[str]:
    nodes = [node for node in database.nodes() if node.name in names]
    return [node.name for node in sorted(nodes, key=lambda node: node.is_leader)]


def _step_down(database: Database, name: str) -> None:
    """Have another primary, if this node is it and there is another."""
    if database.leader().name == name and database.count() > 1:
        database.switch_over()
