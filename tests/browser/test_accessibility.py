"""axe-core on every page: light and dark, on a phone and on a desk."""

import itertools
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Visit, songs

SONG = f"/songs/{songs()[0].hash}"
PAGES = [
    "/",
    "/?all=24&any=40&none=73&drums=any&title=song",
    "/songs?all=40&none=40",
    "/songs?all=40&all=73",
    "/songs?title=sogn",
    "/songs?all=1",
    SONG,
    "/index",
    "/like",
    "/api/v1/",
    "/nothing",
]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
GRAVE = ("serious", "critical")


def findings(page: Page) -> list[tuple[str, str, Any]]:
    """What axe-core finds: (how grave, which rule, the elements)."""
    violations = Axe().run(page).response["violations"]
    return [(one["impact"], one["id"], [node["html"][:120] for node in one["nodes"]]) for one in violations]


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_grave(visit: Visit, path: str) -> None:
    visit.expected = "Failed to load resource"
    page = visit.open(path)
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true })")
    for width, scheme in itertools.product((375, 1280), SCHEMES):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        assert [one for one in findings(page) if one[0] in GRAVE] == [], f"{width} pixels, {scheme}"


def test_axe_finds_what_is_put_there(visit: Visit) -> None:
    page = visit.open()
    page.evaluate("document.querySelector('#title').removeAttribute('id')")
    page.evaluate("document.querySelector('h1').style.color = 'rgb(200, 200, 200)'")
    assert {rule for _, rule, _ in findings(page)} >= {"label", "color-contrast"}
