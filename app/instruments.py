"""The instruments a song can have: 128 General MIDI programs in families, and the drums, as bits 0-128 of a set."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

DRUMS = 128
"""The bit of the drum channel in instrument_set.bits; the bits below are the programs."""

BITS = 129


@dataclass(frozen=True, slots=True)
class Instrument:
    """bit: program number, or DRUMS. family: its place among the families, 0-15, or 16 for the drums."""

    bit: int
    name: str
    family: int


@dataclass(frozen=True, slots=True)
class Family:
    place: int
    name: str
    instruments: tuple[Instrument, ...]


@dataclass(frozen=True)
class Catalogue:
    """All instruments by family, as table `instrument` names them."""

    families: tuple[Family, ...]

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[int, str, str]]) -> "Catalogue":
        """rows: (program, name, family) in ascending program order."""
        grouped: dict[str, list[Instrument]] = {}
        for program, name, family in rows:
            place = list(grouped).index(family) if family in grouped else len(grouped)
            grouped.setdefault(family, []).append(Instrument(program, name, place))
        return cls(tuple(Family(place, name, tuple(grouped[name])) for place, name in enumerate(grouped)))

    @cached_property
    def drums(self) -> Instrument:
        return Instrument(DRUMS, "Drums", len(self.families))

    @cached_property
    def by_bit(self) -> dict[int, Instrument]:
        melodic = {one.bit: one for family in self.families for one in family.instruments}
        return melodic | {DRUMS: self.drums}

    @cached_property
    def _by_name(self) -> dict[str, Instrument]:
        return {one.name.casefold(): one for one in self.by_bit.values()}

    def find(self, text: str) -> Instrument | None:
        """The instrument of a program number 0-127 or a name (whatever its case); None where there is none."""
        if text.isascii() and text.isdigit():
            return self.by_bit.get(int(text)) if len(text) < 4 and int(text) != DRUMS else None
        return self._by_name.get(text.casefold())

    def named(self, bits: Iterable[int]) -> list[Instrument]:
        """The instruments of these bits, in program order, drums last."""
        return [self.by_bit[bit] for bit in sorted(bits)]
