"""What decides a run's result, and what does not: every default in one place."""

import os
from dataclasses import asdict, dataclass, field

from spark_jobs.errors import JobError

RESULT_VERSION = 2
"""Raised whenever the same files would give another index, or one that says more of itself: finished runs of other
versions are not reused."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What decides the published index, beside the source. Stored with the run; equal parameters, equal digest.

    max_bytes: a larger file is rejected. neighbours: how many similar songs each song gets.
    set_weight: the instrument sets' share of the score in thousandths, the rest goes to the note shares.
    chunk_bytes, chunk_objects: bounds of one chunk, the unit of scanning and of repeated work after a failure.
    """

    max_bytes: int = 8 * 1024 * 1024
    neighbours: int = 50
    set_weight: int = 500
    chunk_bytes: int = 8 * 1024 * 1024
    chunk_objects: int = 256
    result_version: int = field(default=RESULT_VERSION, init=False)

    def __post_init__(self) -> None:
        problems = [
            f"--{name.replace('_', '-')} must be at least 1" for name in self._counts() if getattr(self, name) < 1
        ]
        if not 0 <= self.set_weight <= 1000:
            problems.append("--set-weight must be between 0 and 1000 (thousandths)")
        if problems:
            raise JobError("; ".join(problems) + ".")

    @staticmethod
    def _counts() -> tuple[str, ...]:
        return ("max_bytes", "neighbours", "chunk_bytes", "chunk_objects")

    def as_json(self) -> dict[str, int]:
        return asdict(self)


def database_url() -> str:
    """Where Postgres is (`DATABASE_URL`); raises JobError."""
    url = os.environ.get("DATABASE_URL")
    if not url:
        raise JobError("DATABASE_URL is not set: give the Postgres to write to, such as postgresql://user@host/scale.")
    return url


def code_version() -> str:
    """What provenance says made an index: the release, and the revision where the environment names it."""
    return os.environ.get("SCALE_CODE_VERSION", "unknown")
