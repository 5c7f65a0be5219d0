"""What a cluster command can't do: one clear sentence each, before any long work, and nothing harmed."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer import images
from deployer.clusters import docker
from tests.checkout import Checkout, checkout

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(5400)]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Checkout]:
    with checkout(tmp_path / "refused") as one:
        yield one


@pytest.fixture
def foreign(made: Checkout) -> Iterator[str]:
    """A node of a kind cluster that somebody else gave the checkout's cluster's name."""
    images.ensure(images.wanted("registry"), lambda what: None)
    name = f"{made.cluster}-control-plane"
    label = f"{docker.NODE_LABEL}={made.cluster}"
    create = ["docker", "create", "--name", name, "--label", label, *images.wanted("registry")]
    subprocess.run(create, check=True, capture_output=True)
    yield name
    subprocess.run(["docker", "rm", "--force", "--volumes", name], check=True, capture_output=True)


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 1 MiB."""
    folder = tmp_path / "full"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small disk can't be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_docker_that_is_not_there(made: Checkout) -> None:
    said = made.refused("up", environment={"DOCKER_HOST": "unix:///nowhere"})
    assert said == "error: No Docker daemon answers at DOCKER_HOST=unix:///nowhere: start it or unset DOCKER_HOST."


def test_a_disk_that_is_full(made: Checkout, full_disk: Path) -> None:
    said = made.refused("up", environment={"XDG_CACHE_HOME": str(full_disk)})
    assert said.startswith("error: There is too little disk space: 0.0 GiB free in ")


def test_a_port_in_use(made: Checkout) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = made.refused("up", f"--port=site={port}")
    assert (
        said
        == f"error: Port {port} for site is in use: give another with --port site=NUMBER, or none to take a free one."
    )


def test_a_foreign_cluster_of_the_same_name(made: Checkout, foreign: str) -> None:
    for command in ("up", "down"):
        assert f"There is a kind cluster {made.cluster} that this checkout did not make" in made.refused(command)
    assert list(docker.nodes(made.cluster)) == [foreign]


def test_a_state_folder_that_is_none(made: Checkout) -> None:
    state = made.root / ".run_kube"
    state.write_text("not a folder")
    assert (
        made.refused("up") == f"error: {state} cannot be used (Not a directory): remove it and run the command again."
    )


def test_no_cluster_to_tell_of(made: Checkout) -> None:
    assert made.refused("status").startswith(f"error: There is no cluster yet (kind {made.cluster}): `./run_kube up`")


def test_a_dry_run_makes_nothing(made: Checkout) -> None:
    printed = made.run("up", "--dry-run")
    assert f"docker network create --label chaos-at-scale.checkout={made.root} {made.cluster}" in printed
    assert "kind create cluster" in printed
    assert not docker.nodes(made.cluster)
    assert not (made.root / ".run_kube").exists()
    assert made.run("down", "--dry-run") == "# Cluster\n# Its state\nrm --recursive --force " + (
        f"{made.root}/.run_kube/clusters/{made.cluster}\n"
    )
