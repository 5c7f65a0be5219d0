"""What `up`, `status` and `down` do with the cluster that the user chose."""

from dataclasses import dataclass
from typing import Any

from deployer import docker_engine, health, process, steps, tools
from deployer.clusters import docker, kind_config
from deployer.clusters.base import Cluster
from deployer.clusters.context import Context
from deployer.clusters.kind import Kind
from deployer.errors import CommandError, DeployerError
from deployer.kubectl import Kubectl
from deployer.paths import ROOT


@dataclass(frozen=True, slots=True)
class Status:
    """A cluster that is there, and how it is; beside it the clusters of other checkouts."""

    cluster: Cluster
    health: health.Health
    others: list[docker.Owned]

    def as_json(self) -> dict[str, Any]:
        return {
            "cluster": self.cluster.description,
            "kubeconfig": str(self.cluster.kubeconfig),
            **self.health.as_json(),
            "other_clusters": {other.name: str(other.checkout) for other in self.others},
        }


def choose(context: str | None = None, ports: list[str] | None = None, name: str | None = None) -> Cluster:
    """The cluster that the command line means; raises DeployerError.

    context: of the user's kubeconfig. ports: endpoints' wanted ones, as NAME=NUMBER. name: another checkout's cluster.
    """
    if context:
        if ports or name:
            raise DeployerError("--context names a cluster that is there already: leave --port and --cluster out.")
        return Context(context)
    if name:
        known = {found.name: found for found in docker.owned()}
        if name not in known:
            raise DeployerError(
                f"There is no cluster {name} made by ./run_kube; there are: {', '.join(known) or 'none'}."
            )
        return Kind(name=name, checkout=known[name].checkout)
    return Kind(kind_config.settings(ports or []))


def up(cluster: Cluster) -> Status | None:
    """Make the cluster ready, whatever is there of it; None in a dry run. Raises DeployerError."""
    steps.run("up", cluster.bring_up())
    return None if process.is_dry_run() else status(cluster)


def down(cluster: Cluster) -> bool:
    """Remove what `up` made; whether there was something. Raises DeployerError."""
    there = cluster.exists()
    if there or process.is_dry_run():
        steps.run("down", cluster.take_down())
    return there


def status(cluster: Cluster) -> Status:
    """How the cluster is; raises DeployerError where there is none or it does not answer."""
    if not cluster.exists():
        raise DeployerError(f"There is no cluster yet ({cluster.description}): `./run_kube up` makes it.{_hint()}")
    kubectl = Kubectl(tools.kubectl(lambda what: None), cluster.kubeconfig)
    try:
        found = health.look(kubectl, cluster.addresses())
    except CommandError as error:
        raise DeployerError(
            f"{error}\nThe cluster ({cluster.description}) does not answer: `./run_kube up` repairs it."
        ) from error
    return Status(cluster, found, _others())


def described(status: Status) -> str:
    """The status for a person to read."""
    found = status.health
    ready = sum(node.is_ready for node in found.nodes)
    lines = [
        f"cluster     {status.cluster.description}",
        f"kubeconfig  {status.cluster.kubeconfig}",
        f"nodes       {ready} of {len(found.nodes)} ready",
        *(
            f"            {node.name:<32} {node.zone or '-':<8} {node.version}{'' if node.is_ready else '  not ready'}"
            for node in found.nodes
        ),
        *_listed("releases", [f"{release.namespace}/{release.name}  {release.state}" for release in found.releases]),
        *_listed("open", [f"{name}  {url}" for name, url in found.endpoints.items()]),
        *_listed("not healthy", found.ailments),
        *_listed("others", [f"{other.name}  {_whereabouts(other)}" for other in status.others]),
    ]
    return "\n".join(lines)


def _listed(word: str, entries: list[str]) -> list[str]:
    return [f"{word if number == 0 else '':<11} {entry}" for number, entry in enumerate(entries or ["none"])]


def _whereabouts(other: docker.Owned) -> str:
    gone = (
        f"gone; remove it with `./run_kube down --cluster {other.name}`" if other.is_orphaned else "another checkout's"
    )
    return f"of {other.checkout} ({gone})"


def _others() -> list[docker.Owned]:
    if docker_engine.complaint() is not None:
        return []
    return [found for found in docker.owned() if found.checkout != ROOT]


def _hint() -> str:
    others = "; ".join(f"{other.name} {_whereabouts(other)}" for other in _others())
    return f" Other clusters here: {others}." if others else ""
