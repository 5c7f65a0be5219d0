"""Faults at one pod or its node: by a short-lived privileged pod that undoes it itself, by Kubernetes, or by Docker.

A fault pod is pinned to the target's node and finds its processes by its uid (fault.sh says what it does there). It
lives in a namespace of its own: the target's refuses privileged pods.
"""

import json
import random
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from deployer import process
from deployer.errors import CommandError
from deployer.kubectl import Kubectl

NAMESPACE = "scale-faults"
IMAGE = "debian:bookworm-slim"
"""Comes with the nodes."""
START_SECONDS = 60
"""What a fault pod may need to start, on top of the time its fault lasts."""
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done, to which part, and for how many seconds it lasts (0: it is over at once).

    action: of fault.sh; or `delete`, `delete-forced`, `kill-node`. aim: whom a `cut` separates the target from.
    """

    action: str
    seconds: float = 0
    aim: str = ""

    @property
    def name(self) -> str:
        return "-".join(filter(None, (self.action, self.aim)))


PROCESS = (
    Fault("delete"),
    Fault("delete-forced"),
    Fault("kill-postgres"),
    Fault("kill-patroni"),
    Fault("stop-postgres", 20),
)
NODE = (Fault("kill-node", 25), Fault("cut", 25, "peers"), Fault("cut", 25, "api"))
"""Longer than the bar of their gap, so that waiting a fault out does not meet it."""
BLIPS = (
    *(Fault("stop-postgres", seconds) for seconds in (1, 2)),
    *(Fault("cut", seconds, aim) for seconds in (1, 2) for aim in ("peers", "api")),
    Fault("burn", 20),
)


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod of the database."""

    namespace: str
    name: str
    uid: str
    node: str
    address: str


def draw(faults: Sequence[Fault], count: int, seed: int) -> list[Fault]:
    """So many of the faults in an order drawn by the seed; each is drawn about equally often."""
    chance = random.Random(seed)
    drawn = [faults[number % len(faults)] for number in range(count)]
    chance.shuffle(drawn)
    return drawn


def strike(kubectl: Kubectl, fault: Fault, target: Pod, addresses: Sequence[str]) -> float:
    """Put the fault in; returns when it began (seconds since 1970). addresses: what a `cut` separates the target from.

    What lasts is over by itself after the fault's seconds, but a killed node: `revive` starts it again.
    """
    began = time.time()
    here = (target.name, f"--namespace={target.namespace}")
    if fault.action == "delete":
        kubectl.run("delete", "pod", "--wait=false", *here)
    elif fault.action == "delete-forced":
        kubectl.run("delete", "pod", "--wait=false", "--grace-period=0", "--force", *here)
    elif fault.action == "kill-node":
        process.run(["docker", "kill", target.node])
    else:
        began = _strike_by_pod(kubectl, fault, target, addresses)
    return began


def revive(target: Pod) -> None:
    """Start a killed node again."""
    process.run(["docker", "start", target.node])


def prepare(kubectl: Kubectl) -> None:
    """The namespace of the fault pods."""
    labels = {f"pod-security.kubernetes.io/{mode}": "privileged" for mode in ("enforce", "audit", "warn")}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
    kubectl.run("apply", "--filename=-", stdin=json.dumps(namespace))


def clean_up(kubectl: Kubectl) -> None:
    kubectl.run("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")


def _strike_by_pod(kubectl: Kubectl, fault: Fault, target: Pod, addresses: Sequence[str]) -> float:
    name = f"{fault.name}-{secrets.token_hex(3)}"
    kubectl.run("apply", "--filename=-", stdin=manifest(name, fault, target, addresses))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            said = kubectl.read("logs", name, f"--namespace={NAMESPACE}")
        except CommandError:  # it has not started yet
            said = ""
        for line in said.splitlines():
            word, _, when = line.partition(" ")
            if word == "began":
                return float(when)
        time.sleep(0.2)
    raise AssertionError(f"the fault {fault.name} at {target.name} did not begin: {said}")


def manifest(name: str, fault: Fault, target: Pod, addresses: Sequence[str]) -> str:
    """The pod that puts a fault in."""
    arguments = [fault.action, str(round(fault.seconds)), target.uid, *addresses]
    return Template((_HERE / "fault.yaml").read_text()).substitute(
        name=name,
        namespace=NAMESPACE,
        node=target.node,
        image=IMAGE,
        deadline=round(fault.seconds) + START_SECONDS,
        command=json.dumps(["bash", "-c", (_HERE / "fault.sh").read_text(), "fault.sh", *arguments]),
    )
