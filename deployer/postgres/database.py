"""The database on a cluster, and what can be done to it: through its pods, by Patroni's own command."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from deployer import process
from deployer.clusters.base import ZONE_LABEL
from deployer.errors import CommandError, DeployerError
from deployer.helm import Helm, Release
from deployer.kubectl import Kubectl
from deployer.postgres.state import Node, ailments, ordinal, parse
from deployer.steps import Report

RELEASE = Release("postgres", "postgres", "scale")
CONTAINER = "postgres"
SCOPE = f"{RELEASE.name}-primary"
DYNAMIC_SETTINGS = "/etc/patroni/dynamic.yml"
"""In the pods: the chart's settings that Patroni keeps in the cluster and gives to all nodes alike."""
SWITCHOVER_SECONDS = 60
REMOVE_SECONDS = 300
ASK_AGAIN_SECONDS = 0.5


def named(name: str | None) -> Release:
    """The release of this name: the database, or a copy restored beside it."""
    return replace(RELEASE, name=name) if name else RELEASE


def uninstall(helm: Helm, kubectl: Kubectl, release: Release) -> None:
    """Remove a release, and wait until its pods are gone; raises CommandError."""
    helm.uninstall(release)
    mine = [f"--namespace={release.namespace}", f"--selector=app.kubernetes.io/instance={release.name}"]
    kubectl.run("wait", "--for=delete", "statefulsets,pods", *mine, f"--timeout={REMOVE_SECONDS}s")


def remove_data(kubectl: Kubectl, release: Release) -> None:
    """Remove what outlives a release: volumes, passwords, Patroni's records; raises CommandError."""
    kinds = "persistentvolumeclaims,secrets,services,endpoints,configmaps"
    mine = f"--selector=app.kubernetes.io/instance={release.name}"
    kubectl.run("delete", kinds, f"--namespace={release.namespace}", mine)


