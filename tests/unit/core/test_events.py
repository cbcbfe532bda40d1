"""What belongs to one event, and what of it came first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hypervision.events import TOGETHER, Began, Event, events_of

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
CABINET, LAMPS, PARENTS = 1, (11, 12, 13), {11: 1, 12: 1, 13: 1}


def began(number: int, seconds: float = 0.0, thing: int | None = None, cause: int | None = None) -> Began:
    return Began(number, NOW + timedelta(seconds=seconds), thing, cause)


def test_lamp_that_was_dark_before_its_cabinet_is_first_of_the_event() -> None:
    alarms = [began(30, 0, CABINET), *[began(30 + n, n - 2, lamp, 30) for n, lamp in enumerate(LAMPS, 1)]]
    (event,) = events_of(alarms, PARENTS)
    assert event.first == 31
    assert event.alarms == (31, 30, 32, 33)


def test_neighbours_without_a_cause_belong_together_while_they_are_near_in_time() -> None:
    gap = TOGETHER.total_seconds()
    chain = [began(n, (n - 1) * gap, thing) for n, thing in enumerate(LAMPS, 1)]
    assert events_of(chain, PARENTS) == [Event((1, 2, 3))]
    late = [began(1, 0, 11), began(2, gap + 1, 12)]
    assert events_of(late, PARENTS) == []
    # Far apart in time, and yet one: an alarm that explains the other says so.
    assert events_of([began(1, 0, 11), began(2, 9_999, 12, cause=1)], {}) == [Event((1, 2))]


def test_what_shares_neither_thing_nor_parent_stands_alone() -> None:
    assert events_of([began(1, 0, 5), began(2, 0, 6), began(3), began(4)], {5: 7, 6: 8}) == []
    assert events_of([began(1, 0, 5), began(2, 1, 5)], {}) == [Event((1, 2))]


def test_alarm_that_was_told_first_is_first_of_those_that_began_at_once() -> None:
    assert events_of([began(9, 0, 5), began(8, 0, 5)], {})[0].first == 8


def test_cause_that_is_not_there_joins_nothing() -> None:
    assert events_of([began(1, 0, 5, cause=99), began(2, 0, 6, cause=99)], {}) == []


ALARMS = st.lists(
    st.tuples(st.integers(0, 3_000), st.one_of(st.none(), st.integers(1, 9)), st.one_of(st.none(), st.integers(0, 19))),
    max_size=20,
)


@given(rows=ALARMS, parents=st.dictionaries(st.integers(1, 9), st.integers(1, 9)))
def test_every_alarm_is_in_one_event_at_most_whatever_the_order(rows: list, parents: dict[int, int]) -> None:
    alarms = [began(n, seconds, thing, cause) for n, (seconds, thing, cause) in enumerate(rows)]
    found = events_of(alarms, parents)
    members = [one for event in found for one in event.alarms]
    assert len(members) == len(set(members))
    assert found == events_of(list(reversed(alarms)), parents)
    at = {one.alarm_id: one.at for one in alarms}
    assert all(at[event.first] == min(at[one] for one in event.alarms) for event in found)
    for one in alarms:
        if one.explained_by in at and one.explained_by != one.alarm_id:
            assert any({one.alarm_id, one.explained_by} <= set(event.alarms) for event in found)
