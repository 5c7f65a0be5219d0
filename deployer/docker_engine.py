"""Docker Engine: used as found; installed and started where none runs and this process may.

A daemon that is started here belongs to the machine, like the package: nothing stops it again. Its configuration, its
log and the runtime for machines that lack a capability lie in the user's cache folder.
"""

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from deployer import debian, process, runc_trim
from deployer.errors import CommandError, DeployerError
from deployer.paths import cache

START_SECONDS = 60
MACHINE_CONFIGURATION = Path("/etc/docker/daemon.json")
_SYSTEMD = Path("/run/systemd/system")
"""Is there where systemd runs the machine (sd_booted(3))."""
_STATUS = Path("/proc/self/status")
_NEWEST_CAPABILITY = Path("/proc/sys/kernel/cap_last_cap")
_INOTIFY = Path("/proc/sys/fs/inotify")
INOTIFY_LIMITS = {"max_user_instances": 8192, "max_user_watches": 524288}
"""Every node runs a systemd, a containerd and a kubelet that watch files: more than the kernel allows by default."""


def complaint() -> str | None:
    """Why Docker can't be used right now, in Docker's words; None if it can."""
    try:
        version = process.read(["docker", "version", "--format", "{{.Server.Version}}"])
    except CommandError as error:
        return error.output.strip()
    # A dry run gets no answer where there is none.
    return None if version.strip() else "no answer"


def remedy(complaint: str) -> str | None:
    """What the user has to do about it; None where `ensure` may mend it by itself."""
    if "permission denied" in complaint.lower():
        return "Docker runs, but you may not use it: add yourself to the group `docker` and log in again."
    if os.environ.get("DOCKER_HOST"):
        return f"No Docker daemon answers at DOCKER_HOST={os.environ['DOCKER_HOST']}: start it or unset DOCKER_HOST."
    if shutil.which("dockerd") and os.geteuid() != 0:
        return "Docker Engine is not running: start it (`sudo systemctl start docker`)."
    if not shutil.which("dockerd") and not debian.may_install():
        return "Docker Engine is missing: install it (docs.docker.com/engine/install), or be root on Debian or Ubuntu."
    return None


def ensure() -> None:
    """A Docker daemon that answers, installed and started if need be; raises DeployerError."""
    found = complaint()
    if found is not None:
        needed = remedy(found)
        if needed:
            raise DeployerError(needed)
        _install()
        if complaint() is not None:
            _start()
    _raise_inotify_limits()


def data_folder() -> Path:
    """Where Docker keeps images and containers; its parent that exists, where there is no Docker yet."""
    folder = Path("/var/lib/docker")
    if complaint() is None:
        folder = Path(process.read(["docker", "info", "--format", "{{.DockerRootDir}}"]).strip() or folder)
    return next(parent for parent in (folder, *folder.parents) if parent.exists())


def configuration(wrapper: Path | None) -> dict[str, Any]:
    """The daemon's configuration: the machine's own, and the wrapper as its runtime where one is needed."""
    try:
        given: dict[str, Any] = json.loads(MACHINE_CONFIGURATION.read_text())
    except FileNotFoundError:
        given = {}
    except ValueError as error:
        raise DeployerError(f"{MACHINE_CONFIGURATION} is not valid JSON ({error}): mend or remove it.") from error
    if wrapper is None:
        return given
    runtimes = {**given.get("runtimes", {}), wrapper.name: {"path": str(wrapper)}}
    return {**given, "runtimes": runtimes, "default-runtime": wrapper.name}


def _install() -> None:
    for package, program in (("docker.io", "dockerd"), ("docker-cli", "docker")):
        if shutil.which(program):
            continue
        try:
            debian.install(package, "the cluster")
        except CommandError:  # the package lists may be missing or old
            debian.refresh()
            debian.install(package, "the cluster")


def _start() -> None:
    """Start the daemon, as a service where there is systemd, and wait until it answers."""
    if _SYSTEMD.is_dir():
        process.run(["systemctl", "start", "docker"])
        where = "`journalctl -u docker`"
    else:
        folder = cache() / "docker-engine"
        where = str(folder / "dockerd.log")
        file = folder / "daemon.json"
        if not process.is_dry_run():
            folder.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(configuration(_wrapper(folder)), indent=2))
        process.launch(["dockerd", "--config-file", str(file)], folder / "dockerd.log")
    deadline = time.monotonic() + START_SECONDS
    while complaint() is not None and not process.is_dry_run():
        if time.monotonic() > deadline:
            raise DeployerError(f"Docker Engine was started but does not answer: see {where}.")
        time.sleep(0.2)


def _wrapper(folder: Path) -> Path | None:
    """The runtime that asks for less, written to the folder; None where nothing has to be taken away."""
    granted = runc_trim.bounding_set(_STATUS.read_text())
    if not runc_trim.is_short(granted, int(_NEWEST_CAPABILITY.read_text())):
        return None
    file = folder / "runc-trim"
    # The machine's own Python: the daemon outlives this checkout and its .venv.
    interpreter = Path(sys.executable).resolve()
    file.write_text(f"#!{interpreter} -IS\n{Path(runc_trim.__file__).read_text()}")
    file.chmod(0o755)
    return file


def _raise_inotify_limits() -> None:
    for name, least in INOTIFY_LIMITS.items():
        file = _INOTIFY / name
        if int(file.read_text()) < least and os.access(file, os.W_OK) and not process.is_dry_run():
            file.write_text(str(least))
