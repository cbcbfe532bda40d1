"""Alarm quality, trends of any Things, search, saved views and exports, without a server."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from dash.development.base_component import Component

from dashboards import exports, spreadsheet
from dashboards.comparing import MOST, Compared, Key, Series, Wanted, known
from dashboards.components.annotations import happened_in, lines, marks
from dashboards.components.comparing import compared
from dashboards.components.quality import quality
from dashboards.finding import Finder, pages_of
from dashboards.frame import RAIL, frame
from dashboards.keeping import address_of
from dashboards.pages import asset
from dashboards.pages.quality import span_of
from dashboards.quality import COLUMNS, Measured, rows_of
from dashboards.searching import MOST as MOST_HITS
from dashboards.searching import Index, search, search_series
from dashboards.theme import colours
from dashboards.town import Town
from dashboards.trends import Trend
from dashboards.views import Scene
from dashboards.words import Language, Words
from hypervision.accounts import Account, Role
from hypervision.alarm_quality import RANG, Actor, Events, Period, Standing, figures, measure
from hypervision.domains import load
from hypervision.shifts import Shifts
from hypervision.store.alarm_quality import Named
from hypervision.store.notes import DrawnCorrection, Note
from hypervision.store.screens import AlarmRow, GapRow, StreamRow, ThingRow, TrendPoint

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
CATALOGUE = load()
HOSTILE = '=HYPERLINK("x")\u202e<b>'
FLOW = StreamRow(7, 1, "water", "flow", "m3/h", "gauge", 60.0)
KEY = Key("w-1", "water", "flow")


def thing(number: int, code: str, name: str = "", place: str = "rue Haute", organisation: int = 1) -> ThingRow:
    return ThingRow(number, code, name, "water", "", None, None, None, place, organisation, None, None, None)


def alarm(**changes: Any) -> AlarmRow:
    made = AlarmRow(
        1, "high", "ACKED", "none", "datastream", 1, 7, NOW - timedelta(hours=2), NOW, NOW - timedelta(hours=1), "anne",
        None, 1.0, 2.0, "m", "high-flow", "water", "flow", "high", "Débit haut", "High flow", "", "",
    )  # fmt: skip
    return replace(made, **changes)


def scene(language: Language = "en", **changes: Any) -> Scene:
    town = Town(
        things={1: thing(1, "w-1", "Pompe Église"), 2: thing(2, "w-2", "Vanne", "place de l’Hôtel")},
        codes={"w-1": 1, "w-2": 2},
        streams={7: FLOW},
        streams_of={1: (7,)},
        alarms={1: alarm()},
    )
    return Scene(replace(town, **changes), Words(language, PARIS), CATALOGUE, NOW)


def nodes(part: Any) -> Iterator[Any]:
    if isinstance(part, list | tuple):
        for one in part:
            yield from nodes(one)
    elif part is not None:
        yield part
        if isinstance(part, Component):
            yield from nodes(getattr(part, "children", None))


def text(part: Any) -> str:
    return " ".join(str(one) for one in nodes(part) if not isinstance(one, Component))


def hrefs(part: Any) -> list[str]:
    return [one.href for one in nodes(part) if isinstance(one, Component) and getattr(one, "href", None)]


def compare_of(**changes: Any) -> Compared:
    points = [TrendPoint(NOW - timedelta(minutes=n), float(n), 5, False) for n in range(60, 0, -1)]
    made = Compared(
        since=NOW - timedelta(days=1),
        until=NOW,
        read_at=NOW,
        trends=[(Series(KEY, scene().town.things[1], FLOW), Trend(FLOW, points, [], (), [None] * 24))],
        strange=[],
        alarms={1: [alarm()]},
        notes=[Note(5, NOW - timedelta(hours=3), "w-1", HOSTILE, "anne", NOW)],
        corrections=[
            DrawnCorrection(7, "invalidate", NOW - timedelta(hours=5), NOW - timedelta(hours=4), "dirt", "emil", NOW)
        ],
        outages=[GapRow(None, None, NOW - timedelta(hours=7), NOW - timedelta(hours=6), "broker", None)],
    )
    return replace(made, **changes)


def measured() -> Measured:
    rang = [(n * 5_000_000, n, RANG, 0, 1 << 60 | 7 << 32 | 1) for n in range(20)]
    period = Period.of(1_800_000_000, length_us=1_800_000_000)
    shifts = Shifts.of("00:00,12:00")
    found = measure(Events(*np.array(rang, np.int64).T), period, shifts=shifts, zone=PARIS, operators=1)
    named = Named("high-flow", "Débit haut", "High flow", "high", "w-1", HOSTILE)
    standing = [(Standing(-90_000_000_000, True, False), named)]
    told = figures(found, [one for one, _ in standing], operators=1)
    return Measured(NOW, NOW, found, told, standing, {Actor(1, 7, 1): named}, shifts)


@pytest.mark.parametrize(("language", "verdict"), [("fr", "non atteint"), ("en", "not reached")])
def test_quality_tells_each_figure_with_meaning_aim_and_verdict(language: Language, verdict: str) -> None:
    page = quality(scene(language), measured(), "24h")
    cards = [one for one in nodes(page) if isinstance(one, Component) and hasattr(one, "data-figure")]
    assert len(cards) == len(measured().figures)
    rate = next(card for card in cards if getattr(card, "data-figure") == "rate")
    assert verdict in text(rate)
    assert "kpi-missed" in rate.className
    # What rings most leads to its asset, by a name that may turn nothing around.
    assert "/asset/w-1" in hrefs(page)
    assert not any(href.startswith("/rules") for href in hrefs(page))
    assert "/rules?rule=high-flow" in hrefs(quality(scene(language), measured(), "24h", rules=True))
    names = [one.children for one in nodes(page) if type(one).__name__ == "Bdi"]
    assert names
    assert set(names) == {HOSTILE}
    assert "/api/v1/alarm-quality?span=24h&format=xlsx" in hrefs(page)


def test_rows_of_quality_have_one_type_a_column_in_every_format() -> None:
    rows = rows_of(measured())
    by = {(row["figure"], row["of"]): row["value"] for row in rows}
    assert by["rate", "all"] == pytest.approx(20 / 3)
    assert by["alarms", "priority critical"] == 20.0
    assert by["bad_actor", "alarm"] == 20.0
    for form in ("json", "csv", "parquet", "xlsx"):
        assert exports.render(rows, COLUMNS, form)  # type: ignore[arg-type]


@pytest.mark.parametrize("search_", ["", "?span=1y", "?span=%00", "?" + "a=1&" * 900])
def test_time_of_a_senseless_address_is_a_day(search_: str) -> None:
    assert span_of(search_) == "24h"


def test_choice_of_series_is_read_from_the_address_that_it_writes() -> None:
    wanted = Wanted(series=(KEY, Key("dev:eui:01", "air", "no2")), since="2026-11-20 10:00", until="2026-11-21 10:00")
    assert Wanted.of(wanted.href().removeprefix("/trends")) == wanted
    assert wanted.period(PARIS, now=NOW) == (
        datetime(2026, 11, 20, 9, tzinfo=UTC), datetime(2026, 11, 21, 9, tzinfo=UTC),
    )  # fmt: skip
    assert Wanted.of("?" + "&".join(f"s=w-{n}/water/flow" for n in range(20))).series[-1].thing == f"w-{MOST - 1}"


@pytest.mark.parametrize(
    ("search_", "wrong"),
    [
        ("?from=soon", ["soon"]),
        ("?from=2026-11-21&to=2026-11-20", ["2026-11-21 – 2026-11-20"]),
        ("?from=1980-01-01", ["1980-01-01 – "]),
        ("?from=2026-11-20&to=2026-11-21", []),
        ("?s=<script>&range=age", []),
    ],
)
def test_time_that_cannot_be_meant_is_named_and_the_usual_one_is_shown(search_: str, wrong: list[str]) -> None:
    wanted = Wanted.of(search_)
    assert wanted.wrong(PARIS, now=NOW) == wrong
    if wrong:
        assert wanted.period(PARIS, now=NOW) == (NOW - timedelta(days=1), NOW)
    assert wanted.series == ()


def test_series_of_another_organisation_is_as_one_that_is_not() -> None:
    found, strange = known(scene().town, [KEY, Key("w-2", "water", "flow"), Key("other", "water", "flow")])
    assert [one.stream for one in found] == [FLOW]
    assert [key.thing for key in strange] == ["w-2", "other"]


def test_everything_that_happened_is_told_in_order_and_marked_in_its_chart() -> None:
    found = compare_of()
    told = happened_in(scene(), found, reader="anne")
    assert [each.kind for each in told] == ["outage", "correction", "note", "raised", "acknowledged"]
    assert [each.mine for each in told if each.kind == "note"] == [5]
    assert happened_in(scene(), found, reader="bert")[2].mine is None
    shapes, letters = marks(scene(), told, found.trends[0][0], colours("dark"))
    assert [letter["text"] for letter in letters] == ["C", "N", "✓"]
    assert len(shapes) == 3
    listed = text(lines(scene(), told))
    assert "dirt" in listed
    assert "anne" in listed
    # What is over before the time, or of another datastream of the Thing, is not told.
    late = compare_of(since=NOW - timedelta(minutes=30), alarms={1: [alarm(datastream_id=8)]})
    assert happened_in(scene(), late) == []


def test_compared_series_can_be_taken_away_and_exported_as_they_are_drawn() -> None:
    wanted = Wanted(series=(KEY, Key("x", "y", "z")))
    page = compared(scene(), wanted, compare_of(strange=[Key("x", "y", "z")]), theme="dark")
    assert "/trends?s=w-1/water/flow" in hrefs(page)
    assert "/trends?s=x/y/z" in hrefs(page)
    files = [href for href in hrefs(page) if href.startswith("/api/v1/trends?s=w-1/water/flow&from=2026-11-21T10")]
    assert [href.rsplit("=", 1)[1] for href in files] == ["csv", "xlsx", "parquet"]
    assert any(getattr(one, "data-note-remove", None) for one in nodes(page)) is False


def test_search_finds_by_the_beginnings_of_words_without_accents() -> None:
    at, pages = scene("fr"), {"/alarms": "Alarmes"}
    index = Index(at.town.things.values())

    def asked(question: str) -> list[tuple[str, str]]:
        return [(hit.kind, hit.href or hit.value) for hit in search(at, index, question, pages=pages)[0]]

    assert asked("eglise pom") == [("alarm", "/asset/w-1"), ("thing", "/asset/w-1")]
    assert asked("glise") == []
    assert asked("W-2") == [("thing", "/asset/w-2")]
    assert asked("hotel") == [("place", "place de l’Hôtel"), ("thing", "/asset/w-2")]
    assert asked("alar") == [("page", "/alarms")]
    assert asked("debit haut") == [("alarm", "/asset/w-1")]
    assert ("domain", "/map?map-domain=water&map-filter=all") in asked("eau")
    assert asked("  ") == asked("%_*") == []


def test_search_finds_rules_by_name_domain_and_code_for_who_may_see_them() -> None:
    at = scene("fr")
    index = Index(at.town.things.values())

    def asked(question: str, pages: dict[str, str]) -> list[tuple[str, str]]:
        return [(hit.label, hit.href) for hit in search(at, index, question, pages=pages)[0] if hit.kind == "rule"]

    low, seen = ("Pression basse", "/rules?rule=water.pressure.low"), {"/rules": "Règles"}
    assert asked("pression basse", seen) == [low]
    assert asked("water.pressure.low", seen) == [low]
    assert low in asked("regle eau", seen)
    assert asked("pression basse", {}) == []


def test_search_shows_nothing_beyond_the_scope_and_says_when_there_is_more() -> None:
    things = {n: thing(n, f"w-{n}", organisation=1 + n % 2) for n in range(200)}
    index = Index(things.values())
    part = scene(things={n: t for n, t in things.items() if n % 2}, alarms={})
    hits, more = search(part, index, "w", pages={})
    assert (len(hits), more) == (MOST_HITS, True)
    assert all(int(hit.value.removeprefix("w-")) % 2 for hit in hits if hit.kind == "thing")
    # As people count.
    assert [hit.value for hit in search(part, index, "w-1", pages={})[0] if hit.kind == "thing"][:3] == [
        "w-1", "w-11", "w-13",
    ]  # fmt: skip


def test_series_are_found_by_thing_and_by_what_is_observed() -> None:
    at = scene("fr")
    index = Index(at.town.things.values())
    assert [hit.value for hit in search_series(at, index, "pompe débit")[0]] == ["w-1/water/flow"]
    assert search_series(at, index, "vanne")[0] == []


def test_index_is_made_anew_only_when_a_name_has_changed() -> None:
    finder, things = Finder(), dict(scene().town.things)
    first = finder.index(things)
    assert finder.index({n: replace(t, status="online") for n, t in things.items()}) is first
    assert finder.index(things | {3: thing(3, "w-3")}) is not first


def test_pages_that_an_account_may_not_see_are_not_found() -> None:
    words = Words("en", PARIS)
    assert "/rejected" in pages_of(Account(1, "e", Role.ENGINEER), words)
    assert "/rejected" not in pages_of(Account(1, "v", Role.VIEWER), words)


@pytest.mark.parametrize(
    "address",
    ["//evil.example/alarms", "https://evil.example/alarms", "/login", "/alarms#x", "javascript:alert(1)", "/\\evil", "alarms", "/alarms?\u202e", ""],
)  # fmt: skip
def test_view_keeps_a_page_of_the_control_room_and_nothing_else(address: str) -> None:
    with pytest.raises(ValueError, match="no page"):
        address_of(address)


def test_letters_of_pages_differ_and_stand_in_the_overview_of_keys() -> None:
    letters = [entry.letter for entry in RAIL if entry.letter]
    assert len(set(letters)) == len(letters)
    drawn = frame(Words("en", PARIS), Account(1, "a", Role.VIEWER), accessibility="")
    keys = next(one for one in nodes(drawn) if getattr(one, "id", None) == "room-keys")
    assert json.loads(getattr(keys, "data-go"))["q"] == "/quality"
    assert "go to: Alarm quality" in text(keys)


def cells(book: bytes) -> list[list[str]]:
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        assert parts.testzip() is None
        for name in parts.namelist():
            ET.fromstring(parts.read(name))
        sheet = ET.fromstring(parts.read("xl/worksheets/sheet1.xml"))
    space = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    assert sheet.findall(".//m:f", space) == []
    return [
        ["".join(cell.itertext()) for cell in row.findall("m:c", space)] for row in sheet.iterfind(".//m:row", space)
    ]


def test_workbook_holds_hostile_text_as_text() -> None:
    rows = [{"a": HOSTILE, "b": 1.5, "c": NOW}, {"a": "nul\x00 \ud800 ok", "b": None, "c": float("nan")}]
    found = cells(exports.render(rows, ("a", "b", "c"), "xlsx"))
    assert found[0] == ["a", "b", "c"]
    assert found[1][0] == '\'=HYPERLINK("x")\\u202e<b>'
    # 22 November 2026, ten in the morning, as spreadsheets count days.
    assert (found[1][1], float(found[1][2])) == ("1.5", pytest.approx(46348 + 10 / 24))
    assert found[2] == ["nul  ok", "", ""]
    assert len(cells(spreadsheet.workbook(["a"], [["x" * 40_000]]))[1][0]) == spreadsheet.LONGEST


def test_csv_shows_marks_that_turn_text_around() -> None:
    assert exports.to_csv([{"a": "abc\u202edef\u2067"}], ("a",)).decode().splitlines()[1] == "abc\\u202edef\\u2067"


def test_asset_leads_to_its_series_beside_others() -> None:
    assert "/trends?s=w-1/water/flow" in hrefs(asset.layout(scene(), "w-1"))
    assert "/trends" in hrefs(asset.layout(scene(), "w-2"))


def test_search_among_ten_thousand_is_told_while_somebody_types() -> None:
    things = {n: thing(n, f"water-{n:05d}", f"Capteur réseau {n}", f"rue {n % 700}") for n in range(10_000)}
    index, town = Index(things.values()), scene(things=things, alarms={})
    started = time.process_time()
    for question in ("w", "capteur 99", "rue 12", "water-01234"):
        assert search(town, index, question, pages={})[0]
    assert (time.process_time() - started) / 4 < 0.1
