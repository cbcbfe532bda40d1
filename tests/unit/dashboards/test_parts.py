from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboards import exports, geo, guard
from dashboards.components.spark import mask, path
from dashboards.courses import fill
from dashboards.figures import Figure, key_figures, leading_property, scale
from dashboards.health import HELD_LIMIT, messages, parts, report
from dashboards.limits import Limits, Periods
from dashboards.pages.system import refusals_of
from dashboards.routes import CALLBACKS, action_of, is_page
from dashboards.scoped import seen_by
from dashboards.theme import COLOURS
from dashboards.town import NO_TIME, Feed, Town, feed, returned
from hypervision.accounts import Action
from hypervision.domains import load
from hypervision.flowing import Flow, Held, holding
from hypervision.progress import progressed
from hypervision.pulse import NAMED_WITHIN, PATIENCE
from hypervision.scope import EVERYTHING, Scope
from hypervision.store.screens import LimitRow, ReadingRow, StreamRow, ThingRow, WriterRow

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def _town() -> Town:
    things = {i: ThingRow(i, f"w{i}", "", "water", "", None, None, None, "", None, None, None, None) for i in (1, 2, 3)}
    streams = {
        **{i: StreamRow(i, i, "water", "pressure", "bar", "gauge", 300.0) for i in (1, 2, 3)},
        4: StreamRow(4, 1, "water", "battery", "%", "gauge", 86_400.0),
        5: StreamRow(5, 2, "water", "pump_state", "1", "state", 300.0),
    }
    results = {1: (3.0, 10), 2: (4.0, 20), 3: (9.0, 5000), 4: (50.0, 10), 5: (1.0, 10)}
    latest = {i: ReadingRow(i, NOW - timedelta(seconds=age), value, 5) for i, (value, age) in results.items()}
    limits = Limits.of(
        [LimitRow("water", "pressure", k, "high", v, None, True) for k, v in (("low", 1.5), ("high", 12.0))]
    )
    of_thing = {1: (1, 4), 2: (2, 5), 3: (3,)}
    return Town(things=things, streams=streams, streams_of=of_thing, latest=latest, limits=limits)


def test_key_figures_put_what_limits_watch_first_and_leave_stale_values_out() -> None:
    town, water = _town(), load()["water"]
    found = key_figures(town, water, scope=EVERYTHING, now=NOW, periods=Periods())
    assert [f.prop.name for f in found] == ["pressure", "pump_state", "battery"]
    pressure, pump, _battery = found
    assert (pressure.value, pressure.low, pressure.high, pressure.normal) == (3.5, 3.0, 4.0, (1.5, 12.0))
    assert (pump.value, pump.state, pump.count, pump.total) == (100.0, "on", 1, 1)
    assert pressure.newest == NOW - timedelta(seconds=10)
    leading = leading_property(town, water)
    assert leading is not None
    assert leading.name == "pressure"


def test_scale_holds_readings_and_limits() -> None:
    prop = load()["water"].properties["pressure"]
    figure = Figure(prop, 3.5, 3.0, 4.0, (1.5, 12.0), "", 2, 2, NOW, 300.0)
    low, high = scale(figure)
    assert 0 <= low < 1.5
    assert high > 12.0


def test_spark_breaks_where_nothing_was_read_and_survives_one_value() -> None:
    assert path([]) == path([None, None]) == ""
    assert path([5.0], width=4, height=2) == "M0.0 1.0"
    assert path([1.0, None, 2.0], width=4, height=2).count("M") == 2


def test_mask_cannot_be_broken_out_of() -> None:
    assert set('"()<>') & set(mask('<svg a="b">")</svg>')["maskImage"][len('url("') : -len('")')]) == set()


