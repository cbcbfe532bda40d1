"""No serious barrier on any page, in both themes and both languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import Screen
from tests.browser.fake_town import FAULTS, Town

PAGES = ("/", "/alarms", "/map", "/asset/water-004", "/health")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def _violations(screen: Screen) -> list[str]:
    # Where the machine is so busy that the screen greys for a moment, the greyed one is not what is judged.
    if screen.page.locator(".frame").count():
        screen.page.wait_for_selector('html[data-feed="live"]')
    found: dict[str, Any] = Axe().run(screen.page, options=RULES).response
    return [
        f"{screen.page.url} {v['impact']} {v['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"][:3]
    ]


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_axe_finds_nothing_serious(open_screen: Callable[..., Screen], town: Town, theme: str, language: str) -> None:
    town.collector.read(FAULTS)
    town.collector.refuse(("urban/v1/water/water-001/up", b"\xff", "malformed"))
    screen = open_screen(language=language, theme=theme)
    screen.page.goto(f"{town.base}/login")
    found = _violations(screen)
    screen.log_in("operator")
    for path in PAGES:
        screen.go(path)
        screen.page.wait_for_selector(".status-line .age:not(:empty)")
        if path.startswith("/asset"):
            screen.page.wait_for_selector(".chart, .asset-history")
        found += _violations(screen)
    with town.session("engineer") as client:
        session = client.cookies["hypervision_session"]
        screen.context.add_cookies([{"name": "hypervision_session", "value": session, "url": town.base}])
        screen.go("/rejected")
        screen.page.wait_for_selector("#rejected-set .table tr")
        found += _violations(screen)
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
