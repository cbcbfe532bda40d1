from __future__ import annotations

import math

import numpy as np
import pytest

from hypervision.domains import load
from models.clock import DAY, HOUR, MINUTE
from models.desk import sort_faults
from models.detector import Scores, discover
from models.evaluate import Report, evaluate, merge
from models.files import Fault
from models.ringing import Span, ring, rules_of

TEN_DAYS = 10 * DAY


def days(*pairs: tuple[float, float]) -> list[Span]:
    return [Span(int(a * DAY), int(b * DAY)) for a, b in pairs]


def judge(alarms: list[Span], events: list[Span], *, gap_us: int = 0) -> Report:
    return evaluate(alarms, events, start_us=0, end_us=TEN_DAYS, gap_us=gap_us)


def test_event_with_an_alarm_starting_inside_is_found() -> None:
    report = judge(days((3, 4)), days((2, 6)))
    assert (report.found, report.missed, report.false) == (1, 0, 0)
    assert report.f1 == 1.0
    assert report.median_delay_hours == 24.0
    assert report.normal_share_alarmed == 0.0


def test_alarm_that_was_on_before_the_event_is_false_and_finds_nothing() -> None:
    report = judge(days((1, 5)), days((2, 6)))
    assert (report.found, report.missed, report.false) == (0, 1, 1)
    assert report.f1 == 0.0


def test_always_alarming_finds_nothing() -> None:
    report = judge(days((0, 10)), days((2, 3), (5, 6)))
    assert (report.found, report.missed, report.false) == (0, 2, 1)
    assert report.normal_share_alarmed == 1.0


def test_two_alarms_in_one_event_count_once() -> None:
    report = judge(days((3, 3.5), (4, 4.5)), days((2, 6)))
    assert (report.found, report.false) == (1, 0)


def test_flutter_within_the_gap_is_one_false_alarm() -> None:
    flutter = days((1, 1.1), (1.2, 1.3), (1.4, 1.5))
    assert judge(flutter, []).false == 3
    report = judge(flutter, [], gap_us=3 * HOUR)
    assert report.false == 1
    assert report.false_per_sensor_day == pytest.approx(0.1)
    assert report.normal_share_alarmed == pytest.approx(0.05)


def test_no_event_and_no_alarm_has_no_f1() -> None:
    report = judge([], [])
    assert math.isnan(report.f1)
    assert math.isnan(report.median_delay_hours)
    assert report.false_per_sensor_day == 0.0


def test_events_before_the_judged_time_do_not_count_and_running_ones_are_cut() -> None:
    events = [Span(-5 * DAY, -DAY), Span(-DAY, 2 * DAY)]
    report = judge(days((1, 3)), events)
    assert (report.found, report.missed, report.false) == (1, 0, 0)
    assert report.normal_us == 8 * DAY


def test_reports_add_up() -> None:
    both = judge(days((3, 4)), days((2, 6))) + judge(days((1, 2)), days((4, 5)))
    assert (both.found, both.missed, both.false, both.sensors) == (1, 1, 1, 2)
    assert both.f1 == 0.5
    assert both.watched_us == 20 * DAY


def test_merge_of_overlapping_spans_is_their_union() -> None:
    assert merge(days((4, 6), (1, 2), (5, 5.5))) == days((1, 2), (4, 6))


def test_ring_follows_limit_deadband_and_delays_of_the_rule() -> None:
    (rule,) = rules_of(discover()[1], load())
    assert (rule.code, rule.limit, rule.deadband) == ("water.flow.excess", 6, 2)
    quarter = 15 * MINUTE
    excess = np.array([0, 7, 0, 7, 8, 9, 9, 5, 5, 3, 3, 3, 3, 3, 3, 0], np.float64)
    times = np.arange(len(excess), dtype=np.int64) * quarter
    # One quarter hour above 6 is too short; 30 min on-delay from the fourth reading; 60 min below 4 to return.
    assert ring(Scores(times, excess), rule) == [Span(5 * quarter, 13 * quarter)]


def test_ring_still_on_ends_with_the_column() -> None:
    rule = next(r for d in discover() if d.writes == "night_excess" for r in rules_of(d, load()))
    times = np.arange(4, dtype=np.int64) * DAY
    assert ring(Scores(times, np.array([0.0, 4.0, 4.1, 3.5])), rule) == [Span(2 * DAY, 3 * DAY)]


def test_fault_inside_a_district_is_an_event_of_the_district() -> None:
    early, late = Span(0, 5), Span(9, 20)
    faults = [
        Fault("logger-1", "pressure", "burst", early),
        Fault("logger-2", "pressure", "burst", early),
        Fault("dma-1", "flow", "burst", early),
        Fault("dma-1", "volume", "leak", late),
        Fault("pump-1", "pump_power", "leak", early),
        Fault("elsewhere", "pressure", "leak", early),
        Fault("elsewhere", "flow", "leak", early),
        Fault("elsewhere", "pressure", "burst", early),
    ]
    parents = {"logger-1": "room-1", "room-1": "dma-1", "logger-2": "dma-1", "pump-1": "pump-1"}
    events, unjudged = sort_faults(faults, ["dma-1", "dma-2"], parents)
    assert events == {"dma-1": [early, late], "dma-2": []}
    assert [(f.thing, f.fault) for f in unjudged] == [("pump-1", "leak"), ("elsewhere", "leak")]
