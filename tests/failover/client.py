"""The writing client's pod: started, stopped, and what it recorded fetched."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

from deployer import images
from deployer.errors import CommandError
from deployer.postgres.database import SCOPE, Database
from tests.failover.ledger import Attempt, Key, parse

NAME = "failover-writer"
DATABASE = "scale"
TABLE = "failover_write"
USER = "scale_app"
NODES = "postgres-nodes"
"""The Service through which each node has a name."""
START_SECONDS = 120
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Client:
    """A pod that writes to a database without pause."""

    database: Database

    def start(self) -> None:
        """Start it on an empty table and wait until it has written."""
        self.remove()
        # No unique key: it would hide what is there twice.
        self._sql(f"CREATE TABLE {TABLE} (source text NOT NULL, number bigint NOT NULL)")
        self._sql(f"GRANT SELECT, INSERT ON {TABLE} TO {USER}")
        kubectl, namespace = self.database.kubectl, self.database.release.namespace
        nodes = [pod["metadata"]["name"] for pod in self.database.pods()]
        kubectl.run("create", "configmap", NAME, f"--from-file={_HERE / 'writer.py'}", f"--namespace={namespace}")
        kubectl.run("apply", "--filename=-", stdin=manifest(namespace, nodes))
        self._wait_for("grep -q acked /record/record", "first write")

    def stop(self) -> list[Attempt]:
        """End the writing; what became of every attempt, in order of their end."""
        self.database.kubectl.run(*self._inside("touch", "/record/stop"))
        self._wait_for("test -e /record/ended", "end of the writing")
        return parse(self.database.kubectl.read(*self._inside("cat", "/record/record")))

    def last_acked(self) -> float:
        """When a write was acknowledged last (seconds since 1970)."""
        said = self.database.kubectl.read(*self._inside("tail", "--lines=500", "/record/record"))
        whole = said[said.find("\n") + 1 : said.rfind("\n")]
        return max((attempt.ended for attempt in parse(whole) if attempt.is_acked), default=0)

    def rows(self) -> dict[Key, int]:
        """What is in the database of it: key -> how often."""
        said = self._sql(f"SELECT source, number, count(*) FROM {TABLE} GROUP BY source, number")
        return {
            (source, int(number)): int(count)
            for source, number, count in (line.split("|") for line in said.splitlines())
        }

    def remove(self) -> None:
        """Remove the pod and its table, as far as they are there."""
        things = [f"pod/{NAME}", f"configmap/{NAME}", f"--namespace={self.database.release.namespace}"]
        self.database.kubectl.run("delete", *things, "--ignore-not-found", "--now")
        self._sql(f"DROP TABLE IF EXISTS {TABLE}")

    def _wait_for(self, test: str, what: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._is_so(test):
            assert time.monotonic() < deadline, f"the {what} of {NAME} did not come"
            time.sleep(0.5)

    def _is_so(self, test: str) -> bool:
        try:
            self.database.kubectl.read(*self._inside("sh", "-c", test))
        except CommandError:
            return False
        return True

    def _inside(self, *command: str) -> list[str]:
        return ["exec", f"--namespace={self.database.release.namespace}", NAME, "--", *command]

    def _sql(self, statement: str) -> str:
        """What the primary answers to the superuser, a line a row, its columns separated by |."""
        psql = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", f"--dbname={DATABASE}"]
        inside = self.database.inside(self.database.leader().name)
        return self.database.kubectl.read(*inside, *psql, "--set=ON_ERROR_STOP=1", f"--command={statement}")


def manifest(namespace: str, nodes: Sequence[str]) -> str:
    """The pod, which writes through the primary's Service and tries each node."""
    command = [
        *("python3", "/script/writer.py", "--folder=/record", f"--primary={SCOPE}.{namespace}.svc.cluster.local"),
        *(f"--node={node}={node}.{NODES}.{namespace}.svc.cluster.local" for node in nodes),
    ]
    (image,) = images.wanted("postgres")
    template = Template((_HERE / "writer.yaml").read_text())
    return template.substitute(namespace=namespace, image=image, command=json.dumps(command))


@contextmanager
def writing(database: Database) -> Iterator[Client]:
    """A client that writes while the block runs."""
    client = Client(database)
    client.start()
    try:
        yield client
    finally:
        client.remove()
