"""What kind is told to make, and which settings it is made of."""

import pytest

from deployer.clusters import kind_config
from deployer.clusters.base import ENDPOINTS, ZONE_LABEL
from deployer.errors import DeployerError

PORTS = {endpoint.name: endpoint.port for endpoint in ENDPOINTS}


def test_a_cluster_has_a_control_plane_and_a_worker_in_each_zone() -> None:
    nodes = kind_config.configuration("c", "node:1", PORTS)["nodes"]
    assert [node["role"] for node in nodes] == ["control-plane", "worker", "worker", "worker"]
    assert [node["labels"][ZONE_LABEL] for node in nodes[1:]] == ["zone-a", "zone-b", "zone-c"]
    assert {node["image"] for node in nodes} == {"node:1"}


def test_what_is_to_be_opened_is_reached_from_this_machine_alone() -> None:
    mappings = kind_config.configuration("c", "node:1", PORTS | {"site": 8099})["nodes"][0]["extraPortMappings"]
    assert {"containerPort": 30080, "hostPort": 8099, "listenAddress": "127.0.0.1"} in mappings
    assert {mapping["listenAddress"] for mapping in mappings} == {"127.0.0.1"}
    assert len(mappings) == len(ENDPOINTS)


def test_node_ports_are_ones_that_kubernetes_gives_out() -> None:
    assert all(30000 <= endpoint.node_port <= 32767 for endpoint in ENDPOINTS)
    assert len({endpoint.node_port for endpoint in ENDPOINTS}) == len(ENDPOINTS)


def test_the_nodes_are_named_as_kind_names_them() -> None:
    assert kind_config.node_names("c") == ["c-control-plane", "c-worker", "c-worker2", "c-worker3"]


def test_ports_are_given_by_name() -> None:
    assert kind_config.settings(["site=8081", "grafana=3001"]).ports == {"site": 8081, "grafana": 3001}


@pytest.mark.parametrize("word", ["site", "site=", "=8080", "site=eighty", "site=-1"])
def test_a_port_that_is_not_name_and_number_is_refused(word: str) -> None:
    with pytest.raises(DeployerError):
        kind_config.settings([word])


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(DeployerError) as refused:
        kind_config.settings(["site=0", "sight=8080", "grafana=8080"])
    assert str(refused.value) == (
        "--port: sight is not an endpoint (site, grafana, prometheus are); "
        "0 is not a port between 1 and 65535 (site); 8080 is given twice."
    )


def test_the_digest_changes_with_the_node_image_and_its_recipe_alone() -> None:
    first = kind_config.digest("node:1", "a")
    assert first == kind_config.digest("node:1", "a")
    assert len({first, kind_config.digest("node:2", "a"), kind_config.digest("node:1", "b")}) == 3
