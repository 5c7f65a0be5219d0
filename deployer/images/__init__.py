"""Images that others publish: pulled, and where that fails built under the same name. Docker is reached by its command.

images/images.toml names them, images/programs.toml the programs in them; nothing outside asks which way one came.
"""

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path

from deployer.errors import CommandError, DeployerError
from deployer.images import daemon, programs, recipes
from deployer.images.table import images
from deployer.steps import Report

__all__ = ["ensure", "node_image", "wanted"]


def wanted(role: str) -> list[str]:
    """The names of the images of a role: "node", "registry", "addons"; raises KeyError if there is none."""
    names = [image.name for image in images().values() if image.role == role]
    if not names:
        raise KeyError(role)
    return names


def node_image() -> str:
    """The name of the image that the nodes of a kind cluster are made of."""
    (name,) = wanted("node")
    return name


def ensure(names: Sequence[str], report: Report) -> None:
    """Have the images in the local Docker daemon: as they are there, else pulled, else built. Raises DeployerError.

    What was built stays in the user's cache folder, each program and image by itself: a call that was interrupted goes
    on there.
    """
    failures: dict[str, CommandError] = {}
    lacking = _lacking(names, report, failures)
    if not lacking:
        return
    compiled = _compiled([name for name in lacking if not recipes.archive(name).exists()], report)
    for name in lacking:
        try:
            for program in images()[name].needed_programs():
                if program in compiled:
                    compiled[program].result()
            recipes.build(name, report)
        except DeployerError as error:
            raise DeployerError(
                f"{name} could be neither pulled nor built: let Docker reach an image registry, or mend what stopped "
                f"the build.\nThe pull:\n{failures[_registry(name)]}\nThe build:\n{error}"
            ) from error


def _lacking(names: Iterable[str], report: Report, failures: dict[str, CommandError]) -> list[str]:
    """Which images have to be built, each after those it is made from; the others are there or were pulled.

    failures: registry -> why it gave nothing; it is not asked again.
    """
    lacking: list[str] = []
    for name in names:
        if name in lacking or recipes.present(name) or _pulled(name, report, failures):
            continue
        if not recipes.archive(name).exists():
            lacking += [
                other for other in _lacking(images()[name].needed_images(), report, failures) if other not in lacking
            ]
        lacking.append(name)
    return lacking


def _pulled(name: str, report: Report, failures: dict[str, CommandError]) -> bool:
    if _registry(name) in failures:
        return False
    try:
        daemon.pull(name, images()[name].digest, report)
    except CommandError as error:
        failures[_registry(name)] = error
        return False
    return True


def _registry(name: str) -> str:
    """The host of the registry that an image's name leads to."""
    host, slash, _ = name.partition("/")
    return host if slash and "." in host else "docker.io"


def _compiled(names: Sequence[str], report: Report) -> dict[str, Future[Path]]:
    """The programs that go into images, as they get built: one after the other, in another thread."""
    programs_of = [program for name in names for program in images()[name].needed_programs()]
    compiled: dict[str, Future[Path]] = {program: Future() for program in programs_of}

    def compile_all() -> None:
        for program, future in compiled.items():
            try:
                future.set_result(programs.built(program, report))
            except BaseException as error:
                future.set_exception(error)
                return

    # A daemon: a process that is told to end does not wait for the compiler, and takes it along.
    threading.Thread(target=compile_all, daemon=True).start()
    return compiled
