"""The scan, end to end from bytes to facts, beside pretty_midi and mido parsing the same real files, on one core.

The other two are timed parsing alone, which favours them: programs, title, hash and duration would come on top. Time is
the process's own on the processor, so what else the machine does is left out.
"""

import io
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from statistics import median

import mido
import pretty_midi

from midi.scan.song import scan_song
from midi.sources import open_source
from midi.sources.base import SourceOptions
from midi.sources.cache import user_cache
from spark_jobs.settings import Parameters
from tests.bench.row import Row

SEED, SAMPLE, ROUNDS = 1, 70, 5
PRETTY_MIDI_BAR, MIDO_BAR = 500, 300

Files = list[tuple[str, bytes]]
Scan = Callable[[str, bytes], object]


def with_pretty_midi(name: str, data: bytes) -> object:
    return pretty_midi.PrettyMIDI(io.BytesIO(data))


def with_mido(name: str, data: bytes) -> object:
    return mido.MidiFile(file=io.BytesIO(data))


def with_scale(name: str, data: bytes) -> object:
    return scan_song(data, name)


def measure() -> Iterator[Row]:
    files = _free_songs()
    with _one_core(), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        sample = _readable_sample(files)
        _seconds(with_scale, files)
        rounds = [_round(number, sample, files) for number in range(1, ROUNDS + 1)]
    others, mine, all_mine = (f"{SAMPLE} of {len(files)} files, seed {SEED}", "the same files", f"{len(files)} files")
    note = f"; median of {ROUNDS} interleaved rounds, load {os.getloadavg()[0]:.1f}"
    pretty, mid, ours, whole = (list(column) for column in zip(*rounds, strict=True))
    mean_size = sum(len(data) for _, data in files) / len(files) / 1000
    yield Row("scan", len(files) / median(whole), "files/s", note=f"{all_mine}, {mean_size:.0f} kB each{note}")
    yield Row("scan of the sample", SAMPLE / median(ours), "files/s", note=mine + note)
    for name, theirs, bar in (("pretty_midi", pretty, PRETTY_MIDI_BAR), ("mido", mid, MIDO_BAR)):
        yield Row(name, SAMPLE / median(theirs), "files/s", note=others + note)
        ratio = median(slow / fast for slow, fast in zip(theirs, ours, strict=True))
        yield Row(f"scan against {name}", ratio, "×", bar, at_least=True, note=mine + note)


def _free_songs() -> Files:
    source = open_source("free", SourceOptions(user_cache()), lambda what, done, total: None)
    with source.reader() as read:
        return [(member.key, read(member, Parameters().max_bytes)) for member in source.objects()]


def _readable_sample(files: Files) -> Files:
    """SAMPLE files drawn by SEED that the other two can read; reading them warms up all that is to be timed."""
    _progress(f"drawing {SAMPLE} of {len(files)} files")
    sample: Files = []
    for name, data in Random(SEED).sample(files, len(files)):
        try:
            with_pretty_midi(name, data)
        except Exception as error:  # mido and pretty_midi raise all kinds of errors at what they do not like
            _progress(f"left out, for pretty_midi can't read it: {name} ({error!r})")
            continue
        sample.append((name, data))
        if len(sample) == SAMPLE:
            break
    return sample


def _round(number: int, sample: Files, files: Files) -> tuple[float, float, float, float]:
    """Seconds of pretty_midi, mido and the scan on the sample, and of the scan on all files."""
    _progress(f"round {number} of {ROUNDS}")
    pretty, mid = _seconds(with_pretty_midi, sample), _seconds(with_mido, sample)
    return pretty, mid, _seconds(with_scale, sample), _seconds(with_scale, files)


def _seconds(scan: Scan, files: Files) -> float:
    start = time.process_time()
    for name, data in files:
        scan(name, data)
    return time.process_time() - start


@contextmanager
def _one_core() -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _progress(text: str) -> None:
    print(f"bench scan: {text}", file=sys.stderr)
