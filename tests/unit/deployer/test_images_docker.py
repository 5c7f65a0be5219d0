"""Images pulled, built and run on the machine's real Docker daemon, with a real registry."""

import os
import re
import secrets
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from deployer import docker_engine, images, process
from deployer.images import daemon, recipes
from deployer.images.table import Image

OURS = "scale-of-image-tests"
PUBLISHED = {daemon.RECIPE: "published"}


def silent(line: str) -> None:
    """A report that nobody reads."""


@pytest.fixture
def name() -> Iterator[str]:
    """The name of an image that nobody publishes, and that is gone afterwards."""
    if docker_engine.complaint() is not None:
        pytest.skip("no Docker daemon answers")
    remove_what_killed_tests_left()
    name = f"{OURS}/{os.getpid()}-{secrets.token_hex(4)}:v1"
    yield name
    remove(name)


@pytest.fixture
def registry(name: str) -> Iterator[str]:
    """The address of a registry of the test's own."""
    images.ensure(images.wanted("registry"), silent)
    (image,) = images.wanted("registry")
    with running(image, "--publish=127.0.0.1::5000") as container:
        yield process.read(["docker", "port", container, "5000"]).strip()


@contextmanager
def running(image: str, *options: str) -> Iterator[str]:
    """A container of the image."""
    label = f"--label={OURS}={os.getpid()}"
    container = process.run(["docker", "run", "--detach", label, *options, image]).strip()
    try:
        yield container
    finally:
        process.run(["docker", "rm", "--force", "--volumes", container])


def remove_what_killed_tests_left() -> None:
    """Containers and images that carry the number of a process that is no more."""
    listed = process.read(
        ["docker", "ps", "--all", f"--filter=label={OURS}", f'--format={{{{.ID}}}} {{{{.Label "{OURS}"}}}}']
    )
    for container, owner in (line.split() for line in listed.splitlines()):
        if not psutil.pid_exists(int(owner)):
            process.run(["docker", "rm", "--force", "--volumes", container])
    for image in process.read(["docker", "images", "--format={{.Repository}}:{{.Tag}}"]).split():
        owner_of_image = re.search(rf"\b{OURS}/(\d+)-", image)
        if owner_of_image and not psutil.pid_exists(int(owner_of_image[1])):
            remove(image)


def remove(name: str) -> None:
    if daemon.labels(name) is not None:
        process.run(["docker", "image", "rm", "--force", name])


def state(container: str) -> str:
    return process.read(["docker", "inspect", "--format={{.State.Status}} {{.State.ExitCode}}", container]).strip()


def known(row: Image, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Image:
    """The row as the whole table, with a cache folder of its own."""
    for module in (images, recipes):
        monkeypatch.setattr(module, "images", lambda: {row.name: row})
    monkeypatch.setattr(recipes, "cache", lambda: folder)
    return row


def publish(name: str, folder: Path) -> str:
    """Push an image to a registry, and forget it here; returns its digest."""
    with tarfile.open(folder / "root.tar", "w"):
        pass
    daemon.import_root(name, folder / "root.tar", PUBLISHED[daemon.RECIPE])
    process.run(["docker", "push", name])
    digest = process.read(["docker", "image", "inspect", "--format={{index .RepoDigests 0}}", name]).strip()
    remove(name)
    return digest.partition("@")[2]


def test_what_nobody_publishes_is_built_and_runs_until_it_is_told_to_end(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(Image(name=name, role="in-node", program="/pause"), tmp_path, monkeypatch)
    images.ensure([name], silent)
    assert daemon.labels(name) == {daemon.RECIPE: recipes.recipe(name)}
    with running(name, "--network=none") as container:
        assert state(container) == "running 0"
        process.run(["docker", "stop", container])
        assert state(container) == "exited 0"


def test_one_that_is_saved_and_loaded_is_the_same(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known(Image(name=name, role="in-node", program="/pause"), tmp_path, monkeypatch)
    images.ensure([name], silent)
    daemon.save([name], tmp_path / "saved.tar")
    process.run(["docker", "image", "rm", name])
    assert daemon.labels(name) is None
    daemon.load(tmp_path / "saved.tar")
    assert recipes.present(name)


def test_what_is_published_is_pulled(registry: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = known(Image(name=f"{registry}/{name}", role="in-node", program="/pause"), tmp_path, monkeypatch)
    digest = publish(row.name, tmp_path)
    try:
        images.ensure([row.name], silent)
        assert daemon.labels(row.name) == PUBLISHED
        remove(row.name)
        known(replace(row, digest=digest), tmp_path, monkeypatch)
        images.ensure([row.name], silent)
        assert daemon.labels(row.name) == PUBLISHED
    finally:
        remove(row.name)


def test_what_is_published_with_another_digest_is_built(
    registry: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Image(name=f"{registry}/{name}", role="in-node", program="/pause", digest=f"sha256:{64 * '0'}")
    known(row, tmp_path, monkeypatch)
    publish(row.name, tmp_path)
    try:
        images.ensure([row.name], silent)
        assert daemon.labels(row.name) == {daemon.RECIPE: recipes.recipe(row.name)}
    finally:
        remove(row.name)
