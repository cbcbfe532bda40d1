"""The engineer tightens a limit and rolls it back: by mouse and by keyboard alone, with a second person between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Locator, expect

from hypervision.intake import Intake
from hypervision.watch import Watch
from tests.browser.axe import violations_in_both_themes
from tests.browser.conftest import Screen
from tests.browser.fake_town import Town
from tests.browser.steps import clear, states

Open = Callable[..., Screen]
FILL = "/rules?rule=waste.fill.high"


@contextmanager
def timers(town: Town) -> Iterator[None]:
    """`watch`, as it runs beside the server."""
    intake = Intake.open(town.settings, writer="watch", wait=10.0)
    watch, stop, failed = Watch(intake, town.settings), threading.Event(), []

    def run() -> None:
        try:
            while not stop.wait(0.3):
                watch.tick(datetime.now(UTC))
        except BaseException as error:  # noqa: BLE001 -- told by the test
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
        intake.close()
    assert failed == []


@pytest.mark.parametrize(
    ("hand", "name", "thing", "quantity", "value", "limit", "beyond"),
    [
        ("mouse", "Bin full", "waste-010", "fill", 71.0, "70", "170"),
        ("keyboard", "Bin fire", "waste-012", "temperature", 50.0, "45", "1000"),
    ],
)
def test_engineer_tightens_a_limit_and_rolls_it_back(  # noqa: PLR0917
    open_screen: Open,
    town: Town,
    hand: str,
    name: str,
    thing: str,
    quantity: str,
    value: float,
    limit: str,
    beyond: str,
) -> None:
    def use(place: Locator) -> None:
        if hand == "mouse":
            place.click()
        else:
            place.focus()
            place.page.keyboard.press("Enter")

    clear(town)
    town.collector.read({("waste", thing, quantity): value})
    with timers(town):
        screen = open_screen("engineer", language="en")
        page = screen.page
        use(page.locator(".rail-link[href='/rules']"))
        screen.ready("/rules")
        page.fill("#rules-q", name)
        page.press("#rules-q", "Enter")
        expect(page.locator("#rules-set .table tbody tr")).to_have_count(1)
        use(page.locator("#rules-set .table a", has_text=name))
        expect(page.locator("#rules-form")).to_be_visible()
        send = page.locator("#rules-form button[type=submit]")
        # What is wrong is named by its field, and nothing typed is lost.
        page.fill("#rules-limit", "lots")
        page.fill("#rules-reason", "a trial on market days")
        use(send)
        expect(page.locator("#rules-limit-wrong")).to_contain_text("lots")
        page.fill("#rules-limit", beyond)
        use(send)
        expect(page.locator("#rules-limit-wrong")).to_contain_text("valid range")
        expect(page.locator("#rules-reason")).to_have_value("a trial on market days")
        page.fill("#rules-limit", limit)
        use(send)
        expect(page.locator("#rules-said")).to_contain_text("Proposed")
        expect(page.locator(".rules-queue")).to_contain_text("A second person must approve it.")
        second = open_screen("administrator", at="/rules", language="en")
        use(second.page.locator("[data-rules-ask]", has_text="Approve"))
        use(second.page.locator("[data-rules-go]"))
        expect(second.page.locator("#rules-said")).to_contain_text("Approved")
        expect(second.page.locator(".rules-queue")).to_have_count(0, timeout=15_000)
        assert states(town, thing) == {"UNACK"}
        # Two clicks, and it is as before; the alarm returns.
        page.reload()
        screen.ready("/rules")
        row = page.locator(".rules-history tbody tr", has_text="version 1")
        use(row.locator("[data-rules-ask]"))
        use(page.locator("[data-rules-go]"))
        expect(page.locator("#rules-said")).to_contain_text("in force again")
        expect(page.locator(".rules-history")).to_contain_text("version 3", timeout=15_000)
        assert states(town, thing) == {"RTNUN"}
    clear(town)


def test_two_engineers_at_once_the_second_is_told_who_was_first(open_screen: Open, town: Town) -> None:
    screen = open_screen("engineer", at="/rules?rule=parking.battery.low", language="en")
    page = screen.page
    expect(page.locator("#rules-form")).to_be_visible()
    with town.client("administrator") as client:
        rule = client.get("/api/v1/rules/parking.battery.low").json()
        body = {"base": rule["version"], "rule": {"limit": 11}, "reason": "first"}
        number = client.post("/api/v1/rules/parking.battery.low/proposals", json=body).json()["id"]
    page.fill("#rules-limit", "12")
    page.fill("#rules-reason", "second")
    page.keyboard.press("Enter")
    expect(page.locator("#rules-form-wrong")).to_contain_text("administrator proposed a change")
    expect(page.locator("#rules-limit")).to_have_value("12")
    with town.client("administrator") as client:
        assert client.post(f"/api/v1/rules/proposals/{number}/withdraw", json={}).status_code == 200


@pytest.mark.parametrize("language", ["fr", "en"])
def test_axe_finds_nothing_serious_on_the_rules_in_either_theme(open_screen: Open, language: str) -> None:
    screen = open_screen("engineer", at="/rules", language=language)
    found = []
    for path, shown in (("/rules", "#rules-set .table"), (FILL, "#rules-form"), ("/rules?rule=new", "#rules-form")):
        screen.go(path)
        screen.page.wait_for_selector(shown)
        found += violations_in_both_themes(screen)
    assert found == []
