"""A stand-in for `debian:SUITE-slim`: the suite's smallest root file system, from the machine's own package source."""

import shutil
from pathlib import Path

from deployer import debian, process
from deployer.errors import CommandError, DeployerError

KEYRINGS = "/usr/share/keyrings"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
MERGED = "/usr/share/mmdebstrap/hooks/merged-usr"
"""Makes the merged /usr at once; else a package that merges it later stays behind, with the whole of Perl."""
_LEFT_OUT = ("doc", "info", "lintian", "locale", "man")
"""Folders of /usr/share that the official slim images leave out as well."""
_EMPTIED = ("/var/cache/apt", "/var/lib/apt/lists", "/var/log")
_SETTINGS = (
    'APT::Install-Recommends "false"',
    # What apt would keep for the next time has no use in an image, and is larger than what it installs.
    'Dir::Cache::pkgcache ""',
    'Dir::Cache::srcpkgcache ""',
    'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb"; }',
)
_PARTS = {"Debian": ("{suite}", "{suite}-updates"), "Debian-Security": ("{suite}-security",)}
"""Label of a package source -> what a suite takes from it."""


def make(suite: str, archive: Path) -> None:
    """Write the root file system as a tar archive; raises DeployerError."""
    if not shutil.which("mmdebstrap"):
        _install_mmdebstrap(suite)
    try:
        process.run(["mmdebstrap", "--format=tar", *options(), suite, str(archive), *sources(suite)])
    except CommandError as error:
        raise DeployerError(
            f"Debian {suite} could not be installed from the machine's package source.\n{error}"
        ) from error


def options() -> list[str]:
    """What mmdebstrap is told, except for where the packages come from."""
    settings = [f"--aptopt={setting}" for setting in _SETTINGS]
    excluded = [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in _LEFT_OUT]
    # Its licence stays with every package; the order counts.
    kept = ["--dpkgopt=path-include=/usr/share/doc/*/copyright"]
    hooks = [f'rm -rf "$1"{folder}/*' for folder in _EMPTIED]
    # Whom the machine trusts, so that downloads inside the image work where its traffic is inspected.
    hooks.append(f'if [ -f {CERTIFICATES} ]; then cat {CERTIFICATES} >"$1"{CERTIFICATES}; fi')
    start = ["--variant=minbase", "--include=ca-certificates", f"--keyring={KEYRINGS}", f"--hook-dir={MERGED}"]
    return [*start, *settings, *excluded, *kept, *(f"--customize-hook={hook}" for hook in hooks)]


def sources(suite: str) -> list[str]:
    """The lines of a sources.list for the suite; raises DeployerError where the machine has no Debian source."""
    wanted = ["Created-By: Packages", "Origin: Debian", "Component: main"]
    targets = process.read(["apt-get", "indextargets", "--format=$(LABEL)|$(REPO_URI)", *wanted])
    found = dict(line.split("|", 1) for line in sorted(targets.splitlines()))
    if "Debian" not in found:
        raise DeployerError(
            f"An image of Debian {suite} can't be pulled, and the machine has no package source of Debian's to make it "
            "from: let Docker reach an image registry."
        )
    return [
        f"deb {found[label]} {part.format(suite=suite)} main"
        for label, parts in _PARTS.items()
        if label in found
        for part in parts
    ]


def _install_mmdebstrap(suite: str) -> None:
    if not debian.may_install():
        raise DeployerError(
            f"An image of Debian {suite} can't be pulled, and mmdebstrap, which could make one, is missing: "
            "install mmdebstrap, or let Docker reach an image registry."
        )
    debian.refresh()
    debian.install("mmdebstrap", f"an image of Debian {suite}")
