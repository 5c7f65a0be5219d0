"""The state of a database's nodes as Patroni tells it, and what is wrong with it. No I/O."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

LEADER = "Leader"
SYNCHRONOUS = ("Sync Standby", "Quorum Standby")


@dataclass(frozen=True, slots=True)
class Node:
    """A member of the database. role, state: in Patroni's words. lag: MB behind the primary, None if unknown."""

    name: str
    role: str
    state: str
    timeline: int | None
    lag: int | None
    is_restart_pending: bool

    @property
    def is_leader(self) -> bool:
        return self.role == LEADER

    @property
    def is_synchronous(self) -> bool:
        """Whether it has every acknowledged write, so that it may take over."""
        return self.role in SYNCHRONOUS


def parse(answer: str) -> list[Node]:
    """The nodes in the answer of `patronictl list --format json`, in the order of their numbers."""
    rows: list[Mapping[str, Any]] = json.loads(answer or "[]")
    nodes = [
        Node(
            name=row["Member"],
            role=row["Role"],
            # A member that has just registered has none yet.
            state=row.get("State", "starting"),
            timeline=_number(row, "TL"),
            lag=_number(row, "Lag in MB"),
            is_restart_pending=bool(row.get("Pending restart")),
        )
        for row in rows
    ]
    return sorted(nodes, key=lambda node: ordinal(node.name))


def ailments(nodes: Sequence[Node], count: int, is_synchronous: bool = True) -> list[str]:
    """What is not as it should be, of a database that should have so many nodes."""
    leaders = [node for node in nodes if node.is_leader and node.state == "running"]
    wrong = [] if len(leaders) == 1 else [f"{len(leaders) or 'no'} running primary"]
    if len(nodes) != count:
        wrong.append(f"{len(nodes)} of {count} nodes")
    wrong += [f"{node.name} is {node.state}" for node in nodes if not node.is_leader and node.state != "streaming"]
    if leaders:
        wrong += [
            f"{node.name} is on timeline {node.timeline or '?'} instead of {leaders[0].timeline}"
            for node in nodes
            if node.timeline != leaders[0].timeline
        ]
    if is_synchronous and count > 1 and not any(node.is_synchronous for node in nodes):
        wrong.append("no replica is synchronous")
    return wrong


def ordinal(name: str) -> int:
    """The number at the end of a pod's name."""
    return int(name.rpartition("-")[2])


def described(nodes: Sequence[Node], zones: Mapping[str, str], wrong: Sequence[str]) -> str:
    """A line for each node, then what is wrong."""
    return "\n".join([*_lines(nodes, zones), *(f"not well    {ailment}" for ailment in wrong)])


def as_json(nodes: Sequence[Node], zones: Mapping[str, str], wrong: Sequence[str]) -> dict[str, Any]:
    """The same for programs."""
    rows = [asdict(node) | {"zone": zones.get(node.name, "")} for node in nodes]
    return {"nodes": rows, "healthy": not wrong, "ailments": list(wrong)}


def _lines(nodes: Sequence[Node], zones: Mapping[str, str]) -> Iterator[str]:
    for node in nodes:
        role = "primary" if node.is_leader else node.role.lower()
        lag = "" if node.is_leader else f"  {'?' if node.lag is None else node.lag} MB behind"
        pending = "  to be restarted" if node.is_restart_pending else ""
        place = f"{node.name:<12}{zones.get(node.name) or '-':<8}"
        yield f"{place}{role:<14}{node.state:<18}timeline {node.timeline or '?'}{lag}{pending}"


def _number(row: Mapping[str, Any], column: str) -> int | None:
    """A number that Patroni may not know."""
    value = row.get(column)
    return value if isinstance(value, int) else None
