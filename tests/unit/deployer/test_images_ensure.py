"""Images are there, else pulled, else built: what is asked of the Docker daemon, and in which order."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from deployer import images, process
from deployer.errors import CommandError, DeployerError
from deployer.images import daemon, debian_root, recipes, table
from deployer.images.table import Image
from deployer.steps import Report

BASE = Image(name="debian:test-slim", role="base", debian="test")
PART = Image(name="example.org/part:v1", role="in-node", program="/pause")
WHOLE = Image(
    name="whole:v1",
    role="node",
    folder="platform/kube-proxy",
    base="debian:test-slim",
    programs=("pause",),
    images=("debian:test-slim", "example.org/part:v1"),
)
PINNED = Image(name="example.org/pinned:v1", role="addons", digest="sha256:0123", program="/pause")


@dataclass
class Daemon:
    """Stands in for a Docker daemon: knows its images' labels, what can be pulled, and what it was asked to do."""

    published: set[str] = field(default_factory=set)
    labels_of: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def labels(self, name: str) -> dict[str, str] | None:
        return self.labels_of.get(name)

    def pull(self, name: str, digest: str | None, report: Report) -> None:
        self.asked.append(f"pull {name}" + (f"@{digest}" if digest else ""))
        if name not in self.published:
            raise CommandError(["docker", "pull", name], 1, "no such host")
        self.labels_of[name] = {}

    def build(self, name: str, folder: Path, recipe: str, report: Report) -> None:
        self.asked.append(f"build {name}")
        assert (folder / "bin" / "pause").is_file()
        self.labels_of[name] = {daemon.RECIPE: recipe}

    def import_root(self, name: str, archive: Path, recipe: str) -> None:
        self.asked.append(f"import {name}")
        self.labels_of[name] = {daemon.RECIPE: recipe}

    def save(self, names: Sequence[str], archive: Path) -> None:
        assert set(names) <= self.labels_of.keys()
        archive.write_text(" ".join(f"{name}={self.labels_of[name].get(daemon.RECIPE, '')}" for name in names))

    def load(self, archive: Path) -> None:
        for entry in archive.read_text().split():
            name, _, recipe = entry.partition("=")
            self.asked.append(f"load {name}")
            self.labels_of[name] = {daemon.RECIPE: recipe}


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Daemon:
    """A daemon without images, an empty cache folder, a small table, and Debian made in no time."""
    docker = Daemon()
    monkeypatch.setattr(recipes, "cache", lambda: tmp_path)
    for name in ("labels", "pull", "build", "import_root", "save", "load"):
        monkeypatch.setattr(daemon, name, getattr(docker, name))
    monkeypatch.setattr(debian_root, "make", lambda suite, archive: archive.write_text(suite))
    rows = {image.name: image for image in (BASE, PART, WHOLE, PINNED)}
    for module in (images, recipes):
        monkeypatch.setattr(module, "images", lambda: rows)
    return docker


def silent(line: str) -> None:
    """A report that nobody reads."""


def test_one_that_is_there_is_left_as_it_is(docker: Daemon) -> None:
    docker.labels_of["whole:v1"] = {"maintainer": "somebody"}
    images.ensure(["whole:v1"], silent)
    assert docker.asked == []


def test_one_that_can_be_pulled_is_pulled_and_nothing_it_is_made_of_is_touched(docker: Daemon) -> None:
    docker.published = {"whole:v1"}
    images.ensure(["whole:v1"], silent)
    assert docker.asked == ["pull whole:v1"]


def test_one_with_a_digest_is_pulled_by_it(docker: Daemon) -> None:
    docker.published = {"example.org/pinned:v1"}
    images.ensure(["example.org/pinned:v1"], silent)
    assert docker.asked == ["pull example.org/pinned:v1@sha256:0123"]


def test_what_cannot_be_pulled_is_built_after_all_it_is_made_of(docker: Daemon) -> None:
    images.ensure(["whole:v1"], silent)
    builds = [line for line in docker.asked if not line.startswith("pull")]
    assert builds == ["import debian:test-slim", "build example.org/part:v1", "build whole:v1"]


def test_a_registry_that_fails_is_asked_once_and_the_others_all_the_same(docker: Daemon) -> None:
    images.ensure(["whole:v1"], silent)
    assert [line for line in docker.asked if line.startswith("pull")] == ["pull whole:v1", "pull example.org/part:v1"]


