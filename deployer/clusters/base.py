"""What every cluster offers to the commands."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deployer.paths import STATE
from deployer.steps import Step

ZONE_LABEL = "topology.kubernetes.io/zone"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Something to open in a browser: its name, the host's port by default, and the node port that is behind it."""

    name: str
    port: int
    node_port: int


ENDPOINTS = (Endpoint("site", 8080, 30080), Endpoint("grafana", 3000, 30300), Endpoint("prometheus", 9090, 30900))


class Cluster(Protocol):
    """A cluster, which need not be there yet."""

    @property
    def description(self) -> str:
        """Its kind and name."""

    @property
    def kubeconfig(self) -> Path:
        """The cluster's own kubeconfig, with nothing else in it."""

    def exists(self) -> bool:
        """Whether anything of it is there, working or not."""

    def bring_up(self) -> Sequence[Step]:
        """What makes it ready, in order; each step is quick where its result is there."""

    def take_down(self) -> Sequence[Step]:
        """What removes everything that `bring_up` made, and only that."""

    def addresses(self) -> dict[int, str]:
        """Node port -> the URL under which this machine reaches it."""


def folder(name: str) -> Path:
    """Where this checkout keeps what belongs to a cluster."""
    return STATE / "clusters" / name
