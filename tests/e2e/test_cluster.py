"""What works on the cluster that `./run_kube up` makes; on one cluster, in a checkout of its own."""

import secrets
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer import images, process
from deployer.clusters import docker, kind_config, registry
from deployer.clusters.kind import MADE_OF
from deployer.kubectl import Kubectl
from tests.checkout import Checkout, checkout
from tests.pods import IMAGE, eventually, make, pod, running, said, status

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(5400)]

LARGE_BYTES = 32 << 20
SERVE = """
use IO::Socket::INET;
my $s = IO::Socket::INET->new(LocalPort => 8000, Listen => 5, ReuseAddr => 1) or die;
while (my $c = $s->accept) { while (<$c>) { last if /^\\r?$/ } my $t = "from $ENV{HOSTNAME}";
print $c "HTTP/1.0 200 OK\\r\\nContent-Length: " . length($t) . "\\r\\n\\r\\n$t"; close $c }
"""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout whose cluster is up."""
    with checkout(tmp_path_factory.mktemp("cluster") / "Scale of tests") as made:
        made.run("up")
        yield made


@pytest.fixture(scope="module")
def kubectl(up: Checkout) -> Kubectl:
    return Kubectl(str(up.root / ".run_kube/bin/kubectl"), up.root / ".run_kube/clusters" / up.cluster / "kubeconfig")


@pytest.fixture
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """A namespace of the test's own."""
    name = f"test-{secrets.token_hex(4)}"
    kubectl.run("create", "namespace", name)
    yield name
    kubectl.run("delete", "namespace", name, "--wait=false")


def _identities(cluster: str) -> dict[str, str]:
    return {name: node["Id"] for name, node in docker.nodes(cluster).items()}


def test_four_nodes_in_three_zones_say_their_true_version(up: Checkout) -> None:
    found = up.status()
    assert [node["zone"] for node in found["nodes"]] == ["", "zone-a", "zone-b", "zone-c"]
    assert {node["version"] for node in found["nodes"]} == {images.node_image().rpartition(":")[2]}
    assert found["healthy"], found["ailments"]


def test_up_again_changes_nothing(up: Checkout) -> None:
    before = _identities(up.cluster)
    up.run("up")
    assert _identities(up.cluster) == before


def test_pods_of_different_zones_reach_each_other_by_address_by_name_and_from_this_machine(
    up: Checkout, kubectl: Kubectl, namespace: str
) -> None:
    make(kubectl, namespace, "Pod", "server", pod(f"exec perl -e '{SERVE}'", "zone-a"))
    port = {"port": 80, "targetPort": 8000, "nodePort": 30080}
    make(kubectl, namespace, "Service", "server", {"type": "NodePort", "selector": {"app": "server"}, "ports": [port]})
    server = running(kubectl, namespace, "server")
    for name, place in (
        ("by-address", f"{server['podIP']}/8000"),
        ("by-name", f"server.{namespace}.svc.cluster.local/80"),
    ):
        ask = f"exec 3<>/dev/tcp/{place}; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
        make(
            kubectl,
            namespace,
            "Pod",
            name,
            pod(f"for i in $(seq 60); do ({ask}) && exit; sleep 1; done; false", "zone-b"),
        )
        assert said(kubectl, namespace, name).endswith("from server")
    endpoint = up.status()["endpoints"]["site"]

    def open_page() -> str:
        with urllib.request.urlopen(endpoint, timeout=5) as answer:
            return str(answer.read().decode())

    assert eventually(open_page, "an answer on this machine") == "from server"


def test_a_volume_survives_its_pod(kubectl: Kubectl, namespace: str) -> None:
    storage = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    make(kubectl, namespace, "PersistentVolumeClaim", "kept", storage)
    volume = {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "kept"}}]}
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    make(kubectl, namespace, "Pod", "writer", pod("echo word >/v/file", container=mount) | volume)
    said(kubectl, namespace, "writer")
    kubectl.run("delete", "pod", "writer", f"--namespace={namespace}")
    make(kubectl, namespace, "Pod", "reader", pod("cat /v/file", container=mount) | volume)
    assert said(kubectl, namespace, "reader") == "word\n"


