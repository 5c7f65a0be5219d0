"""Faults at the primary of the cluster's database under a writing client: what is lost, and for how long nobody writes.

On the cluster of this checkout, after `./run_kube up` and `./run_kube setup_postgres`. The environment's KILLS says how
many faults, KILL_SEED which.
"""

import os
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from deployer import lifecycle, tools
from deployer.kubectl import Kubectl
from deployer.postgres import rolling
from deployer.postgres.database import Database
from tests.bench.row import Row
from tests.failover import faults
from tests.failover.client import writing
from tests.failover.faults import Fault
from tests.failover.ledger import Attempt, judge, rivals, stalls
from tests.failover.rounds import (
    WRITERS,
    Effect,
    addresses,
    cure,
    effects,
    fault_pods,
    play,
    primary_and_others,
    say,
)

KILLS = int(os.environ.get("KILLS", "100"))
SEED = int(os.environ.get("KILL_SEED", "1"))
BLIPS = 20
SWITCHOVERS = 5
CONTROLS = 5
SWITCHOVER_APART_SECONDS = 8
RETRY_SECONDS = 5
"""For so long an ordinary client tries again before it gives its caller an error."""
DELAYED_SECONDS = 2


def measure() -> Iterator[Row]:
    cluster = lifecycle.choose()
    database = Database(Kubectl(tools.kubectl(lambda what: None), cluster.kubeconfig))
    with fault_pods(database.kubectl):
        yield from _survives(database)
        yield from _negative_control(database)


def _survives(database: Database) -> Iterator[Row]:
    """The database as it is installed, under everything."""
    chance = random.Random(SEED)
    drawn = faults.draw((*faults.PROCESS, *faults.NODE), KILLS, SEED)
    with writing(database) as client:
        rounds = play(database, client, drawn, chance)
        blips = play(database, client, faults.draw(faults.BLIPS, BLIPS, SEED), chance)
        switched = [_switch_over(database) for _ in range(SWITCHOVERS)]
        attempts = client.stop()
        verdict = judge(attempts, client.rows())
    nodes = {one.target for one in rounds}
    hits, shakes = effects(rounds, attempts), effects(blips, attempts)
    acked = verdict.outcomes["acked"]
    note = f"{len(rounds)} faults, seed {SEED}, {len(blips)} blips, {SWITCHOVERS} switchovers"
    yield Row("acknowledged writes", acked, "", bar=1000 * KILLS, at_least=True, note=note)
    yield Row("of them lost", len(verdict.lost), "", bar=0)
    yield Row("of them doubled", len(verdict.doubled), "", bar=0)
    yield Row("there, but refused or never sent", len(verdict.false), "", bar=0, note=f"{verdict.outcomes}")
    yield Row(
        "moments with two primaries", len(rivals(attempts, nodes)), "", bar=0, note="each node tried 10 times a second"
    )
    yield from _gaps("pods and processes", [hit for hit in hits if hit.round.fault in faults.PROCESS], (3, 6, 12))
    yield from _gaps("nodes and networks", [hit for hit in hits if hit.round.fault in faults.NODE], (None, 20, None))
    yield Row("failovers by blips", sum(blip.is_failover for blip in shakes), "", bar=0, note=f"of {len(shakes)}")
    yield from _switchovers(switched, attempts)


def _gaps(what: str, hits: Sequence[Effect], bars: tuple[float | None, float | None, float | None]) -> Iterator[Row]:
    gaps = sorted(hit.gap for hit in hits)
    if len(gaps) < 2:
        return
    worst = max(hits, key=lambda hit: hit.gap)
    kinds = {hit.round.fault.name for hit in hits}
    medians = (
        f"{kind} {statistics.median(h.gap for h in hits if h.round.fault.name == kind):.1f}" for kind in sorted(kinds)
    )
    quantiles = statistics.quantiles(gaps, n=20, method="inclusive")
    yield Row(
        f"write gap, {what}, p50", statistics.median(gaps), "s", bar=bars[0], note=f"medians: {', '.join(medians)}"
    )
    yield Row(f"write gap, {what}, p95", quantiles[18], "s", bar=bars[1], note=f"{len(gaps)} faults")
    yield Row(f"write gap, {what}, longest", gaps[-1], "s", bar=bars[2], note=worst.round.fault.name)


def _switch_over(database: Database) -> tuple[float, float]:
    began = time.time()
    say(f"switchover to {database.switch_over()}")
    database.wait_until_well(60, lambda what: None)
    time.sleep(SWITCHOVER_APART_SECONDS)
    return began, time.time()


def _switchovers(switched: Sequence[tuple[float, float]], attempts: Sequence[Attempt]) -> Iterator[Row]:
    writes = [attempt for attempt in attempts if attempt.source.startswith(WRITERS)]
    longest = [stall for since, until in switched for stall in stalls(writes, since, until).values()]
    note = f"{len(switched)} switchovers, clients that try again for {RETRY_SECONDS} s"
    yield Row("planned switchover, errors seen", sum(stall > RETRY_SECONDS for stall in longest), "", bar=0, note=note)
    yield Row("planned switchover, longest stall", max(longest), "s", bar=2)


def _negative_control(database: Database) -> Iterator[Row]:
    """The same client and verdict must catch a database that does lose writes."""
    settings = ["-s", "synchronous_mode=false", "-s", "synchronous_mode_strict=false"]
    database = replace(database, is_synchronous=False)
    inside = database.inside(database.leader().name)
    database.kubectl.run(*inside, "patronictl", "edit-config", "--force", *settings)
    try:
        time.sleep(rolling.NOTICED_SECONDS)
        caught = [_loses(database) for _ in range(CONTROLS)]
    finally:
        rolling.configure(database, lambda what: None)
    note = f"lost of each run: {', '.join(map(str, caught))}"
    yield Row(
        "runs caught losing writes, synchronous mode off", sum(map(bool, caught)), "", bar=3, at_least=True, note=note
    )


def _loses(database: Database) -> int:
    """Kill the primary's node while its replicas are cut off; how many acknowledged writes are lost."""
    with writing(database) as client:
        target, others = primary_and_others(database)
        cut, kill = Fault("cut", 30, "peers"), Fault("kill-node", 20)
        faults.strike(database.kubectl, cut, target, addresses(database, cut, others))
        time.sleep(DELAYED_SECONDS)
        cure(database, client, kill, target, faults.strike(database.kubectl, kill, target, ()))
        attempts = client.stop()
        lost = len(judge(attempts, client.rows()).lost)
    say(f"synchronous mode off: {lost} lost")
    return lost
