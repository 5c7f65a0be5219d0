"""How a cluster begins and ends: killed in the middle, beside another, forgotten, removed without a trace."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer import process
from deployer.clusters import docker, registry
from tests.checkout import Checkout, checkout

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(5400)]

SEED = int(os.environ.get("KILL_SEED", "5"))
KILLS = int(os.environ.get("KILLS", "3"))


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Checkout]:
    with checkout(tmp_path / "one") as one:
        yield one


def _belongings(cluster: str) -> set[str]:
    """What Docker holds of a cluster: names of containers and networks, and of the volumes that its containers use."""
    containers = {**docker.nodes(cluster)}
    registry_container = docker.container(registry.container_name(cluster))
    if registry_container:
        containers[registry.container_name(cluster)] = registry_container
    volumes = {mount["Name"] for found in containers.values() for mount in found["Mounts"] if mount["Type"] == "volume"}
    return {*containers, *volumes, *(found.name for found in docker.owned() if found.name == cluster)}


def _left(belongings: set[str]) -> set[str]:
    """Which of them are still there, whatever else Docker holds."""
    kinds = (
        ["ps", "--all", "--format={{.Names}}"],
        ["network", "ls", "--format={{.Name}}"],
        ["volume", "ls", "--quiet"],
    )
    return belongings & {name for kind in kinds for name in process.read(["docker", *kind]).split()}


def _files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_killed_at_any_moment_the_same_command_ends_in_a_cluster_and_down_leaves_nothing(
    made: Checkout, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / ".kube").mkdir(parents=True)
    (home / ".kube" / "config").write_text("apiVersion: v1\nkind: Config\n")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    environment = {"HOME": str(home), "XDG_CACHE_HOME": str(cache)}
    home_before = _files(home)
    started = time.monotonic()
    made.run("up", environment=environment)
    whole = time.monotonic() - started
    rng = random.Random(SEED)
    for kill in range(KILLS):
        made.run("down", environment=environment)
        moment = rng.uniform(0.05, 0.95) * whole
        print(f"seed {SEED}, kill {kill}: after {moment:.1f} of {whole:.1f} s")
        with made.start("up", environment=environment) as going_up:
            try:
                going_up.communicate(timeout=moment)
            except subprocess.TimeoutExpired:
                going_up.kill()
        made.run("up", environment=environment)
        assert made.status()["healthy"]
    belongings = _belongings(made.cluster)
    made.run("down", environment=environment)
    assert not _left(belongings)
    assert not _belongings(made.cluster)
    assert _files(home) == home_before
    assert not (made.root / ".run_kube" / "clusters" / made.cluster).exists()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_down_removes_what_an_interrupted_up_left(made: Checkout, end: signal.Signals) -> None:
    with made.start("up") as going_up:
        deadline = time.monotonic() + 600
        while not docker.nodes(made.cluster):
            assert time.monotonic() < deadline, "no node was made"
            assert going_up.poll() is None, going_up.communicate()
            time.sleep(0.1)
        belongings = _belongings(made.cluster)
        going_up.send_signal(end)
        _, errors = going_up.communicate()
    assert ("Interrupted at “Cluster”. The same command goes on" in errors) == (end == signal.SIGINT)
    made.run("down")
    assert not _left(belongings)
    assert not _belongings(made.cluster)
    assert "nothing to remove" in made.run("down")


def test_two_checkouts_have_two_clusters_and_a_forgotten_one_is_listed_and_removed(
    made: Checkout, tmp_path: Path
) -> None:
    made.run("up")
    first = {name: node["Id"] for name, node in docker.nodes(made.cluster).items()}
    with checkout(tmp_path / "two") as other:
        other.run("up")
        belongings = _belongings(other.cluster)
        assert made.status()["other_clusters"][other.cluster] == str(other.root)
        shutil.rmtree(other.root)
        gone = f"of {other.root} (gone; remove it with `./run_kube down --cluster {other.cluster}`)"
        assert gone in made.run("status")
        assert "Removed" in made.run("down", "--cluster", other.cluster)
    assert not _left(belongings)
    assert {name: node["Id"] for name, node in docker.nodes(made.cluster).items()} == first
    assert made.status()["healthy"]
    assert f"There is no cluster {other.cluster} made by ./run_kube" in made.refused("down", "--cluster", other.cluster)
