"""The one gateway to other processes: commands of other programs, and the project's own parts."""

import ctypes
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO

from deployer.errors import AlreadySaid, CommandError
from deployer.paths import ROOT, cache

_PR_SET_PDEATHSIG = 1


def compiled_code() -> dict[str, str]:
    """Where the jobs keep their compiled code: apart for each state of their sources.

    numba looks for a change only in the module of the function that is called, not in those it calls.
    """
    sources = hashlib.sha256()
    for path in sorted([*(ROOT / "midi").rglob("*.py"), *(ROOT / "spark_jobs").rglob("*.py")]):
        sources.update(path.read_bytes())
    return {"NUMBA_CACHE_DIR": str(cache() / "numba" / sources.hexdigest()[:16])}


def run(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> str:
    """Run another program to its end and return its output; raises CommandError."""
    done = subprocess.run(
        command,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise CommandError(command, done.returncode, done.stdout)
    return done.stdout


def show(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> int:
    """Run another program in the checkout, its output straight to the user, and return its exit code."""
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **(environment or {})}, check=False)
    return done.returncode


def part(module: str, *arguments: str, environment: Mapping[str, str]) -> str:
    """Run a part of the project (`python -m MODULE`), its messages straight to the user; returns its standard output.

    Raises AlreadySaid with its exit code: a part says itself what is wrong.
    """
    process = start(module, *arguments, environment=environment)
    try:
        output, _ = process.communicate()
    except BaseException:
        stop(process)
        raise
    if process.returncode:
        raise AlreadySaid(process.returncode)
    return output


def start(
    module: str,
    *arguments: str,
    environment: Mapping[str, str],
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    survives: bool = False,
) -> subprocess.Popen[str]:
    """Start a part of the project with its standard output piped.

    It is killed with this process, however this one ends; with `survives` it is not, and a Ctrl-C at the terminal does
    not reach it either: it is told by the end of its standard input.
    """
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, **compiled_code(), **environment},
        stdin=stdin,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=survives,
        preexec_fn=None if survives else die_with_parent,
    )


def stop(process: subprocess.Popen[str], patience_seconds: float = 15) -> None:
    """End a process that was started here: asked first, then killed."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(patience_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def die_with_parent() -> None:
    """For a new process, before it runs its program: be killed when the process that started it ends (on Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
