"""The table of third-party images (images/images.toml) as values."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache as remembered
from pathlib import Path
from typing import Any

from deployer.images.artefacts import IMAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One row; the head of the table says what the columns mean."""

    name: str
    role: str
    digest: str | None = None
    debian: str | None = None
    program: str | None = None
    folder: str | None = None
    base: str | None = None
    programs: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    module: Mapping[str, str] | None = None

    def needed_programs(self) -> tuple[str, ...]:
        """Names of the programs that go into it."""
        return (Path(self.program).name,) if self.program else self.programs

    def needed_images(self) -> tuple[str, ...]:
        """Names of the images it is made from."""
        return ((self.base,) if self.base else ()) + self.images


@remembered
def images() -> dict[str, Image]:
    """Every image by its name."""
    with (IMAGES / "images.toml").open("rb") as file:
        rows = tomllib.load(file)
    return {name: _image(name, row) for name, row in rows.items()}


def _image(name: str, row: dict[str, Any]) -> Image:
    lists = {column: tuple(row.get(column, ())) for column in ("programs", "images")}
    return Image(**(row | lists | {"name": name}))
