"""What is recorded of an index as a whole: the run that made it, what that run left out, what stands out in it.

All of it was counted when the index was published; reading it is two short queries, whatever the index's size.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from app import queries
from app.db import Connection
from app.queries import IndexGone, SongLine


@dataclass(frozen=True, slots=True)
class Run:
    """What made an index. stage_seconds: by stage, the attempts of an interrupted run added up."""

    run_id: int
    source: str
    code_version: str
    parameters: Mapping[str, int]
    stage_seconds: Mapping[str, float]
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Counts:
    """files: of the source. carried: of these, taken over from an earlier run. rejects: files by reason.

    neighbours: entries of all lists of similar songs. None: not recorded.
    """

    files: int | None
    carried: int | None
    neighbours: int | None
    rejects: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Example:
    """A file that was rejected, and what was found in it."""

    key: str
    detail: str


@dataclass(frozen=True, slots=True)
class Overview:
    """instruments_per_song: (instruments, songs), ascending, drums counted as one. warnings: songs by warning.

    reject_examples: the first few files of each reason.
    """

    instruments_per_song: list[tuple[int, int]]
    warnings: Mapping[str, int]
    reject_examples: Mapping[str, list[Example]]

    @classmethod
    def of(cls, recorded: Mapping[str, Any]) -> Self:
        """recorded: column index_version.overview."""
        return cls(
            [(instruments, songs) for instruments, songs in recorded["instruments_per_song"]],
            recorded["warnings"],
            {reason: [Example(**one) for one in files] for reason, files in recorded["reject_examples"].items()},
        )


@dataclass(frozen=True, slots=True)
class Reason:
    """A fact in which an outlier stands out: its value, the median of all songs', the deviations between them."""

    fact: str
    value: float
    typical: float
    deviations: float


@dataclass(frozen=True, slots=True)
class Outlier:
    """score: 0-1, the higher the more unlike all others. reasons: the most outstanding first."""

    song: SongLine
    score: float
    reasons: list[Reason]


@dataclass(frozen=True, slots=True)
class Provenance:
    """digest: of the index's content. Where something is None, the index is older than its recording."""

    run: Run
    counts: Counts
    digest: str | None
    overview: Overview | None
    outliers: list[Outlier] | None


def provenance(connection: Connection, index_id: int) -> Provenance:
    """Raises IndexGone if the index, or a song it names, is not there any more."""
    rows = connection.rows(
        "SELECT run_id, source, code_version, parameters, stage_seconds, started_at, finished_at,"
        " coalesce(counts, '{}'), digest, overview, outliers"
        " FROM index_version JOIN run USING (run_id) WHERE index_id = %s",
        [index_id],
    )
    if not rows:
        raise IndexGone(f"index {index_id} was collected")
    *run, counts, digest, overview, outliers = rows[0]
    return Provenance(
        Run(*run),
        Counts(counts.get("files"), counts.get("carried"), counts.get("neighbours"), counts.get("rejects", {})),
        digest,
        Overview.of(overview) if overview is not None else None,
        _outliers(connection, index_id, outliers) if outliers is not None else None,
    )


def _outliers(connection: Connection, index_id: int, recorded: list[dict[str, Any]]) -> list[Outlier]:
    """recorded: column index_version.outliers."""
    lines = queries.song_lines(connection, index_id, [one["song_id"] for one in recorded]) if recorded else []
    if len(lines) != len(recorded):
        raise IndexGone(f"index {index_id} has lost songs")
    return [
        Outlier(line, one["score"], [Reason(**reason) for reason in one["reasons"]])
        for line, one in zip(lines, recorded, strict=True)
    ]
