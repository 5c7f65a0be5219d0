"""What befalls the nodes' volumes: a replica that was away too long, damaged files, a full disk. Nothing is lost."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from deployer import process
from deployer.errors import CommandError, DeployerError
from deployer.helm import Helm
from deployer.kubectl import Kubectl
from deployer.postgres.database import Database, remove_data, uninstall
from tests.checkout import Checkout
from tests.pods import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(1800)]

VOLUME = "/var/lib/postgresql"
LITTLE_WAL = {"max_slot_wal_keep_size": "48MB", "max_wal_size": "64MB", "min_wal_size": "32MB"}
WELL_SECONDS = 300
SMALL_MB = 256
BALLAST_MB = 60
ROWS = 6000
"""Of about 700 bytes: one insertion."""


def _shell(database: Database, node: str, script: str) -> str:
    return database.kubectl.run(*database.inside(node), "sh", "-c", script)


def _wait_until_well(database: Database) -> None:
    database.wait_until_well(WELL_SECONDS, lambda what: None)


def _a_replica(database: Database) -> str:
    """A replica that commits do not wait for."""
    _wait_until_well(database)
    return next(node.name for node in database.nodes() if not node.is_leader and not node.is_synchronous)


def _is_streaming(database: Database, name: str) -> bool:
    return any(node.name == name and node.state == "streaming" for node in database.nodes())


def _log(database: Database, node: str) -> str:
    return database.kubectl.read("logs", node, f"--namespace={database.release.namespace}", "--container=postgres")


@contextmanager
def _little_wal(database: Database) -> Iterator[None]:
    """The primary keeps little WAL while the block runs."""
    changes = "".join(f"ALTER SYSTEM SET {name} = '{value}';" for name, value in LITTLE_WAL.items())
    database.sql(f"{changes} SELECT pg_reload_conf();")
    try:
        yield
    finally:
        changes = "".join(f"ALTER SYSTEM RESET {name};" for name in LITTLE_WAL)
        database.sql(f"{changes} SELECT pg_reload_conf();")


def _slot(database: Database, node: str) -> str:
    """What the primary says of the WAL that it keeps for a node."""
    return database.sql(f"SELECT wal_status FROM pg_replication_slots WHERE slot_name = '{node.replace('-', '_')}'")


def test_a_replica_whose_wal_the_primary_has_removed_starts_anew(database: Database) -> None:
    replica = _a_replica(database)
    database.sql("CREATE TABLE IF NOT EXISTS much (word text)")
    with _little_wal(database):
        _shell(database, replica, 'kill -STOP $(pgrep -f "[w]alreceiver")')
        more = "INSERT INTO much SELECT repeat(md5(random()::text), 3) FROM generate_series(1, 250000); CHECKPOINT;"
        eventually(lambda: database.sql(more) == "" and "lost" in _slot(database, replica), "a lost replica")
        _shell(database, replica, 'kill -CONT $(pgrep -f "[w]alreceiver")')
        eventually(lambda: "starts anew" in _log(database, replica), "a new start")
        eventually(lambda: _is_streaming(database, replica), "a replica that streams")
        assert "lost" not in _slot(database, replica)
    database.sql("DROP TABLE much")


def test_a_replica_with_damaged_files_starts_anew(database: Database) -> None:
    replica = _a_replica(database)
    control = f"{VOLUME}/17/global/pg_control"
    damage = f"dd if=/dev/urandom of={control} bs=8192 count=1 conv=notrunc"
    _shell(database, replica, f"{damage} && kill -KILL $(head -1 {VOLUME}/17/postmaster.pid)")
    eventually(lambda: not _is_streaming(database, replica), "a replica that has failed")
    eventually(lambda: _is_streaming(database, replica), "a replica that streams")
    _wait_until_well(database)


@contextmanager
def small_volumes(kubectl: Kubectl) -> Iterator[None]:
    """A volume of 256 MB for each worker, of a storage class `small`: kind's own have no bound."""
    workers = [node["metadata"]["name"] for node in kubectl.items("nodes") if "worker" in node["metadata"]["name"]]
    mount = f"mkdir -p /mnt/small && mount -t tmpfs -o size={SMALL_MB}m,mode=777 small /mnt/small"
    things = [_storage_class(), *(_volume(worker) for worker in workers)]
    try:
        for worker in workers:
            process.run(["docker", "exec", worker, "sh", "-c", mount])
        kubectl.run("apply", "--filename=-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": things}))
        yield
    finally:
        for thing in things:
            name = str(thing["metadata"]["name"])
            kubectl.run("delete", "--ignore-not-found", "--wait=false", f"{thing['kind']}/{name}")
        for worker in workers:
            with suppress(CommandError):  # still in use: it goes with the cluster
                process.run(["docker", "exec", worker, "umount", "/mnt/small"])


def _storage_class() -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "small"},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def _volume(worker: str) -> dict[str, Any]:
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [worker]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"small-{worker}"},
        "spec": {
            "capacity": {"storage": f"{SMALL_MB}Mi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "small",
            "local": {"path": "/mnt/small"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }


@contextmanager
def beside(database: Database, helm: Helm, name: str, settings: Mapping[str, object]) -> Iterator[Database]:
    """Another database in the same namespace, gone after the block."""
    other = replace(database, release=replace(database.release, name=name))
    try:
        helm.install(other.release, settings)
        _wait_until_well(other)
        yield other
    finally:
        uninstall(helm, other.kubectl, other.release)
        remove_data(other.kubectl, other.release)


@pytest.fixture
def helm(installed: Checkout, database: Database) -> Helm:
    return Helm(str(installed.root / ".run_kube/bin/helm"), database.kubectl.kubeconfig, "local")


def _insert(database: Database, number: int) -> bool:
    """Whether so many rows were acknowledged."""
    rows = f"SELECT {number}, repeat(md5(random()::text), 20) FROM generate_series(1, {ROWS})"
    try:
        return "WARNING" not in database.sql(f"INSERT INTO filled {rows}")
    except DeployerError:
        return False


def test_full_disks_refuse_writes_and_lose_none(database: Database, helm: Helm) -> None:
    settings: dict[str, object] = {"storage.className": "small", "storage.size": "200Mi", "backup.enabled": False}
    settings |= {"parameters.max_wal_size": "64MB", "parameters.min_wal_size": "32MB"}
    with small_volumes(database.kubectl), beside(database, helm, "small", settings) as small:
        nodes = [node.name for node in small.nodes()]
        for node in nodes:
            _shell(small, node, f"dd if=/dev/zero of={VOLUME}/ballast bs=1M count={BALLAST_MB}")
        small.sql("CREATE TABLE filled (number int, word text)")
        outcomes: dict[int, bool] = {}
        while list(outcomes.values())[-5:] != [False] * 5:
            assert len(outcomes) < SMALL_MB, "the disks did not get full"
            outcomes[len(outcomes)] = _insert(small, len(outcomes))
        for node in nodes:
            _shell(small, node, f"rm {VOLUME}/ballast")
        _wait_until_well(small)
        found = dict(row.split("|") for row in small.sql("SELECT number, count(*) FROM filled GROUP BY 1").split())
        assert {str(number) for number, acknowledged in outcomes.items() if acknowledged} <= found.keys()
        assert set(found.values()) == {str(ROWS)}
        assert _insert(small, len(outcomes))
