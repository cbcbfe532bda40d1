"""What axe finds serious on a page, in the theme it stands in and in the other one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import Screen

# Of what passes, axe would describe every element of the page: most of its time.
OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
OTHER = {"dark": "light", "light": "dark"}


def violations(screen: Screen, *, within: str | None = None, live: bool = True) -> list[str]:
    """What is serious or critical on the page as it stands, or within one element of it."""
    # Where the machine is so busy that the screen greys for a moment, the greyed one is not what is judged.
    if live and screen.page.locator(".frame").count():
        screen.page.wait_for_selector('html[data-feed="live"]')
    with _alone(screen, within):
        found: dict[str, Any] = Axe().run(screen.page, context=within, options=OPTIONS).response
    theme = screen.page.evaluate("document.documentElement.dataset.theme")
    return [
        f"{screen.page.url} {theme} {v['impact']} {v['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"][:3]
    ]


@contextmanager
def _alone(screen: Screen, dialog: str | None) -> Iterator[None]:
    """Hide what stands behind a dialog: axe knows nothing of the top layer, and takes what is below it for its ground."""
    show = """([dialog, on]) => {
        for (const node of document.body.children) node.style.visibility = on ? "hidden" : "";
        document.querySelector(dialog).style.visibility = on ? "visible" : "";
    }"""
    if dialog is not None:
        screen.page.evaluate(show, [dialog, True])
    yield
    if dialog is not None:
        screen.page.evaluate(show, [dialog, False])


# The colour of what is written on each chart, which the server draws anew for another theme.
INK = "() => [...document.querySelectorAll('.js-plotly-plot')].map((chart) => chart._fullLayout?.font?.color)"
REPAINTED = f"(before) => (({INK})()).every((ink) => ink && !before.includes(ink)) && ({INK})().length > 0"


def switch_theme(screen: Screen, button: str = "[data-theme-switch]") -> None:
    """The other theme, as a person chooses it; the next page opens in it too."""
    page = screen.page
    before = page.evaluate(INK)
    theme = page.evaluate("document.documentElement.dataset.theme")
    page.click(button)
    page.wait_for_selector(f'html[data-theme="{OTHER[theme]}"]')
    if before:
        page.wait_for_function(REPAINTED, arg=before)


def violations_in_both_themes(screen: Screen, button: str = "[data-theme-switch]") -> list[str]:
    """The page as it stands, then in the other theme."""
    found = violations(screen)
    switch_theme(screen, button)
    return found + violations(screen)
