"""An operator's shift: log in, see an alarm come, acknowledge it, change the language."""

from __future__ import annotations

import time
from datetime import datetime

from playwright.sync_api import Route, expect

from tests.browser.fake_town import Town
from tests.browser.steps import Open, clear, ring, states


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
    clear(town)
    screen = open_screen("operator")
    expect(screen.page.locator(".banner-none")).to_be_visible()
    started = time.monotonic()
    ring(town)
    screen.page.wait_for_selector(".banner-critical", timeout=5_000)
    seen = time.monotonic() - started
    assert "Feu de conteneur" in screen.page.inner_text(".banner-critical")
    assert "91\u00a0°C > 65\u00a0°C" in screen.page.inner_text(".banner-critical")
    assert seen < 2.0
    target = screen.page.locator(".thumb-mark a").first.bounding_box()
    assert target is not None
    assert min(target["width"], target["height"]) >= 24


def test_banner_acknowledges_in_one_action_from_any_page(open_screen: Open, town: Town) -> None:
    clear(town)
    ring(town, "waste-008")
    screen = open_screen("operator", at="/health")
    screen.page.click(".banner-critical .btn-ack")
    expect(screen.page.locator(".banner-none")).to_be_visible()
    assert states(town, "waste-008") == {"ACKED"}
    with town.client("viewer") as client:
        row = client.get("/api/v1/alarms", params={"thing": "waste-008"}).json()["rows"][0]
    assert row["acknowledged_by"] == "operator"


def test_table_acknowledges_in_two_actions_by_mouse_and_key(open_screen: Open, town: Town) -> None:
    clear(town)
    ring(town, "waste-009")
    screen = open_screen("operator", at="/alarms")
    screen.page.click('#alarm-grid [data-col="label"]:has-text("Feu de conteneur")')
    expect(screen.page.locator("#alarms-selected")).to_have_text("Acquitter 1 alarme visible")
    screen.page.keyboard.press("a")
    expect(screen.page.locator(".banner-none")).to_be_visible()
    assert states(town, "waste-009") == {"ACKED"}


def test_bulk_acknowledges_only_what_is_selected_and_visible(open_screen: Open, town: Town) -> None:
    clear(town)
    for thing in ("waste-010", "waste-012", "waste-013"):
        ring(town, thing)
    screen = open_screen("operator", at="/alarms")
    boxes = screen.page.locator("#alarm-grid .line [type=checkbox]")
    expect(boxes).to_have_count(3)
    for i in range(3):
        boxes.nth(i).check()
    expect(screen.page.locator("#alarms-selected")).to_have_text("Acquitter 3 alarmes visibles")
    screen.page.fill("#alarms-filter", "Conteneur 12")
    expect(screen.page.locator("#alarms-selected")).to_have_text("Acquitter 1 alarme visible")
    screen.page.fill("#alarms-comment", "équipe prévenue")
    screen.page.click("#alarms-acknowledge")
    expect(screen.page.locator(".toast")).to_be_visible()
    assert [states(town, t) for t in ("waste-010", "waste-012", "waste-013")] == [{"UNACK"}, {"ACKED"}, {"UNACK"}]
    with town.client("viewer") as client:
        alarm = client.get("/api/v1/alarms", params={"thing": "waste-012"}).json()["rows"][0]["id"]
        steps = client.get(f"/api/v1/alarms/{alarm}/transitions").json()["rows"]
    assert (steps[-1]["actor"], steps[-1]["comment"]) == ("operator", "équipe prévenue")
    # The comment was for that alarm alone.
    expect(screen.page.locator("#alarms-comment")).to_have_value("")


