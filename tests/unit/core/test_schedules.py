"""Schedules: windows of local time, seasons and holidays choose the limit; what is wrong is named by its field."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hypervision.clock import to_us
from hypervision.datastreams import StreamTable
from hypervision.errors import RuleError
from hypervision.holidays import COUNTRIES, Calendar, easter, of_country
from hypervision.rules import LimitArrays, Override, Rule, RuleSet
from hypervision.schedules import Schedule, Window, read_windows

PARIS = Calendar(ZoneInfo("Europe/Paris"), "fr")
NIGHT = {"from": "22:00", "to": "06:00", "limit": 10}


def windows(*given: dict[str, Any]) -> tuple[Window, ...]:
    return read_windows(list(given))


def holds(given: dict[str, Any], local: str, calendar: Calendar = PARIS) -> bool:
    """Whether a window holds at a local time."""
    at = datetime.fromisoformat(local).replace(tzinfo=calendar.zone)
    return bool(Schedule(windows(given), calendar).choose(np.array([to_us(at)], np.int64))[0])


@pytest.mark.parametrize(
    ("given", "local", "expected"),
    [
        (NIGHT, "2026-11-22T21:59", False),
        (NIGHT, "2026-11-22T22:00", True),
        (NIGHT, "2026-11-22T05:59", True),
        (NIGHT, "2026-11-22T06:00", False),
        # 2026-11-20 is a Friday: its night ends on Saturday.
        ({**NIGHT, "days": ["fri"]}, "2026-11-20T23:00", True),
        ({**NIGHT, "days": ["fri"]}, "2026-11-21T03:00", True),
        ({**NIGHT, "days": ["fri"]}, "2026-11-20T03:00", False),
        ({"season": ["11-01", "03-31"]}, "2027-01-15T12:00", True),
        ({"season": ["11-01", "03-31"]}, "2026-10-31T12:00", False),
        ({"season": ["06-01", "08-31"]}, "2026-08-31T23:59", True),
        # 2026-07-14 is a Tuesday and a holiday.
        ({"days": ["sat", "sun"], "holidays": "too"}, "2026-07-14T12:00", True),
        ({"days": ["sat", "sun"]}, "2026-07-14T12:00", False),
        ({"days": ["tue"], "holidays": "never"}, "2026-07-14T12:00", False),
        ({"days": ["tue"], "holidays": "never"}, "2026-07-21T12:00", True),
        ({"holidays": "only"}, "2026-07-14T12:00", True),
        ({"holidays": "only"}, "2026-07-15T12:00", False),
        # The night of the autumn change has one hour twice; both are night.
        (NIGHT, "2026-10-25T02:30", True),
    ],
)  # fmt: skip
def test_window_holds_by_local_time(given: dict[str, Any], local: str, *, expected: bool) -> None:
    assert holds(given, local) is expected


def test_first_window_that_holds_is_chosen_in_columns() -> None:
    made = Schedule(windows({"days": ["sun"], "limit": 1}, NIGHT), PARIS)
    times = [datetime(2026, 11, 22, 23, tzinfo=UTC), datetime(2026, 11, 22, 12, tzinfo=UTC),
             datetime(2026, 11, 23, 12, tzinfo=UTC), datetime(2026, 11, 23, 23, tzinfo=UTC)]  # fmt: skip
    # The first is Monday's midnight in Paris already: the night that began on Sunday.
    assert made.choose(np.array([to_us(at) for at in times], np.int64)).tolist() == [2, 1, 0, 2]
    assert made.choose(np.zeros(0, np.int64)).tolist() == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ("night", "schedule"),
        ([NIGHT] * 13, "schedule"),
        ([7], "schedule.0"),
        ([{"from": "25:00"}], "schedule.0.from"),
        ([{"from": "24:00"}], "schedule.0.from"),
        ([{"to": "6"}], "schedule.0.to"),
        ([NIGHT, {"days": ["monday"]}], "schedule.1.days"),
        ([{"days": []}], "schedule.0.days"),
        ([{"season": ["02-30", "03-01"]}], "schedule.0.season"),
        ([{"holidays": "sometimes"}], "schedule.0.holidays"),
        ([{"limit": "2"}], "schedule.0.limit"),
        ([{"limit": float("nan")}], "schedule.0.limit"),
        ([{"deadband": -1}], "schedule.0.deadband"),
        ([{"enabled": 1}], "schedule.0.enabled"),
        ([{"colour": "red"}], "schedule.0.colour"),
        ([{"name": "a\nb"}], "schedule.0.name"),
    ],
)
def test_wrong_window_is_named(given: object, field: str) -> None:
    with pytest.raises(RuleError) as caught:
        read_windows(given)
    assert caught.value.field == field
    assert caught.value.remedy


def test_window_is_read_from_the_document_that_it_writes() -> None:
    made = windows({**NIGHT, "name": "nuit", "days": ["mon", "sun"], "season": ["12-01", "02-29"], "deadband": 0.5,
                    "holidays": "too", "enabled": False}, {})  # fmt: skip
    assert read_windows([one.document() for one in made]) == made


def test_holidays_of_every_country_are_days() -> None:
    for country in COUNTRIES:
        assert 9 <= len(of_country(country, 2027)) <= 13
        assert date(2027, 12, 25) in of_country(country, 2027)
    assert easter(2027) == date(2027, 3, 28)
    assert date(2027, 5, 6) in of_country("fr", 2027)
    assert date(2027, 5, 17) in of_country("fr", 2027)


def test_holidays_of_a_town_count_besides() -> None:
    town = Calendar.of(UTC, "", [" 12-26 ", "2026-11-30", ""])
    assert town.is_holiday(date(2031, 12, 26))
    assert town.is_holiday(date(2026, 11, 30))
    assert not town.is_holiday(date(2027, 11, 30))


def judged(
    rules: RuleSet, streams: StreamTable, *readings: tuple[int, float, datetime], calendar: Calendar = PARIS
) -> str:
    """What each (slot, result, time) is: V violates, C clears, - neither."""
    limits = LimitArrays(rules, streams, calendar)
    slot = np.array([one[0] for one in readings], np.int32)
    result = np.array([one[1] for one in readings])
    times = np.array([to_us(one[2]) for one in readings], np.int64)
    violates, clears = limits.judge(0, slot, result, np.full(len(slot), np.nan), times)
    return "".join("V" if v else "C" if c else "-" for v, c in zip(violates, clears, strict=True))


NOON, MIDNIGHT = datetime(2026, 11, 23, 12, tzinfo=UTC), datetime(2026, 11, 23, 23, 30, tzinfo=UTC)


def test_limit_follows_the_time_of_the_reading(
    streams: StreamTable, make_rule: Callable[..., Rule], rule_set: Callable[..., RuleSet]
) -> None:
    rule = make_rule("high", 25.0, deadband=5.0, windows=windows(NIGHT))
    found = judged(rule_set(rule), streams, (0, 15, NOON), (0, 15, MIDNIGHT), (1, 7, MIDNIGHT), (2, 26, NOON))
    assert found == "CV-V"


def test_thing_with_a_limit_of_its_own_keeps_it_at_all_times(
    streams: StreamTable, make_rule: Callable[..., Rule], rule_set: Callable[..., RuleSet]
) -> None:
    rules = rule_set(
        make_rule("high", 25.0, windows=windows(NIGHT)), overrides=[Override(1, 12, 40.0, None, enabled=True)]
    )
    assert judged(rules, streams, (0, 15, MIDNIGHT), (1, 15, MIDNIGHT), (1, 41, MIDNIGHT)) == "VCV"


def test_window_switches_a_rule_off_for_its_time(
    streams: StreamTable, make_rule: Callable[..., Rule], rule_set: Callable[..., RuleSet]
) -> None:
    rule = make_rule("high", 25.0, windows=windows({**NIGHT, "enabled": False}))
    assert judged(rule_set(rule), streams, (0, 99, MIDNIGHT), (0, 99, NOON)) == "CV"
    off = make_rule("high", 25.0, enabled=False, windows=windows(NIGHT))
    assert judged(rule_set(off), streams, (0, 99, MIDNIGHT)) == "C"


def test_rule_with_a_formula_is_in_no_layer(
    streams: StreamTable, make_rule: Callable[..., Rule], rule_set: Callable[..., RuleSet]
) -> None:
    rule = make_rule("high", 25.0, formula={"expression": {"of": "pm25"}, "unit": "ug/m3"})
    assert LimitArrays(rule_set(rule), streams).layers == 0
