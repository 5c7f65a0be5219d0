"""What a bare cluster needs before anything runs on it well.

DNS comes with kubeadm; the pod network and the default StorageClass with the node image; the metrics are added here.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deployer import process
from deployer.errors import DeployerError
from deployer.kubectl import Kubectl
from deployer.steps import Report

MANIFESTS = Path(__file__).parent / "manifests"
NAMESPACES = ("kube-system", "local-path-storage")
READY_SECONDS = 180
_TO_THE_SECOND = len("2026-01-01T00:00:00")


def install(kubectl: Kubectl, report: Report) -> None:
    """Bring the addons into the wanted state and wait until they are available; raises CommandError."""
    kubectl.apply(sorted(MANIFESTS.glob("*.yaml")))
    wait = ["wait", "--for=condition=Available", "deployment", "--all", f"--timeout={READY_SECONDS}s"]
    for namespace in NAMESPACES:
        report(f"waiting for {namespace}")
        kubectl.run(*wait, f"--namespace={namespace}")


def settle(kubectl: Kubectl, nodes: Mapping[str, str], report: Report) -> None:
    """Wait until every pod of the cluster's own runs and is ready; raises DeployerError.

    nodes: when each was started. After a start the API tells for a while what was true before it, so a pod counts only
    if its containers are younger than its node.
    """
    deadline = time.monotonic() + READY_SECONDS
    while not process.is_dry_run():
        pods = [pod for namespace in NAMESPACES for pod in kubectl.items("pods", f"--namespace={namespace}")]
        unsettled = [pod["metadata"]["name"] for pod in pods if not is_settled(pod, nodes)]
        if not unsettled:
            return
        if time.monotonic() > deadline:
            raise DeployerError(
                f"{', '.join(unsettled)}: not ready after {READY_SECONDS} s; `./run_kube status` says why."
            )
        report(f"waiting for {unsettled[0]}")
        time.sleep(1)


def is_settled(pod: Mapping[str, Any], nodes: Mapping[str, str]) -> bool:
    """Whether all containers of a pod are ready and were started after its node was."""
    node_started = nodes.get(pod["spec"].get("nodeName", ""), "")[:_TO_THE_SECOND]
    containers = pod["status"].get("containerStatuses", ())
    return bool(containers) and all(
        container["ready"] and container["state"].get("running", {}).get("startedAt", "") >= node_started
        for container in containers
    )
