"""The table of alarms as a table: keys, roles and names, thousands of lines, columns; and the choices beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.axe import OPTIONS
from tests.browser.fake_town import FAULTS, Town
from tests.browser.steps import Open, clear

ROWS = "#alarm-grid .line"
# Lines as the server tells them, made of one that it told; none of the others is of the town.
MANY = """([n, waiting]) => {
  const [one] = hv.alarmList().rows.values();
  const rows = [...Array(n).keys()].map((i) => ({ ...one, id: `${900000 + i}`, name: `Thing ${i}`, order: 1e15 + i, waiting }));
  hv.takeRows({ full: false, gone: [], rows });
}"""
FOCUS = """() => {
  const cell = document.activeElement;
  return [cell.closest("[data-row]")?.dataset.row ?? null, cell.dataset.col ?? null];
}"""


@pytest.fixture(autouse=True)
def _faults(town: Town) -> Iterator[None]:
    clear(town)
    town.collector.read(FAULTS)
    yield
    clear(town)


def opened(open_screen: Open, language: str = "en") -> Page:
    screen = open_screen("operator", language=language)
    screen.go("/alarms")
    expect(screen.page.locator(ROWS)).to_have_count(len(FAULTS))
    return screen.page


def names(page: Page) -> list[str]:
    """The assets from top to bottom, as they are on the screen."""
    found: list[str] = page.eval_on_selector_all(
        ROWS,
        """rows => rows.map(row => [row.getBoundingClientRect().top, row.querySelector("[data-col=name]").textContent])
           .sort((a, b) => a[0] - b[0]).map(each => each[1])""",
    )
    return found


def test_roles_names_and_counts_are_those_of_a_grid(open_screen: Open) -> None:
    page = opened(open_screen)
    grid = page.get_by_role("grid", name="Open alarms")
    expect(grid).to_have_attribute("aria-rowcount", str(len(FAULTS) + 1))
    expect(grid).to_have_attribute("aria-multiselectable", "true")
    expect(grid.get_by_role("columnheader")).to_have_count(9)
    first = grid.get_by_role("row").nth(1)
    expect(first).to_have_attribute("aria-rowindex", "2")
    expect(first).to_have_attribute("aria-selected", "false")
    label, name = (first.locator(f"[data-col={col}]").inner_text().split("\n")[0] for col in ("label", "name"))
    box = first.get_by_role("checkbox", name=f"Select: {label}, {name}")
    box.check()
    expect(first).to_have_attribute("aria-selected", "true")
    assert [v["id"] for v in Axe().run(page, context="#alarms-place", options=OPTIONS).response["violations"]] == []


def test_keys_move_select_sort_and_follow(open_screen: Open) -> None:
    page = opened(open_screen)
    page.locator("#alarms-comment").focus()
    page.keyboard.press("Tab")
    # One stop of Tab for all of it, and it is the first alarm.
    ids = page.evaluate("() => hv.alarmList().lines.map((line) => line.id)")
    assert page.evaluate(FOCUS) == [ids[0], "rank"]
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.closest('#alarm-grid') === null")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    assert page.evaluate(FOCUS) == [ids[1], "action"]
    page.keyboard.press("Home")
    assert page.evaluate(FOCUS) == [ids[1], "select"]
    page.keyboard.press("Control+End")
    assert page.evaluate(FOCUS) == [ids[-1], "action"]
    page.keyboard.press("Control+Home")
    assert page.evaluate(FOCUS) == [ids[0], "select"]
    # Space selects, Shift and an arrow go on from there.
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("#alarms-selected")).to_have_text("Acknowledge 3 visible alarms")
    page.keyboard.press("Shift+ArrowUp")
    expect(page.locator(f"{ROWS}.line-selected")).to_have_count(2)
    page.keyboard.press("Control+a")
    expect(page.locator(f"{ROWS}.line-selected")).to_have_count(len(FAULTS))
    # The heads of the columns stand above the first line.
    page.keyboard.press("Control+Home")
    page.keyboard.press("ArrowUp")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    head = page.locator("#alarm-grid [role=columnheader][data-col=name]")
    expect(head).to_be_focused()
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    rising = names(page)
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(head).to_be_focused()
    assert names(page) == rising[::-1] != rising
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "none")
    # Enter on a cell goes where it leads.
    page.keyboard.press("ArrowDown")
    asset = page.evaluate("() => document.activeElement.textContent")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(asset)
    assert page.url.split("/")[-2] == "asset"


def test_columns_become_wider_and_change_places_by_key_and_by_pointer(open_screen: Open) -> None:
    page = opened(open_screen)
    head = page.locator("#alarm-grid [role=columnheader][data-col=raised]")
    cell = page.locator(f"{ROWS} [data-col=raised]").first

    def width() -> float:
        boxes = [each.bounding_box() for each in (head, cell)]
        assert boxes[0] is not None
        assert boxes[1] is not None
        assert abs(boxes[0]["width"] - boxes[1]["width"]) < 1
        return boxes[0]["width"]

    before = width()
    head.focus()
    page.keyboard.press("Alt+ArrowRight")
    assert width() == before + 16
    grip = head.locator(".grid-grip").bounding_box()
    assert grip is not None
    page.mouse.move(grip["x"] + 4, grip["y"] + 10)
    page.mouse.down()
    page.mouse.move(grip["x"] + 44, grip["y"] + 10)
    page.mouse.up()
    assert width() == before + 56
    # Whoever drags an edge sorts nothing.
    expect(head).to_have_attribute("aria-sort", "none")
    order = "() => [...document.querySelectorAll('#alarm-grid [role=columnheader]')].map((each) => each.dataset.col)"
    assert page.evaluate(order)[1:4] == ["rank", "state_label", "raised"]
    head.focus()
    page.keyboard.press("Alt+Shift+ArrowLeft")
    assert page.evaluate(order)[1:4] == ["rank", "raised", "state_label"]
    head.drag_to(page.locator("#alarm-grid [role=columnheader][data-col=label]"))
    assert page.evaluate(order)[3:5] == ["name", "label"]


def test_two_thousand_lines_are_drawn_as_they_come_in_sight(open_screen: Open) -> None:
    page = opened(open_screen)
    page.mouse.move(700, 20)
    page.evaluate(MANY, [2000, True])
    grid = page.get_by_role("grid")
    expect(grid).to_have_attribute("aria-rowcount", str(2000 + len(FAULTS) + 1))
    assert page.locator(ROWS).count() < 60
    page.locator(f"{ROWS} [data-col=label]").first.click()
    page.keyboard.press("Control+End")
    last = page.locator(f'{ROWS}[data-row="901999"]')
    expect(last).to_be_in_viewport()
    assert page.evaluate(FOCUS)[0] == "901999"
    assert page.locator(ROWS).count() < 60
    # Who scrolls away with the wheel still is where the focus is.
    page.eval_on_selector("#alarm-grid .grid-sheet", "(sheet) => (sheet.scrollTop = 0)")
    expect(page.locator(f"{ROWS}[aria-rowindex='2']")).to_be_in_viewport()
    assert page.evaluate(FOCUS)[0] == "901999"
    page.keyboard.press("ArrowUp")
    assert page.evaluate(FOCUS)[0] == "901998"
    # What is selected is all of it, whatever is drawn; the filter leaves what it finds.
    page.keyboard.press("Control+a")
    expect(page.locator("#alarms-selected")).to_contain_text("2,0")
    page.fill("#alarms-filter", "Thing 1999")
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page.locator("#alarms-selected")).to_have_text("Acknowledge 1 visible alarm")


def test_line_that_is_told_anew_stays_where_it_is_with_its_focus(open_screen: Open) -> None:
    page = opened(open_screen)
    page.locator("#alarm-grid [role=columnheader][data-col=state_label]").click()
    page.locator(f"{ROWS} [data-col=name]").nth(2).click(position={"x": 110, "y": 20})
    before, focus = names(page), page.evaluate(FOCUS)
    # It is acknowledged elsewhere: sorted by state it would go elsewhere.
    page.evaluate(
        """(id) => hv.takeRows({ full: false, gone: [], rows: [
             { ...hv.rowOf(id), waiting: false, state_label: "Zzz", by: "engineer", order: 1e17 }] })""",
        focus[0],
    )
    expect(page.locator(f'{ROWS}[data-row="{focus[0]}"] [data-col=state_label]')).to_have_text("Zzz · engineer")
    assert (names(page), page.evaluate(FOCUS)) == (before, focus)
    page.mouse.move(700, 20)
    page.locator("#alarms-comment").focus()
    expect(page.locator(f'{ROWS}[data-row="{focus[0]}"]')).to_have_attribute("aria-rowindex", str(len(FAULTS) + 1))


def test_choice_is_a_named_set_of_radio_buttons_moved_by_arrows(open_screen: Open) -> None:
    page = opened(open_screen, language="fr")
    group = page.get_by_role("radiogroup", name="Regrouper")
    chosen = group.get_by_role("radio", checked=True)
    expect(chosen).to_have_count(1)
    expect(group.get_by_role("radio")).to_have_count(4)
    # What is chosen in the first instants is taken for what the page showed.
    page.wait_for_function("window.hv.knows('alarms-group')")
    chosen.focus()
    page.keyboard.press("ArrowRight")
    expect(group.locator("input:checked")).to_have_value("district")
    expect(page.locator("#alarm-grid .line-group")).to_have_count(2)
    page.wait_for_url("**alarms-group=district")
