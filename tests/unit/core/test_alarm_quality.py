"""The quality of alarms against examples that were counted by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hypervision.alarm_quality import (
    ACKNOWLEDGED,
    MINUTE_US,
    RANG,
    RANG_AGAIN,
    WINDOW_US,
    Actor,
    Events,
    Period,
    Quality,
    Standing,
    actor_of,
    figures,
    measure,
    shift_of_windows,
    waits_of,
)
from hypervision.clock import to_us
from hypervision.shifts import Shifts

ALL_DAY = Shifts.of("00:00")
SECOND_US = 1_000_000
PUMP, LAMP = (0 << 60 | 7 << 32 | 42), (1 << 60 | 9 << 32 | 3)


def events(*rows: tuple[float, int, int, int, int]) -> Events:
    """Rows of (minute, alarm, what, rank, actor)."""
    table = np.array([(round(minute * MINUTE_US), *rest) for minute, *rest in rows], np.int64).reshape(-1, 5)
    return Events(*table.T)


def measured(found: Events, *, minutes: float, shifts: Shifts = ALL_DAY, operators: int = 1) -> Quality:
    return measure(found, Period(0, round(minutes * MINUTE_US)), shifts=shifts, zone=UTC, operators=operators)


def test_rate_counts_what_rang_and_not_what_was_acknowledged() -> None:
    found = measured(
        events((1, 1, RANG, 0, PUMP), (2, 1, ACKNOWLEDGED, 0, PUMP), (3, 2, RANG, 3, LAMP), (25, 3, RANG, 3, LAMP)),
        minutes=30,
    )
    assert (found.total.alarms, found.total.per_window) == (3, 1.0)
    assert found.counts.tolist() == [2, 0, 1]
    assert (found.total.peak, found.total.peak_us) == (2, 0)


def test_window_that_is_still_running_counts_for_as_much_as_is_over() -> None:
    found = measured(events((1, 1, RANG, 0, PUMP), (11, 2, RANG, 0, PUMP)), minutes=15)
    assert found.total.per_window == pytest.approx(2 / 1.5)


def test_flood_is_more_than_ten_in_ten_minutes_for_each_operator() -> None:
    ten = [(0.5, n, RANG, 2, n) for n in range(10)]
    eleven = [(10.5, 100 + n, RANG, 2, n) for n in range(11)]
    found = events(*ten, *eleven)
    assert measured(found, minutes=40).total.flood == 0.25
    assert measured(found, minutes=40, operators=2).total.flood == 0.0
    assert measured(found, minutes=40, operators=2).total.per_window == pytest.approx(21 / 4 / 2)


def test_chattering_is_three_within_a_minute_of_one_alarm() -> None:
    rows = [
        (0.0, 1, RANG, 1, PUMP), (0.5, 1, RANG_AGAIN, 1, PUMP), (0.99, 1, RANG_AGAIN, 1, PUMP),
        # A whole minute lies between the first and the last: two and two.
        (5.0, 2, RANG, 1, LAMP), (5.5, 2, RANG_AGAIN, 1, LAMP), (6.0, 2, RANG_AGAIN, 1, LAMP),
    ]  # fmt: skip
    found = measured(events(*rows), minutes=10)
    assert [(share.actor, share.in_a_minute) for share in found.chattering] == [(actor_of(PUMP), 3)]
    assert {share.actor: share.in_a_minute for share in found.top}[actor_of(LAMP)] == 2
    # Three alarms of one minute that are not the same chatter nowhere.
    assert measured(events(*[(0.1, n, RANG, 1, n) for n in range(3)]), minutes=10).chattering == ()


def test_bad_actors_come_by_how_often_they_rang_with_their_share() -> None:
    rows = [(minute, minute, RANG, 3, LAMP) for minute in range(3)] + [(9, 9, RANG, 0, PUMP)]
    found = measured(events(*rows), minutes=10)
    assert [(share.actor, share.alarms, share.share) for share in found.top] == [
        (Actor(1, 9, 3), 3, 0.75), (Actor(0, 7, 42), 1, 0.25),
    ]  # fmt: skip
    assert found.top_share == 1.0


def test_wait_is_from_the_first_ringing_to_the_acknowledgement() -> None:
    found = waits_of(
        events(
            (1, 1, RANG, 0, PUMP), (2, 1, RANG_AGAIN, 0, PUMP), (4, 1, ACKNOWLEDGED, 0, PUMP),
            # Acknowledged, then rang once more: two waits of one occurrence.
            (9, 1, RANG, 0, PUMP),
            # Rang before the time: how long it waited is not known.
            (3, 2, ACKNOWLEDGED, 1, LAMP),
            (5, 3, RANG, 2, LAMP), (5.5, 3, ACKNOWLEDGED, 2, LAMP),
        )
    )  # fmt: skip
    told = sorted(zip((found.since_us // MINUTE_US).tolist(), found.seconds.tolist(), found.rank.tolist(), strict=True))
    assert told[0] == (1, 180.0, 0)
    assert told[1] == (5, 30.0, 2)
    assert (told[2][0], told[2][2], np.isnan(told[2][1])) == (9, 0, True)
    assert len(told) == 3


def test_transitions_of_one_commit_share_their_instant() -> None:
    """A batch rings, returns and rings again: all recorded at once, the order is that of what they are."""
    found = waits_of(events((1, 1, RANG_AGAIN, 0, PUMP), (1, 1, RANG, 0, PUMP), (2, 1, ACKNOWLEDGED, 0, PUMP)))
    assert found.seconds.tolist() == [60.0]


def test_percentiles_leave_out_what_waits_and_count_it() -> None:
    rows = [(0, n, RANG, 1, PUMP) for n in range(5)] + [(n + 1, n, ACKNOWLEDGED, 1, PUMP) for n in range(4)]
    total = measured(events(*rows), minutes=10).total
    assert (total.acknowledged, total.waiting) == (4, 1)
    assert (total.p50, total.p95) == (pytest.approx(150.0), pytest.approx(231.0))


def test_shift_has_the_alarms_that_rang_in_it_and_their_waits() -> None:
    shifts = Shifts.of("00:00,00:20")
    found = measured(
        events((5, 1, RANG, 0, PUMP), (25, 1, ACKNOWLEDGED, 0, PUMP), (26, 2, RANG, 3, LAMP)), minutes=30, shifts=shifts
    )
    early, late = found.shifts
    assert (early.alarms, early.per_window, early.p50) == (1, 0.5, 1200.0)
    assert (late.alarms, late.per_window, late.p50, late.waiting) == (1, 1.0, None, 1)


def test_shifts_follow_local_time_when_clocks_change() -> None:
    """Before clocks go back a shift that begins at 06:00 begins at 04:00 UTC, and afterwards at 05:00."""
    paris = ZoneInfo("Europe/Paris")
    period = Period(to_us(datetime(2026, 10, 24, tzinfo=UTC)), to_us(datetime(2026, 10, 26, tzinfo=UTC)))
    found = shift_of_windows(period, Shifts.of("06:00,18:00"), paris)
    begins = np.flatnonzero((found[1:] == 0) & (found[:-1] == 1)) + 1
    assert [int(n) * WINDOW_US // 3_600_000_000 for n in begins] == [4, 29]


def test_priorities_are_split_and_judged_against_their_aims() -> None:
    rows = [(n / 10, n, RANG, 0 if n < 1 else 1 if n < 4 else 2 if n < 10 else 3, n) for n in range(20)]
    told = {each.code: each for each in figures(measured(events(*rows), minutes=10), [], operators=1)}
    assert [told[code].value for code in ("critical", "high", "rest")] == [0.05, 0.15, 0.8]
    assert [told[code].is_met for code in ("critical", "high", "rest")] == [True, True, True]
    assert (told["rate"].value, told["rate"].is_met, told["p50"].is_met) == (20.0, False, None)


def test_standing_stale_and_shelved_are_told_apart() -> None:
    now = 3 * 86_400 * SECOND_US
    day = 86_400 * SECOND_US
    standing = [
        Standing(now - day, True, False),  # a day, not more
        Standing(now - day - 1, True, False),  # stale
        Standing(now - 2 * day, False, False),  # its cause is gone
        Standing(now - 2 * day, True, True),  # shelved, and stale
    ]
    found = measure(events(), Period.of(now, length_us=day), shifts=ALL_DAY, zone=UTC, operators=1)
    told = {each.code: each.value for each in figures(found, standing, operators=1)}
    assert (told["standing"], told["stale"], told["shelved"]) == (2, 2, 1)


def test_time_without_an_alarm_has_no_shares_and_no_waits() -> None:
    told = {each.code: each for each in figures(measured(events(), minutes=30), [], operators=1)}
    assert (told["rate"].value, told["flood"].value, told["peak"].value) == (0.0, 0.0, 0.0)
    assert [told[code].value for code in ("top", "critical", "high", "rest", "p50", "p95")] == [None] * 6


def test_period_ends_with_the_window_of_now() -> None:
    now = datetime(2026, 11, 22, 10, 4, tzinfo=UTC)
    period = Period.of(to_us(now), length_us=timedelta(days=1) // timedelta(microseconds=1))
    assert (period.windows, period.since_us) == (144, to_us(datetime(2026, 11, 21, 10, 10, tzinfo=UTC)))
    assert period.lengths().sum() == pytest.approx(143.4)


@pytest.mark.parametrize(
    "text", ["", "6:00", "25:00", "06:05", "14:00,06:00", "06:00,06:00", "a", "00:00," * 6 + "01:00"]
)
def test_shifts_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="rising times"):
        Shifts.of(text)


def test_shift_over_midnight_is_the_last_one() -> None:
    shifts = Shifts.of("06:00, 14:00, 22:00")
    assert [shifts.label(shifts.number(datetime(2026, 1, 1, hour, tzinfo=UTC))) for hour in (2, 6, 23)] == [
        "22:00–06:00", "06:00–14:00", "22:00–06:00",
    ]  # fmt: skip
