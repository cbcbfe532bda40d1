"""When alarms are a flood, and when it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervision.flood import LOOKED_BACK, WINDOW, flood_of

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def ago(*seconds: float) -> list[datetime]:
    return [NOW - timedelta(seconds=each) for each in seconds]


def test_eleven_within_ten_minutes_are_a_flood_and_ten_are_none() -> None:
    eleven = ago(*range(0, 550, 50))
    found = flood_of(eleven, now=NOW)
    assert (found.rang, found.limit, found.since) == (11, 10, NOW)
    assert flood_of(eleven[1:], now=NOW).since is None
    # The first has left the window when the eleventh comes.
    assert flood_of([*ago(*range(0, 500, 50)), NOW - WINDOW], now=NOW).since is None


def test_flood_lasts_until_fewer_than_five_are_left_of_ten_minutes() -> None:
    burst = ago(*[899.0 - n for n in range(11)])
    began = burst[-1]
    # All of the burst has left; of those that came since, five are left.
    steady = ago(*range(850, 0, -110))
    assert flood_of([*burst, *steady], now=NOW).since == began
    assert flood_of([*burst, *steady], now=NOW).rang == 5
    assert flood_of([*burst, *steady[:-1]], now=NOW).since is None


def test_flood_that_began_anew_tells_its_own_beginning() -> None:
    first = ago(*[3000.0 - n for n in range(11)])
    second = ago(*[60.0 - n for n in range(11)])
    assert flood_of([*second, *first], now=NOW).since == second[-1]


def test_several_operators_bear_more() -> None:
    assert flood_of([NOW] * 20, now=NOW, operators=2).since is None
    assert flood_of([NOW] * 21, now=NOW, operators=2).since == NOW


def test_what_is_old_or_ahead_of_the_clock_does_not_count() -> None:
    assert flood_of([NOW + timedelta(seconds=1)] * 30, now=NOW).rang == 0
    assert flood_of([NOW - LOOKED_BACK] * 30, now=NOW) == flood_of([], now=NOW)


@given(
    seconds=st.lists(st.integers(min_value=-100, max_value=4_000), max_size=60),
    operators=st.integers(min_value=1, max_value=3),
)
def test_state_agrees_with_the_count_of_every_window(seconds: list[int], operators: int) -> None:
    at = ago(*seconds)
    found = flood_of(at, now=NOW, operators=operators)
    assert found.rang == sum(NOW - WINDOW < each <= NOW for each in at)
    if found.rang > found.limit:
        assert found.since is not None
    if found.rang < 5 * operators:
        assert found.since is None
    if found.since is not None:
        assert sum(found.since - WINDOW < each <= found.since for each in at if each > NOW - LOOKED_BACK) > found.limit


@pytest.mark.parametrize("n", [0, 1])
def test_no_flood_without_alarms(n: int) -> None:
    assert flood_of([NOW] * n, now=NOW).since is None
