from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dash.development.base_component import Component

from dashboards.components import alarms as parts
from dashboards.components.history import alarm_spans, history, journal_text
from dashboards.pages import alarms, asset, overview, system, town_map
from dashboards.theme import colours
from dashboards.town import Town
from dashboards.trends import Trend, Trends
from dashboards.views import Scene, ViewKey
from dashboards.words import Language, Words
from hypervision.accounts import Account, Role
from hypervision.domains import load
from hypervision.flowing import Held
from hypervision.progress import Progress
from hypervision.scope import Scope
from hypervision.store.screens import (
    AlarmRow,
    JournalRow,
    ReadingRow,
    RejectedRow,
    StreamRow,
    ThingRow,
    TrendPoint,
    WriterRow,
)
from hypervision.store.trends import Slice

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
CATALOGUE = load()
POLE = ThingRow(
    1, "dev:eui:01", "Mât 1", "lighting", "pole", None, 5.03, 47.32, "rue Haute", 1, "Ville", "online",
    NOW - timedelta(hours=3),
)  # fmt: skip
VOLTAGE = StreamRow(1, 1, "lighting", "voltage", "V", "gauge", 900.0)
OCCUPIED = StreamRow(2, 1, "parking", "occupied", "1", "state", 900.0)


def alarm(alarm_id: int, domain: str, priority: str, state: str = "UNACK", minutes: float = 20) -> AlarmRow:
    raised = NOW - timedelta(minutes=minutes)
    over = raised + timedelta(minutes=5) if state in ("NORM", "RTNUN") else None
    stream = {"lighting": (1, "voltage"), "parking": (2, "occupied")}[domain]
    return AlarmRow(
        alarm_id, priority, state, "none", "datastream", 1, stream[0], raised, raised, None, None, over, 260.0, 253.0,
        "m", "r", domain, stream[1], "high", "Alarme", "Alarm", "", "",
    )  # fmt: skip


def writer(**changes: Any) -> WriterRow:
    values: dict[str, Any] = dict.fromkeys(WriterRow.__dataclass_fields__)
    values |= {
        "writer_id": 1, "name": "collector-1/1", "commit_no": 1, "alarm_no": 1, "beat_at": NOW, "beat_age": 0.5,
        "received": 9, "stored": 3, "duplicate": 1, "rejected": 1, "in_flight": 4, "link": "connected", "detail": {},
    }  # fmt: skip
    return WriterRow(**{**values, **changes})


def scene(language: Language = "fr", **changes: Any) -> Scene:
    town = Town(
        proved_at=NOW,
        things={1: POLE},
        codes={POLE.code: 1},
        streams={1: VOLTAGE, 2: OCCUPIED},
        streams_of={1: (1, 2)},
        latest={1: ReadingRow(1, NOW, 230.0, 5), 2: ReadingRow(2, NOW, 1.0, 5)},
        alarms={1: alarm(1, "parking", "low"), 2: alarm(2, "lighting", "high")},
        writers=(writer(),),
        engine=("18.0", 1_000_000, 3, None),
    )
    return Scene(replace(town, **changes), Words(language, ZoneInfo("Europe/Paris")), CATALOGUE, NOW)


def nodes(part: Any) -> Iterator[Any]:
    """Every component and text below a part."""
    if isinstance(part, list | tuple):
        for one in part:
            yield from nodes(one)
    elif part is not None:
        yield part
        if isinstance(part, Component):
            yield from nodes(getattr(part, "children", None))


def text(part: Any) -> str:
    return " ".join(str(one) for one in nodes(part) if not isinstance(one, Component))


def ages(part: Any) -> list[str]:
    return [getattr(one, "data-since") for one in nodes(part) if hasattr(one, "data-since")]


def test_system_page_speaks_one_language_and_every_figure_has_an_age() -> None:
    refused = RejectedRow(
        1, NOW, "urban/v1/water/x/up", 9, "unknown_thing", "x is not registered", 1, False, None, "{}"
    )
    town: dict[str, Any] = {
        "writers": (writer(detail={"broker_refused": {"publish_denied": 2}}),),
        "progress": {"collector-1/1": Progress(5, NOW - timedelta(seconds=3000))},
        "rejected": (refused,),
    }
    told = system.draw(scene(**town), "/health").fragments
    found = {name: text(part["children"]) for name, part in told.items()}
    assert "messages en cours\u00a0: 4, aucun enregistré depuis 3\u202f000\u00a0s" in found["health-parts"]
    assert "reçoivent sans enregistrer\u00a0: collector-1/1" in found["health-parts"]
    assert "Base de données" in found["health-parts"]
    assert "Équipement inconnu" in found["health-rejected"]
    assert "Publication interdite" in found["health-refusals"]
    assert not any(word in " ".join(found.values()) for word in ("flight", "beats", "answer", "database"))
    assert len(ages(told["health-messages"]["children"])) == 2
    assert len(ages(told["health-server"]["children"])) == 1
    away = system.draw(scene(failure="the database does not answer"), "/health").fragments
    assert "La base ne répond pas" in text(away["health-server"]["children"])
    assert "does not answer" not in text([part["children"] for part in away.values()])


