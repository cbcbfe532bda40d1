"""What the screens tell of a flood, of causes and of what came first: each account its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dashboards import frame
from dashboards.causes import Mark, explained_by, flood, look_first, marks_of
from dashboards.components import flood as signs
from dashboards.control_room import draw_page
from dashboards.hidden import Chosen, chosen_in
from dashboards.pages.hidden import _chosen
from dashboards.scoped import seen_by
from dashboards.views import Scene
from dashboards.words import Language
from hypervision.flood import Activation
from hypervision.scope import EVERYTHING, Scope
from hypervision.store.screens import AlarmRow, ThingRow
from tests.unit.dashboards.test_pages import NOW, POLE, alarm, nodes, scene, text


def thing(number: int, parent: str | None = None, district: str = "Nord") -> ThingRow:
    return replace(
        POLE, thing_id=number, code=f"lamp-{number}", name=f"Lampe {number}", parent=parent, district=district
    )


CABINET = replace(thing(1), code="cabinet", name="Armoire")
THINGS = {1: CABINET, **{n: thing(n, "cabinet") for n in range(2, 9)}, 9: thing(9, None, "Sud")}


def of(number: int, thing_id: int, *, seconds: float = 0, **more: Any) -> AlarmRow:
    made = alarm(number, "lighting", more.pop("priority", "medium"))
    return replace(
        made, thing_id=thing_id, raised_at=NOW - timedelta(minutes=1) + timedelta(seconds=seconds), label_fr="Éteinte",
        label_en="Dark", **more,
    )  # fmt: skip


def with_alarms(*found: AlarmRow, language: Language = "fr", rang: int = 0, **more: Any) -> Scene:
    town: dict[str, Any] = {
        "things": THINGS,
        "codes": {each.code: i for i, each in THINGS.items()},
        "alarms": {one.alarm_id: one for one in found},
        "activations": tuple(Activation(NOW - timedelta(seconds=n), 100 + n, 9 if n % 2 else 2) for n in range(rang)),
    }
    return replace(scene(language, **{**town, **more}), may_shelve=True, may_acknowledge=True)


def power_cut() -> list[AlarmRow]:
    """A cabinet without voltage, seven dark lamps of which one was dark before, and a lamp elsewhere."""
    cause = of(20, 1, priority="high")
    lamps = [
        of(20 + n, n, seconds=n - 3, suppression="by_design", explained_by=20) for n in range(2, 9)
    ]  # the first of them a second before the cabinet
    return [cause, *lamps, of(40, 9)]


def test_first_of_an_event_is_marked_and_the_others_say_after_which() -> None:
    drawn = with_alarms(*power_cut())
    marks = marks_of(drawn.town, EVERYTHING)
    assert marks[20] == Mark(20, 8, 22, 7, 0)
    assert marks[40] == Mark(40)
    rows = draw_page(drawn, "/alarms").rows or {}
    assert (rows["20"]["first"], rows["20"]["after"]) == ("", "après\u00a0: Éteinte, Lampe 2")
    assert (rows["20"]["explains"], rows["20"]["event"], rows["40"]["event"]) == ("explique 7 alarmes", "20", "")
    listed = draw_page(drawn, "/alarms/hidden").fragments["hidden-list"]["children"]
    assert text(listed).count("première de 8") == 1
    assert "après\u00a0: Éteinte, Lampe 2" in text(
        draw_page(drawn, "/asset/cabinet").fragments["asset-head"]["children"]
    )
    assert "première de 8" in text(draw_page(drawn, "/asset/lamp-2").fragments["asset-head"]["children"])


def test_consequences_are_one_click_from_their_cause() -> None:
    drawn = with_alarms(*power_cut())
    waiting = draw_page(drawn, "/").fragments["overview-waiting"]["children"]
    links = [n.href for n in nodes(waiting) if getattr(n, "href", "").startswith("/alarms/hidden")]
    assert links == ["/alarms/hidden?cause=20"]
    chosen = _chosen(drawn, Chosen(cause=20))
    assert "Expliquées par\u00a0: Éteinte, Armoire" in text(chosen)
    assert [f"Lampe {n}" in text(chosen) for n in (2, 8, 9)] == [True, True, False]
    # The cause itself stands above them, with its button.
    assert [getattr(n, "data-ack") for n in nodes(chosen) if hasattr(n, "data-ack")] == ["20"]
    assert "n’explique plus rien" in text(_chosen(drawn, Chosen(cause=77)))


def test_town_wide_cut_tells_causes_alone_and_all_of_each_page_by_page() -> None:
    lamps = [of(1_000 + n, 2, seconds=n, suppression="by_design", explained_by=20) for n in range(250)]
    drawn = with_alarms(of(20, 1, priority="high"), *lamps)
    listed = draw_page(drawn, "/alarms/hidden").fragments["hidden-list"]["children"]
    assert "les 250 lignes" in text(listed)
    assert len(list(nodes(listed))) < 40
    pages = [_chosen(drawn, Chosen(cause=20, page=n)) for n in (1, 2, 3, 99)]
    counted = [sum(type(n).__name__ == "Tr" for n in nodes(one)) - 1 for one in pages]
    assert counted == [100, 100, 50, 50]
    assert "Page 3 sur 3" in text(pages[3])


def test_consequences_of_consequences_are_found_and_a_circle_ends() -> None:
    chain = {n: of(n, 2, explained_by=n - 1) for n in (2, 3)}
    assert [one.alarm_id for one in explained_by(chain, 1)] == [2, 3]
    circle = {1: of(1, 2, explained_by=2), 2: of(2, 2, explained_by=1)}
    assert {one.alarm_id for one in explained_by(circle, 1)} == {1, 2}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("?cause=12", Chosen(cause=12)), ("?cause=0", Chosen(cause=0)), ("?kind=out&page=2", Chosen(kind="out", page=2)),
        ("?kind=else", None), ("?cause=-1", None), ("?cause=²", None), ("?cause=" + "9" * 19, None), ("", None),
        ("?kind=shelved&page=0", Chosen(kind="shelved")), ("?kind=out&page=x", Chosen(kind="out")),
    ],
)  # fmt: skip
def test_address_chooses_what_makes_sense(search: str, found: Chosen | None) -> None:
    assert chosen_in(search) == found
    if found is not None:
        assert chosen_in("?" + found.query(found.page)) == found


@pytest.mark.parametrize(
    ("language", "told"),
    [("fr", "11 alarmes ont sonné en 10 minutes, la limite est 10."), ("en", "11 alarms rang within 10 minutes")],
)
def test_flood_is_told_on_every_page_with_what_to_look_at(language: Language, told: str) -> None:
    drawn = with_alarms(*power_cut(), language=language, rang=11)
    assert "counter-flood" in str(frame.live(drawn)["frame-counters"]["children"])
    strip = draw_page(drawn, "/alarms").fragments["alarms-flood"]["children"]
    assert told in text(strip)
    assert [getattr(n, "data-look") for n in nodes(strip) if hasattr(n, "data-look")] == ["20", "40"]
    calm = with_alarms(*power_cut(), language=language, rang=10)
    assert draw_page(calm, "/alarms").fragments["alarms-flood"]["children"] is None
    assert "counter-flood" not in str(frame.live(calm)["frame-counters"]["children"])
    two = replace(drawn, operators=2)
    assert draw_page(two, "/alarms").fragments["alarms-flood"]["children"] is None


def test_flood_in_which_nothing_waits_says_so() -> None:
    drawn = with_alarms(of(1, 2, state="ACKED"), rang=20)
    assert "Tout est acquitté." in text(draw_page(drawn, "/alarms").fragments["alarms-flood"]["children"])


def test_worst_is_looked_at_first_then_what_explains_most_and_one_of_each_event() -> None:
    alone = [of(50, 9, priority="critical"), of(51, 9, priority="high", seconds=-900)]
    follower = of(60, 2, seconds=5, priority="high")
    found = [*power_cut(), *alone, follower]
    drawn = with_alarms(*found)
    shown = drawn.town.visible_alarms(EVERYTHING)
    marks = marks_of(drawn.town, EVERYTHING)
    assert [one.alarm_id for one in look_first(shown, marks)] == [50, 20, 51]
    acknowledged = [replace(one, state="ACKED") for one in shown]
    assert look_first(acknowledged, marks) == []


def test_account_of_a_part_is_told_of_its_own_flood_events_and_consequences() -> None:
    whole = with_alarms(*power_cut(), rang=24)
    south = Scope.of(districts=["Sud"])
    part = seen_by(whole.town, south)
    assert flood(whole.town, now=NOW, operators=1).rang == 24
    assert flood(part, now=NOW, operators=1).rang == 12
    assert set(marks_of(part, south)) == {40}
    drawn = replace(whole, town=part, scope=south)
    for cause in (20, 0):
        assert "Lampe 2" not in text(_chosen(drawn, Chosen(cause=cause)))
    assert "Armoire" not in text(_chosen(drawn, Chosen(cause=20)))


def test_chattering_alarm_is_marked_in_its_row_and_all_are_offered_the_worst_in_sight() -> None:
    loud = [of(n, n) for n in range(2, 9)]
    drawn = with_alarms(*loud, chattering={n: 4 + n for n in range(2, 9)})
    rows = draw_page(drawn, "/alarms").rows or {}
    assert rows["3"]["rings"] == "7 fois en 10\u00a0minutes"
    offered = draw_page(drawn, "/alarms").fragments["alarms-chattering"]["children"]
    buttons = [n for n in nodes(offered) if hasattr(n, "data-shelve-one")]
    assert [getattr(n, "data-shelve-one") for n in buttons] == ["8", "7", "6", "5", "4", "3", "2"]
    assert {getattr(n, "data-priority") for n in buttons} == {"medium"}
    assert "4 autres" in text(offered)


def test_row_names_its_district_and_a_platform_alarm_has_none() -> None:
    drawn = with_alarms(of(1, 2), replace(of(2, 2), thing_id=None))
    marks = marks_of(drawn.town, EVERYTHING)
    told = [
        signs.row_marks(marks[one.alarm_id], one, drawn.town, drawn.words)["district"]
        for one in drawn.town.alarms.values()
    ]
    assert told == ["Nord", ""]
