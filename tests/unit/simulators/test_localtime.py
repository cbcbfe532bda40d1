from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulators.localtime import DAY_US, local_midnight, local_us, ticks, to_datetime, to_us, week_hours

PARIS = ZoneInfo("Europe/Paris")


@given(st.integers(946_684_800, 2_870_000_000))  # 2000 to 2060
def test_local_time_agrees_with_the_calendar(second):
    when = datetime.fromtimestamp(second, UTC)
    wall = when.astimezone(PARIS).replace(tzinfo=UTC)
    assert int(local_us(np.array([to_us(when)]), PARIS)[0]) == to_us(wall)


def test_local_time_changes_at_the_instant_the_clock_does():
    before = to_us(datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC))
    wall = local_us(np.array([before, before + 1_000_000]), PARIS)
    assert [to_datetime(int(t)).hour for t in wall] == [1, 3]


def test_week_begins_on_monday_at_midnight_of_the_town():
    monday = to_us(datetime(2026, 7, 6, 0, 0, tzinfo=PARIS))
    assert week_hours(np.array([monday, monday - 3_600_000_000]), PARIS).tolist() == [0.0, 167.0]


def test_local_midnight_is_the_start_of_that_day():
    day = to_us(datetime(2026, 10, 25, tzinfo=UTC)) // DAY_US
    assert to_datetime(local_midnight(day, PARIS)).astimezone(PARIS).isoformat() == "2026-10-25T00:00:00+02:00"


@given(
    st.integers(-10_000, 10_000), st.integers(0, 5_000), st.integers(0, 5_000), st.integers(1, 700), st.integers(0, 700)
)
def test_ticks_of_two_windows_are_those_of_both(start, first, second, period, phase):
    both = ticks(start, start + first + second, period, phase)
    parts = [ticks(start, start + first, period, phase), ticks(start + first, start + first + second, period, phase)]
    assert np.array_equal(both, np.concatenate(parts))
    assert ((both - phase) % period == 0).all()
