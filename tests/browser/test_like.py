"""A visitor finds out what a file of their own resembles."""

from pathlib import Path

import pytest

from tests.browser.conftest import Visit
from tests.unit.scan.smf_bytes import midi, note, program, track

VIOLIN_AND_FLUTE = midi(track(program(40), note(), program(73, channel=1), note(channel=1)))


@pytest.fixture
def song(tmp_path: Path) -> Path:
    file = tmp_path / "My tune.mid"
    file.write_bytes(VIOLIN_AND_FLUTE)
    return file


@pytest.mark.parametrize("javascript", [True, False])
def test_a_visitor_chooses_a_file_and_sees_what_it_resembles(visit: Visit, song: Path, javascript: bool) -> None:
    page = visit.open("/", javascript=javascript)
    page.get_by_role("link", name="Compare your file").click()
    page.get_by_label("Your MIDI file").set_input_files(song)
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("heading", name="My tune", level=1).wait_for()
    assert page.locator(".shares tbody tr").count() == 2
    assert page.locator(".similar > li").count() == 50
    assert "2 shared" in page.locator(".similar > li").first.inner_text()
    page.locator(".similar .title").first.click()
    page.wait_for_url("**/songs/*")


def test_a_file_dropped_anywhere_on_the_page_is_compared(visit: Visit, song: Path) -> None:
    page = visit.open("/like")
    page.wait_for_selector("text=You can also drop it")
    page.evaluate(
        """bytes => {
            const carried = new DataTransfer();
            carried.items.add(new File([new Uint8Array(bytes)], "Dropped.mid"));
            const event = new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true });
            document.querySelector("h1").dispatchEvent(event);
        }""",
        list(VIOLIN_AND_FLUTE),
    )
    page.get_by_role("heading", name="Dropped", level=1).wait_for()


def test_a_file_that_is_too_large_is_told_before_it_is_sent(visit: Visit, tmp_path: Path) -> None:
    large = tmp_path / "large.mid"
    large.write_bytes(bytes((1 << 20) + 1))
    page = visit.open("/like")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.get_by_label("Your MIDI file").set_input_files(large)
    page.get_by_text("large.mid is too large: at most 1,048,576 bytes").wait_for()
    page.get_by_role("button", name="Compare").click()
    assert page.get_by_role("heading", name="What does your file resemble?").is_visible()
    assert "POST" not in sent


def test_a_file_that_is_no_song_is_told_why_and_another_can_be_chosen(visit: Visit, tmp_path: Path, song: Path) -> None:
    visit.expected = "422"
    letter = tmp_path / "letter.mid"
    letter.write_bytes(b"Dear reader")
    page = visit.open("/like")
    page.get_by_label("Your MIDI file").set_input_files(letter)
    page.get_by_role("button", name="Compare").click()
    assert "no MIDI header" in page.get_by_role("alert").inner_text()
    page.get_by_label("Your MIDI file").set_input_files(song)
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("heading", name="My tune", level=1).wait_for()
