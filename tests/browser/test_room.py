"""Search, keys, saved views, deep links, trends, the quality of alarms, sound and the wall, as an operator uses them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.fake_town import FAULTS, PASSWORD, Town
from tests.browser.steps import Open, clear, ring, states

PRESSURE, LAMP = "water-004/water/pressure", "lighting-005/lighting/lamp_state"


@pytest.fixture(autouse=True)
def _calm(town: Town) -> Iterator[None]:
    clear(town)
    yield
    clear(town)


def test_asset_is_found_by_keyboard_alone(open_screen: Open) -> None:
    page = open_screen("viewer").page
    page.keyboard.press("/")
    field = page.locator("#room-find-input")
    expect(field).to_be_focused()
    field.type("conten 003")
    option = page.locator("#room-find [role=option]").first
    expect(option).to_contain_text("waste-003")
    expect(option).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    page.wait_for_selector('[data-page="/asset/waste-003"]')
    expect(page.locator("#room-search")).not_to_be_visible()


def test_place_leads_to_what_stands_there_and_nothing_says_so(open_screen: Open) -> None:
    page = open_screen("viewer", language="en").page
    page.click(".tool-search")
    field = page.locator("#room-find-input")
    field.fill("quai")
    page.locator("#room-find [role=option]", has_text="Place").first.click()
    expect(field).to_have_value("quai du Canal")
    expect(page.locator("#room-find [role=option]", has_text="Asset").first).to_be_visible()
    field.fill("xyzzy")
    expect(page.locator("#room-find-status")).to_have_text("Nothing fits.")


def test_keys_lead_to_pages_are_listed_and_can_be_turned_off(open_screen: Open) -> None:
    page = open_screen("operator", language="en").page
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.wait_for_selector('[data-page="/quality"]')
    page.keyboard.press("?")
    keys = page.locator("#room-keys")
    expect(keys).to_contain_text("go to: Alarm quality")
    page.click("#room-shortcuts")
    expect(page.locator("#room-shortcuts")).to_have_text("Turn the shortcuts on")
    page.keyboard.press("Escape")
    expect(keys).not_to_be_visible()
    for key in ("g", "a", "/"):
        page.keyboard.press(key)
    page.wait_for_timeout(500)
    assert page.url.endswith("/quality")
    expect(page.locator("#room-search")).not_to_be_visible()
    # The button still leads there, and back.
    page.click(".tool-keys")
    page.click("#room-shortcuts")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#room-search")).to_be_visible()


def test_worst_alarm_is_acknowledged_by_one_key_from_any_page(open_screen: Open, town: Town) -> None:
    screen = open_screen("operator", at="/health")
    ring(town)
    expect(screen.page.locator("#frame-banner [data-ack]")).to_be_visible()
    screen.page.wait_for_timeout(1200)
    screen.page.keyboard.press("Shift+A")
    expect(screen.page.locator(".banner-none")).to_be_visible()
    assert states(town, "waste-007") == {"ACKED"}


def test_filter_stands_in_the_address_and_a_link_brings_it_back(open_screen: Open, town: Town) -> None:
    town.collector.read(FAULTS)
    screen = open_screen("viewer", at="/alarms")
    screen.page.fill("#alarms-filter", "Conteneur")
    screen.page.wait_for_url("**/alarms?alarms-filter=Conteneur")
    address = screen.page.url
    # Also for who must log in first.
    other = open_screen()
    other.page.goto(address)
    other.page.fill("#user", "viewer")
    other.page.fill("#password", PASSWORD)
    other.page.press("#password", "Enter")
    other.page.wait_for_url("**/alarms?alarms-filter=Conteneur")
    expect(other.page.locator("#alarms-filter")).to_have_value("Conteneur")
    expect(other.page.locator("#alarm-grid .line")).to_have_count(2)
    other.page.goto(f"{town.base}/map?map-filter=all&map-domain=water")
    expect(other.page.locator("#map-filter input:checked")).to_have_attribute("value", "all")
    expect(other.page.locator("#map-domain input:checked")).to_have_attribute("value", "water")


def test_view_is_saved_and_opened_by_its_name(open_screen: Open, town: Town) -> None:
    town.collector.read(FAULTS)
    screen = open_screen("operator", at="/alarms", language="en")
    page = screen.page
    page.fill("#alarms-filter", "lighting")
    page.wait_for_url("**alarms-filter=lighting")
    page.click(".tool-views")
    page.fill("#room-view-name", 'Lamps <b>"night"</b>')
    page.check("#room-view-shared")
    page.press("#room-view-name", "Enter")
    view = page.locator("#room-views li", has_text='Lamps <b>"night"</b>')
    expect(view).to_be_visible()
    page.keyboard.press("Escape")
    other = open_screen("viewer", language="en").page
    other.click(".tool-views")
    other.locator("#room-views li a", has_text="Lamps").click()
    other.wait_for_selector('[data-page="/alarms"]')
    expect(other.locator("#alarms-filter")).to_have_value("lighting")
    page.click(".tool-views")
    view.locator("button").click()
    expect(view).to_have_count(0)


def test_trends_of_two_assets_are_chosen_noted_and_restored_by_their_address(open_screen: Open, town: Town) -> None:
    screen = open_screen("operator", at="/trends", language="en")
    page = screen.page
    for asked, number in (("water-004 pressure", 1), ("lighting-005 lamp", 2)):
        page.fill("#trend-pick-input", asked)
        page.locator("#trend-pick [role=option]").first.wait_for()
        page.keyboard.press("Enter")
        expect(page.locator(".trend[data-series]")).to_have_count(number)
    page.click(".trend-set .choices a >> text=1 h")
    page.wait_for_url("**range=hour")
    page.click(".trend-note-place summary")
    page.fill("#trend-note-text", '<img src=x onerror="alert(1)">=1+1')
    page.fill("#trend-note-thing", "water-004")
    page.keyboard.press("Enter")
    expect(page.locator(".trend-set .table", has_text="onerror")).to_be_visible()
    assert page.locator(".trend-set img").count() == 0
    page.reload()
    expect(page.locator(f'.trend[data-series="{PRESSURE}"]')).to_be_visible()
    expect(page.locator(f'.trend[data-series="{LAMP}"]')).to_be_visible()
    expect(page.locator(".choice.is-on", has_text="1 h")).to_be_visible()
    expect(page.locator(".trend-set .table", has_text="onerror")).to_contain_text("operator")
    page.click("[data-note-remove]")
    expect(page.locator("[data-note-remove]")).to_have_count(0)
    page.locator(f'.trend[data-series="{LAMP}"] .trend-remove').click()
    expect(page.locator(".trend[data-series]")).to_have_count(1)
    page.fill("#trend-from", "yesterday")
    page.press("#trend-from", "Enter")
    expect(page.locator(".trend-set [role=alert]")).to_contain_text("Not a time: yesterday")


def test_quality_names_the_aim_of_each_figure_and_leads_to_the_asset(open_screen: Open, town: Town) -> None:
    town.collector.read(FAULTS)
    screen = open_screen("viewer", at="/quality", language="en")
    rate = screen.page.locator('[data-figure="rate"]')
    expect(rate).to_contain_text("aim: at most 1")
    expect(screen.page.locator('[data-figure="standing"] .kpi-value')).to_have_text(str(len(FAULTS)))
    screen.page.click(".choices a >> text=7 days")
    screen.page.wait_for_url("**/quality?span=7d")
    expect(screen.page.locator(".choice.is-on")).to_contain_text("7 days")
    screen.page.locator(".kpi-set a[href='/asset/waste-003']").first.click()
    screen.page.wait_for_selector('[data-page="/asset/waste-003"]')


def test_no_plotly_comes_where_no_chart_is_drawn(open_screen: Open) -> None:
    screen = open_screen("viewer")
    asked: list[str] = []
    screen.page.on("request", lambda request: asked.append(request.url))
    screen.go("/quality")
    screen.page.wait_for_selector(".kpi")
    assert [url for url in asked if "plotly" in url] == []


# As browsers do it that wait for a gesture; whether this one does depends on how it was started.
BLOCKED = """
const resume = AudioContext.prototype.resume;
let touched = false;
addEventListener("pointerdown", () => (touched = true), true);
Object.defineProperty(AudioContext.prototype, "state", { get: () => (touched ? "running" : "suspended") });
AudioContext.prototype.resume = function () { return touched ? resume.call(this) : new Promise(() => {}); };
"""


def test_sound_is_repeated_until_somebody_acknowledges(open_screen: Open, town: Town) -> None:
    screen = open_screen("operator", language="en")
    page = screen.page
    page.add_init_script(BLOCKED)
    page.clock.install()
    page.reload()
    # Nobody has touched this page yet: its sound is blocked, and it says so.
    badge = page.locator("#sound-badge")
    expect(badge).to_be_visible()
    badge.click()
    expect(badge).not_to_be_visible()
    ring(town)
    page.wait_for_function("() => window.hv.heard.filter((one) => one.priority === 'critical').length >= 2")
    page.locator("#frame-banner [data-ack]").click()
    expect(page.locator(".banner-none")).to_be_visible()
    expect(page.locator(".counters .sym-waiting")).to_have_count(0)
    n = page.evaluate("() => window.hv.heard.length")
    # Three turns of a critical one.
    page.clock.run_for(10_000)
    assert page.evaluate("() => window.hv.heard.length") == n
    page.click(".tool-sound")
    page.click("[data-sound-test=low]")
    page.wait_for_function("() => window.hv.heard.at(-1).priority === 'low'")


def test_wall_turns_its_pages_and_nothing_on_it_can_be_pressed(open_screen: Open, town: Town) -> None:
    ring(town)
    screen = open_screen("operator", language="en")
    page = screen.page
    page.clock.install()
    page.goto(f"{town.base}/?wall=1&pages=/,/alarms&every=10")
    page.wait_for_selector('[data-page="/"]')
    expect(page.locator(".rail")).not_to_be_visible()
    expect(page.locator("#frame-banner .banner-label")).to_be_visible()
    expect(page.locator("#frame-banner [data-ack]")).not_to_be_visible()
    assert page.evaluate("() => getComputedStyle(document.querySelector('.main')).cursor") == "none"
    page.evaluate("() => document.querySelector('#frame-banner [data-ack]').click()")
    page.keyboard.press("Shift+A")
    page.keyboard.press("/")
    page.clock.fast_forward(10_000)
    page.wait_for_selector('[data-page="/alarms"]')
    assert "wall=1" in page.url
    page.clock.fast_forward(10_000)
    page.wait_for_selector('[data-page="/"]')
    assert states(town, "waste-007") == {"UNACK"}
    assert page.evaluate("() => document.documentElement.scrollHeight <= innerHeight")


def test_first_filter_on_a_page_that_was_just_opened_stays(open_screen: Open, town: Town) -> None:
    """The component of the address gave the one of before back, and the filter with it."""
    town.collector.read(FAULTS)
    screen = open_screen("viewer", at="/alarms")
    screen.page.fill("#alarms-filter", "Conteneur")
    screen.page.wait_for_url("**/alarms?alarms-filter=Conteneur")
    screen.page.wait_for_timeout(1500)
    assert screen.page.url.endswith("/alarms?alarms-filter=Conteneur")
    expect(screen.page.locator("#alarms-filter")).to_have_value("Conteneur")