def test_course_leaves_the_bucket_that_still_fills_out() -> None:
    last = int(NOW.timestamp() // 43_200)
    assert fill([(last, 9.0), (last - 1, 8.0)], now=NOW, width=43_200.0) == (None, 8.0)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\tx", "\rx"])
def test_csv_disarms_formulas(cell: str) -> None:
    told = exports.to_csv([{"name": cell, "result": -3.5}], ["name", "result"]).decode()
    assert "'" + cell.strip("\r") in told.replace("\r", "") or f"'{cell}" in told
    assert "-3.5" in told
    assert "'-3.5" not in told


def test_export_format_by_parameter_then_accept() -> None:
    assert exports.wanted("csv", "application/json") == "csv"
    assert exports.wanted(None, "text/csv") == "csv"
    assert exports.wanted(None, "application/vnd.apache.parquet") == "parquet"
    assert exports.wanted(None, "*/*") == "json"


def test_map_leaves_broken_features_out_and_draws_the_others() -> None:
    street = {
        "properties": {"layer": "street", "name": "rue Monge"},
        "geometry": {"type": "LineString", "coordinates": [[5.0, 47.0], [5.1, 47.1]]},
    }
    broken = [
        {},
        {"properties": {"layer": "street"}, "geometry": None},
        {
            "properties": {"layer": "street"},
            "geometry": {"type": "LineString", "coordinates": [[500, 47], [5.0, 47.0]]},
        },
        {"properties": {"layer": "castle"}, "geometry": street["geometry"]},
    ]
    found = geo.parse([*broken, street])
    assert found.lines == {"street": (((5.0, 47.0), (5.1, 47.1)),)}
    extent = geo.extent_of(found, [])
    assert extent is not None
    assert extent.project(extent.west, extent.south) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"host": "a:1", "origin": "http://a:1", "content-type": "application/json"}, False),
        ({"host": "a:1", "content-type": "application/senml+json; charset=utf-8"}, False),
        ({"host": "a:1", "origin": "http://b:1", "content-type": "application/json"}, True),
        ({"host": "a:1", "origin": "null", "content-type": "application/json"}, True),
        ({"host": "a:1", "sec-fetch-site": "same-site", "content-type": "application/json"}, True),
        ({"host": "a:1", "content-type": "text/plain"}, True),
        ({"host": "a:1"}, True),
        ({"host": "a:1", "origin": "http://[", "content-type": "application/json"}, True),
        ({"host": "", "origin": "http://[", "content-type": "application/json"}, True),
    ],
)
def test_origin_of_a_change(headers: dict[str, str], refused: bool) -> None:
    assert bool(guard.refused_origin(headers)) is refused


@pytest.mark.parametrize(
    ("address", "local"), [("127.0.0.1", True), ("::1", True), ("10.0.0.1", False), ("x", False), ("", False)]
)
def test_loopback(address: str, local: bool) -> None:
    assert guard.is_loopback(address) is local


@pytest.mark.parametrize(
    ("method", "path_", "action"),
    [
        ("GET", "/", Action.SEE_SCREENS),
        ("HEAD", "/map", Action.SEE_SCREENS),
        ("GET", "/asset/w:1.a-b", Action.SEE_SCREENS),
        ("GET", "/asset/../x", None),
        ("GET", "/alarms/", None),
        ("POST", "/alarms", None),
        ("POST", "/api/v1/alarms/1/acknowledge", Action.ACKNOWLEDGE_ALARM),
        ("WEBSOCKET", "/live", Action.SEE_SCREENS),
        ("WEBSOCKET", "/_dash-ws-callback", None),
        ("GET", "/live", None),
    ],
)
def test_action_of_a_route(method: str, path_: str, action: Action | None) -> None:
    assert action_of(method, path_) is action


def test_log_in_leads_only_to_pages_of_our_own() -> None:
    assert is_page("/asset/w1")
    assert not any(is_page(target) for target in ("//evil.example", "https://evil.example", "/api/v1/things", "/login"))
    assert all(isinstance(action, Action) for action in CALLBACKS.values())


def _writer(name: str, age: float, **counters: int) -> WriterRow:
    values = {"received": 6, "stored": 3, "duplicate": 1, "rejected": 1, "in_flight": 1, **counters}
    return WriterRow(1, name, 1, 1, NOW, age, *values.values(), "", {})  # type: ignore[arg-type]


def test_health_names_what_fails_and_sums_the_counters() -> None:
    town = Town(proved_at=NOW, writers=(_writer("collector-1/1", 9.0), _writer("watch", 1.0), _writer("import", 500.0)))
    told = report(town, now=NOW)
    assert told["failing"] == ["collector-1/1", "collectors"]
    m = told["messages"]
    assert m["received"] == m["stored"] + m["duplicate"] + m["rejected"] + m["in_flight"] == 18
    working = Town(proved_at=NOW, writers=(_writer("collector-1/1", 0.5),))
    assert report(working, now=NOW)["status"] == "ready"
    assert messages(working)["stored"] == 3


