"""What became of the writes: the client's record held against what the database has in the end. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Key = tuple[str, int]
"""Source and number: names an attempt."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A line of the client's record; writer.py says what the fields mean."""

    source: str
    number: int
    sent: float
    ended: float
    outcome: str
    timeline: int

    @property
    def key(self) -> Key:
        return self.source, self.number

    @property
    def is_acked(self) -> bool:
        return self.outcome == "acked"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts of attempts by outcome, and the keys of what must not be.

    lost: acknowledged and not there. doubled: there more than once. false: there, though the client was told that it
    is not, or never sent it.
    """

    outcomes: Mapping[str, int]
    lost: Sequence[Key]
    doubled: Sequence[Key]
    false: Sequence[Key]

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.false)


def parse(record: str) -> list[Attempt]:
    """The lines of writer.py's record, in order of their end; raises ValueError."""
    attempts = []
    for line in record.splitlines():
        source, number, sent, ended, outcome, timeline = line.split("\t")
        attempts.append(Attempt(source, int(number), float(sent), float(ended), outcome, int(timeline)))
    return sorted(attempts, key=lambda attempt: attempt.ended)


def judge(attempts: Iterable[Attempt], rows: Mapping[Key, int]) -> Verdict:
    """Hold the record against the database. rows: key -> how often it is there."""
    by_key = {attempt.key: attempt for attempt in attempts}
    outcomes = dict.fromkeys(("acked", "refused", "unknown"), 0)
    for attempt in by_key.values():
        outcomes[attempt.outcome] += 1
    return Verdict(
        outcomes,
        lost=[key for key, attempt in by_key.items() if attempt.is_acked and key not in rows],
        doubled=[key for key, count in rows.items() if count > 1],
        false=[key for key in rows if key not in by_key or by_key[key].outcome == "refused"],
    )


def longest_gap(attempts: Sequence[Attempt], since: float, until: float) -> float:
    """The longest time, in seconds, without an acknowledgement; gaps that end before `since` are left out.

    attempts: in order of their end. What is cut off by `until` counts up to there.
    """
    ends = [attempt.ended for attempt in attempts if attempt.is_acked and attempt.ended < until]
    return max((later - earlier for earlier, later in pairwise([*ends, until]) if later > since), default=until - since)


def stalls(attempts: Iterable[Attempt], since: float, until: float) -> dict[str, float]:
    """Source -> the longest time it went without an acknowledgement."""
    by_source: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        by_source.setdefault(attempt.source, []).append(attempt)
    return {source: longest_gap(its, since, until) for source, its in by_source.items()}


def timelines(attempts: Iterable[Attempt], since: float, until: float) -> set[int]:
    """The timelines that acknowledged in this span; more than one means that there was a failover or a switchover."""
    return {attempt.timeline for attempt in attempts if attempt.is_acked and since <= attempt.ended < until}


def rivals(attempts: Sequence[Attempt], nodes: Iterable[str]) -> list[tuple[Attempt, Attempt]]:
    """Proofs that two nodes accepted writes at one moment. nodes: the sources that write to one node each.

    A write was sent after a newer timeline had acknowledged, and yet the old one took it; or two nodes acknowledged on
    one timeline. attempts: in order of their end.
    """
    acked = [attempt for attempt in attempts if attempt.is_acked]
    found = []
    first_of: dict[int, Attempt] = {}
    for attempt in acked:
        first_of.setdefault(attempt.timeline, attempt)
    for attempt in acked:
        newer = [first for line, first in first_of.items() if line > attempt.timeline and first.ended < attempt.sent]
        found += [(attempt, first) for first in newer[:1]]
    node_of: dict[int, Attempt] = {}
    for attempt in acked:
        if attempt.source in nodes:
            other = node_of.setdefault(attempt.timeline, attempt)
            if other.source != attempt.source:
                found.append((other, attempt))
    return found
