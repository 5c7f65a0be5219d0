"""The chart of Postgres: what it promises about durability, secrets and who may talk to whom."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployer import process
from deployer.errors import CommandError
from tests.charts.rendering import NAMESPACE, Rendered, render


@pytest.fixture(scope="module")
def postgres() -> Rendered:
    return render("postgres")


def configuration(rendered: Rendered, key: str = "patroni.yml") -> dict[str, Any]:
    found = rendered.one("ConfigMap", "postgres-config")
    content: dict[str, Any] = yaml.safe_load(found["data"][key])
    return content


def node(rendered: Rendered) -> dict[str, Any]:
    """The spec of a node's pod."""
    (nodes,) = rendered.of("StatefulSet")
    found: dict[str, Any] = nodes["spec"]["template"]["spec"]
    return found


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("replicas=1", "needs replicas of 2 or more"),
        ("synchronous.enabled=false", "set synchronous.acceptLoss=true if that is meant"),
        ("tls.generate=false", "name a Secret in tls.existingSecret"),
        ("timing.ttl=10", "must not exceed ttl"),
        ("backup.enabled=true,backup.secret=", "set one of them"),
        ("backup.enabled=true,backup.role=arn:aws:iam::123456789012:role/postgres", "set one of them"),
        ("restore.time=2026-01-01 12:00:00", "set restore.path as well"),
        ("parameters.fsync=off", "parameters.fsync is set by the chart"),
        ("parameters.ssl=off", "parameters.ssl is set by the chart"),
        ("parameters.wal_level=minimal", "parameters.wal_level is set by the chart"),
    ],
)
def test_values_that_contradict_the_promises_are_refused_with_a_sentence(setting: str, complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        render("postgres", setting)


def test_a_commit_waits_for_a_second_node_even_when_there_is_none(postgres: Rendered) -> None:
    dynamic = configuration(postgres, "dynamic.yml")
    assert dynamic["synchronous_mode"] is True
    assert dynamic["synchronous_mode_strict"] is True
    assert configuration(postgres)["postgresql"]["parameters"]["synchronous_commit"] == "on"


def test_loss_is_accepted_only_by_saying_so() -> None:
    rendered = render("postgres", "synchronous.enabled=false", "synchronous.acceptLoss=true")
    assert configuration(rendered, "dynamic.yml")["synchronous_mode"] is False


def test_a_new_cluster_starts_with_what_the_driver_would_set_later(postgres: Rendered) -> None:
    assert configuration(postgres)["bootstrap"]["dcs"] == configuration(postgres, "dynamic.yml")


def test_patroni_reaches_for_the_api_less_long_than_its_lease_lasts(postgres: Rendered) -> None:
    dynamic = configuration(postgres, "dynamic.yml")
    assert dynamic["loop_wait"] + 2 * dynamic["retry_timeout"] <= dynamic["ttl"]


def test_nodes_lie_in_different_zones_and_leave_one_at_a_time(postgres: Rendered) -> None:
    pod = node(postgres)
    (constraint,) = pod["topologySpreadConstraints"]
    assert constraint["topologyKey"] == "topology.kubernetes.io/zone"
    assert (constraint["maxSkew"], constraint["whenUnsatisfiable"]) == (1, "DoNotSchedule")
    (budget,) = postgres.of("PodDisruptionBudget")
    (nodes,) = postgres.of("StatefulSet")
    assert budget["spec"]["maxUnavailable"] == 1
    assert budget["spec"]["selector"] == nodes["spec"]["selector"]


def test_nobody_is_let_in_without_tls_but_from_inside_a_pod(postgres: Rendered) -> None:
    rules = configuration(postgres)["postgresql"]["pg_hba"]
    assert {rule.split()[0] for rule in rules} == {"local", "hostssl"}
    assert not [rule for rule in rules if "trust" in rule or "md5" in rule]


def test_the_superuser_can_only_connect_from_inside_its_container(postgres: Rendered) -> None:
    rules = [rule.split() for rule in configuration(postgres)["postgresql"]["pg_hba"]]
    assert {rule[0] for rule in rules if rule[2] in ("all", "postgres")} == {"local"}
    assert {rule[-1] for rule in rules if rule[2] == "postgres"} == {"peer"}


def test_replication_shows_a_certificate_beside_the_password(postgres: Rendered) -> None:
    rules = configuration(postgres)["postgresql"]["pg_hba"]
    remote = [rule for rule in rules if rule.startswith("hostssl") and ("standby" in rule or "rewind" in rule)]
    assert len(remote) == 2
    assert all(rule.endswith("scram-sha-256 clientcert=verify-ca") for rule in remote)


def test_every_role_has_a_secret_of_its_own(postgres: Rendered) -> None:
    secrets = {each["metadata"]["name"]: each["data"] for each in postgres.of("Secret") if each["type"] == "Opaque"}
    passwords = {base64.b64decode(data["password"]) for data in secrets.values()}
    assert secrets.keys() == {
        f"postgres-{role}" for role in ("owner", "app", "reader", "monitor", "replication", "rewind")
    }
    assert len(passwords) == len(secrets)
    assert min(map(len, passwords)) >= 32


def test_an_address_in_a_secret_is_one_that_the_certificate_is_for(postgres: Rendered) -> None:
    uri = base64.b64decode(postgres.one("Secret", "postgres-app")["data"]["uri"]).decode()
    assert uri.startswith("postgresql://scale_app:")
    assert uri.endswith(f"@postgres-primary.{NAMESPACE}.svc:5432/scale?sslmode=verify-full")


def test_an_existing_secret_is_used_and_none_made() -> None:
    rendered = render("postgres", "roles.app.existingSecret=mine", "tls.existingSecret=my-tls")
    names = {each["metadata"]["name"] for each in rendered.of("Secret")}
    assert not names & {"postgres-app", "postgres-tls"}
    pod = node(rendered)
    taken = {
        variable["valueFrom"]["secretKeyRef"]["name"]
        for variable in pod["containers"][0]["env"]
        if variable["name"] == "SCALE_APP_PASSWORD"
    }
    assert taken == {"mine"}
    assert {"my-tls"} == {volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}


def test_no_password_is_written_into_the_configuration(postgres: Rendered) -> None:
    found = postgres.one("ConfigMap", "postgres-config")
    assert "password:" not in "".join(found["data"].values())


@pytest.mark.parametrize("part", ["", "-config", "-failover", "-sync"])
def test_what_patroni_knows_is_there_as_long_as_the_volumes_are(postgres: Rendered, part: str) -> None:
    # The endpoints controller deletes Endpoints that no Service of the same name stands for.
    service = postgres.one("Service", f"postgres-primary{part}")
    assert "selector" not in service["spec"]
    assert service["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_clients_reach_the_database_and_nothing_else_of_it(postgres: Rendered) -> None:
    (policy,) = postgres.of("NetworkPolicy")
    client = {"podSelector": {"matchLabels": {"scale.postgres/client": "true"}}}
    (rule,) = (rule for rule in policy["spec"]["ingress"] if client in rule["from"])
    assert [port["port"] for port in rule["ports"]] == [5432]


def test_only_nodes_and_the_charts_test_may_command_patroni_and_monitoring_may_ask_it(postgres: Rendered) -> None:
    (policy,) = postgres.of("NetworkPolicy")
    (pods,) = postgres.of("StatefulSet")
    nodes = {"podSelector": pods["spec"]["selector"]}
    (test,) = (each["metadata"]["labels"] for each in postgres.of("Pod"))
    monitoring = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "scale-monitoring"}}}
    asking = [rule["from"] for rule in policy["spec"]["ingress"] if {"port": 8008} in rule["ports"]]
    assert asking == [[nodes], [{"podSelector": {"matchLabels": test}}], [monitoring]]