def test_health_tells_no_counters_before_the_first_look_at_the_database() -> None:
    """A web server that has just started must not say that nothing was ever received."""
    told = report(Town(), now=NOW)
    assert told["status"] == "failing"
    assert "messages" not in told


def test_health_lists_what_ran_once_only_for_a_minute() -> None:
    once = ("simulate", "replay", "import")
    ended = Town(
        proved_at=NOW,
        writers=(_writer("collector-1/1", 0.5), *(_writer(name, 61.0) for name in once), _writer("watch", 90_000.0)),
    )
    assert [(p.name, p.working) for p in parts(ended, now=NOW)] == [("database", True), ("collector-1/1", True)]
    running = Town(proved_at=NOW, writers=(_writer("collector-1/1", 0.5), *(_writer(name, 2.0) for name in once)))
    assert {p.name for p in parts(running, now=NOW) if p.working} >= set(once)
    needed = Town(
        proved_at=NOW, writers=tuple(_writer(n, 600.0) for n in ("collector-1/1", "watch", "http", "analyse"))
    )
    assert report(needed, now=NOW)["failing"] == ["collector-1/1", "watch", "http", "analyse", "collectors"]


def test_health_names_each_kind_of_process_before_the_promised_time() -> None:
    """What was stopped at its last beat is named when that beat is older than the patience, seen between two looks."""
    names = ("collector-1/1", "watch", "http", "analyse", "devices")

    def failing(age: float) -> list[str]:
        return report(Town(proved_at=NOW, writers=tuple(_writer(n, age) for n in names)), now=NOW)["failing"]

    assert failing(2.9) == []
    assert failing(PATIENCE) == ["collector-1/1", "collectors"]
    assert set(names) <= set(failing(PATIENCE + 0.1))
    assert PATIENCE + 0.1 < NAMED_WITHIN


def test_health_names_a_broker_that_the_collectors_do_not_reach() -> None:
    def told(*links: str) -> dict[str, Any]:
        writers = tuple(replace(_writer(f"collector-{n}/2", 0.5), link=link) for n, link in enumerate(links, 1))
        return report(Town(proved_at=NOW, writers=writers), now=NOW)

    assert told("connected", "connected")["status"] == "ready"
    away = told("connected", "silent")
    assert away["failing"] == ["broker"]
    assert away["parts"][-1]["detail"] == "collector-2/2: silent"


def test_health_does_not_blame_the_processes_for_a_database_that_stood_still() -> None:
    """It answers again after five seconds, in which nobody could beat."""
    writers = (_writer("collector-1/1", 5.8), _writer("watch", 5.9))
    before = Town(proved_at=NOW - timedelta(seconds=6))
    back = replace(returned(before, now=NOW), proved_at=NOW, writers=writers)
    assert (back.back_at, back.stood_still) == (NOW, 5.0)
    assert report(back, now=NOW)["failing"] == []
    later = NOW + timedelta(seconds=4)
    assert "collector-1/1" in report(replace(back, proved_at=later), now=later)["failing"]
    assert returned(Town(), now=NOW) == Town()
    assert returned(replace(before, proved_at=NOW - timedelta(seconds=1.9)), now=NOW).back_at == NO_TIME


def test_health_fails_when_a_collector_holds_messages_and_commits_none() -> None:
    def told(seconds: float, **counters: int) -> dict[str, Any]:
        writers = (_writer("collector-1/2", 0.5, **counters), _writer("collector-2/2", 0.5, in_flight=0, received=5))
        progress = progressed({}, writers, now=NOW - timedelta(seconds=seconds))
        return report(Town(proved_at=NOW, writers=writers, progress=progress), now=NOW)

    assert told(29.0)["status"] == "ready"
    assert told(3000.0, in_flight=0, received=5)["status"] == "ready"
    stuck = told(30.0)
    assert (stuck["status"], stuck["failing"]) == ("failing", ["collector-1/2", "collectors"])
    assert "none committed for 30 s" in stuck["parts"][-1]["detail"]


def test_health_before_the_database_ever_answered() -> None:
    assert [(p.name, p.working) for p in parts(Town(), now=NOW)] == [("database", False)]


def test_broker_refused_survive_any_detail() -> None:
    assert refusals_of(None) == refusals_of({"broker_refused": 3}) == refusals_of({"broker_refused": {"x": "y"}}) == []


