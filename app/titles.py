"""Finding titles: as they are written, or spelled alike. Pure arrays, no I/O.

Titles are compared folded: without case, accents and further spaces. Many songs share a title, so everything here is
about the distinct folded ones, numbered in alphabetical order.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cached_property
from threading import Lock

import numpy as np
import numpy.typing as npt

from app.spelling import Vocabulary

LEAST_ALIKE = 0.6
"""The share of the letters asked for that a title must have, in words spelled alike."""

MOST_WORDS = 8
"""Words of a question that are looked up; whoever writes more has written enough."""

_WORD = re.compile(rb"[0-9a-z\x80-\xff]+")


def fold(text: str) -> str:
    """Without case, accents and spaces at the ends or after spaces."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()
    return " ".join(text.lower().split())


class Titles:
    """titles: any, in any order, more than once. `numbers`: int32[titles], the number of each one's folded form."""

    def __init__(self, titles: Sequence[str]) -> None:
        folded = [fold(title) for title in titles]
        distinct = sorted(set(folded))
        number = {title: place for place, title in enumerate(distinct)}
        self.numbers = np.array([number[title] for title in folded], dtype=np.int32)
        self._count = len(distinct)
        self._text = "".join(f"{title}\n" for title in distinct).encode("utf-8", "replace")
        self._letters = np.frombuffer(self._text, dtype=np.uint8)
        ends = np.flatnonzero(self._letters == ord("\n")) + 1
        self._starts = np.concatenate(([0], ends[:-1])).astype(np.int32) if self._count else ends.astype(np.int32)
        self._frequency = np.bincount(self._letters, minlength=256)
        self._lock = Lock()

    def written(self, text: str) -> npt.NDArray[np.bool_]:
        """bool[distinct titles]: which have this text in them."""
        wanted = fold(text).encode("utf-8", "replace")
        if not wanted or len(wanted) >= len(self._letters):
            return np.zeros(self._count, dtype=np.bool_)
        rarest = min(range(len(wanted)), key=lambda place: self._frequency[wanted[place]])
        last_start = len(self._letters) - len(wanted)
        at = np.flatnonzero(self._letters[rarest : last_start + rarest + 1] == wanted[rarest])
        for place in sorted(range(len(wanted)), key=lambda place: self._frequency[wanted[place]])[1:]:
            at = at[self._letters[at + place] == wanted[place]]
        found = np.zeros(self._count, dtype=np.bool_)
        found[np.searchsorted(self._starts, at, side="right") - 1] = True
        return found

    def likeness(self, text: str) -> npt.NDArray[np.float32]:
        """float32[distinct titles], 0-1: the share of this text's letters in words that a title has, typing errors off.

        0 below LEAST_ALIKE.
        """
        words = list(dict.fromkeys(_WORD.findall(fold(text).encode("utf-8", "replace"))))[:MOST_WORDS]
        alike = np.zeros(self._count, dtype=np.float32)
        vocabulary, starts, holders = self._index
        for word in words:
            best = np.zeros(self._count, dtype=np.float32)
            for number, distance in zip(*vocabulary.near(word), strict=True):
                best[holders[starts[number] : starts[number + 1]]] = len(word) - int(distance)
            alike += best
        alike /= sum(map(len, words)) or 1
        alike[alike < LEAST_ALIKE] = 0
        return alike

    @property
    def _index(self) -> tuple[Vocabulary, npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """The words; where each one's titles begin among: the titles by word. Made by the first who asks."""
        with self._lock:
            return self._words

    @cached_property
    def _words(self) -> tuple[Vocabulary, npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        number: dict[bytes, int] = {}
        words: list[int] = []
        holders: list[int] = []
        for title, text in enumerate(self._text.split(b"\n")[:-1]):
            for word in set(_WORD.findall(text)):
                words.append(number.setdefault(word, len(number)))
                holders.append(title)
        owner = np.array(words, dtype=np.int32)
        starts = np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=len(number))))).astype(np.int32)
        by_word = np.array(holders, dtype=np.int32)[np.argsort(owner, kind="stable")]
        return Vocabulary(list(number)), starts, by_word
