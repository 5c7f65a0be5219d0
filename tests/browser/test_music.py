"""A visitor sees, hears and takes home a song's file."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from playwright.sync_api import Page, expect

from deployer import synthesiser
from tests.browser.conftest import Visit
from tests.file_index import FileSong, publish_files
from tests.postgres import PostgresServer
from tests.served import site_address
from tests.unit.scan.smf_bytes import midi, note, program, tempo, track

SCALE = [note(60 + step, ticks=480) for step in (0, 2, 4, 5, 7, 9, 11, 12)]
FILES = {
    "Scale on the violin.mid": midi(track(tempo(1_000_000), program(40), *SCALE, *reversed(SCALE))),
    "Gone tomorrow.mid": midi(track(tempo(1_000_000), program(73), *SCALE)),
    "Cut short.mid": midi(track(program(12), *SCALE, end=b"")),
}
SECONDS = 16

CHATTER = "log: "
"""The synthesiser talks to itself on the console."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("songs")


@pytest.fixture(scope="module")
def url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as address:
        yield address


@pytest.fixture(scope="module")
def songs(url: str, folder: Path) -> dict[str, FileSong]:
    with closing(psycopg2.connect(url)) as connection:
        return {song.keys[0]: song for song in publish_files(connection, folder, FILES)}


@pytest.fixture(scope="module")
def site(url: str, folder: Path, songs: dict[str, FileSong]) -> Iterator[str]:
    """The address of a site that has the files and, where it can be fetched, the synthesiser."""
    synthesiser.fetch()
    with site_address(url, SCALE_SOURCE=str(folder)) as address:
        yield address


@pytest.fixture
def playable() -> None:
    if not synthesiser.fetch():
        pytest.skip("npm cannot fetch the synthesiser here")


def drawn(page: Page) -> bool:
    """Whether the roll's picture came, and is one."""
    return bool(page.locator(".roll img").evaluate("image => image.decode().then(() => image.naturalWidth > 0)"))


@pytest.mark.usefixtures("playable")
def test_a_song_is_played_paused_and_gone_through_by_keyboard(visit: Visit, songs: dict[str, FileSong]) -> None:
    visit.expected = CHATTER
    page = visit.open(f"/songs/{songs['Scale on the violin.mid'].hash}")
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    button, position = page.locator(".player button"), page.get_by_label("Position")
    expect(button).to_have_text("Play")
    expect(position).to_be_disabled()
    assert not [address for address in fetched if "vendor" in address or "file.mid" in address]

    button.press("Enter")
    expect(button).to_have_text("Pause")
    expect(page.locator(".playhead")).to_be_visible()
    expect(position).to_have_attribute("aria-valuetext", re.compile(r"0:(0[1-9]|1\d) of 0:16"))
    assert all(address.startswith(page.url.partition("/songs")[0]) for address in fetched)

    button.press("Enter")
    expect(button).to_have_text("Play")
    stopped = position.get_attribute("aria-valuetext")
    page.wait_for_timeout(500)
    assert position.get_attribute("aria-valuetext") == stopped

    position.press("End")
    expect(position).to_have_attribute("aria-valuetext", "0:16 of 0:16")
    for _ in range(3):
        position.press("PageDown")
    assert float(position.input_value()) < SECONDS
    button.press("Enter")
    expect(button).to_have_text("Pause")
    expect(button).to_have_text("Play", timeout=SECONDS * 1000)


@pytest.mark.usefixtures("playable")
def test_a_file_that_cannot_be_had_any_more_is_told(visit: Visit, songs: dict[str, FileSong], folder: Path) -> None:
    visit.expected = "404"
    path, song = folder / "Gone tomorrow.mid", songs["Gone tomorrow.mid"]
    path.unlink()
    page = visit.open(f"/songs/{song.hash}")
    assert drawn(page), "a sentence stands in the place of the roll"
    page.locator(".player button").click()
    expect(page.get_by_role("status")).to_contain_text("cannot be had")
    expect(page.locator(".player button")).to_have_text("Play")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_the_roll_is_as_wide_as_the_page_and_no_wider(
    visit: Visit, songs: dict[str, FileSong], width: int, scheme: str
) -> None:
    page = visit.open(f"/songs/{songs['Scale on the violin.mid'].hash}", width=width, scheme=scheme)
    assert drawn(page)
    roll = page.locator(".roll").bounding_box()
    assert roll is not None
    assert roll["width"] > 0.8 * width
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_roll_opened_by_itself_has_its_colours(visit: Visit, songs: dict[str, FileSong]) -> None:
    page = visit.open(f"/songs/{songs['Scale on the violin.mid'].hash}/roll.svg")
    stroke = page.locator("path.f5").evaluate("path => getComputedStyle(path).stroke")
    assert stroke != "none"


def test_a_file_the_synthesiser_would_stumble_over_is_not_played(visit: Visit, songs: dict[str, FileSong]) -> None:
    page = visit.open(f"/songs/{songs['Cut short.mid'].hash}")
    assert drawn(page)
    expect(page.locator(".player")).to_have_count(0)


def test_the_file_is_taken_home_without_javascript(visit: Visit, songs: dict[str, FileSong]) -> None:
    song = songs["Scale on the violin.mid"]
    page = visit.open(f"/songs/{song.hash}", javascript=False)
    expect(page.locator(".player")).to_be_hidden()
    with page.expect_download() as awaited:
        page.get_by_role("link", name="Download the MIDI file").click()
    assert awaited.value.suggested_filename == "Scale on the violin.mid"
    assert Path(awaited.value.path()).read_bytes() == song.data
