"""`helm test`: writes, reads on a replica, hands the primary's role on, and finds what was written.

The environment says whom to ask: libpq's own variables lead to the primary as the owner, REPLICAS is their Service,
PATRONI the API of one node, CERTIFICATES the folder of a node's certificate.
"""

import json
import os
import ssl
import time
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg2
from psycopg2 import errors

SECONDS = 60
TABLE = "helm_test"
Found = TypeVar("Found")


def retried(attempt: Callable[[], Found]) -> Found:
    """What any client of a replicated database does: connect anew until it answers again.

    For a moment of a switchover the last primary still gets connections, and takes no writes.
    """
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return attempt()
        except (psycopg2.OperationalError, psycopg2.InterfaceError, errors.ReadOnlySqlTransaction, LookupError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def ask(sql: str, host: str = "", **options: Any) -> list[tuple[object, ...]]:
    """One statement in a transaction of its own, over a connection of its own."""
    connection = psycopg2.connect(host=host or os.environ["PGHOST"], connect_timeout=5, **options)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def patroni(path: str, body: object = None) -> str:
    folder = os.environ["CERTIFICATES"]
    trust = ssl.create_default_context(cafile=f"{folder}/ca.crt")
    trust.load_cert_chain(f"{folder}/tls.crt", f"{folder}/tls.key")
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"https://{os.environ['PATRONI']}/{path}", data)
    with urllib.request.urlopen(request, timeout=SECONDS, context=trust) as answer:
        return str(answer.read().decode())


def leader() -> str:
    members = json.loads(patroni("cluster"))["members"]
    return str(next((member["name"] for member in members if member["role"] == "leader"), ""))


def refused(attempt: Callable[[], object], error: type[Exception]) -> None:
    try:
        attempt()
    except error:
        return
    raise SystemExit("what must be refused was not")


def seen_on_a_replica() -> None:
    if not ask(f"SELECT id FROM {TABLE} WHERE id = 1", os.environ["REPLICAS"]):
        raise LookupError("the replica does not have the row yet")


def main() -> None:
    replicas = os.environ["REPLICAS"]
    retried(lambda: ask(f"CREATE TABLE IF NOT EXISTS {TABLE} (id integer PRIMARY KEY)"))
    retried(lambda: ask(f"INSERT INTO {TABLE} VALUES (1) ON CONFLICT DO NOTHING"))
    print("written", flush=True)
    retried(seen_on_a_replica)
    print("read on a replica", flush=True)
    refused(lambda: ask(f"INSERT INTO {TABLE} VALUES (2)", replicas), errors.ReadOnlySqlTransaction)
    refused(lambda: ask("SELECT 1", sslmode="disable"), psycopg2.OperationalError)
    refused(lambda: ask("SELECT 1", password="wrong"), psycopg2.OperationalError)  # noqa: S106
    print("refused: a write on a replica, a connection without TLS, a wrong password", flush=True)
    before = leader()
    print(patroni("switchover", {"leader": before}), flush=True)
    retried(lambda: ask(f"INSERT INTO {TABLE} VALUES (3) ON CONFLICT DO NOTHING"))
    assert retried(lambda: ask(f"SELECT id FROM {TABLE} ORDER BY id")) == [(1,), (3,)]
    assert leader() not in ("", before)
    print("written and read after a switchover", flush=True)
    retried(lambda: ask(f"DROP TABLE {TABLE}"))


main()