def test_system_page_shows_payloads_to_those_alone_who_may_see_them() -> None:
    def refused(number: int, reason: str, minutes: int) -> RejectedRow:
        at = NOW - timedelta(minutes=minutes)
        return RejectedRow(number, at, "urban/v1/water/x/up", 9, reason, "detail-x", 1, False, None, "payload-x")

    shown = scene("en", rejected=(refused(3, "empty", 1), refused(2, "conflict", 2), refused(1, "conflict", 3)))

    def told(role: Role) -> Any:
        key = ViewKey.of("/health", "en", Account(1, "x", role))
        seen = replace(shown, may_see_rejected=key.may_see_rejected)
        return system.draw(seen, "/health").fragments["health-rejected"]["children"]

    for role in Role:
        secret = role in (Role.ENGINEER, Role.ADMINISTRATOR, Role.AUDITOR)
        assert [word in text(told(role)) for word in ("urban/", "detail-x", "payload-x")] == [secret] * 3, role
    cells = [one for one in nodes(told(Role.VIEWER)) if type(one).__name__ == "Td"]
    assert [text(cell) for cell in cells[1::3]] == ["Contradicts a stored reading conflict", "No reading empty"]
    assert [text(cell) for cell in cells[2::3]] == ["2", "1"]
    french = scene("fr", rejected=(replace(refused(1, "empty", 1), detail="the message holds no reading."),))
    assert "le message ne contient aucune mesure" in text(
        system.draw(replace(french, may_see_rejected=True), "/health").fragments["health-rejected"]["children"]
    )
    # The newest of each.
    assert ages(cells[0]) == [str(int((NOW - timedelta(minutes=2)).timestamp() * 1000))]


def test_system_page_says_that_no_collector_is_alive() -> None:
    told = system.draw(scene(writers=(writer(beat_age=60.0),)), "/health").fragments
    assert "aucun collecteur ne donne signe de vie" in text(told["health-parts"]["children"])


def test_system_page_says_what_holds_the_timers() -> None:
    held = Held("stopped", ("collector-1/1",), 720.0).told()
    told = system.draw(scene(writers=(writer(name="watch", detail={"held": held}),)), "/health").fragments
    assert "retenues depuis 12\u00a0min" in text(told["health-parts"]["children"])
    assert "s’achève\u00a0: collector-1/1" in text(told["health-parts"]["children"])


def test_account_of_an_organisation_sees_no_counters_of_everybody() -> None:
    told = system.draw(replace(scene(), scope=Scope(1)), "/health").fragments
    for name in ("health-messages", "health-refusals", "health-server"):
        assert text(told[name]["children"]) == "Visible avec un compte de toute la ville."


def test_link_of_an_asset_is_told_with_its_age() -> None:
    head = asset.draw(scene(), POLE.code).fragments["asset-head"]["children"]
    assert "en ligne" in text(head)
    assert str(int((NOW - timedelta(hours=3)).timestamp() * 1000)) in ages(head)


def test_map_marks_every_domain_of_a_pole_the_worst_first_with_when_it_began() -> None:
    drawn = town_map.draw(scene(), "/map").fragments
    [place] = drawn["map-places"]["data"]
    assert (place[0], place[2]) == ("dev:eui:01", ["lighting", "parking"])
    marks = drawn["map-marks"]["data"]
    assert [(mark[0], mark[1], mark[4]) for mark in marks] == [
        ("dev:eui:01", "high", "lighting"),
        ("dev:eui:01", "low", "parking"),
    ]
    assert marks[0][3] == "Alarme 260\u00a0V > 253\u00a0V · depuis le 22 nov. 10:40"


def test_tile_counts_what_a_pole_of_another_domain_measures() -> None:
    tiles = overview.draw(scene(), "/").fragments
    assert "1 / 1" in text(tiles["figures-parking"]["children"])
    assert "1 sur 1 répond" in text(tiles["tile-parking"]["children"])
    assert "1 alarme ouverte" in text(tiles["tile-parking"]["children"])
    assert "0 sur 0 répond" in text(tiles["tile-water"]["children"])


def test_list_puts_priority_first_and_active_before_returned() -> None:
    found = [
        alarm(1, "lighting", "low"), alarm(2, "lighting", "critical", "RTNUN"), alarm(3, "lighting", "critical"),
        alarm(4, "lighting", "critical", "ACKED"), alarm(5, "lighting", "low", "RTNUN", minutes=1),
    ]  # fmt: skip
    shown = scene(alarms={a.alarm_id: a for a in found})
    rows = alarms.draw(shown, "/alarms").rows or {}
    assert sorted(rows, key=lambda key: rows[key]["order"]) == ["3", "2", "1", "5", "4"]
    waiting = overview.draw(shown, "/").fragments["overview-waiting"]["children"]
    told = [getattr(one, "data-ack") for one in nodes(waiting) if hasattr(one, "data-ack")]
    assert told == ["3", "2", "1", "5"]


