"""What a long command is made of: named steps, shown while they run, each with a log file of its own.

A step looks at the world, not at notes of its own, for what is there already: so an interrupted command goes on where
it stopped, and an unchanged one is quick. How long a step took is kept in the user's cache folder, to say the next time
what to expect.
"""

import fcntl
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.progress_bar import ProgressBar

from deployer import process
from deployer.errors import CommandError, DeployerError
from deployer.paths import STATE, cache, logs

Report = Callable[[str], None]
"""Told in a few words what is done right now; may be called from any thread."""
LINE_SECONDS = 10
"""How often a step says what it does where there is no terminal to show it."""
QUICK_SECONDS = 5
"""A step that took less had nothing to do: that is not what to expect the next time."""


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of work, quick where its result is there already.

    name: of its log file; title: what the user reads; seconds: what to expect of it the first time.
    """

    name: str
    title: str
    seconds: float
    act: Callable[[Report], None]


def run(command: str, steps: Sequence[Step]) -> None:
    """Run the steps of a command one after the other, alone in this checkout; raises DeployerError."""
    if process.is_dry_run():
        _print(steps)
        return
    with _alone():
        for step in steps:
            _run(command, step)


def _print(steps: Sequence[Step]) -> None:
    for step in steps:
        print(f"# {step.title}", flush=True)
        step.act(lambda what: None)


def _run(command: str, step: Step) -> None:
    started = time.monotonic()
    name = f"{command}-{step.name}"
    log = logs() / f"{name}.log"
    try:
        with _logged(log), _shown(step, _expected().get(name, step.seconds)) as report:
            step.act(report)
        seconds = time.monotonic() - started
        if seconds > QUICK_SECONDS:
            _remember(name, seconds)
    except CommandError as error:
        raise DeployerError(
            f"{error}\nThe step “{step.title}” stopped there; its log is {log}. The same command goes on from here."
        ) from error
    except KeyboardInterrupt:
        say(f"Interrupted at “{step.title}”. The same command goes on from here, `./run_kube down` removes it all.")
        raise
    except OSError as error:
        raise DeployerError(
            f"{error.filename or step.title}: {error.strerror}. Mend or remove that, then run the same command again."
        ) from error
    say(f"✓ {step.title}  {seconds:.1f} s")


@contextmanager
def _logged(file: Path) -> Iterator[None]:
    """What commands of this block say goes to the file, which begins anew."""
    handler = logging.FileHandler(file, mode="w")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    process.log.addHandler(handler)
    try:
        yield
    finally:
        process.log.removeHandler(handler)
        handler.close()


@contextmanager
def _shown(step: Step, expected: float) -> Iterator[Report]:
    """Show the step while the block runs: a live line at a terminal, a line now and then elsewhere.

    expected: how many seconds it may take.
    """
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _Lines(step.title)
        return
    until = f"of about {expected / 60:.0f} min" if expected >= 90 else f"of about {expected:.0f} s"
    now = TextColumn("{task.fields[now]}", markup=False)
    columns = (SpinnerColumn(), TextColumn(step.title), _Bar(), TimeElapsedColumn(), TextColumn(until), now)
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(step.title, total=expected, now="")
        yield lambda what: progress.update(task, now=what)


class _Lines:
    """Reports for a log: now and then a line of what is done right now."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._started = time.monotonic()
        self._next = self._started

    def __call__(self, what: str) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + LINE_SECONDS
            say(f"  {self._title}  {now - self._started:.0f} s  {what}")


class _Bar(ProgressColumn):
    """Time passed against time expected; it stays short of its end until the step is over."""

    def render(self, task: Task) -> ProgressBar:
        total = task.total or 1
        return ProgressBar(total=total, completed=min(task.elapsed or 0, 0.99 * total), width=20)


@contextmanager
def _alone() -> Iterator[None]:
    """One command at a time works on this checkout's clusters.

    The commands it starts keep the lock, too: what a killed run has set going is over before the next one looks.
    """
    try:
        logs()
        lock = (STATE / "steps.lock").open("w")
    except OSError as error:
        raise DeployerError(
            f"{STATE} cannot be used ({error.strerror}): remove it and run the command again."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another ./run_kube in this checkout …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        with process.handing_on(lock.fileno()):
            yield


def _expected() -> dict[str, float]:
    """Command and step -> seconds it took the last time it had something to do, on this machine."""
    try:
        found = json.loads(_seconds_file().read_text())
    except (OSError, ValueError):
        return {}
    return {name: float(seconds) for name, seconds in found.items()} if isinstance(found, dict) else {}


def _remember(name: str, seconds: float) -> None:
    file = _seconds_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.{os.getpid()}")
    part.write_text(json.dumps(_expected() | {name: round(seconds, 1)}))
    part.replace(file)


def _seconds_file() -> Path:
    return cache() / "step-seconds.json"


def say(line: str) -> None:
    """Tell the user something to keep; a live line that is there makes way for it."""
    print(line, file=sys.stderr, flush=True)
