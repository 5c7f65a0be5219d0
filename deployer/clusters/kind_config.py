"""A kind cluster's settings, typed and checked as a whole, and kind's configuration made of them. No I/O."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deployer.clusters.base import ENDPOINTS, ZONE_LABEL
from deployer.errors import DeployerError

ZONES = ("zone-a", "zone-b", "zone-c")
HOST = "127.0.0.1"
CERTIFICATES = "/etc/containerd/certs.d"
"""Where the nodes' containerd reads from which registry to pull what."""

_KUBELET = {"kind": "KubeletConfiguration", "failCgroupV1": False}
"""cgroup v1 hosts are still around; on v2 this says nothing."""
_KUBE_PROXY = {
    "kind": "KubeProxyConfiguration",
    "mode": "iptables",
    # 0 leaves the machine's limits alone, which not every machine lets a container change.
    "conntrack": {"maxPerCore": 0, "min": 0},
}
_CONTAINERD = f'[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "{CERTIFICATES}"\n'


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user can choose. ports: endpoint -> the port it must have on this machine; others take a free one."""

    ports: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = [endpoint.name for endpoint in ENDPOINTS]
        wrong = [f"{name} is not an endpoint ({', '.join(known)} are)" for name in self.ports if name not in known]
        wrong += [
            f"{port} is not a port between 1 and 65535 ({name})"
            for name, port in self.ports.items()
            if not 1 <= port <= 65535
        ]
        numbers = list(self.ports.values())
        wrong += [f"{port} is given twice" for port in sorted(set(numbers)) if numbers.count(port) > 1]
        if wrong:
            raise DeployerError(f"--port: {'; '.join(wrong)}.")


def settings(given: list[str]) -> Settings:
    """The settings out of the command line's NAME=NUMBER words; raises DeployerError."""
    ports = {}
    for word in given:
        name, _, number = word.partition("=")
        if not number.isdecimal():
            raise DeployerError(f"--port {word}: write it as NAME=NUMBER, like site=8080.")
        ports[name] = int(number)
    return Settings(ports)


def configuration(name: str, node_image: str, ports: Mapping[str, int]) -> dict[str, Any]:
    """kind's configuration of one control plane and a worker in each zone. ports: endpoint -> port on this machine."""
    mappings = [
        {"containerPort": endpoint.node_port, "hostPort": ports[endpoint.name], "listenAddress": HOST}
        for endpoint in ENDPOINTS
    ]
    control_plane = {"role": "control-plane", "image": node_image, "extraPortMappings": mappings}
    workers = [{"role": "worker", "image": node_image, "labels": {ZONE_LABEL: zone}} for zone in ZONES]
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": name,
        "nodes": [control_plane, *workers],
        "kubeadmConfigPatches": [json.dumps(_KUBELET), json.dumps(_KUBE_PROXY)],
        "containerdConfigPatches": [_CONTAINERD],
    }


def node_names(name: str) -> list[str]:
    """The names kind gives the nodes' containers."""
    return [f"{name}-control-plane", *(f"{name}-worker{number or ''}" for number in (0, *range(2, len(ZONES) + 1)))]


def digest(node_image: str, recipe: str) -> str:
    """Names what a cluster is made of, whatever its name and ports. recipe: the hash of the node image's making."""
    ports = {endpoint.name: endpoint.port for endpoint in ENDPOINTS}
    content = json.dumps([configuration("any", node_image, ports), recipe], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