def test_rights_in_the_cluster_end_at_patronis_own_objects(postgres: Rendered) -> None:
    (role,) = postgres.of("Role")
    changing = {"create", "patch", "update", "delete", "deletecollection", "*"}
    unnamed = {
        (resource, verb)
        for rule in role["rules"]
        if not rule.get("resourceNames")
        for resource in rule["resources"]
        for verb in changing & set(rule["verbs"])
    }
    assert unnamed == {("endpoints", "create"), ("endpoints/restricted", "create"), ("pods", "patch")}
    assert not postgres.of("ClusterRole")


def test_a_probe_that_kills_is_patient(postgres: Rendered) -> None:
    pod = node(postgres)
    probe = pod["containers"][0]["livenessProbe"]
    assert probe["httpGet"]["path"] == "/liveness"
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 120


def test_two_releases_share_nothing(postgres: Rendered) -> None:
    other = render("postgres", release="restored")
    names = {(each["kind"], each["metadata"]["name"]) for each in postgres.objects}
    assert not names & {(each["kind"], each["metadata"]["name"]) for each in other.objects}
    (ours,), (theirs,) = postgres.of("StatefulSet"), other.of("StatefulSet")
    assert ours["spec"]["selector"] != theirs["spec"]["selector"]


def restored(path: str) -> Rendered:
    return render("postgres", f"restore.path={path}", "restore.time=2026-01-31 12:00:00+00")


