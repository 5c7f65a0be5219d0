"""The chart of the object store."""

from tests.charts.rendering import render


def test_every_bucket_is_a_folder_of_the_volume() -> None:
    (pod,) = render("object-store", "buckets={one,two}").pods()
    mounts = {mount["mountPath"]: mount.get("subPath") for mount in pod["containers"][0]["volumeMounts"]}
    assert mounts["/buckets/one"] == "one"
    assert mounts["/buckets/two"] == "two"


def test_nothing_is_served_without_tls() -> None:
    (pod,) = render("object-store").pods()
    (container,) = pod["containers"]
    arguments = container["args"]
    assert arguments[arguments.index("--cert") + 1] == "/etc/object-store/tls.crt"
    assert container["readinessProbe"]["httpGet"]["scheme"] == "HTTPS"


def test_the_keys_are_in_no_argument() -> None:
    rendered = render("object-store")
    (pod,) = rendered.pods()
    (secret,) = rendered.of("Secret")
    taken = {variable["name"]: variable["valueFrom"]["secretKeyRef"]["key"] for variable in pod["containers"][0]["env"]}
    assert taken == {"ROOT_ACCESS_KEY": "access-key", "ROOT_SECRET_KEY": "secret-key"}
    assert set(taken.values()) <= secret["data"].keys()


def test_only_marked_pods_reach_it_and_it_reaches_nobody() -> None:
    (policy,) = render("object-store").of("NetworkPolicy")
    (rule,) = policy["spec"]["ingress"]
    assert rule["from"] == [{"podSelector": {"matchLabels": {"scale.object-store/client": "true"}}}]
    assert "Egress" in policy["spec"]["policyTypes"]
    assert "egress" not in policy["spec"]
