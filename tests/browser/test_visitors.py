"""Stories of visitors, in a real browser."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit, songs

BOTH = [one for one in songs() if {40, 73} <= set(one.programs)]
CONTRADICTION = "/songs?all=40&none=40"
PAGES = ["/", "/?all=24&any=40&none=73&drums=any", "/songs?all=40&all=73", "/songs?all=1", "/api/v1/", CONTRADICTION]


def choose(page: Page, family: str, instrument: str, heading: str) -> None:
    """Open a family, unless it is open, and tick an instrument under a heading."""
    box = page.get_by_role("checkbox", name=f"{instrument}: {heading} of", exact=True)
    if not box.is_visible():
        page.locator("summary", has_text=re.compile(f"^{family}")).click()
    box.check()


def test_without_javascript_a_visitor_goes_from_two_instruments_to_a_similar_song_and_back(visit: Visit) -> None:
    page = visit.open(javascript=False)
    choose(page, "Strings", "Violin", "all")
    choose(page, "Pipe", "Flute", "all")
    page.get_by_role("button", name="Find songs").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{len(BOTH)} songs")
    expect(page.get_by_text("Page 1 of 3")).to_be_visible()
    first_page = set(page.locator("a.title").all_inner_texts())
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("Page 2 of 3")).to_be_visible()
    second_page = page.locator("a.title").all_inner_texts()
    assert len(second_page) == 50
    assert not first_page & set(second_page)
    page.get_by_role("link", name=second_page[7]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(second_page[7])
    expect(page.get_by_role("heading", name="50 similar songs")).to_be_visible()
    best = page.locator(".similar li").first
    expect(best.locator(".score")).to_have_text(re.compile(r"^[01]\.\d{3}$"))
    expect(best).to_contain_text("shared")
    title = best.locator("a.title").inner_text()
    best.locator("a.title").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.go_back()
    page.go_back()
    assert page.locator("a.title").all_inner_texts() == second_page


def test_a_visitor_changes_a_search_and_finds_the_form_filled_in(visit: Visit) -> None:
    visit.expected = "Failed to load resource"
    page = visit.open("/songs?all=40&all=73&drums=none&title=song")
    page.get_by_role("link", name="Change the search").click()
    expect(page.get_by_role("checkbox", name="Violin: all of", exact=True)).to_be_checked()
    expect(page.get_by_role("checkbox", name="Flute: all of", exact=True)).to_be_checked()
    expect(page.get_by_role("group", name="Drums").get_by_role("radio", name="none")).to_be_checked()
    expect(page.get_by_label("Part of the title")).to_have_value("song")
    choose(page, "Pipe", "Flute", "none")
    page.get_by_role("button", name="Find songs").click()
    expect(page.get_by_role("alert")).to_contain_text("Flute is chosen under “all” and “none”")
    page.get_by_role("checkbox", name="Flute: all of", exact=True).uncheck()
    page.get_by_role("button", name="Find songs").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("0 songs")
    page.get_by_role("link", name="Flute, search without it").click()
    expect(page.get_by_role("link", name="Violin, search without it")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("0 songs")


def tab_to(page: Page, target: Locator, most: int = 60) -> None:
    """Press Tab until the target has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{target} is not reached by {most} tabs")


