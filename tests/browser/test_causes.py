"""A dead cabinet and its lamps: the cause rings, its consequences are one click or one key away; nobody is kept out."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Page, expect

from hypervision.store.connection import url_of
from tests.browser.axe import violations
from tests.browser.fake_town import Town
from tests.browser.steps import Open, clear, ring
from tests.browser.test_accessibility import _beyond

ROWS = "#alarm-grid .line"
LAMPS = [f"lighting-{n:03d}" for n in range(2, 14)]

# It moves lamps below a cabinet, and makes a rule ring at once.
OWN_TOWN = True


@pytest.fixture(autouse=True)
def _cut(town: Town) -> Iterator[None]:
    """`lighting-001` has no voltage, and its twelve lamps are dark."""
    with psycopg.connect(url_of(town.settings)) as connection:
        connection.execute(
            "UPDATE hv.thing SET parent_id = (SELECT thing_id FROM hv.thing WHERE code = 'lighting-001')"
            " WHERE code = ANY(%s)",
            [LAMPS],
        )
        connection.execute("UPDATE hv.rule SET on_delay = interval '0' WHERE code = 'lighting.voltage.low'")
        connection.execute("UPDATE hv.rule_set SET version = version + 1")
    clear(town)
    town.collector.read({("lighting", "lighting-001", "voltage"): 0.0})
    town.collector.read({("lighting", lamp, "lamp_state"): 2.0 for lamp in LAMPS})
    yield
    clear(town)


def cause(page: Page) -> None:
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page.locator(ROWS)).to_contain_text("explains 12 alarms")
    expect(page.locator(ROWS)).to_contain_text("first of 13")


def test_consequences_are_one_click_from_the_line_of_their_cause(open_screen: Open) -> None:
    screen = open_screen("operator", at="/alarms", language="en")
    page = screen.page
    cause(page)
    page.click(f"{ROWS} a.aside")
    screen.ready("/alarms/hidden")
    chosen = page.locator("#hidden-chosen")
    expect(chosen.locator("tbody tr")).to_have_count(12)
    expect(chosen).to_contain_text("after:")
    # The cause stands above them, and is acknowledged there.
    chosen.locator("[data-ack]").click()
    expect(page.locator(".banner-none")).to_be_visible()
    page.click("#hidden-chosen .desk-turn a")
    expect(chosen.locator("tbody tr")).to_have_count(0)
    # A link within the page that names the cause again.
    page.click("#hidden-list .panel-head a")
    expect(chosen.locator("tbody tr")).to_have_count(12)


def test_consequences_are_reached_by_keyboard_alone(open_screen: Open) -> None:
    screen = open_screen("operator", at="/alarms?alarms-group=cause", language="en")
    page = screen.page
    cause(page)
    expect(page.locator("#alarm-grid .group-head")).to_contain_text("12 consequences")
    page.locator("#alarm-grid [role=columnheader][data-col='rank']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("c")
    screen.ready("/alarms/hidden")
    expect(page.locator("#hidden-chosen tbody tr")).to_have_count(12)


@pytest.mark.parametrize(("theme", "language"), [("dark", "fr"), ("light", "en")])
def test_axe_finds_nothing_serious_where_floods_and_causes_are_told(
    open_screen: Open, town: Town, theme: str, language: str
) -> None:
    # Eleven more that stand alone: a flood.
    town.collector.read({("parking", f"parking-{n:03d}", "battery"): 9.0 for n in range(1, 12)})
    ring(town)
    screen = open_screen("operator", theme=theme, language=language)
    page = screen.page
    found = []
    for path, there in (
        ("/alarms", ".flood"),
        ("/alarms?alarms-group=place", ".group-head"),
        ("/alarms/hidden", "#hidden-list tbody tr"),
        ("/trends", ".counter-flood"),
    ):
        screen.go(path)
        page.locator(there).first.wait_for()
        found += violations(screen)
        if theme == "dark":
            found += _beyond(screen)
    page.goto(f"{town.base}/accessibility?language={language}")
    found += violations(screen)
    assert found == []


def test_declaration_is_found_before_the_log_in_and_from_every_page(open_screen: Open, town: Town) -> None:
    stranger = open_screen().page
    stranger.goto(f"{town.base}/login")
    link = stranger.locator("a[href='/accessibility']")
    expect(link).to_have_text("Accessibilité\u00a0: non conforme")
    link.focus()
    stranger.keyboard.press("Enter")
    expect(stranger.locator("h1")).to_have_text("Déclaration d’accessibilité")
    stranger.click("text=English")
    expect(stranger.locator("h1")).to_have_text("Accessibility declaration")
    screen = open_screen("viewer", language="en")
    screen.page.click(".status a[href='/accessibility']")
    expect(screen.page.locator("h1")).to_have_text("Accessibility declaration")
    screen.page.click("text=Control room")
    screen.ready("/")
