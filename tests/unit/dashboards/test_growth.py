"""A counter is drawn by what it grew by; its register is told beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dashboards import trends
from dashboards.components.history import figure, history
from dashboards.trends import Growth, Trend, Trends
from hypervision.store.growth import Grown
from hypervision.store.screens import LimitRow, StreamRow, TrendPoint
from hypervision.store.trends import Drawn
from tests.unit.dashboards.test_pages import NOW, POLE, nodes, scene, text

METER = StreamRow(3, 1, "water", "volume", "m3", "counter", 3600.0)
SINCE = NOW - timedelta(hours=24)
STEPS = [
    Grown(SINCE + timedelta(hours=n), 0.25 * n, None if n == 3 else 90_000.0 + n) for n in range(24) if n not in (7, 8)
]
POINTS = [TrendPoint(SINCE + timedelta(hours=n), 90_000.0 + n, 5, False) for n in range(24)]


def drawn_by(growth: Growth | None) -> Trends:
    high = LimitRow(**{**dict.fromkeys(LimitRow.__dataclass_fields__), "kind": "high", "limit": 90_010.0})  # type: ignore[arg-type]
    return Trends(SINCE, NOW, [Trend(METER, POINTS, [high], growth=growth)], [], [])


def figure_of(found: Trends) -> dict[str, Any]:
    return figure(scene("en"), found, found.trends[0], theme="dark")


def test_counter_has_a_bar_for_every_step_that_is_known_with_the_register_under_the_pointer() -> None:
    shown = figure_of(drawn_by(Growth("hour", STEPS)))
    (bars,) = shown["data"]
    assert (bars["type"], bars["width"], bars["y"]) == ("bar", 3_600_000, [step.total for step in STEPS])
    assert bars["x"][0] == "2026-11-21T11:00:00"  # in Paris
    assert bars["customdata"][1] == "0.25\u00a0m³<br>21 Nov 12:00 – 21 Nov 13:00<br>register 90,001\u00a0m³"
    assert "register" not in bars["customdata"][3]
    assert shown["layout"]["yaxis"]["rangemode"] == "tozero"
    # A limit of the register says nothing of a bar.
    assert shown["layout"]["shapes"] == []


def test_counter_of_which_no_growth_is_known_shows_its_register() -> None:
    shown = figure_of(drawn_by(None))
    assert [trace["type"] for trace in shown["data"]] == ["scatter"]
    assert len(shown["layout"]["shapes"]) == 1


def test_counter_that_stood_still_has_an_axis_all_the_same() -> None:
    still = Growth("day", [Grown(SINCE, 0.0, 90_000.0)])
    assert figure_of(drawn_by(still))["layout"]["yaxis"]["range"] == [0, 1]


@pytest.mark.parametrize(
    ("chosen", "period", "step"),
    [
        ("hour", 60.0, None),
        ("day", 3600.0, "hour"),
        ("week", None, "hour"),
        ("day", 86_400.0, "day"),
        ("year", 60.0, "day"),
    ],
)
def test_step_fits_the_range_and_is_no_shorter_than_the_counter_speaks(
    monkeypatch: pytest.MonkeyPatch, chosen: str, period: float | None, step: str | None
) -> None:
    asked: list[Any] = []

    def read_growth(_connection: Any, _stream: int, **options: Any) -> list[Grown]:
        asked.append((options["step"], options["until"]))
        return STEPS

    monkeypatch.setattr(trends, "read_trend", lambda *_, **_options: Drawn(POINTS, []))
    monkeypatch.setattr(trends, "read_growth", read_growth)
    for name in ("read_gaps", "read_alarm_history", "read_journal"):
        monkeypatch.setattr(trends.screens, name, lambda *_, **_options: [])
    town = scene(streams={3: replace(METER, period=period)}, streams_of={1: (3,)}).town
    (trend,) = trends.read_trends(None, town, POLE, chosen, now=NOW).trends  # type: ignore[arg-type]
    assert (trend.growth and trend.growth.step) == step
    # Nothing is known of the time after the newest reading.
    assert asked == ([] if step is None else [(step, POINTS[-1].at)])


def test_words_and_table_of_a_counter_tell_its_growth() -> None:
    told = history(scene("en"), drawn_by(Growth("hour", STEPS)), theme="light")
    assert "m³ per hour" in text(told)
    assert f"{sum(step.total for step in STEPS):.0f}\u00a0m³ in all" in text(told)
    table = text(next(one for one in nodes(told) if getattr(one, "className", "") == "twin"))
    assert "Increase Register" in table
    assert "5.75\u00a0m³ 90,023\u00a0m³" in table
    assert table.index("5.75\u00a0m³") < table.index("5.50\u00a0m³")
    days = Growth("day", [Grown(SINCE + timedelta(days=n), 10.0, 100.0 + n) for n in range(48)])
    many = replace(drawn_by(days), until=NOW + timedelta(days=48))
    table = text(
        next(one for one in nodes(history(scene("en"), many, theme="light")) if getattr(one, "className", "") == "twin")
    )
    assert table.count("20.0\u00a0m³") == 24
    assert "20.0\u00a0m³ 147\u00a0m³" in table
