"""No serious barrier on any page, in both themes and both languages; nothing out of sight on a small screen."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations, violations_in_both_themes
from tests.browser.conftest import Screen
from tests.browser.fake_town import FAULTS, Town
from tests.browser.steps import Open, clear

SERIES = "/trends?s=water-004/water/pressure&s=lighting-005/lighting/lamp_state&s=nowhere/water/flow"
PAGES = ("/", "/alarms", "/alarms/hidden", "/alarms/service", "/map", SERIES, "/quality", "/asset/water-004", "/health")

# What is wider or higher than it may be: the document scrolls, the page scrolls sideways, or something in the bar is cut.
BEYOND = """() => {
  const page = document.documentElement, main = document.querySelector(".main");
  const found = [...document.querySelectorAll(".top .btn, .counter, .feed, .tools > *")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.className);
  if (page.scrollHeight > innerHeight) found.push(`document ${page.scrollHeight} high`);
  if (page.scrollWidth > innerWidth) found.push(`document ${page.scrollWidth} wide`);
  if (main.scrollWidth > main.clientWidth) found.push(`page ${main.scrollWidth} wide`);
  return found;
}"""


def _beyond(screen: Screen) -> list[str]:
    """What lies out of sight on a phone, a tablet and a desk."""
    found = []
    for width, height in ((390, 844), (768, 1024), (1440, 900)):
        screen.page.set_viewport_size({"width": width, "height": height})
        # A chart takes a moment to take its new size.
        deadline = time.monotonic() + 10.0
        while screen.page.evaluate(BEYOND) and time.monotonic() < deadline:
            screen.page.wait_for_timeout(100)
        found += [f"{screen.page.url} at {width}: {what}" for what in screen.page.evaluate(BEYOND)]
    return found


def _alarm_is_told_at_any_width(screen: Screen) -> None:
    row = screen.page.locator("#alarm-grid .line").first
    for width, asset in ((390, ".brief .cell-asset"), (1440, "[data-col='name'] .cell-asset")):
        screen.page.set_viewport_size({"width": width, "height": 900})
        expect(row.locator(asset)).to_be_visible()
        expect(row).to_contain_text("acquittée")


# What is there once a page is drawn.
DRAWN = {SERIES: ".trend-set .twin", "/quality": ".kpi", "/asset/water-004": ".chart, .asset-history"}
# Whose pages they are, and what is there once they are drawn.
OTHERS = (
    ("engineer", "/rejected", "#rejected-set .table tr"),
    ("administrator", "/administration", "#accounts-set .table tr"),
    ("administrator", "/administration?account=viewer", "#accounts-set .table tr"),
    ("administrator", "/administration?new=1", "#accounts-set .table tr"),
    ("administrator", "/audit", "#audit-set .table tr"),
)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_axe_finds_nothing_serious_in_either_theme(open_screen: Open, town: Town, language: str) -> None:
    # What was acknowledged before stands in the journals of the assets.
    town.collector.read(FAULTS)
    clear(town)
    town.collector.read(FAULTS)
    town.collector.refuse(*[("urban/v1/water/water-001/up", b"\xff", "malformed")] * 20)
    screen = open_screen(language=language)
    found = []
    for theme in ("light", "dark"):
        screen.choose(theme=theme)
        screen.page.goto(f"{town.base}/login")
        found += violations(screen)
    visits = [("operator", path, DRAWN.get(path, ".page-inner")) for path in PAGES]
    user = ""
    for owner, path, drawn in (*visits, *OTHERS):
        if owner != user:
            screen.enter(user := owner)
        screen.go(path)
        screen.page.wait_for_selector(".status-line .age:not(:empty)")
        screen.page.wait_for_selector(drawn)
        found += violations_in_both_themes(screen)
        if language == "fr":
            found += _beyond(screen)
            if path == "/alarms":
                _alarm_is_told_at_any_width(screen)
    assert found == []


# The relative luminance of WCAG 2.2, of a colour as the browser computes it, and the contrast of two.
CONTRAST = """([mark, ground]) => {
  const light = (text) => {
    const [r, g, b] = text.match(/[0-9.]+/g).slice(0, 3).map((part) => part / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [low, high] = [light(mark), light(ground)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}"""


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_focus_of_a_choice_is_seen(open_screen: Open, theme: str) -> None:
    screen = open_screen("operator", at="/map", theme=theme)
    screen.page.locator("#map-filter input:checked").focus()
    screen.page.keyboard.press("ArrowRight")
    mark, ground, width = screen.page.evaluate(
        "() => { const label = document.querySelector('#map-filter input:focus-visible + label');"
        " const style = getComputedStyle(label);"
        " return [style.outlineColor, getComputedStyle(document.querySelector('#map-filter')).backgroundColor,"
        " style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth)]; }"
    )
    assert width >= 2
    assert screen.page.evaluate(CONTRAST, [mark, ground]) >= 3
