"""One asset, the map, a gap, rejected messages: what each screen shows and lets do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from hypervision.store import outages
from hypervision.store.connection import connect, url_of
from tests.browser.conftest import PATIENCE
from tests.browser.fake_town import Town
from tests.browser.steps import Open, clear, ring

# It adds Things, one of a hostile name, and an outage.
OWN_TOWN = True


def test_pole_with_a_colon_and_two_domains_is_found_everywhere(
    open_screen: Open, town: Town, wait_until: Callable[..., None]
) -> None:
    from hypervision.store.connection import connect, url_of
    from hypervision.store.registry import NewThing, register_things

    clear(town)
    with connect(url_of(town.settings), application="test") as connection:
        thing = NewThing("dev:eui:01", "Mât 1", "lighting", longitude=5.03, latitude=47.32)
        register_things(connection, [thing], now=datetime.now(UTC))
    town.collector.read({("lighting", "dev:eui:01", "voltage"): 230.0, ("waste", "dev:eui:01", "temperature"): 90.0})
    screen = open_screen("operator", at="/alarms")
    screen.page.click('#alarm-grid .cell-asset:has-text("Mât 1")')
    screen.ready("/asset/dev:eui:01")
    expect(screen.page).to_have_title("Mât 1 · Hypervision")
    expect(screen.page.locator("html")).to_have_attribute("data-feed", "live")
    screen.page.goto(f"{town.base}/asset/dev%3Aeui%3A01")
    screen.ready("/asset/dev:eui:01")
    expect(screen.page.locator("#asset-values")).to_contain_text("Tension")
    screen.go("/map?domain=waste&asset=dev:eui:01")
    expect(screen.page.locator('#map-list li[data-code="dev:eui:01"]')).to_be_visible()
    marks = "name => document.querySelector('#map-graph .js-plotly-plot')?.data?.find(t => t.name === name)?.customdata"
    wait_until(lambda: "dev:eui:01" in (screen.page.evaluate(marks, "critical") or []))
    expect(screen.page.locator("#map-card .card-name")).to_have_attribute("href", "/asset/dev:eui:01")
    screen.page.click("#map-domain label:has-text('Éclairage')")
    wait_until(lambda: screen.page.evaluate(marks, "critical") == [])
    wait_until(lambda: "dev:eui:01" in (screen.page.evaluate(marks, "place") or []))
    town.collector.read({("waste", "dev:eui:01", "temperature"): 15.0})
    clear(town)


def test_map_shows_marks_without_any_foreign_host_and_a_card(
    open_screen: Open, town: Town, wait_until: Callable[..., None]
) -> None:
    clear(town)
    ring(town, "waste-020")
    screen = open_screen("operator", at="/map")
    expect(screen.page.locator('#map-list li[data-code="waste-020"]')).to_be_visible()
    marks = (
        "document.querySelector('#map-graph .js-plotly-plot')?.data?.find(t => t.name === 'critical')?.customdata ?? []"
    )
    wait_until(lambda: "waste-020" in screen.page.evaluate(marks))
    screen.go("/map?asset=waste-020")
    expect(screen.page.locator("#map-card .card-name")).to_have_text("Conteneur 20")
    # The card says what the page of the asset says, with age and quality, and goes on saying it.
    values = screen.page.locator("#map-card-values")
    expect(values).to_contain_text("Température")
    expect(values).to_contain_text("91\u00a0°C")
    expect(values).to_contain_text("bonne")
    expect(values.locator(".age[data-stale][data-late]").first).to_be_visible()
    town.collector.read({("waste", "waste-020", "temperature"): 93.0})
    expect(values).to_contain_text("93\u00a0°C")


def test_asset_page_shows_age_limits_and_trends(open_screen: Open, town: Town) -> None:
    screen = open_screen("operator", at="/asset/water-003", language="en")
    screen.page.wait_for_selector(".chart .js-plotly-plot", timeout=20_000)
    values = screen.page.inner_text("#asset-values")
    assert "Pressure" in values
    assert "< 1.50\u00a0bar" in values
    assert "good" in values
    screen.page.click("#asset-range label:has-text('1 h')")
    screen.page.wait_for_selector(".chart, .asset-trends .empty")


def test_gap_in_a_chart_is_hatched_and_says_what_it_is_under_the_pointer(
    open_screen: Open, town: Town, wait_until: Callable[..., None]
) -> None:
    ended = datetime.now(UTC) - timedelta(hours=3)
    with connect(url_of(town.settings), application="test") as connection:
        outages.put(connection, "collector-1/1", outages.Outage("broker", ended - timedelta(hours=5), ended))
    screen = open_screen("operator", at="/asset/water-003", language="en")
    chart = screen.page.locator(".chart").first
    expect(chart.locator(".annotation-text", has_text="Broker away").first).to_be_visible()

    def pointed() -> bool:
        # A chart that is drawn anew has no plane for a moment, and forgets the pointer.
        place = chart.locator(".nsewdrag").first.bounding_box()
        if place is None:
            return False
        # The band lies from eight to three hours ago on a chart of a day.
        across, down = place["x"] + place["width"] * 18.5 / 24, place["y"] + place["height"] * 0.9
        screen.page.mouse.move(across - 3, down)
        screen.page.mouse.move(across, down)
        layer = chart.locator(".hoverlayer")
        return layer.count() > 0 and "Broker away" in (layer.first.text_content() or "")

    wait_until(pointed, seconds=PATIENCE, tell=lambda: "the hatched band does not say what it is under the pointer")
    chart.locator("summary").click()
    expect(chart.locator("details")).to_contain_text("Broker away")
    screen.go("/health")
    expect(screen.page.locator("#health-gaps")).to_contain_text("Broker away", timeout=20_000)


def test_names_with_markup_are_shown_as_text(open_screen: Open, town: Town) -> None:
    from hypervision.store.connection import connect, url_of
    from hypervision.store.registry import NewThing, register_things

    nasty = '<img src=x onerror="window.hit=1"><b>bold</b>'
    with connect(url_of(town.settings), application="test") as connection:
        thing = NewThing("nasty-1", nasty, "waste", longitude=5.03, latitude=47.32, place=nasty)
        register_things(connection, [thing], now=datetime.now(UTC))
    town.collector.read({("waste", "nasty-1", "temperature"): 99.0})
    screen = open_screen("operator")
    for path in ("/", "/alarms", "/map?asset=nasty-1", "/asset/nasty-1"):
        screen.page.goto(town.base + path)
        screen.page.wait_for_selector(f"text={nasty}", timeout=15_000)
        assert screen.page.evaluate("window.hit") is None
    town.collector.read({("waste", "nasty-1", "temperature"): 15.0})
    clear(town)


def test_engineer_finds_a_reason_replays_its_messages_and_is_told_what_was_refused_again(
    open_screen: Open, town: Town
) -> None:
    at = (datetime.now(UTC) - timedelta(minutes=3)).isoformat()
    topic = "urban/v1/water/water-006/up"
    town.collector.refuse(
        (topic, b'{"time": "%s", "pressure": 3.4}' % at.encode(), "unknown_property"),
        (topic, b'{"time": "%s", "nonsense": 1}' % at.encode(), "unknown_property"),
        (topic, b'<img src="x" onerror="alert(1)">', "malformed"),
    )
    with town.client("operator") as client:
        assert client.get("/rejected").status_code == 403
    screen = open_screen("engineer", at="/health", language="en")
    page = screen.page
    page.locator(".panel-head a[href='/rejected']").focus()
    page.keyboard.press("Enter")
    screen.ready("/rejected")
    expect(page.locator(".payload", has_text="<img src=")).to_be_visible()
    assert page.locator("#rejected-set img").count() == 0
    page.evaluate("window.kept = true")
    page.locator("a.facet", has_text="Unknown property").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".rejected-remedy")).to_contain_text("add the property to the domain")
    rows = page.locator("#rejected-set .table tbody tr")
    expect(rows).to_have_count(2)
    assert "reason=unknown_property" in page.url
    page.locator("[data-rejected-replay]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#rejected-question")).to_have_text("Replay 2 messages?")
    page.locator("[data-rejected-go]").focus()
    page.keyboard.press("Enter")
    said = page.locator("#rejected-said")
    expect(said).to_contain_text("2 sent again: 1 stored, 1 refused again.", timeout=15_000)
    expect(said).to_contain_text("Unknown property 1")
    expect(rows).to_have_count(1)
    page.fill("#rejected-thing", "water-007")
    page.press("#rejected-thing", "Enter")
    expect(page.locator(".rejected-none")).to_contain_text("No rejected message fits this selection.")
    # All that without loading the page anew.
    assert page.evaluate("window.kept") is True
