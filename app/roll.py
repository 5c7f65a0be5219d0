"""A piano-roll as an SVG picture: time from left to right, pitch upwards, a colour for each family of instruments.

Pure text out of notes. However many notes there are, a picture stays below MOST_BYTES: the notes are painted into a
grid whose columns get coarser until what is drawn of it is short enough. It has no size of its own: drawn as wide and
high as the page wants it, its letters stay as large as they are.
"""

import base64
import hashlib
import itertools
from collections.abc import Iterator
from html import escape

import numpy as np
import numpy.typing as npt

from app.instruments import DRUMS
from app.presentation import duration
from midi.scan.roll import Roll

MOST_BYTES = 100_000
MOST_SOURCE_BYTES = 1 << 20
"""Larger files are not drawn: without a compiler the scanner reads 0.7 MB/s."""

FAMILY = 8
"""Programs in a family."""

DRUM_FAMILY = DRUMS // FAMILY
SILENCE = -1

ROOM_FOR_THE_REST = 10_000
"""Bytes of a picture beside its strokes, at most."""

COLUMNS = (1000, 500, 250, 120, 60, 24)
"""The last always does: 256 rows of it have 6,144 cells, and a stroke is at most ten letters."""

NOTES_PERCENT = 89
"""Of the height; the times are below."""

MOST_MARKS = 6
MOST_ACROSS = 92
"""Percent of the width beyond which a mark's text would not fit."""

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
"""Seconds between two marks of the time axis; for songs of many hours, doubles of the last."""

FEWEST_ROWS = 36
"""Three octaves: a song of few keys is drawn no larger."""

HUES = (25, 48, 70, 92, 115, 137, 160, 182, 205, 227, 250, 272, 295, 317, 340, 2)
"""The families' hues in style.css."""

STYLE = (
    ":root{color-scheme:light dark}text{font:12px system-ui,sans-serif;fill:#5a666b}.line{stroke:#dcd7cc}"
    "path{fill:none;stroke-width:.86}"
    + "".join(f".f{family}{{stroke:oklch(.62 .13 {hue})}}" for family, hue in enumerate(HUES))
    + f".f{DRUM_FAMILY}{{stroke:#5a666b}}"
    "@media(prefers-color-scheme:dark){text{fill:#a0abaf}.line{stroke:#333d42}"
    + "".join(f".f{family}{{stroke:oklch(.72 .13 {hue})}}" for family, hue in enumerate(HUES))
    + f".f{DRUM_FAMILY}{{stroke:#a0abaf}}}}"
)
CONTENT_POLICY = (
    "default-src 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)
"""For the picture's own header: it has this style in it, and nothing else."""

Whole = npt.NDArray[np.int64]


def draw(roll: Roll, title: str) -> str:
    """The picture of a song with at least one note."""
    seconds = float(roll.ends.max())
    rows, melodic, count = _rows(roll)
    for columns in COLUMNS:
        strokes = "".join(_strokes(_grid(roll, rows, (count, columns), columns / seconds)))
        if len(strokes) < MOST_BYTES - ROOM_FOR_THE_REST:
            break
    edge = f"{100 * melodic / count:.2f}%"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title description" width="100%"'
        f' height="100%"><title id="title">Piano-roll of {escape(title)}</title>'
        f'<desc id="description">{len(roll.keys):,} notes in {duration(seconds)}: time from left to right, pitch'
        " upwards, a colour for each family of instruments, drums at the bottom.</desc>"
        f"<style>{STYLE}</style>{''.join(_marks(seconds))}"
        f'<svg height="{NOTES_PERCENT}%"><line class="line" x2="100%" y1="{edge}" y2="{edge}"/>'
        f'<svg viewBox="0 -.5 {columns} {count}" preserveAspectRatio="none">{strokes}</svg></svg></svg>\n'
    )


def saying(sentence: str) -> str:
    """A picture of a sentence, for where the roll cannot be drawn."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="sentence" width="100%" height="100%">'
        f'<style>{STYLE}</style><text id="sentence" y="50%">{escape(sentence)}</text></svg>\n'
    )


def _rows(roll: Roll) -> tuple[Whole, int, int]:
    """Each note's row from the top, how many rows are keys of instruments, how many there are."""
    drums = roll.programs == DRUMS
    keys = roll.keys.astype(np.int64)
    melodic = highest = 0
    if not drums.all():
        lowest, highest = int(keys[~drums].min()), int(keys[~drums].max())
        missing = max(0, FEWEST_ROWS - (highest - lowest + 1))
        highest += missing // 2
        melodic = highest - lowest + 1 + missing - missing // 2
    used, place = np.unique(keys[drums], return_inverse=True)
    rows = highest - keys
    rows[drums] = melodic + len(used) - 1 - place
    return rows, melodic, melodic + len(used)


def _grid(roll: Roll, rows: Whole, shape: tuple[int, int], columns_per_second: float) -> npt.NDArray[np.int8]:
    """By row and column, the family that sounds, or SILENCE."""
    grid = np.full(shape, SILENCE, dtype=np.int8)
    firsts = np.minimum(roll.starts * columns_per_second, shape[1] - 1).astype(np.int64)
    lasts = np.maximum(roll.ends * columns_per_second, firsts + 1).astype(np.int64)
    families = roll.programs // FAMILY
    for row, first, last, family in zip(rows.tolist(), firsts.tolist(), lasts.tolist(), families.tolist(), strict=True):
        grid[row, first:last] = family
    return grid


def _strokes(grid: npt.NDArray[np.int8]) -> Iterator[str]:
    """A path for each family: a stroke for each run of equal cells in a row."""
    borders = np.pad(grid, ((0, 0), (1, 1)), constant_values=SILENCE)
    sounds = grid != SILENCE
    rows, firsts = np.nonzero(sounds & (grid != borders[:, :-2]))
    lasts = np.nonzero(sounds & (grid != borders[:, 2:]))[1]
    families = grid[rows, firsts]
    for family in np.unique(families).tolist():
        mine = families == family
        runs = zip(firsts[mine].tolist(), rows[mine].tolist(), (lasts - firsts)[mine].tolist(), strict=True)
        strokes = "".join(f"M{first} {row}h{further + 1}" for first, row, further in runs)
        yield f'<path class="f{family}" d="{strokes}"/>'


def _marks(seconds: float) -> Iterator[str]:
    """The time axis, without marks too close to the end for their text."""
    doubles = (STEPS[-1] << power for power in itertools.count(1))
    step = next(step for step in itertools.chain(STEPS, doubles) if seconds / step <= MOST_MARKS)
    for mark in range(1, MOST_MARKS + 1):
        across = 100 * mark * step / seconds
        if across < MOST_ACROSS:
            yield (
                f'<line class="line" x1="{across:.2f}%" x2="{across:.2f}%" y2="100%"/>'
                f'<text x="{across:.2f}%" y="100%" dx="4" dy="-5">{duration(mark * step)}</text>'
            )
