"""The database on a cluster: what `setup_postgres` makes, what it survives, and what `cleanup_postgres` leaves."""

import base64
import json
import os
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from deployer.errors import CommandError
from deployer.postgres.database import SCOPE, Database
from tests.checkout import Checkout
from tests.failover import faults
from tests.failover.client import writing
from tests.failover.ledger import judge, rivals
from tests.failover.rounds import effects, fault_pods, play

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(3600)]

KILLS = int(os.environ.get("KILLS", "10"))
SEED = int(os.environ.get("KILL_SEED", "1"))


def _status(installed: Checkout) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(installed.run("pg", "status", "--json"))
    return found


def _sql(installed: Checkout, statement: str, *options: str) -> str:
    return installed.run("pg", "psql", *options, "--", "--dbname=scale", "--tuples-only", "--no-align", "-c", statement)


def _passwords(database: Database) -> dict[str, str]:
    secrets = database.kubectl.items("secrets", f"--namespace={database.release.namespace}")
    return {secret["metadata"]["name"]: secret.get("data", {}).get("password", "") for secret in secrets}


def test_three_nodes_in_three_zones_with_one_primary_and_a_synchronous_replica(installed: Checkout) -> None:
    found = _status(installed)
    assert found["healthy"], found["ailments"]
    assert sorted(node["zone"] for node in found["nodes"]) == ["zone-a", "zone-b", "zone-c"]
    assert [node["role"] for node in found["nodes"]].count("Leader") == 1
    assert "Sync Standby" in [node["role"] for node in found["nodes"]]


def test_setting_it_up_again_changes_neither_pods_nor_passwords(installed: Checkout, database: Database) -> None:
    before = [pod["metadata"]["uid"] for pod in database.pods()], _passwords(database)
    installed.run("setup_postgres")
    assert ([pod["metadata"]["uid"] for pod in database.pods()], _passwords(database)) == before


def test_no_acknowledged_write_is_lost_whatever_kills_the_primary(database: Database) -> None:
    drawn = faults.draw((*faults.PROCESS, *faults.NODE), KILLS, SEED)
    with fault_pods(database.kubectl), writing(database) as client:
        rounds = play(database, client, drawn, random.Random(SEED))
        attempts = client.stop()
        verdict = judge(attempts, client.rows())
    assert verdict.is_clean, verdict
    assert rivals(attempts, [pod["metadata"]["name"] for pod in database.pods()]) == []
    assert verdict.outcomes["acked"] > 100 * KILLS
    # A fault that nobody noticed was none.
    assert any(effect.is_failover for effect in effects(rounds, attempts))


def test_a_switchover_to_a_node_of_choice(installed: Checkout) -> None:
    (chosen, *_) = [node["name"] for node in _status(installed)["nodes"] if node["role"] == "Sync Standby"]
    assert installed.run("pg", "switchover", f"--to={chosen}") == f"{chosen} is the primary now.\n"
    assert "is the primary already" in installed.refused("pg", "switchover", f"--to={chosen}")


def test_a_node_that_may_lack_writes_is_refused_as_the_primary(installed: Checkout) -> None:
    (lagging, *_) = [node["name"] for node in _status(installed)["nodes"] if node["role"] == "Replica"]
    assert "can't take over now" in installed.refused("pg", "switchover", f"--to={lagging}")


def test_a_changed_setting_reaches_every_node_by_a_rolling_restart(installed: Checkout, database: Database) -> None:
    before = {pod["metadata"]["uid"] for pod in database.pods()}
    installed.run("setup_postgres", "--set=maxConnections=90", '--set=parameters.work_mem="5MB"')
    assert _sql(installed, "SHOW max_connections").strip() == "90"
    assert _sql(installed, "SHOW work_mem").strip() == "5MB"
    assert not before & {pod["metadata"]["uid"] for pod in database.pods()}
    assert not any(node["is_restart_pending"] for node in _status(installed)["nodes"])


def test_it_grows_and_shrinks_with_its_rows(installed: Checkout) -> None:
    _sql(installed, "CREATE TABLE IF NOT EXISTS kept AS SELECT * FROM generate_series(1, 1000) AS number")
    for nodes in (5, 3):
        installed.run("setup_postgres", f"--nodes={nodes}")
        found = _status(installed)
        assert found["healthy"], found["ailments"]
        assert len(found["nodes"]) == nodes
        assert _sql(installed, "SELECT count(*) FROM kept").strip() == "1000"


def test_the_site_may_write_rows_and_not_change_tables(installed: Checkout) -> None:
    _sql(installed, "CREATE TABLE IF NOT EXISTS owned (number int)", "--role=scale_owner")
    _sql(installed, "INSERT INTO owned VALUES (1)", "--role=scale_app")
    with installed.start("pg", "psql", "--role=scale_app", "--", "--dbname=scale", "-c", "DROP TABLE owned") as process:
        _, errors = process.communicate()
    assert process.returncode
    assert "must be owner of table owned" in errors


def _as_client(database: Database, role: str, password: str, script: str) -> str:
    """What a Python script prints that runs in a node, with `connect()` to the primary as a client of this role."""
    connect = f"""
import psycopg2
def connect():
    return psycopg2.connect(host="{SCOPE}.{database.release.namespace}.svc", dbname="scale", user="{role}",
                            password="{password}", sslmode="verify-full", sslrootcert="/etc/scale/tls/ca.crt")
"""
    replica = next(node.name for node in database.nodes() if not node.is_leader)
    return database.kubectl.read(*database.inside(replica), "python3", "-c", connect + script)


def test_a_wrong_password_is_refused(database: Database) -> None:
    with pytest.raises(CommandError, match="password authentication failed for user"):
        _as_client(database, "scale_app", "wrong", "connect()")


def test_clients_that_take_every_connection_leave_some_to_the_administrator(
    installed: Checkout, database: Database
) -> None:
    password = base64.b64decode(_passwords(database)["postgres-app"]).decode()
    exhaust = """
import time
held = []
try:
    while True: held.append(connect())
except psycopg2.OperationalError as error:
    print(len(held), error, flush=True)
time.sleep(10)
"""
    with ThreadPoolExecutor() as pool:
        clients = pool.submit(_as_client, database, "scale_app", password, exhaust)
        most = int(_sql(installed, "SHOW max_connections"))
        held = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'scale_app'"
        counts = [int(_sql(installed, held)) for _ in range(5)]
    assert "remaining connection slots are reserved" in clients.result()
    assert most / 2 < max(counts) < most


def test_data_outlives_its_removal_until_it_is_meant(installed: Checkout, database: Database) -> None:
    _sql(installed, "CREATE TABLE IF NOT EXISTS kept AS SELECT * FROM generate_series(1, 1000) AS number")
    passwords = _passwords(database)
    installed.run("cleanup_postgres")
    assert database.pods() == []
    assert "setup_postgres" in installed.refused("pg", "status")
    installed.run("setup_postgres")
    assert _sql(installed, "SELECT count(*) FROM kept").strip() == "1000"
    assert passwords.items() <= _passwords(database).items()
    installed.run("cleanup_postgres", "--with-data")
    here = f"--namespace={database.release.namespace}"
    for kind in ("pods", "persistentvolumeclaims", "endpoints", "secrets", "statefulsets", "services"):
        assert database.kubectl.items(kind, here) == [], kind
