"""What the user sees while a run works: a line per stage on standard error, with rate and remaining time."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

BYTES = "bytes"


class Update(Protocol):
    """How far a stage is now, and of how much if that is known."""

    def __call__(self, done: int, total: int | None = None) -> None: ...


class _AmountColumn(ProgressColumn):
    """Done of total and the rate, in the stage's own unit; nothing for a stage that counts nothing."""

    def render(self, task: Task) -> Text:
        unit = task.fields["unit"]
        if not unit:
            return Text("")
        rate = task.finished_speed or task.speed
        amounts = [_amount(task.completed, unit)]
        if task.total is not None:
            amounts.append(f"of {_amount(task.total, unit)}")
        if unit != BYTES:
            amounts.append(unit)
        if rate:
            amounts.append(f"· {_amount(rate, unit)}/s")
        return Text(" ".join(amounts))


class Display:
    """Progress lines on standard error; on a terminal they move, elsewhere each is printed once it is over."""

    def __init__(self, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet, highlight=False)
        self._progress = Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description:<10}"),
            BarColumn(bar_width=16),
            TimeRemainingColumn(elapsed_when_finished=True),
            _AmountColumn(),
            console=self._console,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def note(self, sentence: str) -> None:
        """A line for the user between the stages."""
        self._progress.console.print(sentence, markup=False)

    @contextmanager
    def stage(self, name: str, unit: str = "", total: int | None = None) -> Iterator[Update]:
        """Show a stage while its block runs; call what it gives to say how far it is."""
        task = self._progress.add_task(name, total=total, unit=unit)

        def update(done: int, total: int | None = None) -> None:
            # rich keeps the total where this one is None
            self._progress.update(task, completed=done, total=total)

        try:
            yield update
        except BaseException:
            self._progress.stop_task(task)
            raise
        shown = self._progress.tasks[task]
        if shown.completed or shown.total:
            end = shown.total or shown.completed
            self._progress.update(task, completed=end, total=end)
        else:
            self._progress.update(task, completed=1, total=1, unit="")


def _amount(value: float, unit: str) -> str:
    return decimal(int(value)) if unit == BYTES else f"{value:,.0f}"
