"""An operator's shift: log in, see an alarm come, acknowledge it, change the language, notice a dead feed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Route, expect

from hypervision.store import outages
from hypervision.store.connection import connect, url_of
from tests.browser.conftest import Screen
from tests.browser.fake_town import Collector, Town

STALE_WITHIN = 5_000
# Texts on the screen that are not greyed, besides those that tell of the link, lead elsewhere or are the operator's.
UNMARKED = """() => {
  const walker = document.createTreeWalker(document.querySelector(".frame"), NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const free = node.closest("#lost, #frame-feed, .clocks, .tools, .rail, .skip, #texts");
    if (free || !walker.currentNode.textContent.trim()) continue;
    let marked = false;
    for (let up = node; up; up = up.parentElement) marked ||= getComputedStyle(up).filter.includes("grayscale");
    if (!marked) found.push(walker.currentNode.textContent);
  }
  return found;
}"""
Open = Callable[..., Screen]


def _clear(town: Town) -> None:
    """Nothing is wrong and nothing waits."""
    town.collector.read(town.collector.normal())
    with town.session("administrator") as client:
        for alarm in client.get("/api/v1/alarms", params={"open": "true"}).json()["rows"]:
            client.post(f"/api/v1/alarms/{alarm['id']}/acknowledge", json={})


def _raise(town: Town, thing: str = "waste-007", value: float = 91.0) -> None:
    town.collector.read({("waste", thing, "temperature"): value})


def _states(town: Town, thing: str) -> set[str]:
    with town.session("viewer") as client:
        return {
            row["state"] for row in client.get("/api/v1/alarms", params={"open": "true", "thing": thing}).json()["rows"]
        }


def test_log_in_page_refuses_a_wrong_password_and_opens_the_asked_page(open_screen: Open, town: Town) -> None:
    screen = open_screen()
    screen.page.goto(f"{town.base}/alarms")
    expect(screen.page).to_have_url(f"{town.base}/login?next=/alarms")
    screen.page.fill("#user", "operator")
    screen.page.fill("#password", "not the password")
    screen.page.press("#password", "Enter")
    expect(screen.page.locator("#error")).to_have_text("Utilisateur ou mot de passe incorrect.")
    screen.page.fill("#password", "quatre mots pour entrer")
    screen.page.press("#password", "Enter")
    expect(screen.page).to_have_url(f"{town.base}/alarms")
    screen.ready("/alarms")


def test_alarm_appears_live_within_two_seconds(open_screen: Open, town: Town) -> None:
    _clear(town)
    screen = open_screen("operator")
    expect(screen.page.locator(".banner-none")).to_be_visible()
    started = time.monotonic()
    _raise(town)
    screen.page.wait_for_selector(".banner-critical", timeout=5_000)
    seen = time.monotonic() - started
    assert "Feu de conteneur" in screen.page.inner_text(".banner-critical")
    assert "91\u00a0°C > 65\u00a0°C" in screen.page.inner_text(".banner-critical")
    assert seen < 2.0
    target = screen.page.locator(".thumb-mark a").first.bounding_box()
    assert target is not None
    assert min(target["width"], target["height"]) >= 24


def test_banner_acknowledges_in_one_action_from_any_page(open_screen: Open, town: Town) -> None:
    _clear(town)
    _raise(town, "waste-008")
    screen = open_screen("operator")
    screen.go("/health")
    screen.page.click(".banner-critical .btn-ack")
    expect(screen.page.locator(".banner-none")).to_be_visible()
    assert _states(town, "waste-008") == {"ACKED"}
    with town.session("viewer") as client:
        row = client.get("/api/v1/alarms", params={"thing": "waste-008"}).json()["rows"][0]
    assert row["acknowledged_by"] == "operator"


def test_table_acknowledges_in_two_actions_by_mouse_and_key(open_screen: Open, town: Town) -> None:
    _clear(town)
    _raise(town, "waste-009")
    screen = open_screen("operator")
    screen.go("/alarms")
    screen.page.click('#alarm-grid [col-id="label"]:has-text("Feu de conteneur")')
    expect(screen.page.locator("#alarms-selected")).to_have_text("Acquitter 1 alarme visible")
    screen.page.keyboard.press("a")
    expect(screen.page.locator(".banner-none")).to_be_visible()
    assert _states(town, "waste-009") == {"ACKED"}


def test_bulk_acknowledges_only_what_is_selected_and_visible(open_screen: Open, town: Town) -> None:
    _clear(town)
    for thing in ("waste-010", "waste-012", "waste-013"):
        _raise(town, thing)
    screen = open_screen("operator")
    screen.go("/alarms")
    boxes = screen.page.locator("#alarm-grid .ag-row .ag-checkbox-input")
    expect(boxes).to_have_count(3)
    for i in range(3):
        boxes.nth(i).check()
    expect(screen.page.locator("#alarms-selected")).to_have_text("Acquitter 3 alarmes visibles")
    screen.page.fill("#alarms-filter", "Conteneur 12")
    expect(screen.page.locator("#alarms-selected")).to_have_text("Acquitter 1 alarme visible")
    screen.page.fill("#alarms-comment", "équipe prévenue")
    screen.page.click("#alarms-acknowledge")
    expect(screen.page.locator(".toast")).to_be_visible()
    assert [_states(town, t) for t in ("waste-010", "waste-012", "waste-013")] == [{"UNACK"}, {"ACKED"}, {"UNACK"}]
    with town.session("viewer") as client:
        alarm = client.get("/api/v1/alarms", params={"thing": "waste-012"}).json()["rows"][0]["id"]
        steps = client.get(f"/api/v1/alarms/{alarm}/transitions").json()["rows"]
    assert (steps[-1]["actor"], steps[-1]["comment"]) == ("operator", "équipe prévenue")
    # The comment was for that alarm alone.
    expect(screen.page.locator("#alarms-comment")).to_have_value("")


def test_bulk_tells_how_many_were_acknowledged_when_the_rest_fails(open_screen: Open, town: Town) -> None:
    _clear(town)
    for thing in ("waste-010", "waste-012", "waste-013"):
        _raise(town, thing)
    screen = open_screen("operator")
    screen.go("/alarms")
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 3:
            route.fulfill(status=503, json={"detail": "the database does not answer: try again in a moment"})
        elif len(asked) == 4:
            route.abort()
        else:
            route.continue_()

    screen.page.route("**/acknowledge", answer)
    boxes = screen.page.locator("#alarm-grid .ag-row .ag-checkbox-input")
    expect(boxes).to_have_count(3)
    for i in range(3):
        boxes.nth(i).check()
    screen.page.fill("#alarms-comment", "vu")
    screen.page.click("#alarms-acknowledge")
    expect(screen.page.locator(".toast")).to_have_text("Acquittées : 2 sur 3. La base de données ne répond pas.")
    # What failed stays selected, with its comment.
    expect(screen.page.locator("#alarms-selected")).to_have_text("Acquitter 1 alarme visible")
    expect(screen.page.locator("#alarms-comment")).to_have_value("vu")
    screen.page.click("#alarms-acknowledge")
    expect(screen.page.locator(".toast-bad").last).to_contain_text("vérifier l’état de l’alarme")
    screen.page.click("#alarms-acknowledge")
    expect(screen.page.locator(".banner-none")).to_be_visible()
    expect(screen.page.locator("#alarms-comment")).to_have_value("")


def test_banner_holds_still_under_the_pointer_and_a_click_meant_for_another_alarm_does_nothing(
    open_screen: Open, town: Town
) -> None:
    _clear(town)
    town.collector.read({("waste", "waste-011", "fill"): 97.0})
    screen = open_screen("operator")
    screen.page.hover(".banner-medium .btn-ack")
    _raise(town, "waste-017")
    expect(screen.page.locator("#frame-banner.is-held")).to_be_visible()
    expect(screen.page.locator(".counter .sym-critical:not(.sym-quiet)")).to_be_visible()
    expect(screen.page.locator(".banner-label")).to_have_text("Conteneur plein")
    screen.page.mouse.move(700, 500)
    expect(screen.page.locator(".banner-label")).to_have_text("Feu de conteneur")
    # What follows one's own acknowledgement comes at once; the second click of a double one is not meant for it.
    screen.page.evaluate(
        "new MutationObserver(() => { const b = document.querySelector('.banner-medium .btn-ack'); b && b.click(); })"
        ".observe(document.getElementById('frame-banner'), {childList: true, subtree: true, attributes: true})"
    )
    screen.page.click(".banner-critical .btn-ack")
    expect(screen.page.locator(".toast-bad").first).to_contain_text("relire avant d’acquitter")
    assert _states(town, "waste-017") == {"ACKED"}
    assert _states(town, "waste-011") == {"UNACK"}


def test_rows_of_a_page_that_was_left_do_not_come_back(open_screen: Open, town: Town) -> None:
    _clear(town)
    _raise(town, "waste-012")
    screen = open_screen("operator")
    screen.page.evaluate(
        "window.hv.takeRows({page: '/alarms', full: true, gone: [], rows: [{id: '999999', name: 'old', letter: 'C'}]})"
    )
    screen.page.click('.rail-link[href="/alarms"]')
    rows = screen.page.locator("#alarm-grid .ag-center-cols-container .ag-row")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Conteneur 12")
    # A row that is told now comes, and comes alone.
    _raise(town, "waste-013")
    expect(rows).to_have_count(2)


def test_filter_finds_what_the_eye_reads_and_nothing_else(open_screen: Open, town: Town) -> None:
    _clear(town)
    _raise(town, "waste-012")
    screen = open_screen("operator")
    screen.go("/alarms")
    rows = screen.page.locator("#alarm-grid .ag-center-cols-container .ag-row")
    expect(rows).to_have_count(1)
    with town.session("viewer") as client:
        raised = client.get("/api/v1/alarms", params={"thing": "waste-012"}).json()["rows"][0]["raised_at"]
    hidden = str(int(datetime.fromisoformat(raised).timestamp() * 1000))
    for text, found in ((hidden[:6], 0), ("Conteneur 12", 1), ("critique", 1), ("sans rapport", 0)):
        screen.page.fill("#alarms-filter", text)
        expect(rows, text).to_have_count(found)


def test_new_rows_wait_while_the_pointer_is_in_the_table(open_screen: Open, town: Town) -> None:
    _clear(town)
    _raise(town, "waste-014")
    screen = open_screen("operator")
    screen.go("/alarms")
    rows = screen.page.locator("#alarm-grid .ag-center-cols-container .ag-row")
    expect(rows).to_have_count(1)
    screen.page.hover('#alarm-grid [col-id="label"]:has-text("Feu de conteneur")')
    _raise(town, "waste-015")
    expect(screen.page.locator("#alarms-queued")).to_be_visible()
    expect(rows).to_have_count(1)
    screen.page.mouse.move(700, 20)
    expect(rows).to_have_count(2)


def test_language_changes_without_losing_page_selection_filter_and_comment(open_screen: Open, town: Town) -> None:
    _clear(town)
    for thing in ("waste-016", "waste-017"):
        _raise(town, thing)
    screen = open_screen("operator")
    screen.go("/alarms")
    boxes = screen.page.locator("#alarm-grid .ag-row .ag-checkbox-input")
    expect(boxes).to_have_count(2)
    for i in range(2):
        boxes.nth(i).check()
    expect(screen.page.locator("#alarms-selected")).to_have_text("Acquitter 2 alarmes visibles")
    screen.page.fill("#alarms-filter", "Conteneur 16")
    screen.page.fill("#alarms-comment", "à suivre")
    expect(screen.page.locator("#alarms-selected")).to_have_text("Acquitter 1 alarme visible")
    # The button never counts more than what was selected and visible, not for one moment.
    screen.page.evaluate(
        "window.counts = []; new MutationObserver(() => window.counts.push("
        "document.getElementById('alarms-selected')?.textContent))"
        ".observe(document.body, {childList: true, subtree: true, characterData: true})"
    )
    screen.page.click("[data-language-switch]")
    expect(screen.page.locator("#alarms-selected")).to_have_text("Acknowledge 1 visible alarm")
    assert [text for text in screen.page.evaluate("window.counts") if text and " 2 " in text] == []
    expect(screen.page).to_have_url(f"{town.base}/alarms")
    expect(screen.page.locator("#alarms-filter")).to_have_value("Conteneur 16")
    expect(screen.page.locator("#alarms-comment")).to_have_value("à suivre")
    expect(screen.page.locator("#alarm-grid .ag-center-cols-container .ag-row")).to_have_count(1)
    assert screen.page.evaluate("document.documentElement.lang") == "en"
    expect(screen.page.locator(".banner-label")).to_have_text("Bin fire")
    # A comment is for these alarms now: it is not waiting on the next visit.
    screen.page.click('.rail-link[href="/"]')
    screen.page.click('.rail-link[href="/alarms"]')
    expect(screen.page.locator("#alarms-comment")).to_have_value("")
    expect(screen.page.locator("#alarms-filter")).to_have_value("")
    screen.page.reload()
    screen.ready("/alarms")
    expect(screen.page.locator(".banner-label")).to_have_text("Bin fire")


def test_language_changes_without_losing_period_and_map_choices(open_screen: Open, town: Town) -> None:
    _clear(town)
    screen = open_screen("operator")
    screen.go("/asset/water-003")
    screen.page.click("#asset-range label:has-text('7')")
    screen.page.click("[data-language-switch]")
    expect(screen.page.locator("#asset-range label:has-text('7\u00a0d')")).to_be_visible()
    expect(screen.page.locator("#asset-range input:checked")).to_have_value("week")
    screen.go("/map?asset=water-003")
    screen.page.click("#map-domain label:has-text('Water')")
    expect(screen.page.locator("#map-card-values")).to_contain_text("Pressure")
    screen.page.click("[data-language-switch]")
    expect(screen.page.locator("#map-filter label:has-text('Anormaux')")).to_be_visible()
    expect(screen.page.locator("#map-domain input:checked")).to_have_value("water")
    expect(screen.page.locator("#map-filter input:checked")).to_have_value("all")
    expect(screen.page.locator("#map-card .card-name")).to_have_text("Capteur réseau 3")
    expect(screen.page.locator("#map-card-values")).to_contain_text("Pression")


def test_screen_turns_stale_when_the_collector_dies_and_recovers(open_screen: Open, town: Town) -> None:
    screen = open_screen("operator")
    screen.go("/asset/water-003")
    expect(screen.page.locator("html")).to_have_attribute("data-feed", "live")
    assert screen.page.evaluate(UNMARKED) != []
    town.collector.stop()
    stopped = datetime.now(UTC)
    try:
        screen.page.wait_for_selector('html[data-feed="lost"][data-cause="collector"]', timeout=STALE_WITHIN)
        assert (datetime.now(UTC) - stopped).total_seconds() < STALE_WITHIN / 1000
        expect(screen.page.locator(".lost-collector")).to_be_visible()
        # What is added later is marked too, wherever in the page or the top it stands.
        screen.page.evaluate(
            "for (const place of ['.page-inner', '.top', '.top-row', '.status'])"
            " document.querySelector(place).append(Object.assign(document.createElement('p'), {textContent: 'later'}))"
        )
        assert screen.page.evaluate(UNMARKED) == []
    finally:
        town.collector = Collector(town.settings)
    screen.page.wait_for_selector('html[data-feed="live"]', timeout=STALE_WITHIN)


def test_screen_turns_stale_when_the_database_is_away_and_recovers(open_screen: Open, town: Town) -> None:
    screen = open_screen("operator")
    screen.page.wait_for_selector('html[data-feed="live"]')
    with town.dead_database():
        screen.page.wait_for_selector('html[data-feed="lost"][data-cause="database"]', timeout=STALE_WITHIN)
        expect(screen.page.locator(".lost-database")).to_be_visible()
    screen.page.wait_for_selector('html[data-feed="live"]', timeout=20_000)


def test_screen_turns_stale_when_the_server_stops_answering(open_screen: Open, town: Town) -> None:
    screen = open_screen("operator")
    expect(screen.page.locator("html")).to_have_attribute("data-feed", "live")
    os.kill(town.server.pid, signal.SIGSTOP)
    try:
        screen.page.wait_for_selector('html[data-feed="lost"][data-cause="link"]', timeout=STALE_WITHIN)
        expect(screen.page.locator("#lost")).to_contain_text("Liaison avec le serveur perdue")
    finally:
        os.kill(town.server.pid, signal.SIGCONT)
    screen.page.wait_for_selector('html[data-feed="live"]', timeout=15_000)


def test_polling_tells_the_same_when_no_socket_opens(open_screen: Open, town: Town) -> None:
    _clear(town)
    screen = open_screen()
    screen.context.route_web_socket("**/live", lambda socket: socket.close(code=1011))
    screen.log_in("operator")
    screen.page.wait_for_selector('html[data-transport="polling"]', timeout=15_000)
    _raise(town, "waste-018")
    screen.page.wait_for_selector(".banner-critical", timeout=5_000)
    expect(screen.page.locator("html")).to_have_attribute("data-feed", "live")


def test_viewer_sees_everything_and_acknowledges_nothing(open_screen: Open, town: Town) -> None:
    _clear(town)
    _raise(town, "waste-019")
    screen = open_screen("viewer")
    expect(screen.page.locator(".banner-critical .btn-ack")).to_be_disabled()
    with town.session("viewer") as client:
        alarm = client.get("/api/v1/alarms", params={"open": "true"}).json()["rows"][0]["id"]
    status = screen.page.evaluate(
        "id => fetch(`/api/v1/alarms/${id}/acknowledge`, {method: 'POST', headers: {'content-type': 'application/json'},"
        " body: '{}'}).then(answer => answer.status)",
        alarm,
    )
    assert status == 403
    assert _states(town, "waste-019") == {"UNACK"}


def test_log_out_ends_the_session_of_an_open_screen(open_screen: Open, town: Town) -> None:
    screen = open_screen("operator")
    other = screen.context.new_page()
    other.goto(f"{town.base}/alarms")
    other.wait_for_selector('[data-page="/alarms"]')
    other.click("[data-log-out]")
    expect(other).to_have_url(f"{town.base}/login")
    screen.page.wait_for_url(lambda url: "/login" in url, timeout=10_000)


def test_log_out_that_fails_blanks_the_screen_until_it_succeeds(open_screen: Open, town: Town) -> None:
    screen = open_screen("operator")
    other = screen.context.new_page()
    other.goto(f"{town.base}/alarms")
    other.wait_for_selector('[data-page="/alarms"]')
    screen.context.route("**/api/v1/logout", lambda route: route.fulfill(status=503, json={"detail": "away"}))
    screen.page.click("[data-log-out]")
    for page in (screen.page, other):
        expect(page.locator("#leaving")).to_contain_text("la session est encore ouverte")
        expect(page.locator("#frame")).to_be_hidden()
    screen.page.reload()
    expect(screen.page.locator("#leaving h1")).to_have_text("Déconnexion non confirmée")
    expect(screen.page.locator("#frame")).to_be_hidden()
    screen.context.unroute("**/api/v1/logout")
    screen.page.click("#leaving button")
    expect(screen.page).to_have_url(f"{town.base}/login")
    expect(other).to_have_url(f"{town.base}/login")
    screen.page.goto(town.base)
    expect(screen.page).to_have_url(f"{town.base}/login")


def test_pole_with_a_colon_and_two_domains_is_found_everywhere(
    open_screen: Open, town: Town, wait_until: Callable[..., None]
) -> None:
    from hypervision.store.connection import connect, url_of
    from hypervision.store.registry import NewThing, register_things

    _clear(town)
    with connect(url_of(town.settings), application="test") as connection:
        thing = NewThing("dev:eui:01", "Mât 1", "lighting", longitude=5.03, latitude=47.32)
        register_things(connection, [thing], now=datetime.now(UTC))
    town.collector.read({("lighting", "dev:eui:01", "voltage"): 230.0, ("waste", "dev:eui:01", "temperature"): 90.0})
    screen = open_screen("operator")
    screen.go("/alarms")
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
    _clear(town)


def test_map_shows_marks_without_any_foreign_host_and_a_card(
    open_screen: Open, town: Town, wait_until: Callable[..., None]
) -> None:
    _clear(town)
    _raise(town, "waste-020")
    screen = open_screen("operator")
    screen.go("/map")
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
    screen = open_screen("operator", language="en")
    screen.go("/asset/water-003")
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
    screen = open_screen("operator", language="en")
    screen.go("/asset/water-003")
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

    wait_until(pointed, tell=lambda: "the hatched band does not say what it is under the pointer")
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
    _clear(town)


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
    with town.session("operator") as client:
        assert client.get("/rejected").status_code == 403
    screen = open_screen("engineer", language="en")
    page = screen.page
    screen.go("/health")
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
