"""How an image that cannot be pulled is built, and the archive of it that every checkout of the user shares."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree

from deployer.images import daemon, debian_root, programs
from deployer.images.artefacts import IMAGES, alone, content, fingerprint, made_once, remove
from deployer.images.table import Image, images
from deployer.paths import cache
from deployer.steps import Report

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def recipe(name: str) -> str:
    """The hash of all an image is built from: its row, files and programs, and the recipes of its images."""
    image = images()[name]
    return fingerprint(
        [image.debian, *debian_root.options()] if image.debian else None,
        _dockerfile(image.program) if image.program else None,
        content(IMAGES / image.folder) if image.folder else None,
        {program: programs.programs()[program].fingerprint() for program in image.needed_programs()},
        {other: recipe(other) for other in image.needed_images()},
        [*image.module.values(), programs.pinned(image.module["in"], image.module["path"])] if image.module else None,
    )


def archive(name: str) -> Path:
    """Where a built image is kept for other checkouts, and for a Docker daemon that has lost it."""
    return cache() / "images" / f"{name.replace('/', '_').replace(':', '_')}-{recipe(name)}.tar"


def present(name: str) -> bool:
    """Whether the daemon has the image: as it was pulled, or built from the recipe of today."""
    labels = daemon.labels(name)
    return labels is not None and labels.get(daemon.RECIPE, recipe(name)) == recipe(name)


def build(name: str, report: Report) -> None:
    """Have a built image in the daemon; its programs and the images it is made from are there. Raises DeployerError."""
    image = images()[name]
    if image.program:
        # It is made in a second: an archive would only take space.
        with alone(archive(name)):
            if not present(name):
                _build(image, archive(name), report)
        return
    kept = made_once(archive(name), lambda path: _build_and_save(image, path, report))
    if not present(name):
        report(f"loading {name}")
        daemon.load(kept)


def _build_and_save(image: Image, path: Path, report: Report) -> None:
    _build(image, path, report)
    report(f"keeping {image.name}")
    daemon.save([image.name], path)


def _build(image: Image, path: Path, report: Report) -> None:
    report(f"building {image.name}")
    # One at a time, because what is cleared away after a build may be in the middle of another.
    with alone(path.with_name("build")), _workshop(path) as folder:
        if image.debian:
            root = folder / "root.tar"
            debian_root.make(image.debian, root)
            daemon.import_root(image.name, root, recipe(image.name))
        else:
            _fill(folder, image)
            daemon.build(image.name, folder, recipe(image.name), report)


@contextmanager
def _workshop(path: Path) -> Iterator[Path]:
    """An empty folder beside a file that is being made; what a killed run left in it is gone."""
    folder = path.with_suffix(".build")
    remove(folder)
    folder.mkdir()
    try:
        yield folder
    finally:
        remove(folder)


def _fill(folder: Path, image: Image) -> None:
    """Put together what the Dockerfile can copy."""
    if image.program:
        (folder / "Dockerfile").write_text(_dockerfile(image.program))
    if image.folder:
        copytree(IMAGES / image.folder, folder, dirs_exist_ok=True)
    if image.module:
        source = programs.sources(image.module["in"], image.module["path"]) / image.module["folder"]
        copytree(source, folder / "module")
        for below in (folder / "module", *(folder / "module").rglob("*")):
            below.chmod(0o755 if below.is_dir() else 0o644)  # Go keeps them so that nobody can write or remove them
    (folder / "bin").mkdir()
    for program in image.needed_programs():
        os.link(programs.programs()[program].artefact(), folder / "bin" / program)
    if image.images:
        daemon.save(image.images, folder / "images.tar")


def _dockerfile(program: str) -> str:
    """An image of nothing but a program at this path."""
    return f"""\
FROM scratch
COPY bin/{Path(program).name} {program}
ENV PATH={SEARCH_PATH}
ENTRYPOINT {json.dumps([program])}
"""
