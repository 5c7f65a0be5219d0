"""runc, asked for no more than this machine can grant: the Docker daemon's runtime where root lacks a capability.

`docker run --privileged` asks for every capability, and for limits and out-of-memory scores besides. Where the
machine's own bounding set is short, runc refuses all of it. This takes the surplus out of the request and becomes runc.
The daemon runs a copy of this file (deployer.docker_engine), so it needs the standard library only.
"""

import json
import os
import resource
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CAPABILITIES = (  # noqa: SIM905 (forty lines otherwise)
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
    "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
    "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split()
"""In the order of their bits (capability.h)."""
RAISES_LIMITS = "CAP_SYS_RESOURCE"
"""Who lacks it can neither raise a hard limit nor lower an out-of-memory score."""


def bounding_set(status: str) -> set[str]:
    """The capabilities that /proc/PID/status says a process and its children can ever have."""
    bits = int(next(line for line in status.splitlines() if line.startswith("CapBnd:")).split()[1], 16)
    return {f"CAP_{name}" for bit, name in enumerate(CAPABILITIES) if bits >> bit & 1}


def is_short(granted: set[str], newest: int) -> bool:
    """Whether root lacks a capability. newest: the number of the last one this kernel knows."""
    return len(granted) < min(newest + 1, len(CAPABILITIES))


def trim(process: dict[str, Any], granted: set[str], hard_limits: dict[str, int]) -> None:
    """Take out of an OCI process description, in place, what cannot be granted."""
    for kind, names in (process.get("capabilities") or {}).items():
        process["capabilities"][kind] = [name for name in names if name in granted]
    if RAISES_LIMITS in granted:
        return
    for limit in process.get("rlimits") or []:
        most = hard_limits[limit["type"]]
        if most != resource.RLIM_INFINITY:
            limit["hard"], limit["soft"] = min(limit["hard"], most), min(limit["soft"], most)
    process["oomScoreAdj"] = max(process.get("oomScoreAdj") or 0, 0)


def request(arguments: Sequence[str], folder: Path) -> tuple[Path, bool] | None:
    """The file this call of runc reads its request from, and whether that is a whole bundle's; None for other calls."""
    if "exec" in arguments:
        file = _value(arguments, "--process", "-p")
        return (Path(file), False) if file else None
    if "create" in arguments or "run" in arguments:
        return Path(_value(arguments, "--bundle", "-b") or folder) / "config.json", True
    return None


def _value(arguments: Sequence[str], *options: str) -> str | None:
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name in options:
            return value if equals else following
    return None


def main() -> None:
    arguments = sys.argv[1:]
    found = request(arguments, Path.cwd())
    if found:
        file, is_bundle = found
        content = json.loads(file.read_text())
        process = content["process"] if is_bundle else content
        limits = {name: resource.getrlimit(getattr(resource, name))[1] for name in dir(resource) if "RLIMIT_" in name}
        trim(process, bounding_set(Path("/proc/self/status").read_text()), limits)
        file.write_text(json.dumps(content))
    runc = shutil.which("runc")
    if runc is None:
        sys.exit("runc is not on the PATH.")
    os.execv(runc, [runc, *arguments])


if __name__ == "__main__":
    main()
