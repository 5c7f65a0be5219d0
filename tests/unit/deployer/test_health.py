"""What the API says of a cluster, as sentences."""

from typing import Any

import pytest

from deployer import health
from deployer.clusters import addons
from deployer.health import Release


def _pod(phase: str = "Running", **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p", "namespace": "n"}, "status": {"phase": phase, **status}}


def _container(**state: Any) -> list[dict[str, Any]]:
    return [{"name": "main", "state": state.pop("state"), **state}]


READY = [{"type": "Ready", "status": "True"}]


@pytest.mark.parametrize(
    "pod",
    [
        _pod(conditions=READY),
        _pod("Succeeded", conditions=[{"type": "Ready", "status": "False", "reason": "PodCompleted"}]),
    ],
)
def test_what_runs_or_has_done_its_work_is_healthy(pod: dict[str, Any]) -> None:
    assert not list(health.pod_ailments([pod]))


@pytest.mark.parametrize(
    ("pod", "reason"),
    [
        (
            _pod(
                "Pending",
                containerStatuses=_container(
                    state={"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
                ),
            ),
            "main ImagePullBackOff: no such image",
        ),
        (
            _pod(
                containerStatuses=_container(
                    state={"waiting": {"reason": "CrashLoopBackOff"}},
                    lastState={"terminated": {"reason": "OOMKilled", "exitCode": 137}},
                )
            ),
            "main CrashLoopBackOff, after OOMKilled with code 137",
        ),
        (
            _pod("Failed", containerStatuses=_container(state={"terminated": {"reason": "Error", "exitCode": 3}})),
            "main ended with code 3 (Error)",
        ),
        (
            _pod("Failed", reason="Evicted", message="The node was low on memory."),
            "Evicted: The node was low on memory.",
        ),
        (
            _pod(
                "Pending",
                conditions=[
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/4 nodes"}
                ],
            ),
            "Unschedulable: 0/4 nodes",
        ),
        (
            _pod(
                "Pending",
                conditions=[{"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "main"}],
                containerStatuses=_container(state={"waiting": {"reason": "ContainerCreating"}}),
            ),
            "ContainersNotReady: main",
        ),
        (
            _pod(
                "Pending",
                initContainerStatuses=_container(state={"waiting": {"reason": "ErrImagePull"}}),
                containerStatuses=_container(state={"waiting": {"reason": "PodInitializing"}}),
            ),
            "main ErrImagePull",
        ),
        (_pod("Pending"), "Pending"),
    ],
)
def test_a_pod_that_does_not_run_says_why(pod: dict[str, Any], reason: str) -> None:
    assert list(health.pod_ailments([pod])) == [f"pod n/p: {reason}"]


def test_a_node_is_healthy_if_ready_and_nothing_else_is_the_matter() -> None:
    def node(*conditions: tuple[str, str]) -> dict[str, Any]:
        listed = [{"type": t, "status": s, "reason": f"Why{t}", "message": "so"} for t, s in conditions]
        return {"metadata": {"name": "a"}, "status": {"conditions": listed}}

    assert not list(health.node_ailments([node(("MemoryPressure", "False"), ("Ready", "True"))]))
    sick = node(("DiskPressure", "True"), ("Ready", "Unknown"))
    assert list(health.node_ailments([sick])) == ["node a: WhyDiskPressure: so", "node a: WhyReady: so"]


def test_a_release_is_known_by_its_newest_revision() -> None:
    def secret(name: str, version: int, status: str) -> dict[str, Any]:
        labels = {"name": name, "version": str(version), "status": status}
        return {"metadata": {"namespace": "n", "labels": labels}}

    found = health.releases(
        [secret("app", 2, "superseded"), secret("app", 10, "failed"), secret("app", 9, "superseded")]
    )
    assert found == [Release("n", "app", 10, "failed")]
    assert list(health.release_ailments(found)) == ["release n/app: failed (revision 10)"]
    assert not list(health.release_ailments([Release("n", "app", 1, "deployed")]))


def test_an_unbound_claim_is_said() -> None:
    claims = [
        {"metadata": {"name": name, "namespace": "n"}, "status": {"phase": name}} for name in ("Bound", "Pending")
    ]
    assert list(health.claim_ailments(claims)) == ["volume claim n/Pending: Pending"]


def test_only_what_is_served_and_reached_can_be_opened() -> None:
    services: list[dict[str, Any]] = [{"spec": {"ports": [{"nodePort": 30080}, {"port": 53}]}}, {"spec": {}}]
    addresses = {30080: "http://127.0.0.1:8080", 30300: "http://127.0.0.1:3000"}
    assert health.endpoints(services, addresses) == {"site": "http://127.0.0.1:8080"}
    assert health.endpoints(services, {}) == {}


@pytest.mark.parametrize(
    ("ready", "state", "settled"),
    [
        (True, {"running": {"startedAt": "2026-01-02T00:00:05Z"}}, True),
        (True, {"running": {"startedAt": "2026-01-02T00:00:04Z"}}, True),
        (True, {"running": {"startedAt": "2026-01-01T23:59:59Z"}}, False),
        (False, {"running": {"startedAt": "2026-01-02T00:00:05Z"}}, False),
        (True, {"waiting": {"reason": "ContainerCreating"}}, False),
    ],
)
def test_a_pod_counts_if_it_is_ready_and_younger_than_its_node(
    ready: bool, state: dict[str, Any], settled: bool
) -> None:
    pod = {"spec": {"nodeName": "a"}, "status": {"containerStatuses": [{"ready": ready, "state": state}]}}
    assert addons.is_settled(pod, {"a": "2026-01-02T00:00:04.123456789Z"}) == settled


def test_a_pod_without_containers_yet_does_not_count() -> None:
    assert not addons.is_settled({"spec": {}, "status": {}}, {})
