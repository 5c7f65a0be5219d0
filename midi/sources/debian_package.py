"""Debian packages as plain archives: fetched by name with apt, opened with dpkg-deb, never installed."""

import os
import re
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from midi.errors import SourceError
from midi.sources.base import Progress
from midi.sources.cache import require_space
from midi.sources.keys import shown

__all__ = ["DebianPackage", "apt_available", "candidate", "download", "licences", "opened", "refresh_lists"]

_POLL_SECONDS = 0.2
_PLAIN = {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}


@dataclass(frozen=True, slots=True)
class DebianPackage:
    """What apt would download: file name and size in bytes are the archive's, not those of what is in it."""

    name: str
    version: str
    file: str
    size: int


def apt_available() -> bool:
    return shutil.which("apt-get") is not None and shutil.which("dpkg-deb") is not None


def candidate(name: str) -> DebianPackage | None:
    """The package apt would fetch under this name, None where it knows of none."""
    done = _run("apt-get", "download", "--print-uris", name)
    found = re.search(r"^'[^']*' (\S+) (\d+)", done.stdout, re.MULTILINE)
    if found is None:
        return None
    file, size = found.groups()
    # apt writes the colon of an epoch as %3a in file names.
    version = file.removeprefix(f"{name}_").rpartition("_")[0].replace("%3a", ":")
    return DebianPackage(name, version, file, int(size))


def refresh_lists() -> bool:
    """Fetch apt's package lists; only root may. Says whether it was done."""
    return os.geteuid() == 0 and _run("apt-get", "update").returncode == 0


def download(package: DebianPackage, folder: Path, progress: Progress) -> Path:
    """The package's archive in `folder`; apt checks it against the distribution's signatures."""
    folder.mkdir(parents=True, exist_ok=True)
    require_space(folder, package.size, f"Downloading {package.name}")
    path = folder / package.file
    failure = _download(package, path, progress)
    if failure and refresh_lists():
        # Lists older than the mirror name files that it has replaced.
        failure = _download(package, path, progress)
    if failure:
        raise SourceError(
            f"apt-get cannot download {package.name} ({failure}); check the network, run `apt-get update` as root, "
            "or use the source generated:1000."
        )
    return path


@contextmanager
def opened(deb: Path) -> Iterator[tarfile.TarFile]:
    """What the package would install, as a tar that can only be read forwards."""
    command = ["dpkg-deb", "--fsys-tarfile", str(deb)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | _PLAIN) as proc:
        try:
            with tarfile.open(fileobj=proc.stdout, mode="r|") as files:
                yield files
            proc.communicate()
        except tarfile.TarError as error:
            raise SourceError(_damaged(deb, error)) from error
        finally:
            proc.kill()
    if proc.returncode:
        raise SourceError(_damaged(deb, f"dpkg-deb ended with {proc.returncode}"))


def licences(copyright_text: str) -> list[str]:
    """Short names of the licences in a machine-readable debian/copyright (DEP-5), in order; empty for free text."""
    if not re.match(r"Format(-Specification)?:", copyright_text):
        return []
    return list(dict.fromkeys(re.findall(r"^License: *(\S.*?) *$", copyright_text, re.MULTILINE)))


def _download(package: DebianPackage, path: Path, progress: Progress) -> str:
    """Run apt, showing how the file grows; returns apt's complaint, empty when the file is there."""
    command = ["apt-get", "download", "--quiet", "-o", "Acquire::Retries=3", f"{package.name}={package.version}"]
    log = path.with_name(f"{package.name}.log")
    with (
        log.open("w") as output,
        subprocess.Popen(command, cwd=path.parent, stdout=output, stderr=output, env=os.environ | _PLAIN) as proc,
    ):
        while proc.poll() is None:
            progress(f"downloading {package.name}", path.stat().st_size if path.exists() else 0, package.size)
            time.sleep(_POLL_SECONDS)
    errors = [line[3:] for line in log.read_text(errors="replace").splitlines() if line.startswith("E: ")]
    log.unlink()
    if proc.returncode == 0 and path.exists() and path.stat().st_size == package.size:
        progress(f"downloading {package.name}", package.size, package.size)
        return ""
    return errors[0] if errors else f"exit code {proc.returncode}"


def _damaged(deb: Path, reason: object) -> str:
    return f"{shown(deb)} is not a Debian package that can be read ({reason}); delete it and try again."


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | _PLAIN, check=False)