def test_a_cluster_is_not_restored_from_the_place_of_its_own_backups() -> None:
    with pytest.raises(CommandError, match="needs a path, so a release name, of its own"):
        restored(f"/{NAMESPACE}/postgres")


def test_a_restored_cluster_is_told_from_where_and_up_to_when() -> None:
    rendered = restored(f"/{NAMESPACE}/other")
    environment = {variable["name"]: variable.get("value") for variable in node(rendered)["containers"][0]["env"]}
    assert configuration(rendered)["bootstrap"]["method"] == "restore"
    assert environment["SCALE_RESTORE_PATH"] == f"/{NAMESPACE}/other"
    assert environment["SCALE_RESTORE_TIME"] == "2026-01-31 12:00:00+00"


def test_a_restored_cluster_reads_the_bucket_and_writes_nothing_to_it() -> None:
    rendered = restored(f"/{NAMESPACE}/other")
    assert configuration(rendered)["postgresql"]["parameters"]["archive_mode"] == "off"
    assert not rendered.of("CronJob")
    (pods,) = rendered.of("StatefulSet")
    assert pods["spec"]["template"]["metadata"]["labels"]["scale.object-store/client"] == "true"
    mounts = {mount["name"] for mount in node(rendered)["containers"][0]["volumeMounts"]}
    assert {"object-store", "pgbackrest"} <= mounts


def test_an_aws_role_opens_the_bucket_in_place_of_keys() -> None:
    role = "arn:aws:iam::123456789012:role/postgres"
    rendered = render("postgres", "backup.enabled=true", "backup.secret=", f"backup.role={role}")
    account = rendered.one("ServiceAccount", "postgres")
    assert account["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": role}
    assert {pod["serviceAccountName"] for pod in rendered.pods() if "serviceAccountName" in pod} == {"postgres"}
    assert "repo1-s3-key-type=web-id" in rendered.one("ConfigMap", "postgres-config")["data"]["backup.conf"]
    for pod in rendered.pods():
        assert "object-store" not in [volume["name"] for volume in pod.get("volumes", ())]


def test_without_backups_nothing_of_them_is_there(postgres: Rendered) -> None:
    assert configuration(postgres)["postgresql"]["parameters"]["archive_mode"] == "off"
    assert not postgres.of("CronJob")
    assert [container["name"] for container in node(postgres)["containers"]] == ["postgres", "metrics"]


def test_a_backup_reads_every_node_and_is_let_in_by_each() -> None:
    rendered = render("postgres", "backup.enabled=true", "replicas=5")
    found = rendered.one("ConfigMap", "postgres-config")["data"]
    hosts = [line.split("=")[1] for line in found["backup.conf"].splitlines() if "-host=" in line]
    assert hosts == [f"postgres-{number}.postgres-nodes.{NAMESPACE}.svc" for number in range(5)]
    assert "tls-server-auth=postgres-primary=scale" in found["pgbackrest.conf"]
    (policy,) = rendered.of("NetworkPolicy")
    (job,) = (each["spec"]["jobTemplate"]["spec"]["template"] for each in rendered.of("CronJob"))
    backup = {"podSelector": {"matchLabels": job["metadata"]["labels"]}}
    assert {"from": [backup], "ports": [{"port": 8432}]} in policy["spec"]["ingress"]


def test_a_pod_of_the_backup_or_the_test_is_not_taken_for_a_node() -> None:
    rendered = render("postgres", "backup.enabled=true")
    (nodes,) = rendered.of("StatefulSet")
    selector = nodes["spec"]["selector"]["matchLabels"].items()
    (job,) = (each["spec"]["jobTemplate"]["spec"]["template"] for each in rendered.of("CronJob"))
    others = [job["metadata"]["labels"], *(each["metadata"]["labels"] for each in rendered.of("Pod"))]
    assert not [labels for labels in others if selector <= labels.items()]


@pytest.mark.parametrize(
    "host",
    [
        "postgres-primary",
        f"postgres-primary.{NAMESPACE}.svc",
        f"postgres-replicas.{NAMESPACE}.svc.cluster.local",
        f"postgres-0.postgres-nodes.{NAMESPACE}.svc",
        f"postgres-4.postgres-nodes.{NAMESPACE}.svc.cluster.local",
    ],
)
def test_the_certificate_is_for_every_name_of_a_service_and_a_node(
    postgres: Rendered, host: str, tmp_path: Path
) -> None:
    certificate = tmp_path / "tls.crt"
    certificate.write_bytes(base64.b64decode(postgres.one("Secret", "postgres-tls")["data"]["tls.crt"]))
    said = process.read(["openssl", "x509", "-in", str(certificate), "-noout", "-checkhost", host])
    assert said.strip() == f"Hostname {host} does match certificate"