def test_bulk_tells_how_many_were_acknowledged_when_the_rest_fails(open_screen: Open, town: Town) -> None:
    clear(town)
    for thing in ("waste-010", "waste-012", "waste-013"):
        ring(town, thing)
    screen = open_screen("operator", at="/alarms")
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
    boxes = screen.page.locator("#alarm-grid .line [type=checkbox]")
    expect(boxes).to_have_count(3)
    for i in range(3):
        boxes.nth(i).check()
    screen.page.fill("#alarms-comment", "vu")
    screen.page.click("#alarms-acknowledge")
    # How many is said, and asked once more: it cannot be undone.
    expect(screen.page.locator("#ack-question")).to_have_text("Acquitter exactement ces 3 alarmes visibles\u00a0?")
    expect(screen.page.locator("#ack-summary")).to_have_text("Critique 3")
    screen.page.click("[data-ack-cancel]")
    assert asked == []
    screen.page.click("#alarms-acknowledge")
    screen.page.click("[data-ack-go]")
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
    clear(town)
    town.collector.read({("waste", "waste-011", "fill"): 97.0})
    screen = open_screen("operator")
    screen.page.hover(".banner-medium .btn-ack")
    ring(town, "waste-017")
    expect(screen.page.locator("#frame-banner.is-held")).to_be_visible()
    expect(screen.page.locator(".counter .sym-critical:not(.sym-quiet)")).to_be_visible()
    expect(screen.page.locator(".banner-label")).to_have_text("Conteneur plein")
    screen.page.mouse.move(700, 500)
    expect(screen.page.locator(".banner-label")).to_have_text("Feu de conteneur")
    # What follows one's own acknowledgement comes at once; the second click of a double one is not meant for it.
    # Once only: a click of a second later is meant, whoever makes it.
    screen.page.evaluate(
        "new MutationObserver((_, seen) => {"
        " const b = document.querySelector('.banner-medium .btn-ack'); if (b) { seen.disconnect(); b.click(); }"
        "}).observe(document.getElementById('frame-banner'), {childList: true, subtree: true, attributes: true})"
    )
    screen.page.click(".banner-critical .btn-ack")
    expect(screen.page.locator(".toast-bad").first).to_contain_text("relire avant d’acquitter")
    assert states(town, "waste-017") == {"ACKED"}
    assert states(town, "waste-011") == {"UNACK"}


def test_rows_of_a_page_that_was_left_do_not_come_back(open_screen: Open, town: Town) -> None:
    clear(town)
    ring(town, "waste-012")
    screen = open_screen("operator")
    screen.page.evaluate(
        "window.hv.takeRows({page: '/alarms', full: true, gone: [], rows: [{id: '999999', name: 'old', letter: 'C'}]})"
    )
    screen.page.click('.rail-link[href="/alarms"]')
    rows = screen.page.locator("#alarm-grid .line")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Conteneur 12")
    # A row that is told now comes, and comes alone.
    ring(town, "waste-013")
    expect(rows).to_have_count(2)


def test_filter_finds_what_the_eye_reads_and_nothing_else(open_screen: Open, town: Town) -> None:
    clear(town)
    ring(town, "waste-012")
    screen = open_screen("operator", at="/alarms")
    rows = screen.page.locator("#alarm-grid .line")
    expect(rows).to_have_count(1)
    with town.client("viewer") as client:
        raised = client.get("/api/v1/alarms", params={"thing": "waste-012"}).json()["rows"][0]["raised_at"]
    hidden = str(int(datetime.fromisoformat(raised).timestamp() * 1000))
    for text, found in ((hidden[:6], 0), ("Conteneur 12", 1), ("critique", 1), ("sans rapport", 0)):
        screen.page.fill("#alarms-filter", text)
        expect(rows, text).to_have_count(found)


def test_new_rows_wait_while_the_pointer_is_in_the_table(open_screen: Open, town: Town) -> None:
    clear(town)
    ring(town, "waste-014")
    screen = open_screen("operator", at="/alarms")
    rows = screen.page.locator("#alarm-grid .line")
    expect(rows).to_have_count(1)
    screen.page.hover('#alarm-grid [data-col="label"]:has-text("Feu de conteneur")')
    ring(town, "waste-015")
    expect(screen.page.locator("#alarms-queued")).to_be_visible()
    expect(rows).to_have_count(1)
    screen.page.mouse.move(700, 20)
    expect(rows).to_have_count(2)


def test_language_changes_without_losing_page_selection_filter_and_comment(open_screen: Open, town: Town) -> None:
    clear(town)
    for thing in ("waste-016", "waste-017"):
        ring(town, thing)
    screen = open_screen("operator", at="/alarms")
    boxes = screen.page.locator("#alarm-grid .line [type=checkbox]")
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
    expect(screen.page).to_have_url(f"{town.base}/alarms?alarms-filter=Conteneur+16")
    expect(screen.page.locator("#alarms-filter")).to_have_value("Conteneur 16")
    expect(screen.page.locator("#alarms-comment")).to_have_value("à suivre")
    expect(screen.page.locator("#alarm-grid .line")).to_have_count(1)
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
    clear(town)
    screen = open_screen("operator", at="/asset/water-003")
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