def test_a_pod_that_takes_more_memory_than_its_limit_is_killed(kubectl: Kubectl, namespace: str) -> None:
    limited = {"resources": {"limits": {"memory": "32Mi"}}}
    make(kubectl, namespace, "Pod", "greedy", pod("exec tail /dev/zero", container=limited))
    eventually(lambda: status(kubectl, namespace, "greedy")["phase"] == "Failed", "the kill")
    ended = status(kubectl, namespace, "greedy")["containerStatuses"][0]["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


def test_a_privileged_pod_enters_another_pods_network_by_its_uid(kubectl: Kubectl, namespace: str) -> None:
    make(kubectl, namespace, "Pod", "target", pod("exec sleep 600", "zone-c"))
    target = running(kubectl, namespace, "target")
    script = f"""
        process=$(grep --files-with-matches {target["uid"].replace("-", "[-_]")} /proc/[0-9]*/cgroup | head -1)
        exec nsenter --net=${{process%/cgroup}}/ns/net hostname --all-ip-addresses
    """
    intruder = pod(script, "zone-c", {"securityContext": {"privileged": True}}) | {"hostPID": True}
    make(kubectl, namespace, "Pod", "intruder", intruder)
    assert said(kubectl, namespace, "intruder").split() == [target["podIP"]]


def test_autoscaling_has_its_figures(kubectl: Kubectl) -> None:
    measured = eventually(lambda: kubectl.read("top", "nodes", "--no-headers").splitlines(), "metrics of the nodes")
    assert len(measured) == 4


def test_a_changed_layer_is_all_that_travels_to_a_node(
    up: Checkout, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    name = f"scale-test-{secrets.token_hex(4)}:1"
    (tmp_path / "Dockerfile").write_text(f"FROM {IMAGE}\nCOPY large /\nCOPY small /\n")
    (tmp_path / "large").write_bytes(secrets.token_bytes(LARGE_BYTES))
    _, node, *_ = kind_config.node_names(up.cluster)
    received = []
    try:
        for content in ("first", "second"):
            (tmp_path / "small").write_text(content)
            subprocess.run(["docker", "build", "--quiet", "--tag", name, tmp_path], check=True, capture_output=True)
            registry.push(up.cluster, [name], lambda what: None)
            before = _received(node)
            make(kubectl, namespace, "Pod", content, pod("cat /small", "zone-a", {"imagePullPolicy": "Always"}, name))
            assert said(kubectl, namespace, content) == content
            received.append(_received(node) - before)
    finally:
        subprocess.run(["docker", "rmi", "--force", name], check=True, capture_output=True)
    assert received[0] > LARGE_BYTES > 4 * received[1]


def _received(node: str) -> int:
    """How many bytes have reached a node."""
    return int(process.read(["docker", "exec", node, "cat", "/sys/class/net/eth0/statistics/rx_bytes"]))


def test_a_context_of_the_users_is_used_and_left_alone(up: Checkout, kubectl: Kubectl, tmp_path: Path) -> None:
    theirs = tmp_path / "config"
    theirs.write_bytes(kubectl.kubeconfig.read_bytes())
    environment = {"KUBECONFIG": str(theirs)}
    context = f"kind-{up.cluster}"
    assert "4 of 4 ready" in up.run("up", "--context", context, environment=environment)
    assert f"no context missing; it has: {context}." in up.refused("up", "--context=missing", environment=environment)
    assert "Removed" in up.run("down", "--context", context, environment=environment)
    assert theirs.read_bytes() == kubectl.kubeconfig.read_bytes()
    assert up.status()["healthy"]


def test_a_port_of_a_cluster_that_is_there_cannot_be_changed(up: Checkout) -> None:
    refusal = up.refused("up", "--port=site=9")
    assert "which can't be changed while it is there: leave --port out, or run `./run_kube down` first." in refusal


def test_a_whole_cluster_of_another_make_is_not_thrown_away(up: Checkout) -> None:
    before = _identities(up.cluster)
    control_plane, *_ = kind_config.node_names(up.cluster)
    made_of = process.read(["docker", "exec", control_plane, "cat", MADE_OF])
    write = ["docker", "exec", "--interactive", control_plane, "tee", MADE_OF]
    process.run(write, stdin="something else")
    try:
        assert "has changed since" in up.refused("up")
    finally:
        process.run(write, stdin=made_of)
    assert _identities(up.cluster) == before
    up.run("up")


def test_a_killed_node_is_missed_and_brought_back(up: Checkout) -> None:
    before = _identities(up.cluster)
    *_, node = kind_config.node_names(up.cluster)
    subprocess.run(["docker", "kill", node], check=True, capture_output=True)
    eventually(lambda: any(f"node {node}" in ailment for ailment in up.status()["ailments"]), "the node's absence")
    up.run("up")
    assert _identities(up.cluster) == before
    assert up.status()["healthy"]


def test_after_all_nodes_were_stopped_the_cluster_goes_on_with_its_data(
    up: Checkout, kubectl: Kubectl, namespace: str
) -> None:
    kubectl.run("create", "configmap", "kept", f"--namespace={namespace}")
    before = _identities(up.cluster)
    everything = [*before, registry.container_name(up.cluster)]
    subprocess.run(["docker", "kill", *everything], check=True, capture_output=True)
    assert "does not answer: `./run_kube up` repairs it." in up.refused("status")
    up.run("up")
    assert _identities(up.cluster) == before
    assert up.status()["healthy"]
    assert "kept" in kubectl.read("get", "configmaps", f"--namespace={namespace}", "--output=name")


@pytest.mark.parametrize("broken", ["lost", "garbage"])
def test_a_broken_state_folder_is_mended(up: Checkout, kubectl: Kubectl, broken: str) -> None:
    before = _identities(up.cluster)
    if broken == "lost":
        shutil.rmtree(up.root / ".run_kube")
    else:
        kubectl.kubeconfig.write_text("{half")
    up.run("up")
    assert _identities(up.cluster) == before
    assert up.status()["healthy"]


def test_a_cluster_that_lost_a_node_for_good_is_made_anew(up: Checkout) -> None:
    *_, node = kind_config.node_names(up.cluster)
    subprocess.run(["docker", "rm", "--force", "--volumes", node], check=True, capture_output=True)
    up.run("up")
    assert up.status()["healthy"]
    assert len(_identities(up.cluster)) == 4
