"""What Patroni says of the database's nodes, read and judged."""

import json
from dataclasses import replace
from typing import Any

from deployer.postgres import state
from deployer.postgres.state import Node

WELL = [
    Node("postgres-0", "Leader", "running", 4, None, False),
    Node("postgres-1", "Sync Standby", "streaming", 4, 0, False),
    Node("postgres-2", "Replica", "streaming", 4, 0, False),
]


def _row(member: str, role: str, **more: Any) -> dict[str, Any]:
    return {"Cluster": "postgres-primary", "Member": member, "Host": "10.0.0.1", "Role": role, "State": "x", **more}


def test_patronis_answer_is_read_in_the_order_of_the_nodes_numbers() -> None:
    rows = [
        _row("postgres-10", "Replica", **{"Lag in MB": "unknown", "State": "starting"}),
        _row("postgres-2", "Leader", **{"TL": 3, "State": "running", "Pending restart": "*"}),
        _row("postgres-3", "Sync Standby", **{"TL": 3, "Lag in MB": 7, "State": "streaming"}),
    ]
    assert state.parse(json.dumps(rows)) == [
        Node("postgres-2", "Leader", "running", 3, None, True),
        Node("postgres-3", "Sync Standby", "streaming", 3, 7, False),
        Node("postgres-10", "Replica", "starting", None, None, False),
    ]


def test_a_member_that_has_just_registered_is_starting() -> None:
    row = _row("postgres-0", "Replica")
    del row["State"]
    assert state.parse(json.dumps([row])) == [Node("postgres-0", "Replica", "starting", None, None, False)]


def test_a_primary_with_all_its_replicas_streaming_is_well() -> None:
    assert state.ailments(WELL, 3) == []


def test_a_database_without_its_primary_is_not_well() -> None:
    assert state.ailments([replace(WELL[0], role="Replica", state="streaming"), *WELL[1:]], 3) == ["no running primary"]
    assert "no running primary" in state.ailments([replace(WELL[0], state="stopped"), *WELL[1:]], 3)


def test_what_is_wrong_with_a_replica_is_said() -> None:
    wrong = state.ailments([*WELL[:2], replace(WELL[2], state="start failed", timeline=3)], 3)
    assert wrong == ["postgres-2 is start failed", "postgres-2 is on timeline 3 instead of 4"]


def test_a_missing_node_and_a_missing_synchronous_replica_are_said() -> None:
    wrong = state.ailments([WELL[0], WELL[2]], 3)
    assert wrong == ["2 of 3 nodes", "no replica is synchronous"]


def test_a_database_that_is_not_synchronous_is_well_without_a_synchronous_replica() -> None:
    assert state.ailments([WELL[0], WELL[2]], 2, is_synchronous=False) == []


def test_a_status_says_role_zone_and_what_is_wrong() -> None:
    lines = state.described([WELL[0], replace(WELL[1], is_restart_pending=True)], {"postgres-0": "zone-a"}, ["sad"])
    first, second, third = lines.splitlines()
    assert first.split() == ["postgres-0", "zone-a", "primary", "running", "timeline", "4"]
    assert second.split()[:4] == ["postgres-1", "-", "sync", "standby"]
    assert second.endswith("0 MB behind  to be restarted")
    assert third.split() == ["not", "well", "sad"]


def test_a_status_for_programs_says_whether_it_is_healthy() -> None:
    assert state.as_json(WELL, {}, [])["healthy"] is True
    assert state.as_json(WELL, {}, ["sad"])["healthy"] is False
