"""Packages of Debian and Ubuntu, installed where that is allowed."""

import os
import shutil
import sys
from collections.abc import Sequence

from deployer import process


def may_install() -> bool:
    """Root on a machine with apt-get."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def available(packages: Sequence[str]) -> list[str]:
    """Those of the packages that the machine's package lists offer."""
    return [name for name in packages if "Candidate: " in (policy := _policy(name)) and "(none)" not in policy]


def install(package: str, purpose: str) -> None:
    """Install one package, saying so and what for; raises CommandError."""
    print(f"Installing {package} for {purpose} …", file=sys.stderr, flush=True)
    process.run(
        ["apt-get", "install", "-y", "--no-install-recommends", package],
        environment={"DEBIAN_FRONTEND": "noninteractive"},
        survives=True,
    )


def refresh() -> None:
    """Read the package lists anew; raises CommandError."""
    process.run(["apt-get", "update"])


def _policy(package: str) -> str:
    lines = process.read(["apt-cache", "policy", package]).splitlines()
    return "".join(line for line in lines if line.strip().startswith("Candidate:"))
