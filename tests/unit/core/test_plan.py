"""What of a batch may be stored, before the database is asked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hypervision import quality
from hypervision.batch import Batch, Draft, Refusal
from hypervision.datastreams import NEVER, UNKNOWN, StreamTable
from hypervision.plan import Plan, newest_rows, plan, stored_conflicts, times_to_store

NOW = 1e9
Make = Callable[..., Batch]


@pytest.fixture
def planned(streams: StreamTable) -> Callable[..., Plan]:
    def run(batch: Batch, *, horizon: float = 60, dropped: set[int] | None = None) -> Plan:
        return plan(
            batch, streams, horizon_us=round(horizon * 1e6), earliest_us=946_684_800_000_000, future_us=600_000_000,
            dropped=set() if dropped is None else dropped,
        )  # fmt: skip

    return run


def reasons(found: Plan) -> list[tuple[int, str]]:
    return [(refusal.message, refusal.reason) for refusal in found.refusals]


def test_plan_sorts_by_datastream_and_time(planned: Callable[..., Plan], make_batch: Make) -> None:
    found = planned(make_batch((1, NOW - 5, 1.0), (0, NOW - 1, 2.0), (0, NOW - 9, 3.0), (1, NOW - 7, 4.0)))
    assert found.datastream_id.tolist() == [101, 101, 102, 102]
    assert found.result.tolist() == [3.0, 2.0, 4.0, 1.0]
    assert found.row.tolist() == [2, 1, 3, 0]
    assert found.message.tolist() == [2, 1, 3, 0]
    assert found.refusals == []


def test_plan_marks_late_and_backward_against_the_newest(
    planned: Callable[..., Plan], make_batch: Make, streams: StreamTable
) -> None:
    streams.newest_us[0] = round(NOW * 1e6)
    found = planned(
        make_batch((0, NOW - 61, 1.0), (0, NOW - 60, 1.0), (0, NOW - 1, 1.0), (0, NOW, 1.0), (0, NOW + 1, 1.0))
    )
    assert found.late.tolist() == [True, False, False, False, False]
    assert found.backward.tolist() == [False, True, True, False, False]


def test_plan_counts_what_arrived_before_in_the_same_batch_as_newest(
    planned: Callable[..., Plan], make_batch: Make
) -> None:
    found = planned(
        make_batch((0, NOW, 1.0), (1, NOW - 300, 1.0), (0, NOW - 300, 2.0), (0, NOW - 30, 3.0), (0, NOW + 1, 4.0))
    )
    assert dict(zip(found.row.tolist(), found.late.tolist(), strict=True)) == {
        0: False, 1: False, 2: True, 3: False, 4: False,
    }  # fmt: skip
    assert dict(zip(found.row.tolist(), found.backward.tolist(), strict=True))[3] is True


def test_plan_of_a_new_datastream_is_never_late(planned: Callable[..., Plan], make_batch: Make) -> None:
    found = planned(make_batch((0, NOW - 86_400, 1.0)))
    assert (found.late.tolist(), found.backward.tolist()) == ([False], [False])


def test_plan_of_two_values_at_one_instant_keeps_the_first_received(
    planned: Callable[..., Plan], make_batch: Make
) -> None:
    found = planned(make_batch((0, NOW, 1.0), (0, NOW, 2.0), (0, NOW, 1.0)))
    assert found.result.tolist() == [1.0]
    assert reasons(found) == [(1, "conflict")]
    assert found.refusals[0].detail == "pm25 has 1.0 at this time already, 2.0 was refused"


def test_plan_refuses_unknown_things_once_a_message(planned: Callable[..., Plan], streams: StreamTable) -> None:
    streams.datastream_id[[0, 3]] = UNKNOWN
    draft = Draft()
    message = draft.message_of("urban/v1/air/a/up", b"{}", received_us=round(NOW * 1e6))
    draft.reading(message, slot=0, time_us=round(NOW * 1e6), result=1.0)
    draft.reading(message, slot=3, time_us=round(NOW * 1e6), result=1.0)
    found = planned(draft.close())
    assert len(found) == 0
    assert reasons(found) == [(0, "unknown_thing")]
    assert "`hypervision things admit a`" in found.refusals[0].detail


@pytest.mark.parametrize("result", [np.nan, np.inf, -np.inf])
def test_plan_refuses_what_is_no_number_and_keeps_its_neighbours(
    planned: Callable[..., Plan], make_batch: Make, result: float
) -> None:
    found = planned(make_batch((0, NOW, result), (1, NOW, 1.0)))
    assert found.slot.tolist() == [1]
    assert reasons(found) == [(0, "not_a_number")]


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [
        (946_684_799.0, "time_too_old"), (0.0, "time_too_old"), (-1e9, "time_too_old"),
        (NOW + 600.1, "time_in_future"), (253_370_764_800.0, "time_in_future"),
    ],
)  # fmt: skip
def test_plan_refuses_impossible_times(
    planned: Callable[..., Plan], make_batch: Make, seconds: float, reason: str
) -> None:
    assert reasons(planned(make_batch((0, seconds, 1.0)))) == [(0, reason)]


def test_plan_takes_the_bounds_themselves(planned: Callable[..., Plan], make_batch: Make) -> None:
    assert len(planned(make_batch((0, 946_684_800, 1.0), (1, NOW + 600, 1.0)))) == 2


def test_plan_of_an_import_reaches_further_back(planned: Callable[..., Plan], make_batch: Make) -> None:
    found = planned(make_batch((0, 86_400, 1.0), (0, -1, 1.0), (0, NOW + 601, 1.0), imported=True))
    assert len(found) == 1
    assert sorted(reason for _, reason in reasons(found)) == ["time_in_future", "time_too_old"]


def test_plan_of_an_import_names_line_thing_time_and_value(planned: Callable[..., Plan], make_batch: Make) -> None:
    batch = make_batch((0, 60, 1.0), (0, 60, 2.0), (1, -1, 3.5), imported=True)
    object.__setattr__(batch, "line", np.array([2, 5, 9]))
    found = {refusal.reason: refusal for refusal in planned(batch).refusals}
    at = "of 1970-01-01T00:01:00+00:00"
    assert found["conflict"].detail == f"line 5: a/pm25 {at} has 1.0 at this time already, 2.0 was refused"
    assert found["time_too_old"].detail.startswith("line 9: the time of ")
    assert found["time_too_old"].detail.endswith(
        "of 1969-12-31T23:59:59+00:00 is before the oldest one allowed (its result is 3.5)"
    )
    assert found["conflict"].thing == "a"


def test_plan_grades_what_is_outside_the_valid_range(planned: Callable[..., Plan], make_batch: Make) -> None:
    found = planned(make_batch((0, NOW, 1000.0), (1, NOW, 1000.1), (2, NOW, -0.1)))
    assert found.quality.tolist() == [quality.GOOD, quality.OUT_OF_RANGE, quality.OUT_OF_RANGE]


def test_plan_keeps_a_quality_that_is_worse(planned: Callable[..., Plan], make_batch: Make) -> None:
    batch = make_batch((0, NOW, 5000.0))
    batch.quality[0] = quality.BAD
    assert planned(batch).quality.tolist() == [quality.BAD]
    assert batch.quality.tolist() == [quality.BAD]


def test_plan_drops_messages_seen_before_with_their_refusals(
    planned: Callable[..., Plan], make_batch: Make, streams: StreamTable
) -> None:
    streams.datastream_id[2] = UNKNOWN
    batch = make_batch((0, NOW, 1.0), (2, NOW, 1.0), (1, NOW, 2.0))
    batch.refusals.append(Refusal(0, "unknown_property", "there is no property 'x'"))
    found = planned(batch, dropped={0, 1})
    assert found.message.tolist() == [2]
    assert found.refusals == []


def test_plan_of_nothing_is_empty(planned: Callable[..., Plan], make_batch: Make) -> None:
    assert len(planned(make_batch())) == 0


def test_times_to_store_leave_out_what_will_be_refused(make_batch: Make, streams: StreamTable) -> None:
    streams.datastream_id[2] = UNKNOWN
    batch = make_batch((0, NOW, 1.0), (1, NOW + 10_000, 1.0), (1, 5.0, 1.0), (2, NOW, 1.0))
    found = times_to_store(batch, streams, earliest_us=946_684_800_000_000, future_us=600_000_000)
    assert found.tolist() == [round(NOW * 1e6)]


def test_stored_conflicts_name_both_values(
    planned: Callable[..., Plan], make_batch: Make, streams: StreamTable
) -> None:
    batch = make_batch((0, NOW, 1.0), (1, NOW, 2.0), (2, NOW, 3.0))
    refused = stored_conflicts(
        planned(batch), streams, batch, new=np.array([True, False, False]), existing=np.array([np.nan, 2.0, 9.0])
    )
    assert [(one.message, one.reason) for one in refused] == [(2, "conflict")]
    assert refused[0].detail == "pm25 has 9.0 at this time already, 3.0 was refused"


def test_newest_rows_are_one_per_datastream_and_only_where_newer(
    planned: Callable[..., Plan], make_batch: Make, streams: StreamTable
) -> None:
    streams.newest_us[1] = round(NOW * 1e6)
    found = planned(make_batch((0, NOW - 2, 1.0), (0, NOW - 1, 2.0), (0, NOW, 3.0), (1, NOW - 1, 4.0), (2, NOW, 5.0)))
    new = np.array([True, True, False, True, True])
    assert found.result[newest_rows(found, streams, new=new)].tolist() == [2.0, 5.0]
    assert streams.newest_us[0] == NEVER
