#!/usr/bin/env python3
"""Starts a replica anew, from a copy of the primary, where it can never catch up: beside Patroni, which only tries on.

- The primary has removed WAL that this node still needs: it was away for longer than max_slot_wal_keep_size lasts.
- Postgres fails to start again and again: its files are damaged.

It asks Patroni alone, and Patroni refuses to remove what a primary has, or anything while there is no primary. Standard
library and psycopg2 only; started by keeper.py, killed with everything else of the container.
"""

import json
import os
import select
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections import deque
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import psycopg2
from psycopg2.errors import UndefinedFile
from psycopg2.extras import PhysicalReplicationConnection

PATRONI = "https://localhost:8008"
TLS = "/etc/scale/tls"

TICK_SECONDS = 1.0
ASK_SECONDS = 3
FAILED_STARTS = 3
WITHIN_SECONDS = 300.0
"""So many failed starts within this time are no accident."""
BEHIND_SECONDS = 10.0
"""How often the primary is asked by a replica that does not stream."""
PAUSE_SECONDS = 300.0
"""Between two times that a copy is begun: where one did not help, it is not made all the time."""
FAILED = ("start failed", "crashed")


@dataclass(slots=True)
class Starts:
    """How often Postgres failed of late. Times are those of time.monotonic()."""

    state: str = ""
    failures: deque[float] = field(default_factory=lambda: deque(maxlen=FAILED_STARTS))

    def fail(self, state: str, now: float) -> bool:
        """Take note of Patroni's word for the state; whether Postgres fails again and again."""
        if state in FAILED and state != self.state:
            self.failures.append(now)
        self.state = state
        return len(self.failures) == FAILED_STARTS and now - self.failures[0] < WITHIN_SECONDS


@dataclass(slots=True)
class Watch:
    """What was seen of this node so far."""

    starts: Starts = field(default_factory=Starts)
    asked: float = 0.0

    def trouble(self) -> str | None:
        """Why this node needs a copy, None if it does not. Raises OSError where Patroni does not answer."""
        me = asked("patroni")
        if me.get("role") != "replica":
            self.starts = Starts()
            return None
        now = time.monotonic()
        if self.starts.fail(me["state"], now):
            return f"Postgres failed to start {FAILED_STARTS} times"
        if me["state"] != "running" or me.get("replication_state") == "streaming":
            self.asked = now
        elif now - self.asked > BEHIND_SECONDS:
            self.asked = now
            address = primary()
            if address and is_beyond(replication(address), me["timeline"], reached(me["xlog"])):
                return "the primary has no longer the WAL that comes next"
        return None


def asked(path: str, body: object = None) -> dict[str, Any]:
    """Patroni's answer, whatever its status; raises OSError or ValueError without one."""
    trust = ssl.create_default_context(cafile=f"{TLS}/ca.crt")
    trust.load_cert_chain(f"{TLS}/tls.crt", f"{TLS}/tls.key")
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{PATRONI}/{path}", data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=ASK_SECONDS, context=trust) as answer:
            said = answer.read().decode()
    except urllib.error.HTTPError as error:
        said = error.read().decode()
    return json.loads(said) if said.startswith("{") else {"said": said}


def primary() -> str | None:
    """The address of the primary, if one runs."""
    members = asked("cluster").get("members", [])
    return next((each["host"] for each in members if each["role"] == "leader" and each["state"] == "running"), None)


def reached(xlog: dict[str, Any]) -> int:
    """Up to where a replica has WAL: a byte position."""
    return max(xlog.get("received_location") or 0, xlog.get("replayed_location") or 0)


def replication(address: str) -> dict[str, Any]:
    """How a node connects to the primary to replicate, for psycopg2."""
    return {
        "host": address,
        "user": "standby",
        "password": os.environ["PATRONI_REPLICATION_PASSWORD"],
        "sslmode": "verify-ca",
        "sslrootcert": f"{TLS}/ca.crt",
        "sslcert": f"{TLS}/tls.crt",
        "sslkey": f"{TLS}/tls.key",
    }


def is_beyond(server: dict[str, Any], timeline: int, position: int) -> bool:
    """Whether this server has removed the WAL from a position on: asked for as a replica asks."""
    try:
        with closing(_connected(server)) as connection:
            cursor = connection.cursor()
            cursor.start_replication(start_lsn=position, timeline=timeline)
            select.select([cursor], [], [], ASK_SECONDS)
            cursor.read_message()
    except UndefinedFile:
        return True
    except psycopg2.Error:
        return False  # not there, or busy: Patroni's concern
    return False


def forget_slot(server: dict[str, Any], name: str) -> None:
    """Remove a node's slot on the primary, which holds nothing any more; Patroni makes a new one at once."""
    try:
        with closing(_connected(server)) as connection:
            connection.cursor().execute(f'DROP_REPLICATION_SLOT "{name}"')
    except psycopg2.Error as error:
        say(f"its slot stays: {error}")


def start_anew() -> None:
    """Have Patroni remove this node's data and copy the primary's."""
    address = primary()
    if address is None:
        say("but no primary runs that could be copied")
        return
    forget_slot(replication(address), os.environ["PATRONI_NAME"].replace("-", "_"))
    # By force: else Patroni goes on with the start that it is just trying.
    say(f"Patroni: {asked('reinitialize', {'force': True}).get('said')}")


def _connected(server: dict[str, Any]) -> Any:
    return psycopg2.connect(**server, connect_timeout=ASK_SECONDS, connection_factory=PhysicalReplicationConnection)


def say(text: str) -> None:
    print(f"rebuild: {text}", file=sys.stderr, flush=True)


def main() -> None:
    watch = Watch()
    while True:
        time.sleep(TICK_SECONDS)
        try:
            trouble = watch.trouble()
            if trouble:
                say(f"{trouble}: this node starts anew")
                start_anew()
                time.sleep(PAUSE_SECONDS)
                watch = Watch()
        except (OSError, ValueError):
            continue  # Patroni is not up yet, or gone: the keeper's concern


if __name__ == "__main__":
    main()
