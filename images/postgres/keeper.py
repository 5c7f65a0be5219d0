#!/usr/bin/env python3
"""The first process of a Postgres container: starts Patroni, and hands the lease on where Patroni can't.

Patroni gives its lease up when Postgres crashes or it loses the API. It does not, and the cluster waits for the lease
to run out or for ever, in four cases:

- Patroni itself died: Postgres would run on without it.
- Postgres neither answers nor refuses (stopped, or its disk hangs): Patroni waits for it as well.
- This node reaches the API, but none of the other nodes: Patroni renews the lease, and no commit is ever acknowledged.
- The pod was deleted by force: there is no time to shut Postgres down before the kubelet kills it.

Then everything in this container is killed first, the lease is given up after that, and, unless the pod ends, Patroni
is started again: at no moment can this node acknowledge a write when another may already have taken over. Standard
library and psycopg2 only; the container's environment says who this is (templates/_pod.tpl of the chart).
"""

import fcntl
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
from lease import Api, Peer, Unreachable

PATRONI = "/usr/bin/patroni"
REBUILD = str(Path(__file__).with_name("rebuild.py"))
VOLUME = Path("/var/lib/postgresql")
SOCKETS = "/run/postgresql"
PORT = 5432

TICK_SECONDS = 0.5
SILENCE_SECONDS = 4.0
"""So long Postgres must be silent: two attempts one after the other, and well beyond a blip of two seconds."""
LONELINESS_SECONDS = 6.0
"""So long all other nodes must be silent."""
PAUSE_SECONDS = 60.0
"""Between two times that the lease is given up by a check: where that did not help, it is not tried all the time."""
PEERS_SECONDS = 5.0
HOPELESS_SECONDS = 10.0
"""A Patroni that ends sooner says why in the log; then the container ends too, and the kubelet backs off."""


def postgres_is_silent(sockets: str = SOCKETS) -> bool:
    """Whether Postgres is there and says nothing; a refusal, or nobody there, is Patroni's business."""
    try:
        psycopg2.connect(host=sockets, user="postgres", dbname="postgres", connect_timeout=2).close()
    except psycopg2.OperationalError as error:
        return "timeout expired" in str(error)
    return False


