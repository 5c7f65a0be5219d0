"""What `setup_postgres` and `cleanup_postgres` do, in steps."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deployer import images, process, steps, tools
from deployer.clusters import registry
from deployer.clusters.base import Cluster
from deployer.clusters.kind import Kind
from deployer.errors import DeployerError
from deployer.helm import Helm, Release
from deployer.kubectl import Kubectl
from deployer.postgres import backups, rolling
from deployer.postgres.database import RELEASE, Database, remove_data, uninstall
from deployer.steps import Report, Step

OBJECT_STORE = Release("object-store", "object-store", RELEASE.namespace)
IMAGE_ROLES = ("postgres", "object-store")
SECURITY = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}


@dataclass(frozen=True, slots=True)
class Setup:
    """The database on a cluster, as it is wanted. settings: dotted path in the chart's values -> JSON value."""

    cluster: Cluster
    settings: Mapping[str, object]
    release: Release = RELEASE

    def install(self) -> None:
        """Install the database or bring it to this state, safe to repeat; raises DeployerError."""
        steps.run("setup_postgres", self._installation())

    def remove(self, with_data: bool) -> None:
        """Remove the database; its volumes and passwords stay unless `with_data`. Raises DeployerError."""
        steps.run("cleanup_postgres", self._removal(with_data))

    def _installation(self) -> Sequence[Step]:
        local = (
            Step("postgres-images", "Images of the database", 300, self._images),
            Step("object-store", "Object store", 30, self._object_store),
        )
        return (
            Step("postgres-tools", "Tools", 120, self._check),
            *(local if isinstance(self.cluster, Kind) else ()),
            Step("postgres", "Database", 90, self._install),
            Step("postgres-restart", "Restart of what has changed", 60, self._restart),
            Step("postgres-backup", "Begin of the first backup", 5, self._begin_backup),
        )

    def _removal(self, with_data: bool) -> Sequence[Step]:
        removed = (
            Step("postgres-tools", "Tools", 120, self._check),
            Step("postgres-removal", "Database", 40, self._uninstall),
        )
        return (*removed, Step("postgres-data", "Its data", 10, self._remove_data)) if with_data else removed

    def _check(self, report: Report) -> None:
        if not self.cluster.exists() and not process.is_dry_run():
            raise DeployerError(f"There is no cluster yet ({self.cluster.description}): `./run_kube up` makes it.")
        tools.kubectl(report)
        tools.helm(report)

    def _images(self, report: Report) -> None:
        assert isinstance(self.cluster, Kind)
        names = [name for role in IMAGE_ROLES for name in images.wanted(role)]
        images.ensure(names, report)
        registry.push(self.cluster.name, names, report)

    def _object_store(self, report: Report) -> None:
        self._namespace(report)
        self._helm(report).install(OBJECT_STORE, {})

    def _install(self, report: Report) -> None:
        self._namespace(report)
        wanted, database = self.settings.get("replicas"), self._database(report)
        if isinstance(wanted, int) and wanted < database.count():
            rolling.make_room(database, wanted)
        self._helm(report).install(RELEASE, self.settings)

    def _restart(self, report: Report) -> None:
        database = self._database(report)
        rolling.replace_outdated(database, report)
        database.wait_until_well(rolling.WELL_SECONDS, report)
        rolling.configure(database, report)

    def _begin_backup(self, report: Report) -> None:
        backups.begin_first(self._database(report))

    def _namespace(self, report: Report) -> None:
        metadata = {"name": RELEASE.namespace, "labels": SECURITY}
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        apply = ["apply", "--server-side", "--field-manager=chaos-at-scale", "--filename=-"]
        self._kubectl(report).run(*apply, stdin=json.dumps(namespace))

    def _uninstall(self, report: Report) -> None:
        for release in self._removed():
            report(release.name)
            uninstall(self._helm(report), self._kubectl(report), release)

    def _remove_data(self, report: Report) -> None:
        for release in self._removed():
            remove_data(self._kubectl(report), release)

    def _removed(self) -> Sequence[Release]:
        """The object store goes with the database that it is for, not with a restored copy."""
        return (self.release, OBJECT_STORE) if self.release == RELEASE else (self.release,)

    def _kubectl(self, report: Report) -> Kubectl:
        return Kubectl(tools.kubectl(report), self.cluster.kubeconfig)

    def _database(self, report: Report) -> Database:
        return Database(self._kubectl(report))

    def _helm(self, report: Report) -> Helm:
        overlay = "local" if isinstance(self.cluster, Kind) else None
        return Helm(tools.helm(report), self.cluster.kubeconfig, overlay)


def settings(nodes: int | None, given: Sequence[str]) -> dict[str, object]:
    """The chart's settings out of the command line's PATH=VALUE words (JSON, else a text); raises DeployerError."""
    found: dict[str, object] = {}
    for word in given:
        path, equals, value = word.partition("=")
        if not equals or not path:
            raise DeployerError(f"--set {word}: write it as PATH=VALUE, like maxConnections=200.")
        try:
            found[path] = json.loads(value)
        except ValueError:
            found[path] = value
    return found | ({} if nodes is None else {"replicas": nodes})
