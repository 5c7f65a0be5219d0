"""What a restore is told of a release, and what it says of what it found."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deployer.errors import DeployerError
from deployer.helm import Helm
from deployer.kubectl import Kubectl
from deployer.postgres import backups
from deployer.postgres.contents import Contents, Table
from deployer.postgres.database import RELEASE, Database, named
from deployer.postgres.restore import Restore, moment, settings
from tests.charts.rendering import render

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
VALUES = {
    "backup": {"path": "", "bucket": "mine"},
    "storage": {"size": "9Gi"},
    "replicas": 5,
    "tls": {"generate": False},
}
FOUND = Contents("then", {"public.songs": Table(3, "ab")})


def test_a_copy_is_told_where_from_and_when_and_archives_nothing() -> None:
    found = dict(settings(VALUES, RELEASE, 1, NOON))
    assert found["restore.path"] == f"/{RELEASE.namespace}/{RELEASE.name}"
    assert found["restore.time"] == "2026-01-31 12:00:00.000000+00"
    assert (found["backup.enabled"], found["backup"]) == (False, VALUES["backup"])
    assert found["storage"] == {"size": "9Gi"}
    assert (found["replicas"], found["synchronous"]) == (1, {"enabled": False, "acceptLoss": True})
    # Its names are others, so are its certificate and passwords.
    assert not {"tls", "roles"} & found.keys()


def test_a_copy_is_restored_from_a_path_of_its_sources_own() -> None:
    found = dict(settings({"backup": {"path": "/elsewhere"}}, RELEASE, 3, None))
    assert (found["restore.path"], found["restore.time"]) == ("/elsewhere", "")
    assert found["synchronous"] == {"enabled": True, "acceptLoss": False}


def test_the_chart_takes_the_time_that_a_copy_is_told() -> None:
    told = dict(settings(VALUES, RELEASE, 1, NOON))
    assert render("postgres", f"restore.path={told['restore.path']}/x", f"restore.time={told['restore.time']}")


@pytest.mark.parametrize(
    ("text", "hour"), [("2026-01-31 12:00", 12), ("2026-01-31T13:00:00+01:00", 12), ("2026-01-31 12:00:00.5+00", 12)]
)
def test_a_time_without_an_offset_is_utc(text: str, hour: int) -> None:
    assert moment(text).astimezone(UTC).hour == hour


@pytest.mark.parametrize("text", ["noon", "", "2026-13-01"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(DeployerError, match="write it as 2026-01-31"):
        moment(text)


def restored(expected: Contents | None, compared_with: str | None) -> Restore:
    kubectl = Kubectl("kubectl", Path("kubeconfig"))
    source, copy = Database(kubectl), Database(kubectl, named("copy"))
    return Restore(
        Helm("helm", Path("kubeconfig")),
        source,
        copy,
        1,
        NOON,
        expected=expected,
        compared_with=compared_with,
        found=FOUND,
    )


OTHER = replace(FOUND, tables={"public.songs": Table(4, "cd")})


@pytest.mark.parametrize(
    ("expected", "compared_with", "equal"),
    [
        (FOUND, "record", True),
        (OTHER, "record", False),
        (FOUND, "now", True),
        (OTHER, "now", None),  # it may have changed since
        (None, None, None),
    ],
    ids=["as-recorded", "not-as-recorded", "as-now", "not-as-now", "unknown"],
)
def test_only_a_record_can_say_that_a_restore_is_wrong(
    expected: Contents | None, compared_with: str | None, equal: bool | None
) -> None:
    done = restored(expected, compared_with)
    assert done.is_equal is equal
    assert done.as_json()["equal"] is equal
    assert "3 rows" in done.described()
    assert ("instead of 4 (cd)" in done.described()) is (expected is OTHER)


def test_backups_are_read_out_of_pgbackrests_answer() -> None:
    answer = (
        '[{"name":"scale","backup":[{"label":"20261122-150400F","error":false,'
        '"timestamp":{"start":1795359840,"stop":1795359852},"info":{"repository":{"delta":3751190}}},'
        '{"label":"20261122-160400F","error":true,"timestamp":{"start":1,"stop":2},"info":{"repository":{"delta":3}}}]}]'
    )
    (backup,) = backups.parse(answer)
    assert (backup.label, backup.size) == ("20261122-150400F", 3751190)
    assert backup.ended == datetime(2026, 11, 22, 15, 4, 12, tzinfo=UTC)
    assert backups.parse('[{"name":"scale","status":{"code":1,"message":"missing stanza path"}}]') == []
