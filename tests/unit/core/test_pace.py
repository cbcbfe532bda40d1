from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hypervision.batch import Batch, Draft
from hypervision.datastreams import StreamTable
from hypervision.domains import load
from hypervision.pace import Pace

SECOND = 1_000_000
NOW = 1_800_000_000 * SECOND


def streams() -> StreamTable:
    table = StreamTable(load())
    for number in range(3):
        slot = table.slot("water", f"p{number}", "flow")
        table.extend()
        table.datastream_id[slot] = table.thing_id[slot] = 10 * number
    return table


TABLE = streams()


def batch(*messages: tuple[int, float], payload: bytes = b"{}", imported: bool = False) -> Batch:
    """Messages of (Thing, seconds)."""
    draft = Draft()
    for thing, second in messages:
        m = draft.message_of(f"urban/v1/water/p{thing}/up", payload, received_us=NOW + 10**6 * SECOND)
        draft.reading(m, slot=thing, time_us=NOW + round(second * SECOND), result=1.0)
        draft.reading(m, slot=thing, time_us=NOW + round(second * SECOND), result=1.0)
    closed = draft.close()
    if imported:
        object.__setattr__(closed, "imported", True)
    return closed


def limited(pace: Pace, given: Batch, *, commit: bool = True) -> list[int]:
    found = pace.judge(given, TABLE)
    if commit:
        pace.noted(found)
    return found.limited.tolist()


def test_looping_device_is_limited_and_the_others_are_not() -> None:
    pace = Pace(rate=10, burst=50)
    mixed = [(0, n / 5000) if n % 10 else (1, n / 10) for n in range(1000)]
    found = limited(pace, batch(*mixed))
    assert {mixed[m][0] for m in found} == {0}
    assert 900 - 52 <= len(found) <= 900 - 50
    assert limited(pace, batch((1, 200.0), (2, 0.0))) == []


def test_honest_backlog_of_hours_passes_whole_in_any_number_of_batches() -> None:
    whole = [(0, float(second)) for second in range(20_000)]
    assert limited(Pace(rate=2, burst=10), batch(*whole)) == []
    pace = Pace(rate=2, burst=10)
    assert [limited(pace, batch(*whole[i : i + 700])) for i in range(0, 20_000, 700)] == [[]] * 29


def test_bucket_comes_back_with_time() -> None:
    pace = Pace(rate=1, burst=5)
    assert limited(pace, batch(*[(0, 0.0)] * 8)) == [5, 6, 7]
    assert limited(pace, batch((0, 0.0))) == [0]
    assert limited(pace, batch((0, 3.0), (0, 3.0), (0, 3.0), (0, 3.0))) == [3]


def test_batch_that_is_not_committed_costs_nothing() -> None:
    pace = Pace(rate=1, burst=5)
    for _ in range(3):
        assert limited(pace, batch(*[(0, 0.0)] * 5), commit=False) == []
    assert limited(pace, batch(*[(0, 0.0)] * 6)) == [5]


def test_what_comes_from_no_device_is_not_asked_and_no_rate_is_no_limit() -> None:
    many = [(0, 0.0)] * 100
    assert limited(Pace(rate=1, burst=5), batch(*many, payload=b"")) == []
    assert limited(Pace(rate=1, burst=5), batch(*many, imported=True)) == []
    assert limited(Pace(rate=0, burst=5), batch(*many)) == []


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 60)), max_size=80), st.integers(1, 7), st.integers(1, 9))
def test_batches_give_what_one_message_after_the_other_gives_or_less(
    messages: list[tuple[int, int]], rate: int, burst: int
) -> None:
    """A batch counts the time that passes in it at once, so it never limits more."""
    one_by_one, at_once = Pace(rate=rate, burst=burst), Pace(rate=rate, burst=burst)
    alone = [i for i, m in enumerate(messages) if limited(one_by_one, batch((m[0], float(m[1]))))]
    together = limited(at_once, batch(*[(t, float(s)) for t, s in messages])) if messages else []
    assert set(together) <= set(alone)
    for thing in range(3):
        taken = sum(1 for i, m in enumerate(messages) if m[0] == thing and i not in together)
        seconds = [m[1] for m in messages if m[0] == thing]
        if seconds:
            assert taken <= burst + rate * (max(seconds) - min(seconds)) + 1e-9


def test_things_far_apart_are_covered() -> None:
    TABLE.thing_id[2] = 9_000
    try:
        assert limited(Pace(rate=1, burst=1), batch((2, 0.0), (2, 0.0))) == [1]
    finally:
        TABLE.thing_id[2] = 20
