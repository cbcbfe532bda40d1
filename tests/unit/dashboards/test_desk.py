"""Hidden alarms on the screens: counted everywhere, listed with why and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dashboards import frame
from dashboards.components import alarms as parts
from dashboards.control_room import draw_page, lay_out
from dashboards.hidden import consequences, hidden_alarms, placed, quiet_shelves
from dashboards.town import urgency, worst_unacknowledged
from dashboards.views import Scene
from dashboards.words import Language
from hypervision.scope import EVERYTHING
from hypervision.store.inhibitions import About, Inhibition
from hypervision.store.screens import AlarmRow
from tests.unit.dashboards.test_pages import CATALOGUE, NOW, alarm, nodes, scene, text

LATER = NOW + timedelta(hours=2)


def shelved(**more: Any) -> AlarmRow:
    values: dict[str, Any] = {"suppression": "shelved", "inhibition_id": 3, "hidden_until": LATER, "hidden_by": "anna"}
    return replace(alarm(1, "parking", "low"), **{**values, "hidden_reason": "capteur bloqué", **more})


def inhibition(kind: str, *about: About, hidden: int = 1, ends: Any = LATER, number: int = 3) -> Inhibition:
    shelf = ("parking.battery.low", "Pile faible", "Battery low", "low") if kind == "shelved" else (None,) * 4
    return Inhibition(
        number, kind, False, NOW, ends, "travaux", "anna", NOW, None, "", *shelf, about, hidden,
    )  # fmt: skip


def with_alarms(*found: AlarmRow, language: Language = "fr", **more: Any) -> Scene:
    made = scene(language, alarms={one.alarm_id: one for one in found}, **more)
    return replace(made, may_shelve=True, may_acknowledge=True, shelf_limits={"low": 43_200.0})


def test_hidden_alarm_is_on_no_list_of_what_waits_and_in_the_counter_of_every_page() -> None:
    drawn = with_alarms(shelved(), alarm(2, "lighting", "high"))
    live = frame.live(drawn)
    assert [one.alarm_id for one in drawn.town.visible_alarms(EVERYTHING)] == [2]
    assert [one.alarm_id for one in hidden_alarms(drawn.town, EVERYTHING)] == [1]
    assert "Masquées 1" in text(live["frame-counters"]["children"])
    assert worst_unacknowledged(drawn.town.alarms.values()).alarm_id == 2  # type: ignore[union-attr]
    rows = draw_page(drawn, "/alarms").rows or {}
    assert set(rows) == {"2"}


@pytest.mark.parametrize(
    ("language", "told"),
    [("fr", "Mise de côté par anna\u00a0: capteur bloqué"), ("en", "Shelved by anna: capteur bloqué")],
)
def test_page_of_hidden_alarms_says_why_and_until_when(language: Language, told: str) -> None:
    drawn = draw_page(with_alarms(shelved(), language=language), "/alarms/hidden").fragments
    found = text(drawn["hidden-list"]["children"])
    assert told in found
    assert ("22 nov. 13:00" if language == "fr" else "22 Nov 13:00") in found
    buttons = [one for one in nodes(drawn["hidden-list"]["children"]) if hasattr(one, "data-unshelve")]
    assert [getattr(one, "data-unshelve") for one in buttons] == ["1"]


def test_consequences_stand_under_their_cause_which_says_how_many_they_are() -> None:
    cause = replace(alarm(2, "lighting", "high"), label_fr="Armoire hors tension")
    explained = [
        replace(
            alarm(n, "parking", "low"), suppression="by_design", explained_by=2, raised_at=NOW - timedelta(minutes=n)
        )
        for n in (5, 4, 6)
    ]
    drawn = with_alarms(cause, *explained)
    assert consequences(drawn.town.alarms.values()) == {2: 3}
    rows = draw_page(drawn, "/alarms").rows or {}
    assert (rows["2"]["label"], rows["2"]["explains"]) == ("Armoire hors tension", "explique 3 alarmes")
    found = text(draw_page(drawn, "/alarms/hidden").fragments["hidden-list"]["children"])
    assert "Expliquées par\u00a0: Armoire hors tension, Mât 1" in found


def test_consequence_of_a_consequence_counts_for_the_first_cause_too_and_a_circle_ends() -> None:
    chain = [replace(alarm(n, "parking", "low"), explained_by=n - 1) for n in (2, 3)]
    assert consequences(chain) == {1: 2, 2: 1}
    circle = [replace(alarm(1, "parking", "low"), explained_by=2), replace(alarm(2, "parking", "low"), explained_by=1)]
    assert sum(consequences(circle).values()) == 4


def test_what_is_out_of_service_is_listed_with_how_much_it_hides() -> None:
    window = inhibition("maintenance", About(domain="water"), About(thing="dev:eui:01", name="Mât 1", children=True))
    out = inhibition("out_of_service", About(thing="dev:eui:01", property="occupied"), ends=None, hidden=0, number=4)
    drawn = with_alarms(inhibitions=(out, window, inhibition("shelved", About(thing="p1"), hidden=0)))
    assert [one.kind for one in placed(drawn.town)] == ["out_of_service", "maintenance"]
    assert len(quiet_shelves(drawn.town)) == 1
    found = text(draw_page(drawn, "/alarms/service").fragments["service-list"]["children"])
    for part in (
        "Hors service",
        "travaux (anna)",
        "Quand quelqu’un y met fin",
        "Eau",
        "et tout ce qui est dessous",
        "occupied",
    ):
        assert part in found, part
    hidden = text(draw_page(drawn, "/alarms/hidden").fragments["hidden-list"]["children"])
    assert "Pile faible" in hidden


def test_alarm_that_is_told_to_others_comes_first_among_its_equals_and_says_so() -> None:
    told = replace(alarm(1, "lighting", "high", minutes=60), escalated_to="engineer")
    assert urgency(told) < urgency(alarm(2, "lighting", "high", minutes=1))
    assert urgency(told) > urgency(alarm(3, "lighting", "critical"))
    drawn = with_alarms(told)
    row = parts.row(told, drawn.town, drawn.words, CATALOGUE)
    assert row["state_label"] == "Non acquittée · remontée\u00a0: Ingénieur"
    assert parts.row(replace(told, state="ACKED"), drawn.town, drawn.words, CATALOGUE)["state_label"] == "Acquittée"


def test_row_of_an_alarm_says_what_happens_and_what_to_do() -> None:
    found = replace(
        alarm(1, "lighting", "high"), consequence_fr="La rue est dans le noir.", action_fr="Envoyer une équipe."
    )
    drawn = with_alarms(found)
    assert parts.row(found, drawn.town, drawn.words, CATALOGUE)["action"] == (
        "La rue est dans le noir. → Envoyer une équipe."
    )


@pytest.mark.parametrize("path", ["/alarms", "/alarms/hidden", "/alarms/service"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_pages_of_the_desk_are_drawn_whole_with_names_that_mean_harm(path: str, language: Language) -> None:
    evil = "<script>alert(1)</script>"
    place = replace(scene().town.things[1], name=evil)
    drawn = with_alarms(
        shelved(hidden_reason=evil, hidden_by=evil), language=language, things={1: place},
        inhibitions=(inhibition("maintenance", About(thing="dev:eui:01", name=evil)),),
    )  # fmt: skip
    page = lay_out(drawn, path, {}, theme="dark")
    assert getattr(page, "data-page") == path
    for one in nodes(page):
        assert not getattr(one, "dangerously_allow_html", False)


def test_who_may_not_shelve_finds_dead_buttons_and_no_form() -> None:
    drawn = replace(with_alarms(shelved()), may_shelve=False)
    listed = draw_page(drawn, "/alarms/hidden").fragments["hidden-list"]["children"]
    assert [one.disabled for one in nodes(listed) if hasattr(one, "data-unshelve")] == [True]
    page = lay_out(drawn, "/alarms/service", {}, theme="dark")
    assert not [n for n in nodes(page) if getattr(n, "id", None) == "service-form"]


def test_alarm_that_rings_again_and_again_is_offered_for_the_shelf_the_worst_first() -> None:
    loud = [alarm(n, "parking", "low") for n in (1, 2, 3, 4)]
    drawn = with_alarms(*loud, shelved(alarm_id=9), chattering={1: 5, 2: 9, 4: 7, 9: 50, 77: 6})
    found = draw_page(drawn, "/alarms").fragments["alarms-chattering"]["children"]
    assert [getattr(n, "data-shelve-one") for n in nodes(found) if hasattr(n, "data-shelve-one")] == ["2", "4", "1"]
    assert "Alarme, Mât 1 · 9 fois en 10\u00a0minutes" in text(found)
    assert draw_page(with_alarms(*loud), "/alarms").fragments["alarms-chattering"]["children"] is None


def test_page_of_an_asset_tells_its_hidden_alarms() -> None:
    found = text(draw_page(with_alarms(shelved()), "/asset/dev:eui:01").fragments["asset-head"]["children"])
    assert "Mise de côté par anna\u00a0: capteur bloqué · Revient le" in found
