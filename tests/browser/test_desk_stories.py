"""A night at the desk, each story once by mouse and once by keyboard alone, in the clicks and keys planned for it.

A plan names the steps with what they take: (clicks, keys). Texts that are typed count for neither. The keys are those
that `?` tells, and Tab.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from playwright.sync_api import Page, expect

from hypervision.store.connection import url_of
from tests.browser.fake_town import Town
from tests.browser.hands import HANDS, Hand, Ledger, journal, minutes_left, standing
from tests.browser.steps import Open, clear, ring
from tests.browser.test_desk import heal, later, stuck
from tests.browser.test_rules import timers

ROWS = "#alarm-grid .line"
ZONE, BURST = "district-north", ("water", "district-north", "flow_excess")
PRESSURES = [f"water-{n:03d}" for n in range(2, 14)]
CABINET, LAMPS = "lighting-001", [f"lighting-{n:03d}" for n in range(2, 14)]
STRAY = [f"lighting-{n:03d}" for n in (20, 21, 22)]

# It moves lamps below a cabinet, and makes rules ring at once.
OWN_TOWN = True

both_hands = pytest.mark.parametrize("kind", HANDS)


@pytest.fixture(autouse=True, scope="module")
def _grid(town: Town) -> None:
    """`lighting-001` feeds twelve lamps; what rings only after minutes rings at once."""
    with psycopg.connect(url_of(town.settings)) as connection:
        connection.execute(
            "UPDATE hv.thing SET parent_id = (SELECT thing_id FROM hv.thing WHERE code = %s) WHERE code = ANY(%s)",
            [CABINET, LAMPS],
        )
        connection.execute(
            "UPDATE hv.rule SET on_delay = interval '0', off_delay = interval '0'"
            " WHERE code IN ('water.pressure.low', 'water.flow.excess', 'lighting.voltage.low')"
        )
        connection.execute("UPDATE hv.rule_set SET version = version + 1")


@pytest.fixture(autouse=True)
def _calm(town: Town) -> Iterator[None]:
    town.collector.read({BURST: 0.4})
    clear(town)
    yield
    town.collector.read({BURST: 0.4})
    clear(town)


def told(page: Page, *texts: str) -> None:
    """The banner says so, and has said it for the moment that a key waits for."""
    for text in texts:
        expect(page.locator("#frame-banner")).to_contain_text(text)
    page.wait_for_selector("#frame-banner[data-settled]")


def rows(page: Page, number: int) -> None:
    expect(page.locator(ROWS)).to_have_count(number)


@both_hands
def test_burst_main_at_night_is_acknowledged_looked_at_and_written_down(
    open_screen: Open, town: Town, kind: str
) -> None:
    plan = {
        "acknowledge the worst, from the map": (1, 1),
        "go to the list": (1, 2),
        "see what it explains": (1, 2),
        "open the asset of the cause": (1, 6),
        "look at the trend": (0, 0),
        "compare it": (1, 6),
        "write a note": (2, 8),
    }
    ledger = Ledger(town)
    screen = open_screen("operator")
    page = screen.page
    page.click(".rail-link[href='/map']")
    screen.ready("/map")
    hand = Hand(kind, page, plan)
    town.collector.read({BURST: 9.0})
    town.collector.read({("water", code, "pressure"): 0.4 for code in PRESSURES})
    banner = page.locator("#frame-banner")
    # Of thirteen alarms the cause alone rings, and its consequences are counted on every page.
    told(page, "Débit anormal", "Secteur nord")
    expect(banner.locator(".banner-more")).to_have_count(0)
    expect(page.locator(".counter-hidden .num")).to_have_text("12")
    with hand.step("acknowledge the worst, from the map"):
        hand.do(banner.locator("[data-ack]"), keys=["Shift+A"])
        expect(page.locator(".banner-none")).to_be_visible()
    with hand.step("go to the list"):
        hand.do(page.locator(".rail-link[href='/alarms']"), keys=["g", "a"])
        rows(page, 1)
        expect(page.locator(ROWS)).to_contain_text("explique 12 alarmes")
        expect(page.locator(ROWS)).to_contain_text("première de 13")
    with hand.step("see what it explains"):
        hand.do(page.locator(f"{ROWS} a.aside"), keys=["ArrowDown", "c"])
        screen.ready("/alarms/hidden")
        expect(page.locator("#hidden-chosen tbody tr")).to_have_count(len(PRESSURES))
    with hand.step("open the asset of the cause"):
        asset = page.locator("#hidden-chosen .short a", has_text="Secteur nord")
        hand.use(asset)
        screen.ready(f"/asset/{ZONE}")
    with hand.step("look at the trend"):
        expect(page.locator("#asset-trends .chart", has_text="Écart au débit attendu")).to_be_visible()
        expect(page.locator("#asset-trends .js-plotly-plot").first).to_be_visible()
    with hand.step("compare it"):
        compare = page.locator(".panel-head a[href^='/trends?s=']")
        hand.use(compare)
        screen.ready("/trends")
        expect(page.locator(f'.trend[data-series="{ZONE}/water/flow_excess"]')).to_be_visible()
        expect(page.locator("#trend-note-thing")).to_have_value(ZONE)
    with hand.step("write a note"):
        summary = page.locator(".trend-note-place summary")
        if hand.by_mouse:
            hand.click(summary)
            expect(page.locator("#trend-note-text")).to_be_focused()
            hand.type("Équipe sur place, vanne 12 fermée")
            hand.click(page.locator("#trend-note button[type=submit]"))
        else:
            hand.tab_to(summary)
            hand.press("Enter")
            expect(page.locator("#trend-note-text")).to_be_focused()
            hand.type("Équipe sur place, vanne 12 fermée")
            hand.press("Enter")
        line = page.locator(".trend-set .table tbody tr", has_text="vanne 12 fermée")
        expect(line).to_contain_text(ZONE)
        expect(line).to_contain_text("operator")
    hand.finish()
    assert standing(town) == {ZONE: ("ACKED", "none")} | dict.fromkeys(PRESSURES, ("UNACK", "by_design"))
    assert journal(town, ZONE) == [("UNACK", ""), ("ACKED", "operator")]
    assert [(who, what) for who, what, _why in ledger.told()] == [
        ("operator", "alarm.acknowledge"),
        ("operator", "note.write"),
    ]


@both_hands
def test_lamp_district_dark_is_one_ring_and_what_is_seen_is_acknowledged_by_number(
    open_screen: Open, town: Town, kind: str
) -> None:
    plan = {
        "go to the list": (1, 2),
        "see the lamps it explains": (1, 2),
        "return to the list": (1, 2),
        "select all that is seen": (2, 2),
        "acknowledge them, told how many": (2, 3),
    }
    ledger = Ledger(town)
    screen = open_screen("operator")
    page = screen.page
    hand = Hand(kind, page, plan)
    town.collector.read({("lighting", CABINET, "voltage"): 0.0})
    town.collector.read({("lighting", lamp, "lamp_state"): 2.0 for lamp in LAMPS})
    told(page, "Armoire hors tension")
    expect(page.locator(".counter-hidden .num")).to_have_text("12")
    expect(page.locator("#frame-banner .banner-more")).to_have_count(0)
    with hand.step("go to the list"):
        hand.do(page.locator(".rail-link[href='/alarms']"), keys=["g", "a"])
        rows(page, 1)
        expect(page.locator(ROWS)).to_contain_text("explique 12 alarmes")
    with hand.step("see the lamps it explains"):
        hand.do(page.locator(f"{ROWS} a.aside"), keys=["ArrowDown", "c"])
        screen.ready("/alarms/hidden")
        listed = page.locator("#hidden-chosen tbody tr")
        expect(listed).to_have_count(len(LAMPS))
        expect(listed.last).to_contain_text("Armoire 13")
    # Meanwhile lamps elsewhere, that no cabinet explains.
    town.collector.read({("lighting", lamp, "lamp_state"): 2.0 for lamp in STRAY})
    with hand.step("return to the list"):
        hand.do(page.locator(".choice[href='/alarms']"), keys=["g", "a"])
        rows(page, 4)
    with hand.step("select all that is seen"):
        if hand.by_mouse:
            cells = page.locator(f'{ROWS} [data-col="value"]')
            hand.click(cells.first)
            hand.click(cells.last, shift=True)
        else:
            hand.press("ArrowDown", "Control+A")
        expect(page.locator("#alarms-selected")).to_have_text("Acquitter 4 alarmes visibles")
    with hand.step("acknowledge them, told how many"):
        hand.do(page.locator("#alarms-acknowledge"), keys=["a"])
        expect(page.locator("#ack-question")).to_contain_text("exactement ces 4 alarmes visibles")
        hand.use(page.locator("[data-ack-go]"))
        expect(page.locator(".banner-none")).to_be_visible()
    hand.finish()
    # Nobody has acknowledged what nobody saw.
    assert standing(town) == dict.fromkeys([CABINET, *STRAY], ("ACKED", "none")) | dict.fromkeys(
        LAMPS, ("UNACK", "by_design")
    )
    assert [line[:2] for line in ledger.told()] == [("operator", "alarm.acknowledge")] * 4


@both_hands
def test_bin_fire_in_a_flood_rings_above_the_rest_and_is_one_step_away(
    open_screen: Open, town: Town, kind: str
) -> None:
    plan = {
        "look through the flood": (2, 4),
        "acknowledge the fire": (1, 1),
    }
    ledger = Ledger(town)
    screen = open_screen("operator")
    page = screen.page
    hand = Hand(kind, page, plan)
    town.collector.read({("parking", f"parking-{n:03d}", "battery"): 9.0 for n in range(1, 13)})
    expect(page.locator(".counter-flood")).to_be_visible()
    with hand.step("look through the flood"):
        if hand.by_mouse:
            hand.click(page.locator(".counter-flood"))
            rows(page, 12)
            hand.click(page.locator(f'{ROWS} [data-col="value"]').nth(3))
        else:
            hand.press("g", "a")
            rows(page, 12)
            hand.press("ArrowDown", "Space")
        expect(page.locator("#alarms-acknowledge")).to_be_enabled()
    ring(town, "waste-007")
    banner = page.locator("#frame-banner")
    told(page, "Feu de conteneur", "Conteneur 7")
    expect(banner.locator(".banner-critical")).to_have_count(1)
    page.wait_for_function("() => window.hv.heard.some((one) => one.priority === 'critical')")
    with hand.step("acknowledge the fire"):
        # A low alarm is selected, and the focus or the pointer is in its list: it is not what is meant.
        hand.do(banner.locator("[data-ack]"), keys=["Shift+A"])
        expect(banner).not_to_contain_text("Feu de conteneur")
    hand.finish()
    found = standing(town)
    assert found.pop("waste-007") == ("ACKED", "none")
    assert found == {f"parking-{n:03d}": ("UNACK", "none") for n in range(1, 13)}
    assert journal(town, "waste-007") == [("UNACK", ""), ("ACKED", "operator")]
    assert ledger.told() == [("operator", "alarm.acknowledge", "")]


@both_hands
def test_stuck_parking_sensor_is_shelved_and_comes_back(open_screen: Open, town: Town, kind: str) -> None:
    plan = {
        "go to the list": (1, 2),
        "put the sensor aside": (2, 3),
        "say for how long, and why": (3, 4),
        "see it among the hidden ones": (1, 2),
        "see it back in the list": (1, 2),
        "put it aside again": (3, 4),
        "see it hidden again": (1, 2),
        "take it off by hand": (1, 7),
    }
    heal(town)
    ledger = Ledger(town)
    screen = open_screen("operator")
    page = screen.page
    hand = Hand(kind, page, plan)
    stuck(town)
    listed = page.locator("#hidden-list tbody tr")
    with hand.step("go to the list"):
        hand.do(page.locator(".rail-link[href='/alarms']"), keys=["g", "a"])
        rows(page, 1)
    with hand.step("put the sensor aside"):
        hand.do(
            page.locator(f'{ROWS} [data-col="value"]'), page.locator("#alarms-shelve"), keys=["ArrowDown", "Space", "s"]
        )
        expect(page.locator("#shelve-reason")).to_be_focused()
    with hand.step("say for how long, and why"):
        if hand.by_mouse:
            hand.type("Capteur collé, technicien prévenu")
            hand.choose(page.locator("#shelve-for"), "3600")
            hand.click(page.locator("[data-shelve-go]"))
        else:
            hand.press("Shift+Tab", "ArrowDown", "Tab")
            hand.type("Capteur collé, technicien prévenu")
            hand.press("Enter")
        expect(page.locator("#desk-said")).to_have_text("1 alarme mise de côté.")
        expect(page.locator(".counter-hidden .num")).to_have_text("1")
    with hand.step("see it among the hidden ones"):
        hand.do(page.locator(".counter-hidden"), keys=["g", "h"])
        screen.ready("/alarms/hidden")
        expect(listed).to_have_count(1)
        expect(listed).to_contain_text("Place 9")
        expect(listed).to_contain_text("par operator\u00a0: Capteur collé, technicien prévenu")
        expect(listed).to_contain_text("Revient le")
    assert standing(town) == {"parking-009": ("UNACK", "shelved")}
    assert minutes_left(town) == pytest.approx(60, abs=2)
    # The hour is over.
    with psycopg.connect(url_of(town.settings)) as connection:
        connection.execute("UPDATE hv.inhibition SET ends_at = now() WHERE ended_at IS NULL")
    later(town, timedelta())
    with hand.step("see it back in the list"):
        expect(listed).to_have_count(0)
        hand.do(page.locator(".choice[href='/alarms']"), keys=["g", "a"])
        rows(page, 1)
        # Nobody has taken it in hand: it rings.
        expect(page.locator("#frame-banner")).to_contain_text("Place 9")
    assert standing(town) == {"parking-009": ("UNACK", "none")}
    with hand.step("put it aside again"):
        hand.do(
            page.locator(f'{ROWS} [data-col="value"]'), page.locator("#alarms-shelve"), keys=["ArrowDown", "Space", "s"]
        )
        expect(page.locator("#shelve-reason")).to_be_focused()
        hand.type("Technicien en retard")
        hand.do(page.locator("[data-shelve-go]"), keys=["Enter"])
        expect(page.locator("#desk-said")).to_have_text("1 alarme mise de côté.")
    with hand.step("see it hidden again"):
        hand.do(page.locator(".counter-hidden"), keys=["g", "h"])
        screen.ready("/alarms/hidden")
        expect(listed).to_contain_text("Technicien en retard")
    with hand.step("take it off by hand"):
        hand.use(listed.locator("[data-unshelve]"))
        expect(page.locator("#desk-said")).to_have_text("L’alarme est de retour, acquittée à votre nom.")
    hand.finish()
    assert standing(town) == {"parking-009": ("ACKED", "none")}
    assert ledger.told() == [
        ("operator", "alarm.shelve", "Capteur collé, technicien prévenu"),
        ("operator", "alarm.shelve", "Technicien en retard"),
        ("operator", "alarm.unshelve", ""),
    ]


@both_hands
def test_engineer_tightens_a_limit_and_rolls_it_back(open_screen: Open, town: Town, kind: str) -> None:
    plan = {
        "find the rule": (2, 2),
        "propose a tighter limit": (4, 11),
        "a colleague finds it": (1, 2),
        "the colleague approves": (2, 5),
        "see it in force": (0, 0),
        "roll it back": (2, 4),
    }
    # Each hand its own rule, which nobody has changed before.
    name, thing, quantity, value, limit, tighter = {
        "mouse": ("Conteneur plein", "waste-010", "fill", 71.0, "90", "70"),
        "keyboard": ("Feu de conteneur", "waste-012", "temperature", 50.0, "65", "45"),
    }[kind]
    town.collector.read({("waste", thing, quantity): value})
    ledger = Ledger(town)
    with timers(town):
        screen, second = open_screen("engineer"), open_screen("administrator")
        page, other = screen.page, second.page
        hand = Hand(kind, page, plan)
        with hand.step("find the rule"):
            if hand.by_mouse:
                hand.click(page.locator(".rail-link[href='/rules']"))
                hand.click(page.locator("#rules-set .table a", has_text=name))
            else:
                hand.press("/")
                hand.type(name.lower())
                expect(page.locator("#room-find [role=option]")).to_have_count(1)
                hand.press("Enter")
            expect(page.locator("#rules-limit")).to_have_value(limit)
            history = page.locator(".rules-history tbody tr")
        with hand.step("propose a tighter limit"):
            if hand.by_mouse:
                hand.click(page.locator("#rules-limit"), times=2)
                hand.type(tighter)
                hand.click(page.locator("#rules-reason"))
                hand.type("jours de marché")
                hand.click(page.locator("#rules-form button[type=submit]"))
            else:
                # What Tab reaches is selected, so that what is typed takes its place.
                hand.tab_to(page.locator("#rules-limit"))
                hand.type(tighter)
                hand.tab_to(page.locator("#rules-reason"))
                hand.type("jours de marché")
                hand.press("Enter")
            expect(page.locator("#rules-said")).to_contain_text("Proposé")
        with hand.step("a colleague finds it", other):
            hand.do(other.locator(".rail-link[href='/rules']"), keys=["g", "r"])
            expect(other.locator(".rules-queue .rules-changes")).to_contain_text(limit)
            expect(other.locator(".rules-queue .rules-changes")).to_contain_text(tighter)
        with hand.step("the colleague approves", other):
            approve = other.locator("[data-rules-ask]", has_text="Approuver")
            hand.use(approve)
            expect(other.locator("[data-rules-go]")).to_be_focused()
            hand.do(other.locator("[data-rules-go]"), keys=["Enter"])
            expect(other.locator("#rules-said")).to_contain_text("Approuvé")
        # It takes effect: what was below the limit of before rings, on every screen.
        told(page, name)
        with hand.step("see it in force"):
            expect(history).to_have_count(2)
        with hand.step("roll it back"):
            hand.use(page.locator(".rules-head [data-rules-ask]", has_text="Revenir à la version 1"))
            expect(page.locator("[data-rules-go]")).to_be_focused()
            hand.do(page.locator("[data-rules-go]"), keys=["Enter"])
            expect(page.locator("#rules-said")).to_contain_text("revient en vigueur")
            expect(history).to_have_count(3)
        hand.finish()
        assert standing(town) == {thing: ("RTNUN", "none")}
    assert ledger.told() == [
        ("engineer", "rule.propose", "jours de marché"),
        ("administrator", "rule.decide", ""),
        ("engineer", "rule.roll_back", "retour à la version 1"),
    ]
