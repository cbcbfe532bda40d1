"""The dialogs of every page, and the wall, for everybody: no serious barrier, nothing that only a pointer reaches."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.fake_town import FAULTS, Town
from tests.browser.steps import Open

DIALOGS = ("search", "views", "keys", "sound")


@pytest.mark.parametrize(("theme", "language"), [("dark", "fr"), ("light", "en")])
def test_axe_finds_nothing_serious_in_a_dialog(open_screen: Open, town: Town, theme: str, language: str) -> None:
    town.collector.read(FAULTS)
    screen = open_screen("operator", language=language, theme=theme)
    found = []
    for name in DIALOGS:
        screen.page.click(f".tool-{name}")
        expect(screen.page.locator(f"#room-{name}")).to_be_visible()
        if name == "search":
            screen.page.fill("#room-find-input", "water")
            screen.page.locator("#room-find [role=option]").nth(3).wait_for()
        # What is behind it is dimmed and cannot be reached.
        found += violations(screen, within=f"#room-{name}")
        screen.page.keyboard.press("Escape")
        expect(screen.page.locator(f"#room-{name}")).not_to_be_visible()
        # Who came by keyboard is where they were.
        expect(screen.page.locator(f".tool-{name}")).to_be_focused()
    screen.page.goto(f"{town.base}/alarms?wall=1")
    screen.page.wait_for_selector("#alarm-grid .line")
    found += violations(screen)
    assert found == []


def test_dialogs_are_used_by_keyboard_alone(open_screen: Open) -> None:
    page = open_screen("operator", language="en").page
    page.keyboard.press("?")
    expect(page.locator("#room-keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator(".tool-sound").focus()
    page.keyboard.press("Enter")
    switch = page.get_by_label("Medium", exact=True)
    switch.focus()
    page.keyboard.press("Space")
    assert page.evaluate("() => JSON.parse(localStorage.getItem('hypervision_sound')).medium") is True
    page.keyboard.press("Escape")
    page.locator(".tool-views").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#room-view-name")).to_be_focused()
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    view = page.locator("#room-views li", has_text="By keyboard")
    expect(view).to_be_visible()
    view.locator("button").focus()
    page.keyboard.press("Enter")
    expect(view).to_have_count(0)
