"""The site as a process, and a real Chromium to visit it with."""

import os
import random
import shutil
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

from tests.postgres import PostgresServer
from tests.served import site_address
from tests.tiny_index import TinySong, publish_tiny_index

CHROMIUM = shutil.which("chromium")

ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]


def songs() -> list[TinySong]:
    """140 songs, 120 of them with violin and flute among others; the same at every call."""
    draw = random.Random(3)
    some = [0, 19, 24, 33, 48, 56, 71, 104]
    return [
        TinySong(
            title=f"Song {number:03} of the rather long and winding title",
            programs=({40: 60, 73: 40} if number < 120 else {32: 5}) | dict.fromkeys(draw.sample(some, 3), 20),
            drum_notes=draw.choice((0, 50)),
            keys=(f"a-folder-with-a-long-name/and-a-file-without-a-place-to-break-{'x' * 60}-{number}.mid",),
            warnings=("missing_end_of_track",),
        )
        for number in range(140)
    ]


@pytest.fixture(scope="session")
def site(postgres: PostgresServer) -> Iterator[str]:
    """The address of a served site."""
    with postgres.database() as url:
        with closing(psycopg2.connect(url)) as connection:
            publish_tiny_index(connection, songs())
        with site_address(url) as address:
            yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no chromium on PATH; on Debian or Ubuntu: apt-get install chromium")
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS + as_root)
        yield running
        running.close()


class Visit:
    """Pages opened in one test, and whatever the browser complained of on them.

    expected: part of a complaint that belongs to the story, as when the visitor is refused.
    """

    def __init__(self, browser: Browser, site: str) -> None:
        self._browser = browser
        self._site = site
        self.complaints: list[str] = []
        self.expected: str | None = None

    def open(self, path: str = "/", width: int = 1280, scheme: str = "light", javascript: bool = True) -> Page:
        """A fresh browser profile on this page of the site."""
        context = self._browser.new_context(
            base_url=self._site,
            viewport={"width": width, "height": 800},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=javascript,
        )
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfailed", self._failed)
        page.goto(path)
        return page

    def _failed(self, request: Request) -> None:
        """A request that failed, unless the visitor went on before it was answered."""
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"{request.failure}: {request.url}")


@pytest.fixture
def visit(browser: Browser, site: str) -> Iterator[Visit]:
    """Ends the test in failure if the browser had anything to complain of."""
    visiting = Visit(browser, site)
    yield visiting
    for context in browser.contexts:
        context.close()
    expected = visiting.expected
    assert [text for text in visiting.complaints if expected is None or expected not in text] == []
