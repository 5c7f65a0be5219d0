"""How a cluster is: its nodes, its releases, what can be opened, and what is not healthy and why.

The functions here turn what the API says into sentences; only `look` asks it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from deployer.clusters.base import ENDPOINTS, ZONE_LABEL
from deployer.kubectl import Kubectl

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    zone: str
    version: str
    is_ready: bool


@dataclass(frozen=True, slots=True)
class Release:
    """A Helm release at its newest revision."""

    namespace: str
    name: str
    revision: int
    state: str


@dataclass(frozen=True, slots=True)
class Health:
    nodes: list[Node]
    releases: list[Release]
    endpoints: dict[str, str]
    ailments: list[str]

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "healthy": not self.ailments}


def look(kubectl: Kubectl, addresses: Mapping[int, str]) -> Health:
    """Ask the cluster. addresses: node port -> URL on this machine. Raises CommandError."""
    nodes = kubectl.items("nodes")
    pods = kubectl.items("pods", "--all-namespaces")
    claims = kubectl.items("persistentvolumeclaims", "--all-namespaces")
    secrets = kubectl.items("secrets", "--all-namespaces", "--selector=owner=helm")
    found = releases(secrets)
    return Health(
        [_node(node) for node in nodes],
        found,
        endpoints(kubectl.items("services", "--all-namespaces"), addresses),
        [*node_ailments(nodes), *release_ailments(found), *pod_ailments(pods), *claim_ailments(claims)],
    )


def endpoints(services: list[dict[str, Any]], addresses: Mapping[int, str]) -> dict[str, str]:
    """Name -> URL of what is served through a port of this machine."""
    served = {port.get("nodePort") for service in services for port in service["spec"].get("ports", ())}
    return {
        endpoint.name: addresses[endpoint.node_port]
        for endpoint in ENDPOINTS
        if endpoint.node_port in served and endpoint.node_port in addresses
    }


def releases(secrets: list[dict[str, Any]]) -> list[Release]:
    """The releases that Helm's own records name."""
    newest: dict[tuple[str, str], Release] = {}
    for secret in secrets:
        labels, namespace = secret["metadata"]["labels"], secret["metadata"]["namespace"]
        release = Release(namespace, labels["name"], int(labels["version"]), labels["status"])
        before = newest.get((namespace, release.name))
        if before is None or before.revision < release.revision:
            newest[namespace, release.name] = release
    return [newest[key] for key in sorted(newest)]


def node_ailments(nodes: list[dict[str, Any]]) -> Iterator[str]:
    for node in nodes:
        for condition in node["status"]["conditions"]:
            wanted = "True" if condition["type"] == "Ready" else "False"
            if condition["status"] != wanted:
                yield f"node {_name(node)}: {_condition(condition)}"


def release_ailments(found: list[Release]) -> Iterator[str]:
    for release in found:
        if release.state != "deployed":
            yield f"release {release.namespace}/{release.name}: {release.state} (revision {release.revision})"


def pod_ailments(pods: list[dict[str, Any]]) -> Iterator[str]:
    """Why pods that should run don't; one line for each, the first reason that Kubernetes gives."""
    for pod in pods:
        reason = _why(pod["status"]) if pod["status"].get("phase") != "Succeeded" else None
        if reason:
            yield f"pod {_name(pod)}: {reason}"


def claim_ailments(claims: list[dict[str, Any]]) -> Iterator[str]:
    for claim in claims:
        phase = claim["status"].get("phase")
        if phase != "Bound":
            yield f"volume claim {_name(claim)}: {phase}"


def _why(status: Object) -> str | None:
    """Why a pod is not ready, None if it is."""
    conditions = {condition["type"]: condition for condition in status.get("conditions", ())}
    if conditions.get("Ready", {}).get("status") == "True":
        return None
    for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        waiting = container["state"].get("waiting")
        ended = container["state"].get("terminated") or container.get("lastState", {}).get("terminated")
        if waiting and waiting.get("reason") not in ("PodInitializing", "ContainerCreating"):
            before = f", after {ended['reason']} with code {ended['exitCode']}" if ended else ""
            return f"{container['name']} {_condition(waiting)}{before}"
        if ended and ended["exitCode"]:
            return f"{container['name']} ended with code {ended['exitCode']} ({ended['reason']})"
    if status.get("reason"):
        return _condition(status)
    for kind in ("PodScheduled", "Ready"):
        condition = conditions.get(kind)
        if condition and condition["status"] != "True":
            return _condition(condition)
    return str(status.get("phase", "Unknown"))


def _node(node: Object) -> Node:
    conditions = {condition["type"]: condition["status"] for condition in node["status"]["conditions"]}
    labels = node["metadata"].get("labels", {})
    version = node["status"]["nodeInfo"]["kubeletVersion"]
    return Node(_name(node), labels.get(ZONE_LABEL, ""), version, conditions.get("Ready") == "True")


def _name(thing: Object) -> str:
    namespace = thing["metadata"].get("namespace")
    return f"{namespace}/{thing['metadata']['name']}" if namespace else str(thing["metadata"]["name"])


def _condition(said: Object) -> str:
    """Reason and message in one, with the reason's own name where there is no message."""
    return ": ".join(text for text in (said.get("reason"), said.get("message")) if text) or f"{said.get('type')}"
