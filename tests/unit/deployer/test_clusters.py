"""Which cluster is meant, whose it is, and what is on it."""

import re
from contextlib import nullcontext
from pathlib import Path

import pytest

from deployer import images, lifecycle, tools
from deployer.clusters import addons, docker
from deployer.clusters.context import Context
from deployer.clusters.kind import Kind
from deployer.errors import CommandError, DeployerError


@pytest.mark.parametrize("folder", ["main", "My Checkout (2)", "a" * 200, "…", "-x-"])
def test_a_clusters_name_fits_everywhere_and_tells_its_folder(folder: str) -> None:
    name = docker.cluster_name(Path("/somewhere") / folder)
    assert re.fullmatch(r"scale-[a-z0-9]([a-z0-9-]*[a-z0-9])?-[0-9a-f]{6}", name)
    # The longest name that is made of it is a node's host name.
    assert len(f"{name}-control-plane") <= 63


def test_two_checkouts_of_the_same_name_have_clusters_of_different_names() -> None:
    assert docker.cluster_name(Path("/a/main")) != docker.cluster_name(Path("/b/main"))


def test_a_cluster_whose_checkout_is_gone_is_orphaned(tmp_path: Path) -> None:
    assert docker.Owned("c", tmp_path).is_orphaned
    (tmp_path / "run_kube").touch()
    assert not docker.Owned("c", tmp_path).is_orphaned


def test_the_checkouts_own_cluster_is_meant_if_nothing_is_said() -> None:
    assert isinstance(lifecycle.choose(), Kind)
    assert lifecycle.choose(context="production") == Context("production")


def test_a_context_takes_no_ports() -> None:
    with pytest.raises(DeployerError, match="leave --port and --cluster out"):
        lifecycle.choose(context="production", ports=["site=8080"])


@pytest.mark.parametrize("name", ["arn:aws:eks:eu-central-1:123456789012:cluster/scale", "../../etc", "user@cluster"])
def test_a_contexts_state_stays_in_the_state_folder_whatever_its_name(name: str) -> None:
    kubeconfig = Context(name).kubeconfig
    assert kubeconfig.parent.parent.name == "clusters"
    assert kubeconfig.parent.name.startswith("context-")


def test_a_published_port_is_known_of_a_running_and_of_a_stopped_container() -> None:
    bound = {"30080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}
    automatic = {"5000/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}
    stopped = {"HostConfig": {"PortBindings": bound | automatic}, "NetworkSettings": {"Ports": {}}}
    assert docker.published(stopped) == {30080: 8080}
    running = {"5000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "32768"}], "9000/tcp": None}
    assert docker.published({**stopped, "NetworkSettings": {"Ports": running}}) == {30080: 8080, 5000: 32768}


def test_a_node_that_goes_between_listing_and_looking_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker_program = tmp_path / "docker"
    docker_program.write_text(f"""#!/bin/sh
case "$1 $2" in
"ps --all") if [ -e {tmp_path}/gone ]; then echo one; else echo one two; fi ;;
"container inspect")
    if [ "$4" = two ]; then : >{tmp_path}/gone; echo "Error: No such container: two" >&2; exit 1; fi
    echo '[{{"Name": "/c-worker"}}]' ;;
esac
""")
    docker_program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert list(docker.nodes("c")) == ["c-worker"]


@pytest.mark.parametrize(("failures", "made"), [(0, True), (1, True), (2, False)])
def test_kind_is_let_try_again_once(
    failures: int, made: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program, tries = tmp_path / "kind", tmp_path / "tries"
    program.write_text(f"""#!/bin/sh
cat >/dev/null
echo again >>{tries}
[ "$(wc -l <{tries})" -gt {failures} ] || {{ echo "ERROR: the server is currently unable"; exit 1; }}
""")
    program.chmod(0o755)
    monkeypatch.setattr(tools, "kind", lambda report: str(program))
    with nullcontext() if made else pytest.raises(CommandError, match="currently unable"):
        Kind(name="scale-none")._create("{}", lambda what: None)
    assert len(tries.read_text().splitlines()) == min(failures + 1, 2)
    assert ("it tries again" in capsys.readouterr().err) is (failures > 0)


def test_every_image_of_the_addons_is_in_the_table_of_images() -> None:
    manifests = sorted(addons.MANIFESTS.glob("*.yaml"))
    named = {image for file in manifests for image in re.findall(r"^\s*image: (\S+)$", file.read_text(), re.MULTILINE)}
    assert named
    assert named <= set(images.wanted("addons"))
