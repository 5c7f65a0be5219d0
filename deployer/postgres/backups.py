"""The backups of a database as pgBackRest tells them, and taking one now."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deployer import process
from deployer.errors import DeployerError
from deployer.postgres import contents
from deployer.postgres.contents import Contents
from deployer.postgres.database import ASK_AGAIN_SECONDS, Database
from deployer.steps import Report

CONTAINER = "backup"
"""Lets the backup's job in, where backups are on."""
RECORD = "contents"
"""The note at a backup that says what was in the tables right after it."""
_PGBACKREST = ("pgbackrest", "--stanza=scale", "--output=json", "info")


@dataclass(frozen=True, slots=True)
class Backup:
    """A full backup: its label, when it ended, its size in the bucket in bytes."""

    label: str
    ended: datetime
    size: int


def listed(database: Database) -> list[Backup]:
    """The backups that are kept, oldest first; raises DeployerError."""
    require(database)
    return parse(_told(database))


def are_on(database: Database) -> bool:
    """Whether a database keeps backups; raises CommandError."""
    found = database.stateful_set()
    boxes = found["spec"]["template"]["spec"]["containers"] if found else []
    return any(each["name"] == CONTAINER for each in boxes)


def require(database: Database) -> None:
    """Refuse a database that keeps no backups; raises DeployerError."""
    if database.count() and not are_on(database):
        raise DeployerError(
            f"{database.release.name} keeps no backups: turn them on with "
            "`./run_kube setup_postgres --set backup.enabled=true`."
        )


def parse(answer: str) -> list[Backup]:
    """The backups in pgBackRest's answer."""
    (stanza,) = json.loads(answer or "[{}]")
    return [
        Backup(
            each["label"], datetime.fromtimestamp(each["timestamp"]["stop"], UTC), each["info"]["repository"]["delta"]
        )
        for each in stanza.get("backup", ())
        if not each.get("error")
    ]


def records(database: Database) -> dict[str, Contents]:
    """Time -> what was in the tables then, as far as a backup has a note of it; raises DeployerError."""
    found = (_note(json.loads(_told(database, f"--set={each.label}"))) for each in listed(database))
    return {each.time: each for each in found if each}


def begin_first(database: Database) -> None:
    """Have a database that keeps backups, and has none, begin with one; nobody waits for it. Raises DeployerError."""
    if not are_on(database) or listed(database):
        return
    job = f"{database.release.name}-backup-first"
    namespace = f"--namespace={database.release.namespace}"
    if not database.kubectl.items("jobs", namespace, f"--field-selector=metadata.name={job}"):
        _begin(database, job)


def take(database: Database, report: Report) -> Contents:
    """Take a full backup now, and note what was in the tables at a time right after it. Raises DeployerError."""
    require(database)
    job = f"{database.release.name}-backup-{datetime.now(UTC):%Y%m%d%H%M%S}"
    report("copying")
    _begin(database, job)
    _await(database, job)
    report("noting what is in the tables")
    found = contents.recorded(database.sql)
    newest = listed(database)[-1].label
    note = ["--stanza=scale", f"--set={newest}", f"--annotation={RECORD}={found.as_json()}", "annotate"]
    database.kubectl.run(*database.inside(database.leader().name), "pgbackrest", *note)
    return found


def _begin(database: Database, job: str) -> None:
    template = f"--from=cronjob/{database.release.name}-backup"
    database.kubectl.run("create", "job", f"--namespace={database.release.namespace}", job, template)


def _await(database: Database, job: str) -> None:
    namespace = f"--namespace={database.release.namespace}"
    while not process.is_dry_run():
        answer = database.kubectl.read("get", namespace, "job", job, "--output=json")
        ended = {each["type"] for each in json.loads(answer)["status"].get("conditions", ())}
        if "Complete" in ended:
            return
        if "Failed" in ended:
            said = database.kubectl.read("logs", namespace, f"job/{job}", "--tail=5").strip()
            raise DeployerError(f"The backup failed: {said}")
        time.sleep(ASK_AGAIN_SECONDS)


def _told(database: Database, *options: str) -> str:
    return database.kubectl.read(*database.inside(database.leader().name), *_PGBACKREST, *options)


def _note(answer: list[Mapping[str, Any]]) -> Contents | None:
    (stanza,) = answer
    (backup,) = stanza["backup"]
    text = backup.get("annotation", {}).get(RECORD)
    return contents.parse(text) if text else None