def test_plotly_is_told_the_colours_of_the_style_sheet() -> None:
    from pathlib import Path

    import dashboards

    sheet = (Path(dashboards.__file__).parent / "assets" / "10-theme.css").read_text("utf-8")
    dark, light = sheet.split(':root[data-theme="light"]')
    for theme, text in (("dark", dark), ("light", light)):
        told = {name: re.findall(rf"--{name}: ([^;]+);", text)[:1] for name in COLOURS[theme]}
        assert told == {name: [colour] for name, colour in COLOURS[theme].items()}, theme


def test_health_names_the_part_of_the_messages_that_nobody_takes() -> None:
    def failing(*writers: WriterRow) -> list[str]:
        return list(report(Town(proved_at=NOW, writers=writers), now=NOW)["failing"])

    parts_ = {n: _writer(f"collector-{n}/4", 0.5) for n in (1, 2, 3, 4)}
    assert failing(*parts_.values()) == []
    assert failing(parts_[1], parts_[2], parts_[4]) == ["collector-3/4"]
    # One that stopped is named as such; one that stopped long ago, or was taken out alone, leaves a hole as well.
    assert failing(parts_[1], parts_[2], _writer("collector-3/4", 9.0), parts_[4]) == ["collector-3/4"]
    assert failing(parts_[1], parts_[2], _writer("collector-3/4", 1e6), parts_[4]) == ["collector-3/4"]
    out = replace(_writer("collector-3/4", 60.0), retired=True)
    assert failing(parts_[1], parts_[2], out, parts_[4]) == ["collector-3/4"]
    town = Town(proved_at=NOW, writers=(parts_[1], parts_[2], parts_[4]))
    assert feed(town, now=NOW) == Feed("collector", "collector-3/4")


def test_health_does_not_miss_a_collector_out_of_service_and_counts_its_messages() -> None:
    old = replace(_writer("collector-1/1", 600.0), retired=True)
    town = Town(proved_at=NOW, writers=(old, _writer("collector-1/2", 0.5), _writer("collector-2/2", 0.5)))
    told = report(town, now=NOW)
    assert told["failing"] == []
    assert told["messages"]["stored"] == 9
    assert "collector-1/1" not in {part["name"] for part in told["parts"]}
    assert feed(town, now=NOW) == Feed("live")


def test_health_fails_when_the_timers_are_held_for_minutes() -> None:
    def told(held: Held) -> tuple[list[str], list[str]]:
        watch = replace(_writer("watch", 0.5), detail={"flowing": False, "held": held.told()})
        town = Town(proved_at=NOW, writers=(_writer("collector-1/1", 0.5), watch))
        whole = report(town, now=NOW)
        assert report(seen_by(town, Scope(1)), now=NOW)["failing"] == whole["failing"]
        return whole["failing"], [part["detail"] for part in whole["parts"] if part["name"] == "timers"]

    backlog = Held("backlog", ("collector-1/1",), HELD_LIMIT)
    assert told(replace(backlog, seconds=HELD_LIMIT - 1)) == ([], [])
    assert told(backlog) == (["timers"], ["held for 5 min (backlog: collector-1/1)"])
    assert told(Held("filling", ("import",), 600.0)) == ([], ["held for 10 min (filling: import)"])


def test_collector_that_nobody_retired_is_forgotten_everywhere_after_a_day() -> None:
    """The timers go by the same definition, so that health is not green while they wait for it."""
    new = (_writer("collector-1/2", 0.5), _writer("collector-2/2", 0.5))
    for age, failing in ((60.0, ["collector-1/1"]), (86_401.0, [])):
        town = Town(proved_at=NOW, writers=(_writer("collector-1/1", age), *new))
        assert report(town, now=NOW)["failing"] == failing
        assert (feed(town, now=NOW) == Feed("live")) is (not failing)
        flows = [Flow(w.name, w.beat_age or 0.0, w.retired, "connected", 0) for w in town.writers]
        assert (holding(flows, most=10) is None) is (not failing)
    # Where its part is of the whole at work it stays missed, on the screens too.
    town = Town(proved_at=NOW, writers=(new[0], _writer("collector-2/2", 86_401.0)))
    assert feed(town, now=NOW) == Feed("collector", "collector-2/2")
