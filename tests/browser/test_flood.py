"""A flood by pointer and by keyboard alone: what to look at first, groups that fold, nothing that moves under a hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.fake_town import FAULTS, Town
from tests.browser.steps import Open, clear, ring

ROWS = "#alarm-grid .line"
HEADS = "#alarm-grid .group-head"


@pytest.fixture(autouse=True)
def _calm(town: Town) -> Iterator[None]:
    clear(town)
    yield
    clear(town)


def storm(town: Town) -> None:
    """Eleven of the lamps at once and a fire: more than ten within ten minutes."""
    town.collector.read({("lighting", f"lighting-{n:03d}", "lamp_state"): 2.0 for n in range(1, 12)})
    ring(town)


def order(page: Page) -> list[str]:
    """The alarms of the list from top to bottom, by id, heads among them."""
    found: list[str] = page.eval_on_selector_all(
        "#alarm-grid [data-row]",
        """rows => [...new Map(rows.map(row => [row.getAttribute("data-row"), row.getBoundingClientRect().top]))]
           .sort((a, b) => a[1] - b[1]).map(each => each[0])""",
    )
    return found


def tops(page: Page) -> dict[str, float]:
    found: dict[str, float] = page.eval_on_selector_all(
        "#alarm-grid .line",
        "rows => Object.fromEntries(rows.map(row => [row.getAttribute('data-row'), row.getBoundingClientRect().top]))",
    )
    return found


def test_flood_is_told_on_every_page_and_leads_to_what_to_look_at_first(open_screen: Open, town: Town) -> None:
    storm(town)
    screen = open_screen("operator", language="en")
    page = screen.page
    expect(page.locator(".counter-flood")).to_contain_text("Flood")
    page.click(".counter-flood")
    screen.ready("/alarms")
    expect(page.locator(".flood")).to_contain_text("alarms rang within 10 minutes, the limit is 10")
    first = page.locator("[data-look]").first
    expect(first).to_contain_text("Conteneur 7")
    first.click()
    selected = page.locator(f"{ROWS}.line-selected")
    expect(selected).to_have_count(1)
    expect(selected).to_contain_text("Conteneur 7")


def test_groups_have_counts_fold_and_are_kept_by_the_address(open_screen: Open, town: Town) -> None:
    town.collector.read(FAULTS)
    screen = open_screen("operator", at="/alarms", language="en")
    page = screen.page
    expect(page.locator(ROWS)).to_have_count(len(FAULTS))
    page.click("#alarms-group label:has-text('By district')")
    expect(page.locator(HEADS)).to_have_count(2)
    north = page.locator(HEADS, has_text="Nord")
    expect(north).to_contain_text("5 alarms, 5 to acknowledge")
    # Each head stands right above its own lines.
    rows = order(page)
    assert rows.index("head Nord") + 6 in (rows.index("head Sud"), len(rows))
    north.locator("[data-fold]").click()
    expect(page.locator(ROWS)).to_have_count(2)
    expect(north.locator("[data-fold]")).to_have_attribute("aria-expanded", "false")
    page.wait_for_url("**alarms-fold=district%3ANord**")
    # The address brings it back, on another screen too.
    other = open_screen("viewer", language="en").page
    other.goto(page.url)
    expect(other.locator(HEADS)).to_have_count(2)
    expect(other.locator(ROWS)).to_have_count(2)
    # What the filter finds decides which heads there are, and how many lines they count.
    other.fill("#alarms-filter", "Conteneur 11")
    expect(other.locator(HEADS)).to_have_count(1)
    expect(other.locator(HEADS)).to_contain_text("1 alarm, 1 to acknowledge")
    page.click("[data-fold-all='1']")
    expect(page.locator(ROWS)).to_have_count(0)
    # Folded lines are not selected: nothing can be acknowledged that is not seen.
    expect(page.locator("#alarms-acknowledge")).to_be_disabled()
    page.click("[data-fold-all='0']")
    expect(page.locator(ROWS)).to_have_count(len(FAULTS))
    page.click("#alarms-group label:has-text('No')")
    expect(page.locator(HEADS)).to_have_count(0)


@pytest.mark.parametrize("group", ["none", "place"])
def test_no_line_moves_under_the_pointer_whatever_comes(open_screen: Open, town: Town, group: str) -> None:
    town.collector.read(FAULTS)
    screen = open_screen("operator", language="en")
    page = screen.page
    screen.go(f"/alarms?alarms-group={group}" if group != "none" else "/alarms")
    expect(page.locator(ROWS)).to_have_count(len(FAULTS))
    if group != "none":
        expect(page.locator(HEADS).first).to_be_visible()
    page.hover(f"{ROWS} >> nth=3")
    before = tops(page)
    # Worse than all others, and enough for the strip of a flood above the list.
    storm(town)
    expect(page.locator(".counter-flood")).to_be_visible()
    expect(page.locator("#alarms-queued")).to_be_visible()
    assert tops(page) == before
    page.mouse.move(700, 20)
    expect(page.locator(".flood")).to_be_visible()
    expect(page.locator(ROWS).filter(has_text="Conteneur 7")).to_have_count(1)
    assert tops(page) != before


def test_focus_of_who_moves_by_keys_stays_on_its_alarm(open_screen: Open, town: Town) -> None:
    town.collector.read(FAULTS)
    screen = open_screen("operator", at="/alarms", language="en")
    page = screen.page
    expect(page.locator(ROWS)).to_have_count(len(FAULTS))
    page.mouse.move(700, 20)
    page.locator("#alarm-grid [role=columnheader][data-col='rank']").focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    alarm = page.evaluate("() => document.activeElement.closest('.line').getAttribute('data-row')")
    before = tops(page)
    ring(town)
    expect(page.locator("#alarms-queued")).to_be_visible()
    assert tops(page) == before
    # Nobody has touched a key for a while: the new line comes in, and the focus goes with its alarm.
    expect(page.locator(ROWS).filter(has_text="Conteneur 7")).to_have_count(1)
    assert page.evaluate("() => document.activeElement.closest('.line').getAttribute('data-row')") == alarm


def test_groups_are_chosen_folded_and_left_by_keyboard_alone(open_screen: Open, town: Town) -> None:
    town.collector.read(FAULTS)
    screen = open_screen("operator", at="/alarms", language="en")
    page = screen.page
    expect(page.locator(ROWS)).to_have_count(len(FAULTS))
    page.locator("#alarms-group input:checked").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(HEADS)).to_have_count(2)
    page.locator("#alarm-grid [role=columnheader][data-col='rank']").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#alarm-grid .line-group:focus")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("[data-fold][aria-expanded='false']")).to_have_count(1)
    page.keyboard.press("ArrowRight")
    expect(page.locator(ROWS)).to_have_count(len(FAULTS))
