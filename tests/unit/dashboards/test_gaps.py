"""No line is drawn across a hole, and every known gap is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from dashboards.components.history import figure, history
from dashboards.trends import Trend, Trends, gaps_of, line
from hypervision.store.screens import GapRow, StreamRow, TrendPoint
from tests.unit.dashboards.test_pages import NOW, OCCUPIED, VOLTAGE, scene, text

PERIOD = timedelta(seconds=VOLTAGE.period or 0)
SINCE = NOW - timedelta(hours=24)


def points(*after: float, holes: tuple[float, ...] = ()) -> list[TrendPoint]:
    """Readings so many periods after a start; before some of them lies a hole."""
    return [TrendPoint(at(n), 230.0 + n, 5, n in holes) for n in after]


def at(periods: float) -> datetime:
    return SINCE + timedelta(hours=1) + periods * PERIOD


def gap(cause: str, first: float, last: float | None, domain: str | None = None, stream: int | None = None) -> GapRow:
    return GapRow(stream, domain, at(first), None if last is None else at(last), cause, None if domain is None else 3)


def drawn(trend: Trend) -> list[float | None]:
    return line(trend)[1]


def trend(stream: StreamRow, found: list[TrendPoint], *gaps: GapRow) -> Trend:
    return Trend(stream, found, [], gaps_of(gaps, stream))


def test_line_breaks_where_readings_are_too_far_apart() -> None:
    assert drawn(trend(VOLTAGE, points(0, 1, 5, 6, holes=(5,)))) == [230.0, 231.0, None, 235.0, 236.0]


def test_line_breaks_where_a_message_is_missing_between_two_readings() -> None:
    lost = gap("sequence", 1, 2, VOLTAGE.domain)
    assert drawn(trend(VOLTAGE, points(0, 1, 2, 3), lost)) == [230.0, 231.0, None, 232.0, 233.0]
    assert drawn(trend(VOLTAGE, points(0, 1, 2, 3), replace(lost, domain="other"))) == [230.0, 231.0, 232.0, 233.0]


@pytest.mark.parametrize("cause", ["broker", "database", "collector"])
def test_line_breaks_at_an_outage_that_took_a_reading_and_not_at_one_that_took_none(cause: str) -> None:
    outage = gap(cause, 1.2, 1.8)
    assert drawn(trend(VOLTAGE, points(0, 1, 3), outage)) == [230.0, 231.0, None, 233.0]
    assert drawn(trend(VOLTAGE, points(0, 1, 2, 3), outage)) == [230.0, 231.0, 232.0, 233.0]
    assert drawn(trend(VOLTAGE, points(0, 1, 1.5, 3), outage)) == [230.0, 231.0, 231.5, 233.0]


def test_state_that_comes_on_change_holds_until_an_outage_begins() -> None:
    stream = replace(OCCUPIED, period=None)
    times, results = line(trend(stream, points(0, 10), gap("collector", 4, 5)))
    assert list(zip(times, results, strict=True)) == [(at(0), 230.0), (at(4), 230.0), (at(10), None), (at(10), 240.0)]


def test_gap_without_readings_on_both_sides_breaks_nothing() -> None:
    around = (
        gap("broker", -3, -1),
        gap("collector", 5, 9),
        gap("silence", 3, None, VOLTAGE.domain, VOLTAGE.datastream_id),
    )
    assert None not in drawn(trend(VOLTAGE, points(0, 1, 2, 3), *around))


def test_silence_of_another_datastream_is_none_of_this_one() -> None:
    assert gaps_of([gap("silence", 0, 4, VOLTAGE.domain, VOLTAGE.datastream_id + 1)], VOLTAGE) == ()


def shown(*gaps: GapRow) -> tuple[Trends, dict[str, Any]]:
    one = trend(VOLTAGE, points(0, 1, 9, 10, holes=(9,)), *gaps)
    found = Trends(SINCE, NOW, [one], [], [])
    return found, figure(scene(), found, one, theme="dark")


def test_gap_is_hatched_and_says_what_it_is_under_the_pointer() -> None:
    _found, made = shown(gap("silence", 1, 9, VOLTAGE.domain, VOLTAGE.datastream_id), gap("broker", 20, 20.5))
    silence, broker = (one for one in made["data"] if one.get("yaxis") == "y2")
    assert silence["fillpattern"]["shape"] == "/"
    assert silence["hoveron"] == "fills"
    assert silence["text"].startswith("Sans mesure<br>")
    assert silence["text"].endswith("mesures manquantes\u00a0: 3")
    assert broker["text"].startswith("Broker MQTT absent<br>")
    (readings,) = (one for one in made["data"] if "yaxis" not in one)
    assert readings["connectgaps"] is False
    assert readings["y"] == [230.0, 231.0, None, 239.0, 240.0]
    # A narrow gap is found by the readings on both sides of it.
    assert ["Sans mesure" in one for one in readings["text"]] == [False, True, True, True, False]


def test_wide_gap_has_its_word_in_the_chart() -> None:
    _found, made = shown(replace(gap("collector", 1, 2), ended=NOW - timedelta(hours=2)), gap("broker", 20, 20.5))
    assert [note["text"] for note in made["layout"]["annotations"]] == ["Collecteur arrêté"]


def test_silence_that_lasts_is_hatched_to_the_edge() -> None:
    _found, made = shown(gap("silence", 10, None, VOLTAGE.domain, VOLTAGE.datastream_id))
    (silence,) = (one for one in made["data"] if one.get("yaxis") == "y2")
    assert max(silence["x"]) == made["layout"]["xaxis"]["range"][1]
    assert "maintenant" in silence["text"]


def test_reading_between_two_holes_is_a_dot() -> None:
    one = trend(VOLTAGE, points(0, 1, 9, 20, 21, holes=(9, 20)))
    made = figure(scene(), Trends(SINCE, NOW, [one], [], []), one, theme="dark")
    assert made["data"][0]["marker"]["size"] == [0, 0, 0, 5, 0, 0, 0]


def test_table_of_a_chart_tells_its_gaps() -> None:
    found, _made = shown(gap("sequence", 1, 9, VOLTAGE.domain))
    assert "Messages manquants" in text(history(scene(), found, theme="dark"))
