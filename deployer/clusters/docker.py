"""What Docker holds of the clusters of all checkouts, found by name and label; nothing is remembered outside Docker.

The network of a cluster is made first and removed last, and says in a label which checkout it belongs to.
"""

import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployer import process
from deployer.errors import CommandError

OWNER_LABEL = "chaos-at-scale.checkout"
NODE_LABEL = "io.x-k8s.kind.cluster"
"""kind's own: the name of the cluster that a container is a node of."""


@dataclass(frozen=True, slots=True)
class Owned:
    """A cluster that some checkout made."""

    name: str
    checkout: Path

    @property
    def is_orphaned(self) -> bool:
        return not (self.checkout / "run_kube").exists()


def cluster_name(checkout: Path) -> str:
    """The name of a checkout's cluster: the folder's, so that people know it, and a hash of where it lies."""
    word = re.sub(r"[^a-z0-9]+", "-", checkout.name.lower()).strip("-")[:20].strip("-")
    return f"scale-{word or 'x'}-{hashlib.sha256(str(checkout).encode()).hexdigest()[:6]}"


def owned() -> list[Owned]:
    """The clusters of all checkouts that Docker knows; raises CommandError."""
    form = f'{{{{.Name}}}}\t{{{{.Label "{OWNER_LABEL}"}}}}'
    answer = process.read(["docker", "network", "ls", "--filter", f"label={OWNER_LABEL}", "--format", form])
    return [Owned(name, Path(checkout)) for name, checkout in (line.split("\t", 1) for line in answer.splitlines())]


def make_network(name: str, checkout: Path) -> None:
    process.run(["docker", "network", "create", "--label", f"{OWNER_LABEL}={checkout}", name])


def nodes(name: str) -> dict[str, dict[str, Any]]:
    """Container name -> what `docker inspect` says, of the cluster's nodes, running or not; raises CommandError."""
    listing = ["docker", "ps", "--all", "--quiet", "--filter", f"label={NODE_LABEL}={name}"]
    while True:
        try:
            return {found["Name"].lstrip("/"): found for found in _inspect(*process.read(listing).split())}
        except CommandError as error:
            # One that was listed has gone since: the next list is without it.
            if "no such container" not in error.output.lower():
                raise


def container(name: str) -> dict[str, Any] | None:
    """What `docker inspect` says of a container; None where there is none of that name."""
    try:
        found = _inspect(name)
    except CommandError:
        return None
    return found[0] if found else None


def is_running(inspected: dict[str, Any]) -> bool:
    return bool(inspected["State"]["Running"])


def published(inspected: dict[str, Any]) -> dict[int, int]:
    """Container port -> the port on this machine that leads to it, running or not."""
    bindings = {**(inspected["HostConfig"]["PortBindings"] or {}), **(inspected["NetworkSettings"]["Ports"] or {})}
    return {
        int(port.partition("/")[0]): int(bound[0]["HostPort"])
        for port, bound in bindings.items()
        if bound and bound[0]["HostPort"]
    }


def remove_all(name: str, *others: str) -> None:
    """Remove the cluster's nodes and the other containers with their volumes, then the network; raises CommandError."""
    containers = [*nodes(name), *(other for other in others if container(other))]
    # All at once: one after the other takes twice as long.
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda container: process.run(["docker", "rm", "--force", "--volumes", container]), containers))
    if any(cluster.name == name for cluster in owned()):
        process.run(["docker", "network", "rm", name])


def _inspect(*containers: str) -> list[dict[str, Any]]:
    if not containers:
        return []
    answer = process.read(["docker", "container", "inspect", *containers])
    found: list[dict[str, Any]] = json.loads(answer) if answer else []
    return found
