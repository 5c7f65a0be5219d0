"""The programs that the driver starts: the user's own where new enough, else the published release, else built by Go.

Whichever it is, it is started by its link in .run_kube/bin, so that a command in an error or a dry run can be pasted.
"""

import hashlib
import http.client
import os
import platform
import re
import shutil
import tarfile
import tomllib
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache as remembered
from pathlib import Path

from deployer import process
from deployer.errors import CommandError
from deployer.images import programs
from deployer.images.artefacts import IMAGES, made_once
from deployer.paths import STATE, cache
from deployer.steps import Report

SILENCE_SECONDS = 20
"""From a server that says nothing for as long no release can be had."""
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_CHUNK_BYTES = 1 << 20


class NotPublished(Exception):
    """The published release can't be had; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool of images/programs.toml, where it is said what the fields mean."""

    name: str
    version: str
    oldest: str
    says: tuple[str, ...]
    release: str
    sha256: Mapping[str, str]
    member: str | None = None


def kind(report: Report) -> str:
    """The path to start kind by; raises DeployerError."""
    return linked(tools()["kind"], report)


def kubectl(report: Report) -> str:
    """The path to start kubectl by; raises DeployerError."""
    return linked(tools()["kubectl"], report)


def helm(report: Report) -> str:
    """The path to start Helm by; raises DeployerError."""
    return linked(tools()["helm"], report)


@remembered
def tools() -> dict[str, Tool]:
    """Every tool by its name."""
    with (IMAGES / "programs.toml").open("rb") as file:
        rows = tomllib.load(file)["tools"]
    return {
        name: Tool(**(row | {"name": name, "says": tuple(row["says"]), "version": programs.programs()[name].version}))
        for name, row in rows.items()
    }


def linked(tool: Tool, report: Report) -> str:
    """The link in .run_kube/bin that leads to the program, found, downloaded or built; raises DeployerError."""
    link = STATE / "bin" / tool.name
    if process.is_dry_run():
        return str(link)
    if link.is_symlink() and link.readlink() in (_built(tool), _released(tool)) and link.exists():
        os.utime(link)  # it is wanted; the user's own, which may be slow to answer, is not asked again
    else:
        _lead(link, users_own(tool) or _released_or_built(tool, report))
    return str(link)


def _lead(link: Path, program: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    fresh = link.with_name(f"{link.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(program)
    fresh.replace(link)


def users_own(tool: Tool) -> Path | None:
    """The program on the user's PATH, if there is one that is new enough."""
    found = shutil.which(tool.name)
    new_enough = found and _version(found, tool.says) >= tuple(map(int, tool.oldest.split(".")))
    return Path(found) if found and new_enough else None


@remembered
def _version(program: str, says: tuple[str, ...]) -> tuple[int, ...]:
    """The version a program says it has, () where it says none."""
    try:
        said = re.search(r"v(\d+)\.(\d+)\.(\d+)", process.read([program, *says]))
    except CommandError:
        return ()
    return tuple(map(int, said.groups())) if said else ()


def _built(tool: Tool) -> Path:
    return programs.programs()[tool.name].artefact()


def _released(tool: Tool) -> Path:
    return cache() / "tools" / f"{tool.name}-{tool.version}"


def _released_or_built(tool: Tool, report: Report) -> Path:
    if _built(tool).exists():
        return programs.built(tool.name, report)
    try:
        return released(tool, report)
    except NotPublished as reason:
        report(f"{tool.name} is built, because its release can't be had: {reason}")
        return programs.built(tool.name, report)


def released(tool: Tool, report: Report) -> Path:
    """The published program, downloaded unless it has been; raises NotPublished."""
    return made_once(_released(tool), lambda path: download(tool, path, report))


def download(tool: Tool, path: Path, report: Report) -> None:
    """Write the published program to a path; raises NotPublished where it can't be had as it was published."""
    architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
    if architecture not in tool.sha256:
        raise NotPublished(f"there is none for {architecture}")
    address = tool.release.format(version=tool.version, arch=architecture)
    archive = path.with_name(f"{path.name}.download")
    try:
        digest = _fetch(address, archive, lambda share: report(f"downloading {tool.name} {share}"))
        if digest != tool.sha256[architecture]:
            raise NotPublished(f"{address} answers something else than the release")
        if tool.member:
            with tarfile.open(archive) as members, path.open("wb") as program:
                member = members.extractfile(tool.member.format(arch=architecture))
                assert member, "the checksum says that this is the release"
                shutil.copyfileobj(member, program)
        else:
            archive.rename(path)
        path.chmod(0o755)
    finally:
        archive.unlink(missing_ok=True)


def _fetch(address: str, path: Path, report: Report) -> str:
    """Download a file; returns its SHA-256. Raises NotPublished."""
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(address, timeout=SILENCE_SECONDS) as answer, path.open("wb") as file:
            length = int(answer.headers.get("Content-Length", 0))
            while chunk := answer.read(_CHUNK_BYTES):
                digest.update(chunk)
                file.write(chunk)
                if length:
                    report(f"{100 * file.tell() // length} %")
    except (OSError, http.client.HTTPException) as error:
        raise NotPublished(f"{address}: {error}") from error
    return digest.hexdigest()