@dataclass(frozen=True, slots=True)
class Database:
    """A release of the postgres chart on a cluster. is_synchronous: it is well only with a synchronous replica."""

    kubectl: Kubectl
    release: Release = RELEASE
    is_synchronous: bool = True

    def pods(self) -> list[dict[str, Any]]:
        """Its pods, in the order of their numbers; raises CommandError."""
        nodes = f"--selector=app.kubernetes.io/instance={self.release.name},statefulset.kubernetes.io/pod-name"
        found = self.kubectl.items("pods", self._namespace, nodes)
        return sorted(found, key=lambda pod: ordinal(str(pod["metadata"]["name"])))

    def stateful_set(self) -> dict[str, Any] | None:
        """What keeps its pods, None where it is not installed; raises CommandError."""
        names = f"--field-selector=metadata.name={self.release.name}"
        return next(iter(self.kubectl.items("statefulsets", self._namespace, names)), None)

    def count(self) -> int:
        """How many nodes it should have, 0 where it is not installed; raises CommandError."""
        found = self.stateful_set()
        return int(found["spec"]["replicas"]) if found else 0

    def zones(self) -> dict[str, str]:
        """Pod -> the zone it is in; raises CommandError."""
        zone_of = {
            node["metadata"]["name"]: node["metadata"]["labels"].get(ZONE_LABEL, "")
            for node in self.kubectl.items("nodes")
        }
        return {pod["metadata"]["name"]: zone_of.get(pod["spec"].get("nodeName"), "") for pod in self.pods()}

    def nodes(self) -> list[Node]:
        """What Patroni says of its nodes; raises DeployerError where no pod can say it."""
        failure = "none of its pods runs"
        for pod in self.pods():
            if pod["status"].get("phase") != "Running":
                continue
            try:
                return parse(
                    self.kubectl.read(*self.inside(pod["metadata"]["name"]), "patronictl", "list", "-f", "json")
                )
            except CommandError as error:
                failure = error.output.strip().splitlines()[-1] if error.output.strip() else str(error)
        raise DeployerError(
            f"No node of the database {self.release.namespace}/{self.release.name} answers ({failure}): "
            "`./run_kube setup_postgres` installs it, `./run_kube status` says what is wrong with what is there."
        )

    def leader(self) -> Node:
        """The primary; raises DeployerError where there is none right now."""
        for node in self.nodes():
            if node.is_leader:
                return node
        raise DeployerError("The database has no primary right now: try again in some seconds.")

    def switch_over(self, candidate: str | None = None) -> str:
        """Make another node the primary, which loses no write; returns its name. Raises DeployerError."""
        nodes = self.nodes()
        leader = next((node.name for node in nodes if node.is_leader), "")
        able = [node.name for node in nodes if node.is_synchronous]
        chosen = candidate or next(iter(able), None)
        if chosen == leader:
            raise DeployerError(f"{leader} is the primary already.")
        if not leader or chosen not in able:
            raise DeployerError(
                f"{chosen or 'No replica'} can't take over now, for it may lack writes of the primary; able to are: "
                f"{', '.join(able) or 'none'}. See `./run_kube pg status`, then try again."
            )
        switchover = ["patronictl", "switchover", f"--leader={leader}", f"--candidate={chosen}", "--force"]
        self.kubectl.run(*self.inside(leader), *switchover)
        deadline = time.monotonic() + SWITCHOVER_SECONDS
        while not any(node.name == chosen and node.is_leader and node.state == "running" for node in self.nodes()):
            if time.monotonic() > deadline:
                raise DeployerError(
                    f"{chosen} is not the primary after {SWITCHOVER_SECONDS} s: see `./run_kube pg status`."
                )
            time.sleep(ASK_AGAIN_SECONDS)
        return chosen

    def wait_until_well(self, seconds: float, report: Report) -> None:
        """Wait for a primary and all replicas streaming from it; raises DeployerError."""
        deadline = time.monotonic() + seconds
        while not process.is_dry_run():
            try:
                wrong = ailments(self.nodes(), self.count(), self.is_synchronous)
            except DeployerError as error:
                wrong = [str(error)]
            if not wrong:
                return
            if time.monotonic() > deadline:
                raise DeployerError(f"After {seconds:.0f} s the database is not well yet: {'; '.join(wrong)}")
            report(wrong[0])
            time.sleep(ASK_AGAIN_SECONDS)

    def configure(self) -> bool:
        """Bring the settings that all nodes share to what the chart says; whether that changed something."""
        command = ["patronictl", "edit-config", "--force", f"--replace={DYNAMIC_SETTINGS}"]
        return "Not changed" not in self.kubectl.run(*self.inside(self.leader().name), *command)

    def psql(self, role: str | None, arguments: Sequence[str], is_interactive: bool) -> int:
        """Run psql at the primary's own socket, its input and output the user's; returns its exit code."""
        command = [*(["env", f"PGOPTIONS=-c role={role}"] if role else []), "psql", *arguments]
        exec_, *inside = self.inside(self.leader().name)
        streams = ["--stdin", "--tty"] if is_interactive else ["--stdin"]
        kubectl = [self.kubectl.program, f"--kubeconfig={self.kubectl.kubeconfig}"]
        return process.show([*kubectl, exec_, *streams, *inside, *command])

    def sql(self, script: str) -> str:
        """What psql says to a script at the primary's own socket; raises DeployerError."""
        exec_, *inside = self.inside(self.leader().name)
        quiet = "--no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1"
        command = ["sh", "-c", f'exec psql {quiet} --dbname="$SCALE_DATABASE"']
        return self.kubectl.run(exec_, "--stdin", *inside, *command, stdin=script)

    def inside(self, pod: str) -> list[str]:
        """kubectl's words before a command that is to run in a node's container."""
        return ["exec", self._namespace, pod, f"--container={CONTAINER}", "--"]

    @property
    def scope(self) -> str:
        """Patroni's name of it: the Service of its primary."""
        return f"{self.release.name}-primary"

    @property
    def _namespace(self) -> str:
        return f"--namespace={self.release.namespace}"
