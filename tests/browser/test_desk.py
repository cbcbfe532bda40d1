"""A stuck parking sensor is shelved and comes back; several alarms are acknowledged; a colleague is faster."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from hypervision.intake import Intake
from hypervision.watch import Watch
from tests.browser.conftest import Screen
from tests.browser.fake_town import Town
from tests.browser.steps import Open, clear, ring, states

LABEL = '#alarm-grid [data-col="label"]'
ROWS = "#alarm-grid .line"


def stuck(town: Town, thing: str = "parking-009") -> None:
    """`parking.battery.low`: its battery is at its end, and nobody goes there before tomorrow."""
    town.collector.read({("parking", thing, "battery"): 9.0})


def heal(town: Town) -> None:
    """Nothing is hidden from the test before."""
    with town.client("administrator") as client:
        for each in client.get("/api/v1/inhibitions").json()["rows"]:
            client.post(f"/api/v1/inhibitions/{each['id']}/end", json={})
    clear(town)


def later(town: Town, by: timedelta) -> None:
    """What the timers do when so much time has passed."""
    with Intake.open(town.settings, writer="watch", wait=10.0) as intake:
        Watch(intake, town.settings).tick(datetime.now(UTC) + by)


def shelve_by_key(screen: Screen, *, label: str, reason: str) -> None:
    screen.page.click(f'{LABEL}:has-text("{label}")')
    screen.page.keyboard.press("s")
    expect(screen.page.locator("#shelve-question")).to_have_text("Mettre 1 alarme de côté")
    screen.page.keyboard.type(reason)
    screen.page.keyboard.press("Enter")
    expect(screen.page.locator("#desk-said")).to_have_text("1 alarme mise de côté.")


def test_stuck_parking_sensor_is_shelved_by_keyboard_and_comes_back_by_itself(open_screen: Open, town: Town) -> None:
    heal(town)
    stuck(town)
    screen = open_screen("operator", at="/alarms")
    expect(screen.page.locator(ROWS)).to_have_count(1)
    shelve_by_key(screen, label="Pile faible", reason="Pile changée demain")
    # No row moves under the pointer.
    screen.page.mouse.move(700, 20)
    expect(screen.page.locator(ROWS)).to_have_count(0)
    expect(screen.page.locator(".banner-none")).to_be_visible()
    # Hidden, and counted on every page; one click away.
    expect(screen.page.locator(".counter-hidden .num")).to_have_text("1")
    screen.page.click(".counter-hidden")
    screen.ready("/alarms/hidden")
    row = screen.page.locator("#hidden-list tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Place 9")
    expect(row).to_contain_text("Mise de côté par operator\u00a0: Pile changée demain")
    expect(row).to_contain_text("Revient le")
    later(town, timedelta(minutes=16))
    expect(row).to_have_count(0)
    screen.page.click('.choice[href="/alarms"]')
    screen.ready("/alarms")
    expect(screen.page.locator(ROWS)).to_have_count(1)
    assert states(town, "parking-009") == {"UNACK"}


def test_alarm_that_is_taken_off_the_shelf_is_acknowledged_by_who_does_it(open_screen: Open, town: Town) -> None:
    heal(town)
    stuck(town)
    screen = open_screen("operator", at="/alarms")
    shelve_by_key(screen, label="Pile faible", reason="Pile changée demain")
    screen.go("/alarms/hidden")
    screen.page.click("[data-unshelve]")
    expect(screen.page.locator("#desk-said")).to_have_text("L’alarme est de retour, acquittée à votre nom.")
    assert states(town, "parking-009") == {"ACKED"}
    expect(screen.page.locator(".counter-hidden .num")).to_have_text("0")


def test_shelf_needs_a_reason_and_leaves_out_times_that_the_priority_forbids(open_screen: Open, town: Town) -> None:
    heal(town)
    ring(town, "waste-010")
    screen = open_screen("operator", at="/alarms")
    screen.page.click(f'{LABEL}:has-text("Feu de conteneur")')
    screen.page.click("#alarms-shelve")
    times = screen.page.eval_on_selector_all("#shelve-for option:not(:disabled)", "all => all.map(one => one.value)")
    assert times == ["900", "3600", "once"]
    screen.page.click("[data-shelve-go]")
    expect(screen.page.locator("#shelve-error")).to_have_text("Le motif manque.")
    # What was typed is still there when the server refuses.
    screen.page.fill("#shelve-reason", "exercice des pompiers")
    screen.page.route("**/shelve", lambda route: route.fulfill(status=401, json={"detail": "log in first"}))
    screen.page.click("[data-shelve-go]")
    expect(screen.page.locator("#shelve-error")).to_contain_text("Votre session est terminée")
    expect(screen.page.locator("#shelve-reason")).to_have_value("exercice des pompiers")
    screen.page.unroute("**/shelve")
    screen.page.click("[data-shelve-go]")
    expect(screen.page.locator("#desk-said")).to_have_text("1 alarme mise de côté.")


def test_colleague_who_was_faster_is_named(open_screen: Open, town: Town) -> None:
    heal(town)
    ring(town, "waste-010")
    screen = open_screen("operator")
    with town.client("engineer") as client:
        number = client.get("/api/v1/alarms", params={"open": "true", "thing": "waste-010"}).json()["rows"][0]["id"]
        client.post(f"/api/v1/alarms/{number}/acknowledge", json={})
    screen.page.evaluate(f"window.hv.acknowledge(['{number}'])")
    expect(screen.page.locator(".toast")).to_have_text("Déjà acquittée par engineer")


def test_asset_is_placed_out_of_service_by_the_form_and_ended(open_screen: Open, town: Town) -> None:
    heal(town)
    stuck(town, "parking-010")
    screen = open_screen("operator", at="/alarms/service")
    screen.page.fill("#service-things", "parking-010, nobody")
    screen.page.fill("#service-reason", "trottoir refait")
    screen.page.click("#service-form [type=submit]")
    expect(screen.page.locator("#service-error")).to_contain_text("nobody")
    expect(screen.page.locator("#service-reason")).to_have_value("trottoir refait")
    screen.page.fill("#service-things", "parking-010")
    screen.page.click("#service-form [type=submit]")
    expect(screen.page.locator("#desk-said")).to_contain_text("C’est noté")
    row = screen.page.locator("#service-list tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("trottoir refait (operator)")
    expect(row).to_contain_text("Quand quelqu’un y met fin")
    row.locator("[data-end-inhibition]").click()
    expect(row).to_have_count(0)
    assert states(town, "parking-010") == {"UNACK"}
