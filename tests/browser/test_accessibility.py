"""No serious barrier on any page, in both themes and both languages; nothing out of sight on a small screen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Screen
from tests.browser.fake_town import FAULTS, Town

SERIES = "/trends?s=water-004/water/pressure&s=lighting-005/lighting/lamp_state&s=nowhere/water/flow"
PAGES = ("/", "/alarms", "/alarms/hidden", "/alarms/service", "/map", SERIES, "/quality", "/asset/water-004", "/health")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def _violations(screen: Screen, *, within: str | None = None) -> list[str]:
    # Where the machine is so busy that the screen greys for a moment, the greyed one is not what is judged.
    if screen.page.locator(".frame").count():
        screen.page.wait_for_selector('html[data-feed="live"]')
    found: dict[str, Any] = Axe().run(screen.page, context=within, options=RULES).response
    return [
        f"{screen.page.url} {v['impact']} {v['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"][:3]
    ]


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


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_axe_finds_nothing_serious(open_screen: Callable[..., Screen], town: Town, theme: str, language: str) -> None:
    town.collector.read(FAULTS)
    town.collector.refuse(*[("urban/v1/water/water-001/up", b"\xff", "malformed")] * 20)
    measured = (theme, language) == ("dark", "fr")
    screen = open_screen(language=language, theme=theme)
    screen.page.goto(f"{town.base}/login")
    found = _violations(screen)
    screen.log_in("operator")
    for path in PAGES:
        screen.go(path)
        screen.page.wait_for_selector(".status-line .age:not(:empty)")
        if path == SERIES:
            screen.page.wait_for_selector(".trend-set .twin")
        if path == "/quality":
            screen.page.wait_for_selector(".kpi")
        if path.startswith("/asset"):
            screen.page.wait_for_selector(".chart, .asset-history")
        found += _violations(screen)
        found += _beyond(screen) if measured else []
        if measured and path == "/alarms":
            _alarm_is_told_at_any_width(screen)
    with town.session("engineer") as client:
        session = client.cookies["hypervision_session"]
        screen.context.add_cookies([{"name": "hypervision_session", "value": session, "url": town.base}])
        screen.go("/rejected")
        screen.page.wait_for_selector("#rejected-set .table tr")
        found += _violations(screen)
        found += _beyond(screen) if measured else []
    with town.session("administrator") as client:
        session = client.cookies["hypervision_session"]
        screen.context.add_cookies([{"name": "hypervision_session", "value": session, "url": town.base}])
        for path in ("/administration", "/administration?account=viewer", "/administration?new=1"):
            screen.go(path)
            screen.page.wait_for_selector("#accounts-set .table tr")
            found += _violations(screen)
            found += _beyond(screen) if measured else []
        screen.go("/audit")
        screen.page.wait_for_selector("#audit-set .table tr")
        found += _violations(screen)
        found += _beyond(screen) if measured else []
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
def test_focus_of_a_choice_is_seen(open_screen: Callable[..., Screen], theme: str) -> None:
    screen = open_screen("operator", theme=theme)
    screen.go("/map")
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