def test_a_part_that_can_be_pulled_is_not_built(docker: Daemon) -> None:
    docker.published = {"example.org/part:v1"}
    images.ensure(["whole:v1"], silent)
    assert "build example.org/part:v1" not in docker.asked
    assert docker.asked[-1] == "build whole:v1"


def test_what_was_built_from_the_same_recipe_is_not_built_again(docker: Daemon) -> None:
    images.ensure(["whole:v1"], silent)
    docker.asked.clear()
    images.ensure(["whole:v1"], silent)
    assert docker.asked == []


def test_what_was_built_from_an_older_recipe_is_built_anew(docker: Daemon) -> None:
    docker.labels_of["whole:v1"] = {daemon.RECIPE: "older"}
    images.ensure(["whole:v1"], silent)
    assert docker.asked[-1] == "build whole:v1"
    assert docker.labels_of["whole:v1"] == {daemon.RECIPE: recipes.recipe("whole:v1")}


def test_another_checkout_loads_what_one_has_built_and_builds_nothing(docker: Daemon) -> None:
    images.ensure(["whole:v1"], silent)
    docker.labels_of.clear()
    docker.asked.clear()
    images.ensure(["whole:v1"], silent)
    assert docker.asked == ["pull whole:v1", "load whole:v1"]


def test_after_an_interruption_only_the_rest_is_built(docker: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(name: str, folder: Path, recipe: str, report: Report) -> None:
        if name == "whole:v1":
            raise KeyboardInterrupt
        docker.build(name, folder, recipe, report)

    monkeypatch.setattr(daemon, "build", interrupted)
    with pytest.raises(KeyboardInterrupt):
        images.ensure(["whole:v1"], silent)
    monkeypatch.setattr(daemon, "build", docker.build)
    docker.asked.clear()
    images.ensure(["whole:v1"], silent)
    assert docker.asked == ["pull whole:v1", "build whole:v1"]


def test_a_build_leaves_only_archives_in_the_cache(docker: Daemon, tmp_path: Path) -> None:
    images.ensure(["whole:v1"], silent)
    left = [path.name for path in (tmp_path / "images").iterdir() if path.suffix != ".lock"]
    assert sorted(left) == sorted(recipes.archive(name).name for name in ("debian:test-slim", "whole:v1"))


def test_one_that_can_neither_be_pulled_nor_built_says_why_not_either(
    docker: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_debian(suite: str, archive: Path) -> None:
        raise DeployerError("The machine has no package source.")

    monkeypatch.setattr(debian_root, "make", no_debian)
    with pytest.raises(DeployerError) as failure:
        images.ensure(["whole:v1"], silent)
    assert "debian:test-slim could be neither pulled nor built" in str(failure.value)
    assert "no such host" in str(failure.value)
    assert "The machine has no package source." in str(failure.value)


def test_a_dry_run_without_docker_says_what_would_be_pulled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with process.dry_run():
        images.ensure(images.wanted("registry"), silent)
    assert capsys.readouterr().out.splitlines() == [f"docker pull {name}" for name in images.wanted("registry")]


def test_the_recipe_of_an_image_changes_with_what_it_is_made_of(
    docker: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = recipes.recipe("whole:v1")
    changed = {
        image.name: image for image in (BASE, Image(name=PART.name, role="in-node", program="/bin/pause"), WHOLE)
    }
    monkeypatch.setattr(recipes, "images", lambda: changed)
    assert recipes.recipe("whole:v1") != before


def test_the_table_of_the_project_has_a_recipe_for_every_image() -> None:
    assert len({recipes.recipe(name) for name in table.images()}) == len(table.images())


BUILD_ALONE = """
import sys, threading
from pathlib import Path
from deployer import images, process
from deployer.images import programs
from deployer.images.table import Image
from deployer.steps import Report

programs.cache = lambda: Path(sys.argv[1])
images.images = lambda: {"one:v1": Image(name="one:v1", role="in-node", program="/pause")}
images._compiled(["one:v1"], lambda line: print(line, flush=True))["pause"].result()
"""


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_process_that_ends_takes_its_compiler_along(end: signal.Signals, tmp_path: Path) -> None:
    environment = os.environ | {"GOCACHE": str(tmp_path / "go")}  # empty, so that there is something to compile
    command = [sys.executable, "-c", BUILD_ALONE, str(tmp_path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as build:
        assert build.stdout
        assert any(line.startswith("building pause: ") for line in build.stdout)
        started = psutil.Process(build.pid).children(recursive=True)
        assert started
        build.send_signal(end)
        build.wait(30)
    _, alive = psutil.wait_procs(started, timeout=30)
    assert alive == []
