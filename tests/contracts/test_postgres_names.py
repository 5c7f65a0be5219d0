"""The names that the driver and the failover bench use are those of the postgres chart, whose facts they are."""

import base64
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from deployer import images
from deployer.postgres import database, setup
from tests.charts.rendering import Rendered, render
from tests.failover import client, faults
from tests.failover.faults import Fault, Pod


@pytest.fixture(scope="module")
def chart() -> Rendered:
    return render(database.RELEASE.chart, release=database.RELEASE.name)


@pytest.fixture
def writer() -> dict[str, Any]:
    """The writing client's pod."""
    pod: dict[str, Any] = yaml.safe_load(client.manifest(database.RELEASE.namespace, ["postgres-0"]))
    return pod


def _container(chart: Rendered) -> dict[str, Any]:
    """The container that Postgres runs in."""
    pods = chart.one("StatefulSet", database.RELEASE.name)["spec"]["template"]
    (found,) = (each for each in pods["spec"]["containers"] if each["name"] == database.CONTAINER)
    return dict(found)


def _secrets(pod: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and key of each value that a pod takes out of a Secret."""
    for variable in pod["spec"]["containers"][0]["env"]:
        reference = variable.get("valueFrom", {}).get("secretKeyRef")
        if reference:
            yield reference["name"], reference["key"]
    for volume in pod["spec"]["volumes"]:
        for item in volume.get("secret", {}).get("items", ()):
            yield volume["secret"]["secretName"], item["key"]


def test_the_primarys_service_has_patronis_name_of_the_database(chart: Rendered) -> None:
    assert chart.one("Service", database.SCOPE)
    assert {"name": "PATRONI_SCOPE", "value": database.SCOPE} in _container(chart)["env"]


def test_a_node_has_the_shared_settings_where_the_driver_takes_them(chart: Rendered) -> None:
    folder, _, file = database.DYNAMIC_SETTINGS.rpartition("/")
    assert folder in [mount["mountPath"] for mount in _container(chart)["volumeMounts"]]
    assert any(file in each["data"] for each in chart.of("ConfigMap"))


def test_the_pods_carry_the_label_that_they_are_found_by(chart: Rendered) -> None:
    labels = chart.one("StatefulSet", database.RELEASE.name)["spec"]["template"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/instance"] == database.RELEASE.name


def test_what_outlives_the_release_carries_the_label_that_it_is_removed_by(chart: Rendered) -> None:
    kept = [
        each
        for each in chart.objects
        if each["metadata"].get("annotations", {}).get("helm.sh/resource-policy") == "keep"
    ]
    (template,) = chart.one("StatefulSet", database.RELEASE.name)["spec"]["volumeClaimTemplates"]
    assert {each["kind"] for each in kept} == {"Secret", "Service"}
    for each in (*kept, template):
        assert each["metadata"]["labels"]["app.kubernetes.io/instance"] == database.RELEASE.name


def test_the_images_that_the_driver_brings_are_those_of_the_charts(chart: Rendered) -> None:
    store = render(setup.OBJECT_STORE.chart, release=setup.OBJECT_STORE.name)
    used = {box["image"] for rendered in (chart, store) for pod in rendered.pods() for box in pod["containers"]}
    assert used == {name for role in setup.IMAGE_ROLES for name in images.wanted(role)}


def test_the_client_writes_with_the_charts_role_secret_and_database(chart: Rendered, writer: dict[str, Any]) -> None:
    for name, key in _secrets(writer):
        assert key in chart.one("Secret", name)["data"]
    assert {"name": "SCALE_DATABASE", "value": client.DATABASE} in _container(chart)["env"]
    assert {"name": "PGDATABASE", "value": client.DATABASE} in writer["spec"]["containers"][0]["env"]


def test_the_client_reaches_primary_and_nodes_by_names_of_the_certificate(
    chart: Rendered, writer: dict[str, Any]
) -> None:
    assert chart.one("Service", client.NODES)
    certificate = base64.b64decode(chart.one("Secret", "postgres-tls")["data"]["tls.crt"])
    (names,) = re.findall(r"X509v3 Subject Alternative Name:\s*(.*)", _shown(certificate))
    patterns = [name.strip().removeprefix("DNS:") for name in names.split(",")]
    hosts = [word.rpartition("=")[2] for word in writer["spec"]["containers"][0]["command"] if ".svc." in word]
    assert len(hosts) == 2
    for host in hosts:
        assert host in patterns or f"*.{host.partition('.')[2]}" in patterns


def _shown(certificate: bytes) -> str:
    command = ["openssl", "x509", "-noout", "-text"]
    return subprocess.run(command, input=certificate, capture_output=True, check=True).stdout.decode()


def test_the_client_is_let_in(chart: Rendered, writer: dict[str, Any]) -> None:
    (policy,) = chart.of("NetworkPolicy")
    peers = [peer for rule in policy["spec"]["ingress"] for peer in rule["from"]]
    assert {"podSelector": {"matchLabels": writer["metadata"]["labels"]}} in peers


def test_a_fault_pod_is_on_its_targets_node_and_ends_after_its_fault() -> None:
    target = Pod("scale", "postgres-1", "some-uid", "worker-2", "10.0.0.1")
    pod = yaml.safe_load(faults.manifest("name", Fault("cut", 30, "peers"), target, ["10.0.0.2", "10.0.0.3"]))
    assert pod["spec"]["nodeName"] == "worker-2"
    assert pod["spec"]["activeDeadlineSeconds"] > 30
    *_, script, _, action, seconds, uid, first, second = pod["spec"]["containers"][0]["command"]
    assert (action, seconds, uid, first, second) == ("cut", "30", "some-uid", "10.0.0.2", "10.0.0.3")
    assert "nft --file -" in script
