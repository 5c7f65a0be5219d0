"""What a visitor asks for: from the arguments of an address to a checked search, and back. No I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.instruments import DRUMS, Catalogue, Family

PAGE_SIZE = 50
LONGEST_TITLE = 200
HEADINGS = ("all", "any", "none")
"""all: every song has each of them. any: at least one of them. none: not one of them."""


SORTS = ("closest", "title", "duration", "popularity")
"""closest: to what is asked for. popularity: in how many songs' lists of similar songs a song is, most first."""


class Arguments(Protocol):
    """The arguments of an address, as Werkzeug's MultiDict gives them."""

    def getlist(self, key: str) -> list[str]: ...


@dataclass(frozen=True)
class Search:
    """chosen: the bits under each of HEADINGS. title: part of a title, "" for any. sort: one of SORTS. page: from 1 on.

    problems: what is wrong with the request, each a sentence; the rest is as the visitor filled it in.
    """

    chosen: Mapping[str, frozenset[int]] = field(default_factory=lambda: dict.fromkeys(HEADINGS, frozenset[int]()))
    title: str = ""
    sort: str = SORTS[0]
    page: int = 1
    problems: tuple[str, ...] = ()

    @property
    def first(self) -> int:
        """Songs before this page."""
        return (self.page - 1) * PAGE_SIZE

    @property
    def empty(self) -> bool:
        return not self.title and not any(self.chosen.values())

    @property
    def contradictory(self) -> bool:
        """Whether an instrument is chosen under two headings."""
        return sum(map(len, self.chosen.values())) > len(frozenset[int]().union(*self.chosen.values()))

    @property
    def drums(self) -> str:
        """The heading the drums are chosen under, "" for none."""
        return next((heading for heading in HEADINGS if self.has(heading, DRUMS)), "")

    def chosen_in(self, family: Family) -> int:
        """How many of a family's instruments are chosen."""
        chosen = frozenset[int]().union(*self.chosen.values())
        return sum(one.bit in chosen for one in family.instruments)

    def has(self, heading: str, bit: int) -> bool:
        return bit in self.chosen[heading]

    def asks_for(self, bit: int) -> bool:
        """Whether a song is found because it has this instrument."""
        return self.has("all", bit) or self.has("any", bit)

    def arguments(
        self,
        page: int | None = None,
        *,
        without: tuple[str, int] | None = None,
        adding: tuple[str, int] | None = None,
        sort: str | None = None,
    ) -> dict[str, Any]:
        """The arguments of the address of this search, on another page, without or with one more (heading, bit), or in
        another order.

        Programs only: the drums have an argument of their own.
        """
        found: dict[str, Any] = {}
        for heading in HEADINGS:
            chosen = self.chosen[heading]
            if without and without[0] == heading:
                chosen = chosen - {without[1]}
            if adding:
                chosen = chosen | {adding[1]} if adding[0] == heading else chosen - {adding[1]}
            bits = sorted(chosen)
            if bits and bits[-1] == DRUMS:
                found["drums"] = heading
            if programs := [bit for bit in bits if bit != DRUMS]:
                found[heading] = programs
        if self.title:
            found["title"] = self.title
        if (sort or self.sort) != SORTS[0]:
            found["sort"] = sort or self.sort
        if page is not None and page > 1:
            found["page"] = page
        return found


def all_of(bits: Iterable[int]) -> Search:
    """The search for the songs that have all of these instruments."""
    return Search(chosen=dict.fromkeys(HEADINGS, frozenset[int]()) | {"all": frozenset(bits)})


def read_search(arguments: Arguments, catalogue: Catalogue) -> Search:
    """Check an address's arguments; whatever is wrong is told in `problems`, whatever is right is kept."""
    problems: list[str] = []
    chosen: dict[str, frozenset[int]] = {}
    for heading in HEADINGS:
        bits, wrong = read_instruments(arguments.getlist(heading), catalogue)
        chosen[heading] = bits
        problems += wrong
    for heading in dict.fromkeys(filter(None, arguments.getlist("drums"))):
        if heading in HEADINGS:
            chosen[heading] |= {DRUMS}
        else:
            problems.append(f"“{_short(heading)}” is not a choice for the drums; choose all, any or none.")
    problems += _contradictions(chosen, catalogue)
    title, wrong = _read_title(arguments.getlist("title"))
    problems += wrong
    sort, wrong = _read_sort(arguments.getlist("sort"))
    problems += wrong
    page, wrong = _read_page(arguments.getlist("page"))
    return Search(chosen, title, sort, page, tuple(problems + wrong))


def read_instruments(values: Iterable[str], catalogue: Catalogue) -> tuple[frozenset[int], list[str]]:
    """Bits of program numbers or names, one or several (by commas) a value; and what is wrong with the others."""
    bits, problems = set(), []
    for text in dict.fromkeys(part.strip() for value in values for part in value.split(",")):
        found = catalogue.find(text)
        if found:
            bits.add(found.bit)
        elif text:
            problems.append(
                f"There is no instrument “{_short(text)}”; give a program number from 0 to 127 or a General MIDI name."
            )
    return frozenset(bits), problems


def _contradictions(chosen: Mapping[str, frozenset[int]], catalogue: Catalogue) -> list[str]:
    problems = []
    for one in catalogue.named(frozenset[int]().union(*chosen.values())):
        under = [heading for heading in HEADINGS if one.bit in chosen[heading]]
        if len(under) > 1:
            problems.append(f"{one.name} is chosen under “{'” and “'.join(under)}”; choose one of them.")
    return problems


def _read_title(values: list[str]) -> tuple[str, list[str]]:
    title = " ".join(values[0].split()) if values else ""
    if len(title) > LONGEST_TITLE:
        return title[:LONGEST_TITLE], [f"The title is longer than {LONGEST_TITLE} characters; shorten it."]
    return title, []


def _read_sort(values: list[str]) -> tuple[str, list[str]]:
    text = values[0].strip() if values else ""
    if text and text not in SORTS:
        return SORTS[0], [f"“{_short(text)}” is not an order; choose {', '.join(SORTS[:-1])} or {SORTS[-1]}."]
    return text or SORTS[0], []


def _read_page(values: list[str]) -> tuple[int, list[str]]:
    text = values[0].strip() if values else ""
    if not text:
        return 1, []
    if not (text.isascii() and text.isdigit()) or not text.strip("0"):
        return 1, [f"“{_short(text)}” is not a page; pages are numbered from 1 on."]
    return min(int(text[:20]), 10**9), []


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
