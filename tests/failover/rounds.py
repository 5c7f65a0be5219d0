"""One fault after the other at whatever node is the primary, while a client writes; each after the last is cured."""

import random
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from deployer.kubectl import Kubectl
from deployer.postgres.database import Database
from tests.failover import faults
from tests.failover.client import Client
from tests.failover.faults import Fault, Pod
from tests.failover.ledger import Attempt, longest_gap, timelines

CURE_SECONDS = 300
LEAST_SECONDS = 8
"""For so long the cluster may still tell what was true before the fault."""
FRESH_SECONDS = 2
WRITERS = "writer-"
"""What the names of the sources that write through the primary's Service begin with."""


@dataclass(frozen=True, slots=True)
class Round:
    """A fault that was put in. began, until: seconds since 1970; until: before the next fault."""

    fault: Fault
    target: str
    began: float
    until: float


@dataclass(frozen=True, slots=True)
class Effect:
    """What the writers noticed of a round: the longest time, in seconds, without an acknowledgement; a new primary."""

    round: Round
    gap: float
    is_failover: bool


@contextmanager
def fault_pods(kubectl: Kubectl) -> Iterator[None]:
    """In this block faults can be put in by pods."""
    faults.prepare(kubectl)
    try:
        yield
    finally:
        faults.clean_up(kubectl)


def play(database: Database, client: Client, drawn: Sequence[Fault], chance: random.Random) -> list[Round]:
    """Put in one fault after the other; raises DeployerError when the database does not get well again."""
    rounds = []
    for number, fault in enumerate(drawn, 1):
        time.sleep(chance.uniform(1, 4))
        target, others = primary_and_others(database)
        began = faults.strike(database.kubectl, fault, target, addresses(database, fault, others))
        say(f"{number}/{len(drawn)} {fault.name} {fault.seconds:.0f} s at {target.name}")
        cure(database, client, fault, target, began)
        rounds.append(Round(fault, target.name, began, time.time()))
    return rounds


def cure(database: Database, client: Client, fault: Fault, target: Pod, began: float) -> None:
    """Wait until a fault is over, the database well and the client writing."""
    time.sleep(max(0.0, began + max(fault.seconds, LEAST_SECONDS) - time.time()))
    if fault.action == "kill-node":
        faults.revive(target)
    database.wait_until_well(CURE_SECONDS, lambda what: None)
    deadline = time.monotonic() + CURE_SECONDS
    while time.time() - client.last_acked() > FRESH_SECONDS:
        assert time.monotonic() < deadline, f"no write {CURE_SECONDS} s after {fault.name} at {target.name}"
        time.sleep(0.5)


def primary_and_others(database: Database) -> tuple[Pod, list[Pod]]:
    """The primary's pod, and those of the other nodes."""
    leader = database.leader().name
    pods = [
        Pod(
            database.release.namespace,
            pod["metadata"]["name"],
            pod["metadata"]["uid"],
            pod["spec"]["nodeName"],
            pod["status"]["podIP"],
        )
        for pod in database.pods()
    ]
    (target,) = (pod for pod in pods if pod.name == leader)
    return target, [pod for pod in pods if pod.name != leader]


def addresses(database: Database, fault: Fault, others: Iterable[Pod]) -> list[str]:
    """What a `cut` separates the primary from."""
    if fault.aim == "peers":
        return [pod.address for pod in others]
    if fault.aim == "api":
        return [database.kubectl.read("get", "service", "kubernetes", "--output=jsonpath={.spec.clusterIP}")]
    return []


def effects(rounds: Sequence[Round], attempts: Sequence[Attempt]) -> list[Effect]:
    """What the record of the client says of each round."""
    writes = [attempt for attempt in attempts if attempt.source.startswith(WRITERS)]
    found = []
    for one in rounds:
        seen = [attempt for attempt in writes if one.began - FRESH_SECONDS <= attempt.ended < one.until]
        gap = longest_gap(seen, one.began, one.until)
        changed = len(timelines(seen, one.began - FRESH_SECONDS, one.until)) > 1
        found.append(Effect(one, gap, changed))
        say(f"{one.fault.name} {one.fault.seconds:.0f} s at {one.target}: gap {gap:.2f} s{', failover' * changed}")
    return found


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
