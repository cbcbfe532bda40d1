"""What is on the screen is marked when its feed is dead, and gone when its reader is."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime

from playwright.sync_api import expect

from tests.browser.fake_town import Collector, Town
from tests.browser.steps import Open, clear, ring, states

STALE_WITHIN = 5_000


# Texts on the screen that are not greyed, besides those that tell of the link, lead elsewhere or are the operator's.
UNMARKED = """() => {
  const walker = document.createTreeWalker(document.querySelector(".frame"), NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const free = node.closest("#lost, #frame-feed, .clocks, .tools, .rail, .skip, #texts, dialog");
    if (free || !walker.currentNode.textContent.trim()) continue;
    let marked = false;
    for (let up = node; up; up = up.parentElement) marked ||= getComputedStyle(up).filter.includes("grayscale");
    if (!marked) found.push(walker.currentNode.textContent);
  }
  return found;
}"""


def test_screen_turns_stale_when_the_collector_dies_and_recovers(open_screen: Open, town: Town) -> None:
    screen = open_screen("operator", at="/asset/water-003")
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
    clear(town)
    screen = open_screen()
    screen.context.route_web_socket("**/live", lambda socket: socket.close(code=1011))
    screen.log_in("operator")
    screen.page.wait_for_selector('html[data-transport="polling"]', timeout=15_000)
    ring(town, "waste-018")
    screen.page.wait_for_selector(".banner-critical", timeout=5_000)
    expect(screen.page.locator("html")).to_have_attribute("data-feed", "live")


def test_viewer_sees_everything_and_acknowledges_nothing(open_screen: Open, town: Town) -> None:
    clear(town)
    ring(town, "waste-019")
    screen = open_screen("viewer")
    expect(screen.page.locator(".banner-critical .btn-ack")).to_be_disabled()
    with town.client("viewer") as client:
        alarm = client.get("/api/v1/alarms", params={"open": "true"}).json()["rows"][0]["id"]
    status = screen.page.evaluate(
        "id => fetch(`/api/v1/alarms/${id}/acknowledge`, {method: 'POST', headers: {'content-type': 'application/json'},"
        " body: '{}'}).then(answer => answer.status)",
        alarm,
    )
    assert status == 403
    assert states(town, "waste-019") == {"UNACK"}


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
