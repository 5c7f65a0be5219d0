"""Pods for tests on a cluster, and patience with them."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from deployer.clusters.base import ZONE_LABEL
from deployer.errors import CommandError
from deployer.kubectl import Kubectl

IMAGE = "debian:bookworm-slim"
"""Comes with the nodes."""
PATIENCE_SECONDS = 180


def eventually(look: Callable[[], Any], what: str) -> Any:
    """What `look` gives once it gives something; it may fail until then."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            found = look()
            why = repr(found)
        except (CommandError, OSError) as error:
            found, why = None, str(error)
        if found:
            return found
        assert time.monotonic() < deadline, f"{what} did not come: {why}"
        time.sleep(0.5)


def make(kubectl: Kubectl, namespace: str, kind: str, name: str, spec: dict[str, Any]) -> None:
    """Make an object of the core API, labelled app=NAME."""
    metadata = {"name": name, "namespace": namespace, "labels": {"app": name}}
    thing = {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec}
    kubectl.run("apply", "--filename=-", stdin=json.dumps(thing))


def pod(
    script: str, zone: str | None = None, container: Mapping[str, Any] | None = None, image: str = IMAGE
) -> dict[str, Any]:
    """The specification of a pod that runs a script once, in a container as described further."""
    return {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "nodeSelector": {ZONE_LABEL: zone} if zone else {},
        "containers": [{"name": "main", "image": image, "command": ["bash", "-ec", script], **(container or {})}],
    }


def status(kubectl: Kubectl, namespace: str, pod: str) -> dict[str, Any]:
    """A pod's status, its uid and its node."""
    found: dict[str, Any] = json.loads(kubectl.read("get", "pod", pod, f"--namespace={namespace}", "--output=json"))
    seen: dict[str, Any] = found["status"]
    return seen | {"uid": found["metadata"]["uid"], "node": found["spec"].get("nodeName")}


def running(kubectl: Kubectl, namespace: str, pod: str) -> dict[str, Any]:
    """A pod's status, once it runs and is ready."""

    def look() -> dict[str, Any] | None:
        seen = status(kubectl, namespace, pod)
        return seen if seen["phase"] == "Running" and seen["containerStatuses"][0]["ready"] else None

    found: dict[str, Any] = eventually(look, f"pod {pod}")
    return found


def said(kubectl: Kubectl, namespace: str, pod: str) -> str:
    """What a pod wrote, once it has ended."""
    ended = ("Succeeded", "Failed")
    phase = eventually(lambda: (p := status(kubectl, namespace, pod)["phase"]) in ended and p, f"the end of {pod}")
    log = kubectl.read("logs", pod, f"--namespace={namespace}")
    assert phase == "Succeeded", log
    return log
