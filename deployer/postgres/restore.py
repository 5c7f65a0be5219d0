"""Another release out of a release's backups, as of a time, and a check of what is in it: a drill, or in earnest."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from deployer import process, steps
from deployer.errors import CommandError, DeployerError
from deployer.helm import Helm, Release
from deployer.postgres import backups, contents
from deployer.postgres.contents import Contents
from deployer.postgres.database import ASK_AGAIN_SECONDS, CONTAINER, Database, remove_data, uninstall
from deployer.postgres.state import ailments
from deployer.steps import Report, Step

ARCHIVE_SECONDS = 120
TAKEN_OVER = ("backup", "database", "image", "maxConnections", "networkPolicy", "parameters", "resources", "storage")
"""The chart's values that the restored database has from the one that was backed up."""
FAILED = "Failed to bootstrap cluster"
"""Patroni's words for a restore that did not work."""
# A recovery up to a time ends at the first commit after it: this is one, and is archived.
_GO_PAST = """
SELECT pg_logical_emit_message(true, 'restore', '') \\g /dev/null
SELECT pg_walfile_name(pg_switch_wal());
"""
_ARCHIVED = "SELECT last_archived_wal FROM pg_stat_archiver;"


@dataclass(slots=True)
class Restore:
    """A restore of `source` as `target` in the same namespace. to: None for now, as long as the source runs."""

    helm: Helm
    source: Database
    target: Database
    nodes: int
    to: datetime | None
    began: float = field(default_factory=time.monotonic)
    recovered: float = 0.0
    expected: Contents | None = None
    compared_with: str | None = None
    found: Contents | None = None

    def run(self, is_drill: bool) -> None:
        """Restore and check; a drill removes the copy again. Raises DeployerError, also if the check fails."""
        steps.run("restore", self._steps(is_drill))

    def _steps(self, is_drill: bool) -> Sequence[Step]:
        wanted = (
            Step("check", "Whether it can be", 10, self._check),
            Step("record", "What is to be found", 20, self._record),
            Step("recovery", "Backup and WAL", 120, self._recover),
            Step("compare", "What is found", 20, self._compare),
        )
        return (*wanted, Step("removal", "Removal of the copy", 20, self._remove)) if is_drill else wanted

    def _check(self, report: Report) -> None:
        name = self.target.release.name
        if self.target.release == self.source.release:
            raise DeployerError("A database is not restored over itself: give the copy another name with --as.")
        if self.target.stateful_set() or self._volumes():
            raise DeployerError(
                f"There is a database {name} already: choose another name with --as, or remove that one with "
                f"`./run_kube cleanup_postgres --release={name} --with-data`."
            )
        if self.to and self.to > datetime.now(UTC):
            raise DeployerError(f"{self.to} is not yet: give a time that has passed.")
        if not self.source.count():
            return
        report("asking for the backups")
        kept = backups.listed(self.source)
        if not kept:
            raise DeployerError("There is no backup to restore from yet: `./run_kube pg backup` takes one.")
        if self.to and self.to < kept[0].ended:
            raise DeployerError(f"There is nothing to restore {self.to} from: the first backup ended {kept[0].ended}.")

    def _record(self, report: Report) -> None:
        """Have what to compare with, and the WAL up to that time in the archive."""
        if not self.source.count() or process.is_dry_run():
            return
        if self.to is None:
            report("noting what is in the tables now")
            self.expected, self.compared_with = contents.recorded(self.source.sql), "record"
            self.to = datetime.fromisoformat(self.expected.time)
        else:
            records = backups.records(self.source)
            self.expected = next((each for at, each in records.items() if datetime.fromisoformat(at) == self.to), None)
            self.compared_with = "record" if self.expected else "now"
        report("archiving the WAL up to now")
        last = self.source.sql(_GO_PAST).split()[-1]
        deadline = time.monotonic() + ARCHIVE_SECONDS
        while self.source.sql(_ARCHIVED).strip()[8:] < last[8:]:
            if time.monotonic() > deadline:
                raise DeployerError(
                    f"The WAL up to now is not in the archive after {ARCHIVE_SECONDS} s: the log of the primary's pod "
                    "says why. `--to` a time further back does not need it."
                )
            time.sleep(ASK_AGAIN_SECONDS)

    def _recover(self, report: Report) -> None:
        self.began = time.monotonic()
        values = self.helm.values(self.source.release) or {}
        self.helm.install(self.target.release, dict(settings(values, self.source.release, self.nodes, self.to)))
        while not process.is_dry_run() and (wrong := self._ailments()):
            report(wrong[0])
            self._refuse_if_failed()
            time.sleep(ASK_AGAIN_SECONDS)
        self.recovered = time.monotonic() - self.began

    def _ailments(self) -> list[str]:
        try:
            return ailments(self.target.nodes(), self.nodes, is_synchronous=self.nodes > 1)
        except DeployerError:
            return ["its pod starts"]  # one that never does shows in what the user looks at meanwhile

    def _refuse_if_failed(self) -> None:
        for pod in self.target.pods():
            where = [
                pod["metadata"]["name"],
                f"--namespace={self.target.release.namespace}",
                f"--container={CONTAINER}",
            ]
            try:
                log = self.target.kubectl.read("logs", *where, "--tail=400")
            except CommandError:
                continue  # not started yet
            if FAILED in log:
                said = [line for line in log.splitlines() if "ERROR" in line or "FATAL" in line]
                raise DeployerError(
                    f"{said[0] if said else FAILED}\nThe copy is left as it is, to be looked at; `./run_kube "
                    f"cleanup_postgres --release={self.target.release.name} --with-data` removes it."
                )

    def _compare(self, report: Report) -> None:
        if process.is_dry_run():
            return
        report("reading the tables")
        self.found = contents.read(self.target.sql)
        if self.compared_with == "now":
            self.expected = contents.read(self.source.sql)

    def _remove(self, report: Report) -> None:
        uninstall(self.helm, self.target.kubectl, self.target.release)
        remove_data(self.target.kubectl, self.target.release)

    def _volumes(self) -> list[dict[str, Any]]:
        where = f"--namespace={self.target.release.namespace}"
        mine = f"--selector=app.kubernetes.io/instance={self.target.release.name}"
        return self.target.kubectl.items("persistentvolumeclaims", where, mine)

    @property
    def is_equal(self) -> bool | None:
        """Whether there is what was there at the time; None where that is not known."""
        if not self.expected:
            return None
        same = not self._differences()
        return same if self.compared_with == "record" or same else None

    def as_json(self) -> dict[str, Any]:
        """What was done and found, for programs."""
        return {
            "release": self.target.release.name,
            "to": self.to.isoformat() if self.to else None,
            "minutes": round(self.recovered / 60, 2),
            "compared_with": self.compared_with,
            "equal": self.is_equal,
            "differences": self._differences(),
            "tables": {name: asdict(table) for name, table in self.found.tables.items()} if self.found else {},
        }

    def described(self) -> str:
        """The same for people."""
        tables = self.found.tables.items() if self.found else ()
        width = max((len(name) for name, _ in tables), default=0)
        lines = [f"{name:<{width}}  {table.rows:>12} rows  {table.digest}" for name, table in tables]
        at = f"as of {self.to}" if self.to else "to the end of its archive"
        lines.append(
            f"{self.target.release.name} is {self.source.release.name} {at}, in {self.recovered / 60:.1f} min."
        )
        return "\n".join([*lines, self._verdict(), *self._differences()])

    def _verdict(self) -> str:
        if self.is_equal:
            since = "it had at that time" if self.compared_with == "record" else "it has now: nothing has changed since"
            return f"Every table has the rows that {since}."
        if self.is_equal is False:
            return "NOT what was recorded at that time:"
        unknown = "What was there at that time is recorded nowhere (`./run_kube pg backup` makes a record)."
        return f"{unknown} Compared with the database as it is now:" if self.expected else unknown

    def _differences(self) -> list[str]:
        """What is not as expected, a sentence for each table."""
        return list(contents.differences(self.found, self.expected)) if self.found and self.expected else []


def settings(
    values: Mapping[str, Any], source: Release, nodes: int, to: datetime | None
) -> Iterator[tuple[str, object]]:
    """The chart's settings of a restored database, out of the values of the one that was backed up."""
    for name in TAKEN_OVER:
        if name in values:
            yield name, values[name]
    # It archives nothing before somebody wants it to: a drill leaves no trace in the bucket.
    yield "backup.enabled", False
    yield "backup.path", ""
    yield "restore.path", values.get("backup", {}).get("path") or f"/{source.namespace}/{source.name}"
    yield "restore.time", to.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00") if to else ""
    yield "replicas", nodes
    yield "synchronous", {"enabled": nodes > 1, "acceptLoss": nodes == 1}


def moment(text: str) -> datetime:
    """A time as people write it (2026-01-31 12:00, an offset behind it or UTC); raises DeployerError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise DeployerError(
            f"--to {text}: write it as 2026-01-31 12:00:00 (UTC) or 2026-01-31 13:00:00+01:00."
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
