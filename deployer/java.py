"""The Java that Spark runs on: the user's own if it is new enough, else the distribution's."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from deployer import debian, process
from deployer.errors import CommandError, DeployerError

OLDEST = 17
PACKAGES = ("openjdk-21-jre-headless", "openjdk-17-jre-headless", "openjdk-25-jre-headless")
"""In order of preference: long-term releases that Spark supports and that Debian or Ubuntu carry."""


def environment() -> dict[str, str]:
    """JAVA_HOME for Spark. Installs a JRE where none is new enough and it may; raises DeployerError."""
    home = find()
    if home is None:
        _install()
        home = find()
    if home is None:
        raise DeployerError(f"Spark needs Java {OLDEST} or newer: install one (Debian, Ubuntu: {PACKAGES[1]}).")
    return {"JAVA_HOME": str(home)}


def find() -> Path | None:
    """The home of a Java that is new enough, if there is one."""
    return next((home for home in _homes() if _version(home) >= OLDEST), None)


def _homes() -> Iterator[Path]:
    if "JAVA_HOME" in os.environ:
        yield Path(os.environ["JAVA_HOME"])
    on_path = shutil.which("java")
    if on_path:
        yield Path(on_path).resolve().parent.parent
    yield from sorted(Path("/usr/lib/jvm").glob("*"))


def _version(home: Path) -> int:
    """The major version of a Java home, 0 where there is none that runs."""
    java = home / "bin" / "java"
    if not java.is_file():
        return 0
    try:
        found = re.search(r'version "(?:1\.)?(\d+)', process.run([str(java), "-version"]))
    except (CommandError, OSError):
        return 0
    return int(found.group(1)) if found else 0


def _install() -> None:
    if not debian.may_install():
        return
    offered = debian.available(PACKAGES)
    if not offered:
        debian.refresh()
        offered = debian.available(PACKAGES)
    if offered:
        debian.install(offered[0], "Spark")
