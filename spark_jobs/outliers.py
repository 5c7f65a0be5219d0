"""The outliers stage: the songs that are least like all others by their facts, and which facts say so.

An isolation forest (Liu, Ting and Zhou, ICDM 2008; here scikit-learn's) splits songs at random values of random facts:
a song that is alone after few splits is unlike the rest. Which songs it is grown over is in docs/decisions/outliers.md.
It names no reason, so each outlier is given the facts in which it is farthest from the middle, in robust deviations
(Iglewicz and Hoaglin, 1993).
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from psycopg2.extensions import connection as Connection
from psycopg2.extras import Json

from midi.likeness import FEATURES
from spark_jobs.publish.tables import partition

MOST = 100
"""Outliers kept."""

SONGS_PER_OUTLIER = 20
"""Of fewer songs fewer are outliers: at most one in so many."""

LEAST_SCORE = 0.5
"""An outlier's score is above: what a song gets that takes as many splits as one among any others."""

LEAST_DEVIATIONS = 2.0
"""A second reason is given where it is at least so far out."""

CANDIDATES, CROWD = 2048, 8192
"""The forest is grown over the songs farthest from the middle in any fact, and so many of the others at random."""

SEED = 1

FACTS = (
    "duration_seconds",
    "tempo_bpm",
    "tracks",
    "notes",
    "notes_per_second",
    "instruments",
    "drum_share",
    "commonness",
)
"""drum_share: of the notes. commonness: the geometric mean, over a song's instruments, of the share of songs that have
each. Drums count as an instrument."""

_SCALED_BY_LOGARITHM = [name != "drum_share" for name in FACTS]
_LEAST, _GREATEST = 1e-6, 1e12
"""Bounds of a value, before its logarithm: a broken file may claim any duration or tempo."""

_NORMAL_BY_MEDIAN, _NORMAL_BY_MEAN = 1.4826, 1.2533
"""Standard deviations of a normal distribution in its median and its mean absolute deviation."""

Matrix = npt.NDArray[np.float64]
"""[songs, FACTS], by song id."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A fact that stands out: the song's value and the median of all songs', and how many deviations lie between."""

    fact: str
    value: float
    typical: float
    deviations: float


@dataclass(frozen=True, slots=True)
class Outlier:
    """score: 0-1, the higher the fewer splits. reasons: one or two, the most outstanding first."""

    song_id: int
    score: float
    reasons: tuple[Reason, ...]


def record(connection: Connection, index_id: int) -> None:
    """Find and store the outliers of an index version under construction, unless an earlier attempt did."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT outliers IS NOT NULL FROM index_version WHERE index_id = %s", (index_id,))
        if cursor.fetchone() == (True,):
            return
        found: list[dict[str, Any]] = [asdict(outlier) for outlier in find(load(connection, index_id))]
        cursor.execute("UPDATE index_version SET outliers = %s WHERE index_id = %s", (Json(found), index_id))


def find(facts: Matrix) -> list[Outlier]:
    """The outliers among songs, the most outlying first; none among fewer than SONGS_PER_OUTLIER."""
    most = min(MOST, len(facts) // SONGS_PER_OUTLIER)
    if not most:
        return []
    scaled = np.where(_SCALED_BY_LOGARITHM, np.log(np.clip(facts, _LEAST, _GREATEST)), facts)
    deviations, typical = _deviations(scaled), np.median(facts, axis=0)
    by_distance = np.argsort(-np.abs(deviations).max(axis=1), kind="stable")
    candidates = by_distance[:CANDIDATES]
    scores = _scores(scaled[candidates], scaled[by_distance[CANDIDATES:]])
    return [
        Outlier(int(song), round(float(score), 4), _reasons(facts[song], typical, deviations[song]))
        for song, score in sorted(zip(candidates, scores, strict=True), key=lambda one: (-one[1], one[0]))[:most]
        if score > LEAST_SCORE
    ]


def _scores(candidates: Matrix, others: Matrix) -> npt.NDArray[np.float64]:
    """How easily each candidate is told apart from the other candidates and from a crowd, 0-1."""
    # It takes two seconds to import: only runs that have something to publish pay them.
    from sklearn.ensemble import IsolationForest

    crowd = others[np.random.default_rng(SEED).permutation(len(others))[:CROWD]]
    grown_over = np.concatenate((candidates, crowd))
    forest = IsolationForest(max_samples=len(grown_over), random_state=SEED).fit(grown_over)
    scores: npt.NDArray[np.float64] = forest.score_samples(candidates)
    return -scores


def load(connection: Connection, index_id: int) -> Matrix:
    """The facts of an index version's songs, streamed out of the database."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT bits::text, songs FROM {partition('instrument_set', index_id)} ORDER BY set_id")
        sizes, commonness = _sets(cursor.fetchall())
    with connection.cursor("facts") as cursor:
        cursor.itersize = 10_000
        cursor.execute(
            "SELECT set_id, duration_seconds, tempo_bpm, tracks, drum_notes,"
            " drum_notes + (SELECT coalesce(sum(melodic), 0) FROM unnest(notes) AS melodic)"
            f" FROM {partition('song', index_id)} ORDER BY song_id"
        )
        rows = np.fromiter(cursor, dtype=np.dtype((np.float64, 6)))
    seconds, tempo, tracks, drums, notes = rows[:, 1:].T
    sets = rows[:, 0].astype(np.int32)
    per_second = notes / np.maximum(seconds, _LEAST)
    return np.column_stack(
        (seconds, tempo, tracks, notes, per_second, sizes[sets], drums / np.maximum(notes, 1), commonness[sets])
    )


def _sets(rows: list[tuple[str, int]]) -> tuple[npt.NDArray[np.int64], Matrix]:
    """By set id: its size and its commonness. rows: (bits as text, songs), by set id."""
    letters = np.frombuffer("".join(bits for bits, _ in rows).encode(), dtype=np.uint8)
    members = (letters.reshape(-1, FEATURES) == ord("1")).astype(np.float32)
    songs = np.array([count for _, count in rows], dtype=np.float32)
    shares = np.maximum(songs @ members, 1) / songs.sum()
    sizes = members.sum(axis=1)
    return sizes.astype(np.int64), np.exp(members @ np.log(shares) / np.maximum(sizes, 1)).astype(np.float64)


def _deviations(scaled: Matrix) -> Matrix:
    """How far each fact of each song is from its median, in deviations that outliers hardly widen.

    The median deviation, or the mean deviation where that is greater: where half of the songs have nearly one and the
    same value (a tempo of 120), every other value would be countless median deviations away.
    """
    away = scaled - np.median(scaled, axis=0)
    by_median, by_mean = np.median(np.abs(away), axis=0), np.abs(away).mean(axis=0)
    deviation = np.maximum(_NORMAL_BY_MEDIAN * by_median, _NORMAL_BY_MEAN * by_mean)
    found = np.zeros_like(away)
    np.divide(away, deviation, out=found, where=deviation > 0)
    return found


def _reasons(values: Matrix, typical: Matrix, deviations: Matrix) -> tuple[Reason, ...]:
    first, second = np.argsort(-np.abs(deviations), kind="stable")[:2]
    chosen = [first, second] if abs(deviations[second]) >= LEAST_DEVIATIONS else [first]
    return tuple(
        Reason(FACTS[fact], float(values[fact]), float(typical[fact]), round(float(deviations[fact]), 1))
        for fact in chosen
    )
