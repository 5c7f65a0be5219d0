"""The one gateway to other processes: commands of other programs, and the project's own parts.

A command either asks (`read`) or changes something (`run`). What changes something can be had as a dry run, in which it
is printed, paste-ready, and not done; questions are asked all the same. What commands say goes to this module's logger,
and so to the file of the step they are part of (deployer.steps).
"""

import ctypes
import hashlib
import logging
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from deployer.errors import AlreadySaid, CommandError
from deployer.paths import ROOT, cache

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)
log.propagate = False

READ_SECONDS = 60
"""A question that is not answered by then never will be."""
_CANNOT_RUN = 127
_NO_ANSWER = 124

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
_dry_run = threading.Event()
_handed_on: set[int] = set()


@contextmanager
def dry_run(wanted: bool = True) -> Iterator[None]:
    """In this block `run` and `launch` print their command to standard output instead; in every thread."""
    if wanted:
        _dry_run.set()
    try:
        yield
    finally:
        _dry_run.clear()


@contextmanager
def handing_on(descriptor: int) -> Iterator[None]:
    """In this block what `run` starts keeps the file open, and so a lock on it, until it ends, children and all."""
    _handed_on.add(descriptor)
    try:
        yield
    finally:
        _handed_on.discard(descriptor)


def is_dry_run() -> bool:
    """For the few changes that are not commands: files that are written, limits that are raised."""
    return _dry_run.is_set()


def compiled_code() -> dict[str, str]:
    """Where the jobs keep their compiled code: apart for each state of their sources.

    numba looks for a change only in the module of the function that is called, not in those it calls.
    """
    sources = hashlib.sha256()
    for path in sorted([*(ROOT / "midi").rglob("*.py"), *(ROOT / "spark_jobs").rglob("*.py")]):
        sources.update(path.read_bytes())
    return {"NUMBA_CACHE_DIR": str(cache() / "numba" / sources.hexdigest()[:16])}


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    stdin: str | None = None,
    lines: Callable[[str], None] | None = None,
    survives: bool = False,
) -> str:
    """Run another program to its end and return its output; raises CommandError.

    environment: what is added to it; it is logged and shown, so no secrets. stdin: a text for its standard input, small
    enough for a pipe; shown by a dry run alone. lines: told every line it writes, at once.
    It is killed with this process unless it `survives` (a package manager must not be torn out of its work).
    """
    pasteable = _pasteable(command, environment, folder)
    if _dry_run.is_set():
        print(shlex.join(pasteable) + (f" <<'END'\n{stdin.rstrip()}\nEND" if stdin is not None else ""), flush=True)
        return ""
    log.info("$ %s", shlex.join(pasteable))
    try:
        process = subprocess.Popen(
            command,
            env={**os.environ, **(environment or {})},
            cwd=folder,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=tuple(_handed_on),
            preexec_fn=None if survives else die_with_parent,
        )
    except OSError as error:
        raise CommandError(pasteable, _CANNOT_RUN, f"{error.strerror}: {error.filename}") from error
    try:
        output = _followed(process, stdin, lines)
    except BaseException:
        stop(process)
        raise
    if process.returncode:
        raise CommandError(pasteable, process.returncode, output)
    return output


def read(command: Sequence[str], *, environment: Mapping[str, str] | None = None, seconds: float = READ_SECONDS) -> str:
    """Ask another program something and return its standard output; raises CommandError.

    In a dry run what cannot be asked yet, because it would only be there by then, is answered by nothing.
    """
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except OSError as error:
        failure = CommandError(command, _CANNOT_RUN, f"{error.strerror}: {error.filename}")
    except subprocess.TimeoutExpired:
        failure = CommandError(command, _NO_ANSWER, f"No answer in {seconds:.0f} s.")
    else:
        if not done.returncode:
            return done.stdout
        failure = CommandError(command, done.returncode, done.stderr or done.stdout)
    if _dry_run.is_set():
        return ""
    raise failure


def launch(command: Sequence[str], output: Path) -> None:
    """Start another program that goes on when this process ends, its output appended to a file."""
    if _dry_run.is_set():
        print(f"{shlex.join(command)} >>{shlex.quote(str(output))} 2>&1 &", flush=True)
        return
    log.info("$ %s >>%s 2>&1 &", shlex.join(command), output)
    with output.open("a") as file:
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, cwd="/", start_new_session=True
        )


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
    """For a new process, before it runs its program: be killed when the thread that started it ends (on Linux)."""
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _followed(process: subprocess.Popen[str], stdin: str | None, lines: Callable[[str], None] | None) -> str:
    if process.stdin:
        process.stdin.write(stdin or "")
        process.stdin.close()
    output = []
    for line in process.stdout or ():
        output.append(line)
        log.info("%s", line.rstrip("\n"))
        if lines:
            lines(line.strip())
    process.wait()
    return "".join(output)


def _pasteable(command: Sequence[str], environment: Mapping[str, str] | None, folder: Path | None) -> list[str]:
    """The command with what it needs around it, as one that can be run from anywhere."""
    if not environment and not folder:
        return list(command)
    place = [f"--chdir={folder}"] if folder else []
    return ["env", *place, *(f"{name}={value}" for name, value in (environment or {}).items()), *command]
