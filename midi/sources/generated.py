"""Made-up MIDI files, as many as asked for: the same bytes for the same seed and number, made when they are read."""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from midi.errors import SourceError
from midi.sources.base import Read, SourceObject
from midi.sources.generated_sets import arrange
from midi.sources.generated_smf import song_bytes

__all__ = ["GeneratedSource", "generate", "parse_generated"]

MOST_FILES = 10_000_000

# What the bytes of a number are may change with this only: it is part of every version.
_EDITION = 1
_USUAL_BYTES = 4096
_BROKEN = 0.01
_REPEATED = 0.01

# fmt: off
_MOODS = (
    "amber", "bright", "calm", "dusty", "early", "fading", "gentle", "hollow", "idle", "jade", "kindly", "late",
    "misty", "northern", "open", "pale", "quiet", "rusty", "silver", "tidal", "upper", "velvet", "wandering",
    "young",
)
_FORMS = (
    "anthem", "bolero", "carol", "dance", "elegy", "fanfare", "gavotte", "hymn", "interlude", "jig", "lament",
    "march", "nocturne", "overture", "polka", "quickstep", "rondo", "serenade", "tango", "toccata", "variation",
    "waltz", "prelude", "etude",
)
# fmt: on


@dataclass(frozen=True, slots=True)
class GeneratedSource:
    """`count` files; keys "generated/<number>-<title>.mid". Sizes are a guess: none is known before it is made."""

    count: int
    seed: int = 0

    @property
    def description(self) -> str:
        return f"generated:{self.count}:{self.seed}"

    def objects(self) -> Iterator[SourceObject]:
        digits = max(6, len(str(self.count - 1)))
        version = f"{_EDITION}:{self.seed}"
        for number in range(self.count):
            name = "-".join(_words(self.seed, number))
            yield SourceObject(f"generated/{number:0{digits}d}-{name}.mid", _USUAL_BYTES, version)

    @contextmanager
    def reader(self) -> Iterator[Read]:
        def read(obj: SourceObject, limit: int) -> bytes:
            number = int(obj.key.removeprefix("generated/").partition("-")[0])
            return generate(self.seed, number)[:limit]

        yield read

    def names(self) -> Iterator[tuple[str, str]]:
        return iter(())


def parse_generated(spec: str) -> GeneratedSource:
    """generated:N or generated:N:seed"""
    found = re.fullmatch(r"generated:(\d{1,8})(?::(\d{1,18}))?", spec, re.ASCII)
    if found is None or not 1 <= int(found[1]) <= MOST_FILES:
        raise SourceError(
            f"{spec!r} asks for no number of files: write generated:N or generated:N:seed, "
            f"N from 1 to {MOST_FILES}, seed a whole number."
        )
    return GeneratedSource(int(found[1]), int(found[2] or 0))


def generate(seed: int, number: int) -> bytes:
    """The bytes of one file. About 1 % are what no scan can use, and 1 % repeat another file's bytes."""
    digest = hashlib.blake2b(f"{_EDITION}:{seed}:{number}".encode(), digest_size=16).digest()
    random = Random(int.from_bytes(digest, "big"))  # noqa: S311 (repeatable, not secret)
    oddity = random.random()
    if oddity < _REPEATED and number > 0:
        return generate(seed, int(random.random() * number))
    data = song_bytes(arrange(random), " ".join(_words(seed, number)).title(), random)
    if oddity > 1 - _BROKEN:
        return _DAMAGES[int(random.random() * len(_DAMAGES))](data)
    return data


def _words(seed: int, number: int) -> tuple[str, str]:
    mixed = (number + 1) * 0x9E3779B97F4A7C15 + seed * 0xC2B2AE3D27D4EB4F
    return _MOODS[(mixed >> 32) % len(_MOODS)], _FORMS[(mixed >> 40) % len(_FORMS)]


# What is found among real collections: nothing, a web page saved under a MIDI name, a header alone, a first track
# without notes, a download that broke off.
_DAMAGES: tuple[Callable[[bytes], bytes], ...] = (
    lambda data: b"",
    lambda data: b"<!DOCTYPE html><title>404 Not Found</title>",
    lambda data: data[:14],
    lambda data: data[:8] + b"\0\1\0\1" + data[12:14] + b"MTrk\0\0\0\4\0\xff\x2f\0",
    lambda data: data[: len(data) // 2],
)