@pytest.mark.parametrize(("language", "label"), [("fr", "Acquitter\u00a0: x"), ("en", "Acknowledge: x")])
def test_acknowledge_button_names_its_alarm(language: Language, label: str) -> None:
    words = Words(language, ZoneInfo("UTC"))
    made = parts.acknowledge_button(alarm(1, "lighting", "low"), words, allowed=True, label="x")
    assert getattr(made, "aria-label") == label


def trends(points: list[TrendPoint], stream: StreamRow = VOLTAGE, **changes: Any) -> Trends:
    found = Trends(NOW - timedelta(hours=24), NOW, [Trend(stream, points, [])], [], [])
    return replace(found, **changes)


def test_alarm_span_has_the_shape_and_letter_of_its_priority_and_no_colour_once_it_is_over() -> None:
    points = [TrendPoint(NOW - timedelta(hours=1), 230.0, 5, False)]
    found = trends(points, alarms=[alarm(1, "lighting", "high", "NORM", 600), alarm(2, "lighting", "critical")])
    c = colours("dark")
    spans, letters = alarm_spans(scene(), found, found.trends[0], c)
    assert [span["fillcolor"] for span in spans] == [c["edge"], c["critical"]]
    assert [(note["text"], note["xanchor"]) for note in letters] == [("▲ H", "left"), ("■ C", "right")]
    assert letters[0]["font"]["color"] == c["muted"]


def test_chart_has_a_table_that_says_the_same() -> None:
    points = [TrendPoint(NOW - timedelta(minutes=m), 230.0 + m, 5, False) for m in (30, 20, 10)]
    found = trends(points)
    slices: list[Slice | None] = [None, Slice(240.0, 250.0, 260.0), Slice(90.0, None, 91.0)]
    found = replace(found, trends=[replace(found.trends[0], slices=slices)])
    drawn = history(scene(), found, theme="dark")
    table = next(one for one in nodes(drawn) if getattr(one, "className", "") == "twin")
    assert "Minimum" in text(table)
    assert "240\u00a0V 250\u00a0V 260\u00a0V" in text(table)
    assert "90\u00a0V — 91\u00a0V" in text(table)
    assert text(table).index("90\u00a0V") < text(table).index("240\u00a0V")


def test_chart_says_until_when_it_knows_only_hours_and_days() -> None:
    found = trends([TrendPoint(NOW - timedelta(minutes=m), 230.0, 5, False) for m in (30, 20, 10)])
    assert "minimum et maximum de chaque heure" not in text(history(scene(), found, theme="dark"))
    partly = replace(found, trends=[replace(found.trends[0], readings_from=NOW - timedelta(hours=1))])
    assert "minimum et maximum de chaque heure" in text(history(scene(), partly, theme="dark"))


def test_table_of_a_state_has_a_line_for_every_change() -> None:
    states = (0.0, 0.0, 1.0, 1.0, 0.0)
    points = [TrendPoint(NOW - timedelta(minutes=50 - 10 * i), v, 5, False) for i, v in enumerate(states)]
    drawn = history(scene(), trends(points, OCCUPIED), theme="light")
    table = next(one for one in nodes(drawn) if getattr(one, "className", "") == "twin")
    assert [word for word in text(table).split() if word in ("libre", "occupée")] == ["libre", "occupée", "libre"]


def test_what_has_no_chart_is_named() -> None:
    points = [TrendPoint(NOW, 230.0, 5, False)]
    assert "Sans graphique ici\u00a0: Occupation" in text(
        history(scene(), trends(points, undrawn=(OCCUPIED,)), theme="dark")
    )
    assert "Sans graphique" not in text(history(scene(), trends(points), theme="dark"))


def test_journal_is_told_in_the_language_of_the_screen() -> None:
    late = JournalRow(NOW, "late_crossing", "", '{"rule": "parking.full", "value": 3.5}', None, None, None, None)
    seen = JournalRow(NOW, "transition", "o", "vu", "UNACK", "ACKED", "acknowledge", "parking.full")
    assert journal_text(scene(), late) == "Dépassement reçu en retard (Parking presque complet, 3,50)"
    period = replace(late, kind="period", detail='{"property": "flow", "value": 900.0}')
    assert journal_text(scene(), period) == "Une mesure attendue toutes les 900\u00a0s (flow)"
    assert journal_text(scene(), seen) == "Parking presque complet → acquittée\u00a0: «\u00a0vu\u00a0»"
    assert journal_text(scene("en"), seen) == "Car park nearly full → acknowledged: “vu”"
