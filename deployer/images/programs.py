"""Programs built by Go from the modules in images/platform/modules, each once for all checkouts of the user."""

import json
import platform
import re
import tomllib
from dataclasses import dataclass
from functools import cache as remembered
from pathlib import Path
from typing import Any

from deployer import process
from deployer.errors import CommandError, DeployerError
from deployer.images.artefacts import IMAGES, content, fingerprint, made_once
from deployer.images.golang import ENVIRONMENT, MODULES, TOOLCHAIN, go
from deployer.paths import cache
from deployer.steps import Report

DOWNLOAD_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Program:
    """One program of images/programs.toml."""

    name: str
    package: str
    module: str
    release: str | None
    stamp: tuple[str, ...]
    tags: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return MODULES / self.module

    @property
    def version(self) -> str:
        """The version that its module pins, without the v; raises KeyError for a program of our own."""
        if self.release is None:
            raise KeyError(f"{self.name} is of no release")
        return pinned(self.module, self.release)

    def flags(self) -> list[str]:
        """What `go build` is told beside the package."""
        variables = []
        if self.stamp:
            major, minor, *_ = self.version.split(".")
            variables = [text.format(version=self.version, major=major, minor=minor) for text in self.stamp]
        link = " ".join(["-s", "-w", *(f"-X {variable}" for variable in variables)])
        return [f"-ldflags={link}", *([f"-tags={','.join(self.tags)}"] if self.tags else [])]

    def fingerprint(self) -> str:
        """The hash of all it depends on."""
        pins = [(self.folder / name).read_text() for name in ("go.mod", "go.sum") if (self.folder / name).exists()]
        own = content(self.folder / self.package) if self.package.startswith(".") else {}
        return fingerprint(pins, own, self.package, self.flags(), TOOLCHAIN, platform.machine())

    def artefact(self) -> Path:
        return cache() / "programs" / f"{self.name}-{self.fingerprint()}"


@remembered
def programs() -> dict[str, Program]:
    """Every program by its name."""
    with (IMAGES / "programs.toml").open("rb") as file:
        groups: list[dict[str, Any]] = tomllib.load(file)["group"]
    return {
        name: Program(
            name,
            package,
            group["module"],
            group.get("release"),
            tuple(group.get("stamp", ())),
            tuple(group.get("tags", ())),
        )
        for group in groups
        for name, package in group["programs"].items()
    }


def pinned(module: str, dependency: str) -> str:
    """The version, without the v, of what a module in images/platform/modules depends on."""
    go_mod = (MODULES / module / "go.mod").read_text()
    found = re.search(rf"^(?:require|\t)\s*{re.escape(dependency)} v(\S+)", go_mod, re.MULTILINE)
    if not found:
        raise KeyError(f"{dependency} is not in {module}/go.mod")
    return found[1]


def built(name: str, report: Report) -> Path:
    """The path of a program, built unless it has been; raises DeployerError."""
    program = programs()[name]

    def make(path: Path) -> None:
        report(f"building {name}")
        command = [go(), "-C", str(program.folder), "build", "-v", *program.flags(), "-o", str(path), program.package]
        try:
            process.run(command, environment=ENVIRONMENT, lines=lambda package: report(f"building {name}: {package}"))
        except CommandError as error:
            raise DeployerError(f"{name} could not be built from its Go module.\n{error}") from error

    return made_once(program.artefact(), make)


def sources(module: str, dependency: str) -> Path:
    """The folder with the files of what a module depends on; raises CommandError."""
    command = [go(), "-C", str(MODULES / module), "mod", "download", "-json", dependency]
    return Path(json.loads(process.read(command, environment=ENVIRONMENT, seconds=DOWNLOAD_SECONDS))["Dir"])
