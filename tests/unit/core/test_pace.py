from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervision.batch import Batch, Draft, Status
from hypervision.datastreams import UNKNOWN, StreamTable
from hypervision.domains import load
from hypervision.pace import Pace

SECOND = 1_000_000
NOW = 1_800_000_000 * SECOND


def streams() -> StreamTable:
    table = StreamTable(load())
    for number in range(3):
        slot = table.slot("water", f"p{number}", "flow")
        table.extend()
        table.datastream_id[slot] = table.thing_id[slot] = 10 * number or UNKNOWN
    return table


TABLE = streams()


def batch(*messages: tuple[int, float], payload: bytes = b"{}", imported: bool = False, received: float = 1e6) -> Batch:
    """Messages of (Thing, seconds), received at a second."""
    draft = Draft()
    for thing, second in messages:
        m = draft.message_of(f"urban/v1/water/p{thing}/up", payload, received_us=NOW + round(received * SECOND))
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


def test_clock_of_receipt_that_is_set_back_takes_the_buckets_along() -> None:
    pace = Pace(rate=1, burst=5)
    ahead = 3 * 86_400.0
    # Without a time of their own they have that of their receipt.
    assert limited(pace, batch(*[(0, ahead)] * 5, received=ahead)) == []
    assert limited(pace, batch((0, 10.0), received=10.0)) == [0]
    for second in range(11, 30):
        assert limited(pace, batch((0, float(second)), received=float(second))) == []


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


def test_many_things_are_covered() -> None:
    table = StreamTable(load())
    slots = [table.slot("water", f"q{number}", "flow") for number in range(5_000)]
    pace, draft = Pace(rate=1, burst=1), Draft()
    for slot in (slots[-1], slots[-1], slots[0]):
        m = draft.message_of("urban/v1/water/q/up", b"{}", received_us=NOW)
        draft.reading(m, slot=slot, time_us=NOW, result=1.0)
    found = pace.judge(draft.close(), table)
    assert found.limited.tolist() == [1]
    assert [pace.name(int(thing)) for thing in found.things] == ["q4999"]


def unread(*messages: tuple[str, float], moments: bool = False, statuses: bool = False) -> Batch:
    """Messages of (topic, seconds) without a reading."""
    draft = Draft()
    for topic, second in messages:
        at = NOW + round(second * SECOND)
        m = draft.message_of(topic, b"{bad", received_us=NOW + 10**5 * SECOND if moments else at)
        if statuses:
            draft.statuses.append(Status(m, "water", "p0", "online", at))
        else:
            draft.refuse(m, "malformed", "bad")
            draft.refuse(m, "malformed", "worse")
        if moments:
            draft.moments.append((m, at))
    return draft.close()


@pytest.mark.parametrize("statuses", [False, True])
@pytest.mark.parametrize("thing", ["p0", "never-seen", "no thing"])
def test_looping_device_that_nobody_can_read_is_limited_by_its_receipt(thing: str, statuses: bool) -> None:
    pace, topic = Pace(rate=10, burst=50), f"urban/v1/water/{thing}/up"
    found: list[int] = []
    for begin in range(0, 5_000, 500):
        loop = [(topic, n / 5_000) for n in range(begin, begin + 500)]
        found += limited(pace, unread(*loop, statuses=statuses))
    assert 5_000 - 50 - 10 <= len(found) <= 5_000 - 50
    assert limited(pace, unread((topic, 60.0), statuses=statuses)) == []


def test_poison_of_many_things_is_not_limited() -> None:
    pace = Pace(rate=10, burst=50)
    assert limited(pace, unread(*[(f"urban/v1/water/poison{n}/up", 0.0) for n in range(5_000)])) == []


def test_backlog_of_refused_values_passes_by_the_times_that_it_gives() -> None:
    pace = Pace(rate=2, burst=10)
    night = [("urban/v1/water/p0/up", float(second)) for second in range(5_000)]
    assert limited(pace, unread(*night, moments=True)) == []
    assert len(limited(pace, unread(*[night[-1]] * 100, moments=True))) == 91


def test_what_cannot_be_read_leaves_the_pace_of_the_readings_alone() -> None:
    pace = Pace(rate=2, burst=10)
    limited(pace, unread(*[("urban/v1/water/p0/up", 10.0**6)] * 30))
    assert limited(pace, batch(*[(0, float(second)) for second in range(1_000)])) == []


def test_messages_with_and_without_readings_are_judged_each_in_its_place() -> None:
    draft = Draft()
    for number in range(12):
        m = draft.message_of("urban/v1/water/p0/up", b"{}", received_us=NOW)
        if number % 2:
            draft.reading(m, slot=0, time_us=NOW, result=1.0)
        if number % 2 == 0 or number > 5:
            draft.refuse(m, "malformed", "bad")
    # One that comes again without reading or refusal is known, and not asked.
    draft.message_of("urban/v1/water/p0/up", b"{}", received_us=NOW)
    assert limited(Pace(rate=1, burst=4), draft.close()) == [8, 9, 10, 11]


def test_names_that_are_made_up_do_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hypervision.pace._MOST_STRANGERS", 20)
    pace = Pace(rate=1, burst=1)
    for begin in range(0, 100, 10):
        limited(pace, unread(*[(f"urban/v1/water/made-up{n}/up", 0.0) for n in range(begin, begin + 10)]))
    assert len(pace._names) <= 40
    assert limited(pace, batch((2, 0.0), (2, 0.0))) == [1]
