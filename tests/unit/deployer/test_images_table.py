"""The tables of images and programs agree with each other, with the modules that pin versions, and with kubeadm."""

import re
from pathlib import Path

import pytest

from deployer import images, process
from deployer.images import golang, programs, table
from deployer.images.artefacts import IMAGES

NAMED_OTHERWISE = {"node": "kubelet"}
"""Last part of an image's name -> the program that it is a release of, where they differ."""

ROWS = sorted(table.images().values(), key=lambda image: image.name)
OF_A_FOLDER = [image for image in ROWS if image.folder]


def named(image: table.Image) -> str:
    return image.name


@pytest.mark.parametrize("image", ROWS, ids=named)
def test_every_image_is_built_in_exactly_one_way(image: table.Image) -> None:
    assert sum(way is not None for way in (image.debian, image.program, image.folder)) == 1


@pytest.mark.parametrize("image", ROWS, ids=named)
def test_every_image_is_made_of_programs_and_images_that_the_tables_have(image: table.Image) -> None:
    assert set(image.needed_programs()) <= programs.programs().keys()
    assert set(image.needed_images()) <= table.images().keys()


@pytest.mark.parametrize("image", ROWS, ids=named)
def test_an_image_has_the_version_of_the_program_that_is_built_into_it(image: table.Image) -> None:
    repository, _, tag = image.name.rpartition(":")
    last = repository.rpartition("/")[2]
    program = programs.programs().get(NAMED_OTHERWISE.get(last, last))
    if program and program.release:
        assert program.name in image.programs or image.program
        assert re.fullmatch(rf"v?{re.escape(program.version)}(-\d+)?", tag)
    else:
        assert image.debian or last == "pause" or ".internal/" in repository, "of which program is it a release?"


@pytest.mark.parametrize("image", OF_A_FOLDER, ids=named)
def test_a_dockerfile_is_made_from_its_row(image: table.Image) -> None:
    assert image.folder
    dockerfile = (IMAGES / image.folder / "Dockerfile").read_text()
    stages = set(re.findall(r" AS (\S+)$", dockerfile, re.MULTILINE))
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) - stages == {image.base or "scratch"}
    assert set(re.findall(r"\bbin/([\w-]+)(?= )", dockerfile)) >= set(image.programs)
    assert ("images.tar" in dockerfile) == bool(image.images)
    assert ("COPY module/" in dockerfile) == bool(image.module)


def test_the_nodes_manifests_use_images_that_come_with_the_node() -> None:
    with_the_node = {
        name if "." in name.split("/")[0] else f"docker.io/{'' if '/' in name else 'library/'}{name}"
        for name in table.images()[images.node_image()].images
    }
    manifests = (IMAGES / "kind-node" / "manifests").glob("*.yaml")
    used = {image for file in manifests for image in re.findall(r"image[:=] ?(\S+)", file.read_text())}
    assert used
    assert used <= with_the_node


def test_a_role_that_no_image_has_is_an_error() -> None:
    with pytest.raises(KeyError, match="nodes"):
        images.wanted("nodes")


def test_the_node_is_the_one_image_of_its_role() -> None:
    assert images.wanted("node") == [images.node_image()]


@pytest.mark.parametrize("module", sorted(path.name for path in golang.MODULES.iterdir()))
def test_a_module_names_what_is_built_in_it_and_pins_it_with_checksums(module: str) -> None:
    folder = golang.MODULES / module
    go_mod = (folder / "go.mod").read_text()
    built_here = {program.package for program in programs.programs().values() if program.module == module}
    tools = {package for package in built_here if not package.startswith(".")}
    assert built_here
    assert set(re.findall(r"^(?:tool |\t)([\w./-]+)$", go_mod, re.MULTILINE)) == tools
    assert all((folder / package / "main.go").is_file() for package in built_here - tools)
    if "require" in go_mod:
        sums = (folder / "go.sum").read_text()
        releases = {program.release for program in programs.programs().values() if program.module == module}
        for release in releases - {None}:
            assert f"{release} v{programs.pinned(module, str(release))} h1:" in sums


@pytest.mark.parametrize("module", ["etcd", "kubernetes"])
def test_what_a_module_does_not_depend_on_has_no_version(module: str) -> None:
    with pytest.raises(KeyError):
        programs.pinned(module, "example.org/nothing")


def _built(name: str) -> Path:
    path = programs.programs()[name].artefact()
    if not path.exists():
        pytest.skip(f"{name} was not built on this machine")
    return path


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("containerd", ["--version"]),
        ("coredns", ["-version"]),
        ("etcd", ["--version"]),
        ("helm", ["version", "--short"]),
        ("kind", ["version"]),
        ("kube-apiserver", ["--version"]),
        ("kube-proxy", ["--version"]),
        ("kubeadm", ["version", "-o", "short"]),
        ("kubectl", ["version", "--client"]),
        ("kubelet", ["--version"]),
        ("registry", ["--version"]),
    ],
)
def test_a_program_says_the_version_it_is(program: str, arguments: list[str]) -> None:
    said = process.read([str(_built(program)), *arguments])
    assert re.search(rf"\bv?{re.escape(programs.programs()[program].version)}\b", said)


def test_the_node_has_the_images_that_kubeadm_asks_for() -> None:
    node = table.images()[images.node_image()]
    asked = process.read(
        [str(_built("kubeadm")), "config", "images", "list", f"--kubernetes-version={node.name.partition(':')[2]}"]
    )
    without_pause = {name for name in asked.split() if "/pause:" not in name}  # kind names its own in containerd's file
    assert len(without_pause) == 6
    assert without_pause <= set(node.images)
