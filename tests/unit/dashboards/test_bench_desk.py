"""`bench desk`: what is counted and judged of what a browser saw, the town it makes, what it says; nothing is measured."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dashboards.bench.desk import table
from dashboards.bench.desk.bars import BARS, PARTS, QUICK, Sizes
from dashboards.bench.desk.counting import (
    HiddenAlarm,
    Ring,
    charts,
    explained_in,
    foreign,
    growth,
    misplaced,
    percentile,
    unreachable,
)
from dashboards.bench.desk.report import configure, sizes_of
from dashboards.bench.desk.town import LAMPS, SENT, make, spare, standing
from dashboards.words import LANGUAGES, Words
from hypervision.bars import Bar, Figure
from hypervision.domains import load

ABOUT = table.About("hypervision bench desk", "2026-01-01", "abcdef1234", "2 cores EPYC", 90.0)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([0.3], 0.95, 0.3),
        (list(range(1, 101)), 0.95, 95),
        (list(range(1, 21)), 0.95, 19),
        (list(range(1, 21)), 0.951, 20),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([3.0, 1.0], 1.0, 3.0),
        ([3.0, 1.0], 0.0, 1.0),
    ],
)
def test_percentile_is_the_nearest_rank(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_percentile_of_nothing_is_no_number() -> None:
    assert math.isnan(percentile([], 0.95))


@pytest.mark.parametrize(
    ("address", "leaves"),
    [
        ("http://127.0.0.1:8050/assets/a.js", False),
        ("http://127.0.0.1:8051/assets/a.js", True),
        ("https://cdn.example/plotly.js", True),
        ("//cdn.example/x", True),
        ("blob:http://127.0.0.1:8050/1", False),
        ("data:image/png;base64,AA", False),
        ("http://127.0.0.1:8050/live", False),
    ],
)
def test_address_is_foreign_when_host_or_port_is_another(address: str, leaves: bool) -> None:
    assert foreign([address], host="127.0.0.1:8050") == ([address] if leaves else [])


def test_library_of_charts_is_known_by_its_path_alone() -> None:
    assert charts(["/x/plotly/package_data/plotly.min.js", "/dcc/async-plotlyjs.js"]) != []
    assert charts(["/alarms?q=plotly", "/assets/50-map.js"]) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", [1, 2, 50, 2040])
def test_row_s_count_is_read_as_the_screen_writes_it(language: str, number: int) -> None:
    words = Words(language, ZoneInfo("Europe/Paris"))
    told = words.n("desk.explains", number)
    assert explained_in({"label": f"Armoire 12 hors tension · {told}"}) == number


def test_row_without_a_count_explains_nothing() -> None:
    assert explained_in({"label": "Armoire 12 hors tension"}) == 0
    assert explained_in({}) == 0


def test_hidden_alarm_is_reachable_when_listed_or_counted_in_full() -> None:
    hidden = [HiddenAlarm(1, "a", 9), HiddenAlarm(2, "b", 9), HiddenAlarm(3, "c", None)]
    assert unreachable(hidden, listed={"a", "b", "c"}, counted={}) == 0
    assert unreachable(hidden, listed={"c"}, counted={9: 2}) == 0
    assert unreachable(hidden, listed={"c"}, counted={9: 1}) == 2, "a count that is too low reaches none of them"
    assert unreachable(hidden, listed={"a"}, counted={9: 2}) == 1, "without a cause only the list reaches it"
    assert unreachable(hidden, listed=(), counted={}) == 3
    assert unreachable([], listed=(), counted={}) == 0


def test_consequence_is_misplaced_that_rang_first_or_stands_above_a_cause() -> None:
    parent = {"lamp-1": "box", "lamp-2": "box"}
    box, lamp = Ring(1, "box", 1000.0), Ring(2, "lamp-1", 2000.0)
    assert misplaced([box], ["box"], parent=parent) == 0
    assert misplaced([box, lamp], ["box", "lamp-1"], parent=parent) == 0
    assert misplaced([box, lamp], ["lamp-1", "box"], parent=parent) == 1
    assert misplaced([lamp._replace(at=500.0), box], ["box"], parent=parent) == 1, "it rang and is gone"
    assert misplaced([Ring(3, "lamp-2", 1.0)], [], parent=parent) == 1, "its cause never rang"
    assert misplaced([Ring(4, "bin", 1.0), box], ["bin", "box"], parent=parent) == 0, "what is unrelated is none"


def test_growth_is_that_of_the_worst_and_of_those_seen_twice() -> None:
    assert growth({"a": 1.0, "b": 2.0}, {"a": 4.0, "b": 1.0}) == 3.0
    assert growth({"a": 1.0}, {"b": 99.0}) == 0.0
    assert growth({"a": 3.0}, {"a": 1.0}) == -2.0


def test_town_of_ten_thousand_has_forty_cabinets_with_two_thousand_lamps() -> None:
    town = make(10_000)
    assert len(town.things) == len(town.kinds) == 10_000
    assert len(town.of("cabinet")) == 40
    assert len(town.of("lamp")) == 40 * LAMPS
    assert {thing.parent for thing in town.things if thing.parent} == set(town.of("cabinet"))
    assert {thing.domain for thing in town.things} == {"lighting", "water", "parking", "waste"}
    assert all(thing.longitude and thing.latitude and thing.district for thing in town.things)
    assert make(10_000) == town, "the same each time"


@pytest.mark.parametrize("things", [500, 2_000, 10_000])
def test_standing_alarms_are_as_many_as_asked_for_one_a_thing(things: int) -> None:
    town = make(things)
    wrong = standing(town, 40)
    assert len(wrong) == 40
    assert len({code for code, _ in wrong}) == 40
    free = spare(town, wrong, "waste", 10)
    assert len(free) == 10
    assert not {code for code, _ in wrong} & set(free)


def test_standing_alarms_break_a_rule_that_has_no_delay_and_are_split_as_priorities_should_be() -> None:
    catalogue, town = load(), make(10_000)
    priorities = []
    for (code, name), value in standing(town, 200).items():
        rules = [rule for rule in catalogue[town.domain(code)].rules if rule.property == name]
        broken = [
            rule
            for rule in rules
            if (rule.kind == "high" and value > rule.limit)
            or (rule.kind == "low" and value < rule.limit)
            or (rule.kind == "state_equals" and value == rule.limit)
        ]
        assert len(broken) == 1, (code, name)
        assert broken[0].on_delay == 0
        priorities.append(broken[0].priority)
    assert priorities.count("critical") == 10
    assert priorities.count("high") == 30


def test_usual_readings_break_no_rule() -> None:
    catalogue = load()
    for kind, sent in SENT.items():
        domain = catalogue["lighting" if kind in ("cabinet", "lamp") else kind]
        for name, usual, spread in sent:
            for rule in domain.rules:
                if rule.property == name and rule.kind in ("high", "low"):
                    high = rule.kind == "high"
                    assert (usual + spread < rule.limit) if high else (usual - spread > rule.limit), (kind, name)


def test_every_bar_belongs_to_one_part_and_holds_the_aim_to_more_than_the_bound() -> None:
    keys = [key for part in PARTS.values() for key in part] + ["foreign"]
    assert sorted(keys) == sorted(bar.key for bar in BARS)
    assert all(bar.low and bar.least is not None and bar.aim is not None and bar.aim <= bar.least for bar in BARS)


def test_sizes_given_hold_over_those_of_the_quick_form() -> None:
    parser = argparse.ArgumentParser()
    configure(parser)
    assert sizes_of(parser.parse_args([])) == Sizes()
    given = parser.parse_args(["--quick", "--things", "700", "--rate", "80", "--minutes", "2", "--only", "cut"])
    assert sizes_of(given) == Sizes(
        things=700, alarms=QUICK.alarms, rate=80.0, rounds=QUICK.rounds, raised=QUICK.raised, seconds=QUICK.seconds,
        minutes=2.0,
    )  # fmt: skip
    assert given.only == ["cut"]
    for wrong in (["--things", "7"], ["--only", "nothing"], ["--minutes", "nan"]):
        with pytest.raises(SystemExit):
            parser.parse_args(wrong)


def test_report_tells_bound_verdict_runs_and_what_is_missing() -> None:
    low = Bar("cold", "log-in", "s", 2, 1.2, 2, low=True)
    figures = [Figure(low, [1.0, 1.5, 9.0]), Figure(low, why_not="the browser ended"), Figure(low, [0.5] * 12)]
    told = table.markdown(figures, ABOUT, Sizes())
    assert "`hypervision bench desk`, 2026-01-01, commit abcdef1234, 1.5 minutes." in told
    assert "| log-in [s] | 1.50 | at most 2, aim 1.2 | reached | 1.00, 1.50, 9.00 |" in told
    assert "- **Not measured**: log-in: the browser ended" in told
    assert "0.50, …" in told
    assert "10,000 Things with 200 active alarms; 1,200 messages a second" in told
    assert len({row.count("|") for row in told.splitlines() if row.startswith("|")}) == 1
    assert any("NOT MEASURED: the browser ended" in row for row in table.text(figures))
    again = json.loads(json.dumps(table.document(figures, ABOUT, Sizes(), {"log-in": {"seconds": 3.0}})))
    assert again["figures"][0]["verdict"] == "reached"
    assert again["sizes"]["rate"] == 1_200.0
    assert again["measured"]["log-in"]["seconds"] == 3.0


def test_probe_knows_the_places_that_it_looks_for() -> None:
    """What the probe asks of the pages stands in their source: a page that is built anew breaks this first."""
    root = Path(table.__file__).resolve().parents[2]
    probe = (root / "bench" / "desk" / "probe.js").read_text("utf-8")
    pages = "\n".join(path.read_text("utf-8") for path in (root / "pages").glob("*.py"))
    for ident in ("map-graph", "map-list", "hidden-list", "alarm-grid"):
        assert f"#{ident}" in probe
        assert f'"{ident}"' in pages
    assert '"map-marks"' in pages
    frame = (root / "frame.py").read_text("utf-8")
    assert '"frame-banner"' in frame
