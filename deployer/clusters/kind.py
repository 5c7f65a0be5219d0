"""Four nodes in containers on this machine: kind's control plane and a worker in each of three zones."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deployer import docker_engine, images, machine, process, tools
from deployer.clusters import addons, docker, kind_config, registry
from deployer.clusters.base import ENDPOINTS, folder
from deployer.errors import CommandError, DeployerError
from deployer.images import daemon, recipes
from deployer.kubectl import Kubectl
from deployer.paths import ROOT, cache
from deployer.steps import Report, Step, say

MADE_OF = "/kind/made-of"
"""In the control plane's container: what the cluster was made of, written when it was whole."""
ANSWER_SECONDS = 90
CREATE_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Kind:
    """A checkout's cluster, by default this one's."""

    settings: kind_config.Settings = field(default_factory=kind_config.Settings)
    name: str = docker.cluster_name(ROOT)
    checkout: Path = ROOT

    @property
    def description(self) -> str:
        return f"kind {self.name}"

    @property
    def kubeconfig(self) -> Path:
        return folder(self.name) / "kubeconfig"

    def exists(self) -> bool:
        if docker_engine.complaint() is None:
            return bool(docker.nodes(self.name)) or any(found.name == self.name for found in docker.owned())
        return self.kubeconfig.exists()

    def bring_up(self) -> Sequence[Step]:
        return (
            Step("machine", "This machine", 1, self._check),
            Step("docker", "Docker Engine", 20, lambda report: docker_engine.ensure()),
            Step("tools", "Tools", 120, self._tools),
            Step("images", "Images", 1500, self._images),
            Step("cluster", "Cluster", 60, self._make),
            Step("registry", "Image registry", 10, self._registry),
            Step("addons", "Addons", 60, self._addons),
        )

    def take_down(self) -> Sequence[Step]:
        return (
            Step("cluster", "Cluster", 10, self._remove),
            Step("state", "Its state", 1, lambda report: self._forget()),
        )

    def addresses(self) -> dict[int, str]:
        control_plane = docker.container(kind_config.node_names(self.name)[0])
        published = docker.published(control_plane) if control_plane else {}
        return {inside: f"http://{kind_config.HOST}:{port}" for inside, port in published.items()}

    def _check(self, report: Report) -> None:
        """What would fail only after long work, or harm somebody else's."""
        builds, found = True, {}
        if docker_engine.complaint() is None:
            self._refuse_foreign()
            found = docker.nodes(self.name)
            builds = daemon.labels(images.node_image()) is None
        if found:
            self._refuse_other_ports()
        else:
            machine.free_ports({}, self.settings.ports, kind_config.HOST)
        if found and all(map(docker.is_running, found.values())):
            self._is_finished()
            return
        least = machine.BUILD_DISK if builds else machine.CLUSTER_DISK
        machine.demand(
            machine.memory(machine.CLUSTER_MEMORY),
            machine.disk("Docker's disk", docker_engine.data_folder(), least),
            machine.disk("cache folder", cache(), least),
        )

    def _refuse_foreign(self) -> None:
        if docker.nodes(self.name) and docker.Owned(self.name, self.checkout) not in docker.owned():
            raise DeployerError(
                f"There is a kind cluster {self.name} that this checkout did not make: if you don't need it, remove it "
                f"with `kind delete cluster --name {self.name}`, then run this again."
            )

    def _refuse_other_ports(self) -> None:
        control_plane = docker.container(kind_config.node_names(self.name)[0])
        there = docker.published(control_plane) if control_plane else {}
        for endpoint in ENDPOINTS:
            wanted = self.settings.ports.get(endpoint.name)
            found = there.get(endpoint.node_port)
            if wanted and found and wanted != found:
                raise DeployerError(
                    f"The cluster has {endpoint.name} on port {found}, which can't be changed while it is there: "
                    "leave --port out, or run `./run_kube down` first."
                )

    def _tools(self, report: Report) -> None:
        tools.kind(report)
        tools.kubectl(report)

    def _images(self, report: Report) -> None:
        images.ensure([name for role in ("node", "registry", "addons") for name in images.wanted(role)], report)

    def _make(self, report: Report) -> None:
        """Leave the cluster as it is if it is whole and well, start it if it was stopped, else make it anew."""
        self._refuse_foreign()
        if self._is_well(report):
            return
        docker.remove_all(self.name, registry.container_name(self.name))
        docker.make_network(self.name, self.checkout)
        preferred = {endpoint.name: endpoint.port for endpoint in ENDPOINTS}
        ports = machine.free_ports(preferred, self.settings.ports, kind_config.HOST)
        configuration = kind_config.configuration(self.name, images.node_image(), ports)
        self._forget()
        self._create(json.dumps(configuration, indent=2), report)
        self._kubectl(report).run("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=120s")
        control_plane, *_ = kind_config.node_names(self.name)
        process.run(["docker", "exec", "-i", control_plane, "sh", "-c", f"cat > {MADE_OF}"], stdin=self._digest)

    def _create(self, configuration: str, report: Report) -> None:
        """Let kind make the nodes. It makes all or none, so a second try costs a minute and leaves nothing behind."""
        for attempts_left in reversed(range(CREATE_ATTEMPTS)):
            try:
                process.run(
                    [
                        tools.kind(report),
                        "create",
                        "cluster",
                        "--config=-",
                        f"--kubeconfig={self.kubeconfig}",
                        "--wait=0s",
                    ],
                    environment={"KIND_EXPERIMENTAL_PROVIDER": "docker", "KIND_EXPERIMENTAL_DOCKER_NETWORK": self.name},
                    stdin=configuration,
                    lines=lambda line: report(_phase(line)) if line.startswith("•") else None,
                )
            except CommandError as error:
                if not attempts_left:
                    raise
                reason = next(reversed(error.output.strip().splitlines()), f"code {error.code}")
                say(f"kind could not make the cluster ({reason}): it tries again.")
            else:
                return

    @property
    def _digest(self) -> str:
        return kind_config.digest(images.node_image(), recipes.recipe(images.node_image()))

    def _is_finished(self) -> bool:
        """Whether the running cluster was made to its end; raises DeployerError if of something else than today."""
        control_plane, *_ = kind_config.node_names(self.name)
        try:
            made_of = process.read(["docker", "exec", control_plane, "cat", MADE_OF])
        except CommandError as error:
            if "No such file" not in error.output:
                raise
            return False
        if not made_of and process.is_dry_run():
            return True
        if made_of != self._digest:
            raise DeployerError(
                "What the cluster is made of has changed since (its node image or its configuration): run "
                "`./run_kube down`, then `./run_kube up` makes a new one."
            )
        return True

    def _is_well(self, report: Report) -> bool:
        """Whether the cluster is there, whole and answering; stopped nodes are started for it."""
        found = docker.nodes(self.name)
        names = kind_config.node_names(self.name)
        stopped = [node for node in names if node in found and not docker.is_running(found[node])]
        if set(found) != set(names):
            if found:
                say(f"The cluster has lost {', '.join(sorted(set(names) - set(found)))}: it is made anew.")
            return False
        if stopped:
            report("starting its nodes")
            try:
                process.run(["docker", "start", *stopped])
            except CommandError:
                say("The cluster's nodes do not start any more: it is made anew.")
                return False
        if not self._is_finished():
            say("The cluster was not finished: it is made anew.")
            return False
        self._export_kubeconfig(report)
        return self._answers(report)

    def _answers(self, report: Report) -> bool:
        kubectl = self._kubectl(report)
        deadline = time.monotonic() + ANSWER_SECONDS
        while not kubectl.answers():
            if time.monotonic() > deadline:
                say("The cluster's API does not answer any more: it is made anew.")
                return False
            report("waiting for its API")
            time.sleep(1)
        kubectl.run("wait", "--for=condition=Ready", "nodes", "--all", f"--timeout={ANSWER_SECONDS}s")
        return True

    def _export_kubeconfig(self, report: Report) -> None:
        content = process.read([tools.kind(report), "get", "kubeconfig", f"--name={self.name}"])
        self.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(content)

    def _kubectl(self, report: Report) -> Kubectl:
        return Kubectl(tools.kubectl(report), self.kubeconfig)

    def _registry(self, report: Report) -> None:
        registry.ensure(self.name)
        registry.teach(self.name, kind_config.node_names(self.name))
        registry.push(self.name, images.wanted("addons"), report)

    def _addons(self, report: Report) -> None:
        kubectl = self._kubectl(report)
        addons.install(kubectl, report)
        started = {name: node["State"]["StartedAt"] for name, node in docker.nodes(self.name).items()}
        addons.settle(kubectl, started, report)

    def _remove(self, report: Report) -> None:
        complaint = docker_engine.complaint()
        if complaint is None:
            self._refuse_foreign()
            docker.remove_all(self.name, registry.container_name(self.name))
        elif self.kubeconfig.exists():
            raise DeployerError(f"Docker does not answer ({complaint}): start it, then run this again.")

    def _forget(self) -> None:
        process.run(["rm", "--recursive", "--force", str(folder(self.name))])
        if not process.is_dry_run():
            folder(self.name).parent.mkdir(parents=True, exist_ok=True)


def _phase(line: str) -> str:
    """What kind says it is doing, without its pictures."""
    return "".join(character for character in line if character.isascii()).strip(" .").lower()
