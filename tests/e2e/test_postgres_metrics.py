"""What monitoring reads of every node: the names that dashboards and alerts rest on, on a live cluster."""

import re

import pytest

from deployer.postgres.database import Database
from deployer.postgres.state import Node
from tests.pods import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(1800)]

PATRONI, EXPORTER = 8008, 9187
NAMES = {
    PATRONI: {
        "patroni_cluster_unlocked",
        "patroni_failsafe_mode_is_active",
        "patroni_pending_restart",
        "patroni_postgres_running",
        "patroni_postgres_streaming",
        "patroni_postgres_timeline",
        "patroni_primary",
        "patroni_replica",
        "patroni_sync_standby",
        "patroni_xlog_location",
        "patroni_xlog_received_location",
        "patroni_xlog_replayed_location",
    },
    EXPORTER: {
        "pg_database_size_bytes",
        "pg_replication_is_replica",
        "pg_replication_lag_seconds",
        "pg_replication_slots_pg_wal_lsn_diff",
        "pg_settings_max_connections",
        "pg_stat_activity_count",
        "pg_stat_archiver_failed_count",
        "pg_stat_archiver_last_archive_age",
        "pg_stat_database_xact_commit",
        "pg_stat_database_deadlocks",
        "pg_up",
        "pg_wal_size_bytes",
    },
}
# The certificate is checked, and against a name that it is for: as Prometheus does.
ASK = """
import ssl, sys, urllib.request
trust = ssl.create_default_context(cafile="/etc/scale/tls/ca.crt")
print(urllib.request.urlopen(f"https://localhost:{sys.argv[1]}/metrics", context=trust, timeout=9).read().decode())
"""


def _metrics(database: Database, node: str, port: int) -> dict[str, list[float]]:
    """Name -> its values, one for each set of labels."""
    said = database.kubectl.read(*database.inside(node), "python3", "-c", ASK, str(port))
    found: dict[str, list[float]] = {}
    for name, value in re.findall(r"^(\w+)(?: ?\{.*\})? (\S+)$", said, re.MULTILINE):
        found.setdefault(name, []).append(float(value))
    return found


def _one(nodes: list[Node], role: str) -> str:
    return next(node.name for node in nodes if node.role == role)


@pytest.mark.parametrize("port", NAMES)
def test_every_node_tells_what_dashboards_and_alerts_ask_for(database: Database, port: int) -> None:
    for node in database.nodes():
        assert NAMES[port] - _metrics(database, node.name, port).keys() == set()


def test_role_timeline_and_who_is_synchronous_are_told_as_they_are(database: Database) -> None:
    nodes = database.nodes()
    primary, standby = (_metrics(database, _one(nodes, role), PATRONI) for role in ("Leader", "Sync Standby"))
    assert (primary["patroni_primary"], primary["patroni_sync_standby"]) == ([1], [0])
    assert (standby["patroni_primary"], standby["patroni_sync_standby"]) == ([0], [1])
    assert primary["patroni_postgres_timeline"] == standby["patroni_postgres_timeline"] == [nodes[0].timeline]


def test_lag_is_a_replicas_and_the_age_of_the_archive_the_primarys(database: Database) -> None:
    nodes = database.nodes()
    assert _metrics(database, _one(nodes, "Sync Standby"), EXPORTER)["pg_replication_lag_seconds"] == [0]
    database.sql("SELECT pg_logical_emit_message(true, 'test', ''); SELECT pg_switch_wal();")
    primary = _one(nodes, "Leader")
    # Not a number until something was archived.
    eventually(
        lambda: _metrics(database, primary, EXPORTER)["pg_stat_archiver_last_archive_age"][0] < 60, "an archived file"
    )
