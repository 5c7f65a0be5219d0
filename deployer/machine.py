"""What a machine must have for a way of running: looked at before the work starts, by `doctor` and by `up`."""

import os
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deployer.errors import DeployerError

GIB = 2**30
CLUSTER_MEMORY = 3 * GIB
"""The empty cluster takes 2 (docs/results), and building images as much for a while."""
CLUSTER_DISK = 4 * GIB
BUILD_DISK = 20 * GIB
"""Sources, compiled packages and layers of everything that is built where no image can be pulled."""
_MEMORY = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something looked at: what it is, what was found, and what the user has to do (nothing if empty)."""

    subject: str
    found: str
    remedy: str = ""


def memory(least: int) -> Finding:
    """Whether so many bytes of memory are to be had."""
    fields = dict(line.split(":", 1) for line in _MEMORY.read_text().splitlines())
    available = int(fields["MemAvailable"].split()[0]) * 1024
    found = f"{available / GIB:.1f} GiB available"
    if available >= least:
        return Finding("memory", found)
    return Finding(
        "memory", found, f"There is too little memory: {found}, {least / GIB:.0f} GiB are needed; end something."
    )


def disk(subject: str, folder: Path, least: int) -> Finding:
    """Whether so many bytes fit into the folder, which need not be there yet."""
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(there).free
    found = f"{free / GIB:.1f} GiB free in {folder}"
    if free >= least:
        return Finding(subject, found)
    return Finding(
        subject, found, f"There is too little disk space: {found}, {least / GIB:.0f} GiB are needed; free some."
    )


def port_is_free(port: int, host: str) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_ports(preferred: Mapping[str, int], wanted: Mapping[str, int], host: str) -> dict[str, int]:
    """A free port for each name: the wanted one, else the first from the preferred one on; raises DeployerError."""
    for name, port in wanted.items():
        if not port_is_free(port, host):
            raise DeployerError(
                f"Port {port} for {name} is in use: give another with --port {name}=NUMBER, or none to take a free one."
            )
    chosen = dict(wanted)
    for name, first in preferred.items():
        if name not in chosen:
            taken = chosen.values()
            chosen[name] = next(p for p in range(first, 65536) if p not in taken and port_is_free(p, host))
    return chosen


def demand(*findings: Finding) -> None:
    """Go on only if nothing has to be done first; raises DeployerError with every remedy."""
    remedies = [finding.remedy for finding in findings if finding.remedy]
    if remedies:
        raise DeployerError(" ".join(remedies))


def processors() -> Finding:
    count = os.cpu_count() or 1
    return Finding(
        "processors", str(count), "" if count > 1 else "One processor is too few for a cluster: use two or more."
    )
