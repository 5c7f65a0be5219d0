"""`python docs/images/make.py ADDRESS`: the pictures of a running site, as the README shows them, into this folder.

ADDRESS is that of `./run_kube demo`, http://127.0.0.1:8080: the pictures are of its freely licensed songs.
"""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).parent
DESK, PHONE = (1280, 900), (375, 760)


@dataclass(frozen=True, slots=True)
class Picture:
    """path: of the page; "song" is the most popular one with a violin, "like" what its file resembles."""

    name: str
    path: str
    size: tuple[int, int] = DESK
    scheme: Literal["light", "dark"] = "light"


PICTURES = (
    Picture("search", "/?all=29&drums=all"),
    Picture("search-phone", "/?all=29&drums=all", PHONE),
    Picture("results-dark", "/songs?all=29&drums=all&sort=popularity", scheme="dark"),
    Picture("song", "song"),
    Picture("song-dark", "song", scheme="dark"),
    Picture("song-phone-dark", "song", PHONE, "dark"),
    Picture("index", "/index"),
    Picture("index-phone-dark", "/index", PHONE, "dark"),
    Picture("like-dark", "like", scheme="dark"),
)


def main(site: str) -> None:
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=as_root)
        for picture in PICTURES:
            take(browser, site, picture)
        browser.close()


def take(browser: Browser, site: str, picture: Picture) -> None:
    width, height = picture.size
    context = browser.new_context(
        base_url=site, viewport={"width": width, "height": height}, color_scheme=picture.scheme
    )
    page = context.new_page()
    if picture.path == "song":
        open_song(page)
    elif picture.path == "like":
        compare_song(page)
    else:
        page.goto(picture.path)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / f"{picture.name}.png")
    context.close()


def open_song(page: Page) -> None:
    page.goto("/songs?all=40&sort=popularity")
    page.locator("ol.songs a.title").first.click()
    page.wait_for_url("**/songs/*")


def compare_song(page: Page) -> None:
    """Send the song's own file."""
    open_song(page)
    midi = page.request.get(f"{page.url}/file.mid").body()
    page.goto("/like")
    page.locator("input[type=file]").set_input_files({"name": "mine.mid", "mimeType": "audio/midi", "buffer": midi})
    page.get_by_role("button", name="Compare").click()
    page.locator("ol.similar").wait_for()


if __name__ == "__main__":
    main(sys.argv[1])
