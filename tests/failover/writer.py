"""The client in the cluster: writes without pause and records, outside the database, what became of each write.

Standard library and psycopg2 only; mounted into a pod as it is. Two kinds of threads: writers, which go through the
primary's Service, and probes, which try each node directly, ten times a second, for one that should not accept writes.

Every attempt is a row of its own, (source, number), never sent twice. It ends as
  acked    the server said that it is committed,
  refused  the server said that it is not,
  unknown  the connection broke or took too long, or the server warned that the commit may be on one node only.
A line of the record: source, number, sent and ended (seconds since 1970), outcome, timeline (0 unless acked).
"""

import argparse
import select
import threading
import time
from pathlib import Path

import psycopg2
from psycopg2 import extensions

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 2.0
RETRY_SECONDS = 0.1
PROBE_SECONDS = 0.1
STATEMENT = (
    "INSERT INTO failover_write (source, number) VALUES (%s, %s) "
    "RETURNING left(pg_walfile_name(pg_current_wal_lsn()), 8)"
)
NOT_DECIDED = ("08", "57P", "58", "XX")
"""Classes of errors that can follow a commit which this client was not told about."""

_deadline = threading.local()


class TooSlow(Exception):
    """The server did not answer in time."""


def wait(connection: extensions.connection) -> None:
    """psycopg2's way to wait for the server: not longer than the thread's deadline."""
    while (state := connection.poll()) != extensions.POLL_OK:
        left = _deadline.at - time.monotonic()
        reads, writes = ([connection], []) if state == extensions.POLL_READ else ([], [connection])
        if left <= 0 or not any(select.select(reads, writes, [], left)):
            raise TooSlow


class Record:
    """The file of what became of each attempt; a line is written before the thread goes on."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", buffering=1)
        self._lock = threading.Lock()

    def add(self, source: str, number: int, sent: float, outcome: str, timeline: int) -> None:
        with self._lock:
            self._file.write(f"{source}\t{number}\t{sent:.4f}\t{time.time():.4f}\t{outcome}\t{timeline}\n")


class Source:
    """A thread that writes (source, 1), (source, 2), … to one address."""

    def __init__(
        self, name: str, host: str, pause: float, keep_on: set[str], record: Record, stop: threading.Event
    ) -> None:
        """keep_on: the outcomes after which the connection is used again."""
        self._name = name
        self._host = host
        self._pause = pause
        self._keep_on = keep_on
        self._record = record
        self._stop = stop
        self._number = 0
        self._connection: extensions.connection | None = None

    def run(self) -> None:
        while not self._stop.is_set():
            started = time.monotonic()
            pause = self._pause if self._attempt() else RETRY_SECONDS
            self._stop.wait(max(0.0, pause - (time.monotonic() - started)))

    def _attempt(self) -> bool:
        """Try to write a row, over a new connection if need be; whether to go on at the usual pace."""
        if self._connection is None:
            self._connection = self._connected()
        if self._connection is None:
            return False
        self._number += 1
        sent = time.time()
        outcome, timeline = self._insert(self._connection)
        self._record.add(self._name, self._number, sent, outcome, timeline)
        if outcome in self._keep_on:
            return True
        self._connection.close()
        self._connection = None
        return False

    def _connected(self) -> extensions.connection | None:
        _deadline.at = time.monotonic() + CONNECT_SECONDS
        try:
            connection: extensions.connection = psycopg2.connect(host=self._host, application_name=self._name)
            connection.autocommit = True
        except (psycopg2.Error, TooSlow):
            return None
        return connection

    def _insert(self, connection: extensions.connection) -> tuple[str, int]:
        _deadline.at = time.monotonic() + ANSWER_SECONDS
        try:
            with connection.cursor() as cursor:
                cursor.execute(STATEMENT, (self._name, self._number))
                (timeline,) = cursor.fetchone() or ("0",)
        except psycopg2.Error as error:
            decided = error.pgcode and not error.pgcode.startswith(NOT_DECIDED)
            return ("refused" if decided else "unknown"), 0
        except TooSlow:
            return "unknown", 0
        # A commit whose wait for a replica was given up is acknowledged with a warning.
        return ("unknown", 0) if connection.notices else ("acked", int(timeline, 16))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--primary", required=True, help="host through which the primary is reached")
    parser.add_argument("--node", action="append", default=[], metavar="NAME=HOST", help="a node to probe")
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--pause", type=float, default=0.05, help="seconds from one write to a thread's next")
    parser.add_argument("--folder", type=Path, required=True, help="the record; a file `stop` in it ends the writing")
    options = parser.parse_args()
    extensions.set_wait_callback(wait)
    record, stop = Record(options.folder / "record"), threading.Event()
    nodes = [node.split("=", 1) for node in options.node]
    sources = [
        *(
            Source(f"writer-{n}", options.primary, options.pause, {"acked"}, record, stop)
            for n in range(options.writers)
        ),
        *(Source(name, host, PROBE_SECONDS, {"acked", "refused"}, record, stop) for name, host in nodes),
    ]
    threads = [threading.Thread(target=source.run) for source in sources]
    for thread in threads:
        thread.start()
    while not (options.folder / "stop").exists():
        time.sleep(0.2)
    stop.set()
    for thread in threads:
        thread.join()
    (options.folder / "ended").touch()
    # Until the record has been fetched and the pod is deleted.
    threading.Event().wait()


if __name__ == "__main__":
    main()