def answers(address: str, port: int = PORT) -> bool:
    """Whether a connection is taken or refused: either way the network leads there."""
    try:
        socket.create_connection((address, port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True


@dataclass(slots=True)
class Checks:
    """Since when who is silent. Times are those of time.monotonic()."""

    api: Api
    answered: float = field(default_factory=time.monotonic)
    connected: float = field(default_factory=time.monotonic)
    asked: float = 0.0
    peers: list[Peer] = field(default_factory=list)

    def trouble(self) -> str | None:
        """Why this node should hand the lease on, None if there is no reason. May take some seconds."""
        while postgres_is_silent():
            if time.monotonic() - self.answered > SILENCE_SECONDS:
                return "Postgres does not answer"
        self.answered = time.monotonic()
        if not self._cut_off():
            self.connected = time.monotonic()
        return "no other node is reached" if time.monotonic() - self.connected > LONELINESS_SECONDS else None

    def _cut_off(self) -> bool:
        if time.monotonic() - self.asked > PEERS_SECONDS:
            self.asked = time.monotonic()
            try:
                self.peers = self.api.peers()
            except Unreachable:
                return False  # then Patroni does what is right without the API
        ready = [peer for peer in self.peers if peer.ready]
        return bool(ready) and not any(answers(peer.address) for peer in ready)


class Keeper:
    """Patroni's life in this container."""

    def __init__(self, api: Api, configuration: str) -> None:
        self._api = api
        self._configuration = configuration
        self._patroni = 0
        self._started = 0.0
        self._handed_on = -PAUSE_SECONDS

    def run(self) -> int:
        """Until this container is told to end, or there is no use in going on; returns the exit code."""
        awaited = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
        checks = self._start()
        while True:
            told = signal.sigtimedwait(awaited, TICK_SECONDS)
            if told and told.si_signo != signal.SIGCHLD:
                return self._end()
            code = self._reaped()
            if code is not None:
                say(f"Patroni ended with code {code}")
                kill_everything()
                self._give_up_lease()
                if time.monotonic() - self._started < HOPELESS_SECONDS:
                    return code or 1
                checks = self._start()
            elif (trouble := checks.trouble()) and self._may_hand_on(trouble):
                kill_everything()
                self._give_up_lease()
                checks = self._start()

    def _start(self) -> Checks:
        # Nothing else runs here: the process it names is gone, and its number may be another's by now.
        for stale in VOLUME.glob("*/postmaster.pid"):
            stale.unlink()
        self._started = time.monotonic()
        self._patroni = os.posix_spawn(PATRONI, [PATRONI, self._configuration], os.environ, setsigmask=[])
        os.posix_spawn(sys.executable, [sys.executable, REBUILD], os.environ, setsigmask=[])
        return Checks(self._api)

    def _end(self) -> int:
        """Let Patroni shut Postgres down and hand the lease on in good order, if there is time for that."""
        if self._is_forgotten():
            say("this pod was deleted by force: handing the lease on")
            kill_everything()
            self._give_up_lease()
            return 0
        os.kill(self._patroni, signal.SIGTERM)
        while (code := self._reaped()) is None:
            signal.sigtimedwait({signal.SIGCHLD}, TICK_SECONDS)
        return code

    def _reaped(self) -> int | None:
        """Take leave of processes that ended, orphans too; the exit code if Patroni was among them."""
        code = None
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return code
            if pid == 0:
                return code
            if pid == self._patroni:
                code = abs(os.waitstatus_to_exitcode(status))

    def _may_hand_on(self, trouble: str) -> bool:
        if time.monotonic() - self._handed_on < PAUSE_SECONDS:
            return False
        try:
            if not self._api.holds_lease() or not self._api.successors():
                return False
        except Unreachable:
            return False
        self._handed_on = time.monotonic()
        say(f"{trouble}: handing the lease on")
        return True

    def _is_forgotten(self) -> bool:
        """Whether the API has this pod no more: then the kubelet kills in two seconds what has not ended."""
        try:
            return not self._api.knows_this_pod()
        except Unreachable:
            return False

    def _give_up_lease(self) -> None:
        try:
            if self._api.give_up_lease():
                say("the lease is free")
        except Unreachable as error:
            say(f"the lease runs out by itself: {error}")


def kill_everything() -> None:
    """Kill every other process of this container and see them dead."""
    while True:
        try:
            os.kill(-1, signal.SIGKILL)
            os.waitpid(-1, 0)
        except (ChildProcessError, ProcessLookupError):
            return


def own_the_volume() -> int:
    """Wait until no other container has the volume; returns what holds it until this process ends.

    After a forced deletion the next pod of the same name starts on the same node while the last one is still dying.
    """
    descriptor = os.open(VOLUME / ".keeper", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("waiting for the last container of this name to end")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def clear_member(api: Api) -> None:
    """Have Patroni find no trace of the last one of this name.

    After a forced deletion the dying Patroni has marked the new pod, which it takes for its own, with its address; the
    new Patroni would first ask there, for twelve seconds, whether the other is still alive.
    """
    try:
        api.clear_member()
    except Unreachable as error:
        say(f"the last member's address is left as it is: {error}")


def say(text: str) -> None:
    print(f"keeper: {text}", file=sys.stderr, flush=True)


def bracketed(address: str) -> str:
    """An IP address as it stands in a URL."""
    return f"[{address}]" if ":" in address else address


def main() -> int:
    if os.getpid() != 1:
        raise SystemExit("keeper.py kills all it can reach: it must be the first process of a container.")
    environment = os.environ
    api = Api(
        url=f"https://{bracketed(environment['KUBERNETES_SERVICE_HOST'])}:{environment['KUBERNETES_SERVICE_PORT']}",
        namespace=environment["PATRONI_KUBERNETES_NAMESPACE"],
        scope=environment["PATRONI_SCOPE"],
        name=environment["PATRONI_NAME"],
        uid=environment["SCALE_POD_UID"],
        selector=environment["SCALE_POD_SELECTOR"],
    )
    own_the_volume()
    clear_member(api)
    return Keeper(api, sys.argv[1]).run()


if __name__ == "__main__":
    sys.exit(main())