def test_by_keyboard_alone_a_visitor_searches_opens_a_song_and_goes_on_to_one_like_it(visit: Visit) -> None:
    page = visit.open()
    tab_to(page, page.get_by_role("link", name="Skip to the content"), most=1)
    page.keyboard.press("Enter")
    tab_to(page, page.locator("summary", has_text="Strings"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("checkbox", name="Violin: all of", exact=True), most=1)
    page.keyboard.press("Space")
    expect(page.get_by_role("checkbox", name="Violin: all of", exact=True)).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{len(BOTH)} songs")
    link = page.locator("a.title").first
    tab_to(page, link)
    title = link.inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    tab_to(page, page.get_by_role("link", name="Songs with all of these"))
    similar = page.locator(".similar a.title").first
    tab_to(page, similar)
    its_title = similar.inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(its_title)


def test_what_has_the_keyboards_focus_is_seen(visit: Visit) -> None:
    page = visit.open("/?all=40")
    for target in (
        page.locator("summary").first,
        page.get_by_role("button", name="Find songs"),
        page.get_by_label("Part of the title"),
    ):
        tab_to(page, target)
        assert target.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    page.goto("/?all=40")
    box = page.get_by_role("checkbox", name="Violin: all of", exact=True)
    tab_to(page, box)
    assert box.evaluate("element => getComputedStyle(element.nextElementSibling).outlineStyle") == "solid"


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [320, 375, 1280])
def test_no_page_scrolls_sideways(visit: Visit, path: str, width: int) -> None:
    visit.expected = "400 (BAD REQUEST)" if path == CONTRADICTION else None
    page = visit.open(path, width=width)
    assert overflow(page) <= 0
    if page.locator("a.title").count():
        page.locator("a.title").first.click()
        expect(page.get_by_role("heading", name=re.compile(r"^\d+ similar song"))).to_be_visible()
        assert overflow(page) <= 0


def overflow(page: Page) -> int:
    """Pixels of the page beyond the window's width."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


CONTRASTS = """
() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility()) continue;
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(ground(element))];
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.textContent.trim().slice(0, 40)]);
  }
  return found;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [PAGES[1], PAGES[2], PAGES[4], "song"])
def test_all_text_has_the_contrast_that_wcag_aa_asks_for(visit: Visit, path: str, scheme: str) -> None:
    page = visit.open(f"/songs/{BOTH[0].hash}" if path == "song" else path, scheme=scheme)
    found = page.evaluate(CONTRASTS)
    assert len(found) > 10
    assert [one for one in found if one[0] < 4.5] == []


def test_dark_mode_is_dark_and_light_mode_is_light(visit: Visit) -> None:
    lightness = {}
    for scheme in ("light", "dark"):
        page = visit.open(scheme=scheme)
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        lightness[scheme] = sum(int(part) for part in re.findall(r"\d+", colour)[:3])
    assert lightness["light"] > 600
    assert lightness["dark"] < 150


NAMELESS = """
() => [...document.querySelectorAll('a, button, input:not([type=hidden]), summary')]
  .filter(e => e.checkVisibility())
  .filter(e => !(e.getAttribute('aria-label') || e.labels?.[0]?.innerText || e.textContent).trim())
  .map(e => e.outerHTML)
"""


@pytest.mark.parametrize("path", ["/?all=40", "/songs?all=40", "/api/v1/", f"/songs/{BOTH[0].hash}"])
def test_every_control_has_a_name(visit: Visit, path: str) -> None:
    assert visit.open(path).evaluate(NAMELESS) == []


def test_a_visitor_narrows_a_search_down_by_what_the_songs_have_and_sorts_it(visit: Visit) -> None:
    page = visit.open("/songs?all=40&all=73", javascript=False)
    link = page.get_by_role("link", name=re.compile(r"^with .* too: \d+ songs$")).first
    name = link.get_attribute("aria-label") or ""
    link.click()
    left = re.findall(r"\d+ songs", name)[0]
    expect(page.get_by_role("heading", level=1)).to_have_text(left)
    page.get_by_role("link", name="by title").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(left)
    titles = page.locator("ol.songs a.title").all_inner_texts()
    assert titles == sorted(titles)
    expect(page.get_by_role("link", name="by title")).to_have_attribute("aria-current", "true")


