"""From one version of chart and image to the next: replicas first, then the primary; rows and passwords stay."""

import re
from pathlib import Path

import pytest

from deployer import process
from deployer.clusters import registry
from deployer.postgres.database import Database
from tests.checkout import Checkout

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(1800)]

NEXT = "9.9.9"


def _edit(file: Path, pattern: str, replacement: str) -> None:
    text, count = re.subn(pattern, replacement, file.read_text(), count=1)
    assert count == 1, pattern
    file.write_text(text)


def _release_next_version(installed: Checkout, database: Database) -> str:
    """Make the checkout's chart that of a next version, whose image has another tag; returns the image's name."""
    (image,) = {
        box["image"] for pod in database.pods() for box in pod["spec"]["containers"] if box["name"] == "postgres"
    }
    newer = f"{image.rpartition(':')[0]}:{NEXT}"
    process.run(["docker", "tag", image, newer])
    try:
        registry.push(installed.cluster, [newer], lambda what: None)
    finally:
        process.run(["docker", "rmi", "--no-prune", newer])
    chart = installed.root / "charts" / "postgres"
    _edit(chart / "Chart.yaml", r"\nversion: \S+", f"\nversion: {NEXT}")
    _edit(chart / "values.yaml", r"\n  name: \S+/postgres:\S+", f"\n  name: {newer}")
    return newer


def _passwords(database: Database) -> dict[str, str]:
    secrets = database.kubectl.items("secrets", f"--namespace={database.release.namespace}")
    return {each["metadata"]["name"]: each["data"]["password"] for each in secrets if "password" in each["data"]}


def test_an_upgrade_replaces_the_replicas_first_and_keeps_rows_passwords_and_settings(
    installed: Checkout, database: Database
) -> None:
    installed.run("setup_postgres", "--set=maxConnections=95")
    database.sql("CREATE TABLE upgraded AS SELECT * FROM generate_series(1, 1000) AS number")
    leader, passwords = database.leader().name, _passwords(database)
    image = _release_next_version(installed, database)
    installed.run("setup_postgres")
    pods = sorted(database.pods(), key=lambda pod: str(pod["metadata"]["creationTimestamp"]))
    assert pods[-1]["metadata"]["name"] == leader
    for pod in pods:
        assert pod["metadata"]["labels"]["helm.sh/chart"] == f"postgres-{NEXT}"
        assert image in [box["image"] for box in pod["spec"]["containers"]]
    assert _passwords(database) == passwords
    assert database.sql("SELECT count(*) FROM upgraded").strip() == "1000"
    assert database.sql("SHOW max_connections").strip() == "95"
    database.sql("DROP TABLE upgraded")
