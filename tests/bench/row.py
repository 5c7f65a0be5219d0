"""One line of a benchmark's table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A measured figure beside its bar.

    figure: what was measured. value: in `unit`. bar: what it should be, in the same unit, None if only reported.
    at_least: whether more is better. note: what one must know to read it (sizes, samples, extrapolation).
    """

    figure: str
    value: float
    unit: str
    bar: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bar is met, None without one."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.at_least else self.value <= self.bar