def test_without_javascript_the_counts_follow_the_choice(visit: Visit) -> None:
    page = visit.open(javascript=False)
    choose(page, "Strings", "Violin", "all")
    page.get_by_role("button", name="Count again").click()
    expect(page.get_by_text(f"{len(BOTH)} songs so far")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Violin: all of", exact=True)).to_be_checked()
    flutes = page.locator("summary", has_text=re.compile("^Pipe"))
    expect(flutes).to_contain_text(f"{len(BOTH)} songs")


def test_the_counts_follow_the_choice_at_once(visit: Visit) -> None:
    visit.expected = "Failed to load resource"
    page = visit.open()
    so_far = page.locator(".so-far")
    strings = page.locator("summary", has_text=re.compile("^Strings"))
    expect(so_far).to_be_empty()
    expect(page.get_by_role("button", name="Count again")).to_be_hidden()
    choose(page, "Strings", "Violin", "all")
    expect(so_far).to_contain_text(f"{len(BOTH)} songs so far")
    expect(strings).to_contain_text(f"1 chosen · {len(BOTH)} songs")
    choose(page, "Strings", "Violin", "none")
    expect(so_far).to_contain_text("Violin is chosen under “all” and “none”")
    page.get_by_role("checkbox", name="Violin: all of", exact=True).uncheck()
    expect(so_far).to_contain_text(f"{len(songs()) - len(BOTH)} songs so far")
    expect(strings).to_contain_text("1 chosen · 0 songs")
    expect(page.get_by_role("listitem").filter(has_text="Viola 0")).to_have_class("gone")
    page.get_by_label("Part of the title").fill("none is called this")
    expect(so_far).to_contain_text("0 songs so far")
    page.get_by_label("Part of the title").fill("")
    page.get_by_role("group", name="Drums").get_by_role("radio", name="all").check()
    with_drums = sum(one.drum_notes > 0 for one in songs() if one not in BOTH)
    expect(so_far).to_contain_text(f"{with_drums} songs so far")


def test_a_visitor_who_comes_back_finds_counts_that_fit_the_form(visit: Visit) -> None:
    page = visit.open()
    choose(page, "Strings", "Violin", "all")
    page.get_by_role("button", name="Find songs").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{len(BOTH)} songs")
    page.go_back()
    expect(page.get_by_role("checkbox", name="Violin: all of", exact=True)).to_be_checked()
    expect(page.locator(".so-far")).to_contain_text(f"{len(BOTH)} songs so far")


def test_a_visitor_finds_an_instrument_by_typing_and_by_keyboard_alone(visit: Visit) -> None:
    page = visit.open()
    tab_to(page, page.get_by_label("Find an instrument"))
    page.keyboard.type("electric gui")
    expect(page.get_by_text("3 instruments", exact=True)).to_be_visible()
    expect(page.locator("summary:visible")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("checkbox", name="Electric Guitar (jazz): all of")).to_be_focused()
    page.keyboard.press("Space")
    page.get_by_label("Find an instrument").fill("no such thing")
    expect(page.get_by_text("0 instruments", exact=True)).to_be_visible()
    page.get_by_label("Find an instrument").fill("")
    expect(page.locator("summary:visible")).to_have_count(16)
    expect(page.get_by_role("checkbox", name="Electric Guitar (jazz): all of")).to_be_checked()
    expect(page.locator("details[open]")).to_have_count(1)


def test_a_site_that_cannot_count_says_so(visit: Visit) -> None:
    visit.expected = "net::ERR_FAILED"
    page = visit.open()
    page.route("**/api/v1/instruments*", lambda route: route.abort())
    choose(page, "Strings", "Violin", "all")
    expect(page.locator(".so-far")).to_have_text("The songs cannot be counted at this moment.")
    expect(page.get_by_role("button", name="Find songs")).to_be_enabled()


def test_a_visitor_who_mistypes_a_title_finds_it(visit: Visit) -> None:
    page = visit.open("/songs?all=1")
    page.get_by_role("searchbox", name="Part of a title").fill("rahter long and windign")
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{len(songs())} songs")
    expect(page.get_by_text("no song has it as written")).to_be_visible()
