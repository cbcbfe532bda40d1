"""Each message has one outcome; what was refused becomes rows of the quarantine."""

from __future__ import annotations

import numpy as np
import pytest

from hypervision.batch import DUPLICATE, REJECTED, STORED, Batch, Draft, Refusal, Status
from hypervision.datastreams import StreamTable
from hypervision.outcome import outcomes, rejected_rows, senders, strangers, unknown_things
from hypervision.plan import Plan, plan

NOW_US = 1_000_000_000_000_000
NONE = np.empty(0, np.int32)


def planned(batch: Batch, streams: StreamTable) -> Plan:
    return plan(batch, streams, horizon_us=60_000_000, earliest_us=0, future_us=0, dropped=set())


@pytest.fixture
def batch() -> Batch:
    """Stored, stored in part, rejected, duplicate."""
    draft = Draft()
    for slot in (0, 1, 2, 3):
        message = draft.message_of(f"urban/v1/air/t{slot}/up", b"x" * slot, received_us=NOW_US)
        draft.reading(message, slot=slot, time_us=NOW_US, result=1.0)
    draft.refuse(1, "unknown_property", "there is no property 'x'")
    draft.refuse(2, "bad_value", "pm25 is 'wet'")
    draft.refuse(2, "unknown_property", "there is no property 'y'")
    return draft.close()


def test_outcome_is_stored_else_rejected_else_duplicate(batch: Batch, streams: StreamTable) -> None:
    new = np.array([True, True, False, False])
    found = outcomes(batch, planned(batch, streams), new=new, newer=set(), refusals=batch.refusals, limited=NONE)
    assert found.tolist() == [STORED, STORED, REJECTED, DUPLICATE]


def test_outcome_of_a_status_is_stored_where_newer(streams: StreamTable) -> None:
    draft = Draft()
    for thing in ("a", "b", "nobody"):
        message = draft.message_of(f"urban/v1/air/{thing}/status", b"online", received_us=NOW_US)
        draft.statuses.append(Status(message, "air", thing, "online", NOW_US))
    batch = draft.close()
    refusals = unknown_things(batch, {"a", "b"}, NONE)
    assert [(one.message, one.reason) for one in refusals] == [(2, "unknown_thing")]
    found = outcomes(
        batch, planned(batch, streams), new=np.zeros(0, np.bool_), newer={"a"}, refusals=refusals, limited=NONE
    )
    assert found.tolist() == [STORED, DUPLICATE, REJECTED]


def test_status_beyond_the_pace_is_refused_for_that_alone(streams: StreamTable) -> None:
    draft, beyond = Draft(), np.array([1, 2], np.int32)
    for thing in ("a", "a", "nobody"):
        message = draft.message_of(f"urban/v1/air/{thing}/status", b"online", received_us=NOW_US)
        draft.statuses.append(Status(message, "air", thing, "online", NOW_US))
    batch = draft.close()
    assert unknown_things(batch, {"a"}, beyond) == []
    none = np.zeros(0, np.bool_)
    found = outcomes(batch, planned(batch, streams), new=none, newer={"a"}, refusals=[], limited=beyond)
    assert found.tolist() == [STORED, REJECTED, REJECTED]


def test_rows_are_one_per_reason_of_a_stored_message_and_one_per_refused_message(batch: Batch) -> None:
    outcome = np.array([STORED, STORED, REJECTED, DUPLICATE], np.int8)
    rows = rejected_rows(batch, batch.refusals, outcome)
    assert [(row.thing, row.reason, row.detail, row.partial, row.payload) for row in rows] == [
        ("t1", "unknown_property", "there is no property 'x'", True, b"x"),
        ("t2", "bad_value", "pm25 is 'wet'; there is no property 'y'", False, b"xx"),
    ]


def test_row_of_many_faults_tells_some_and_counts_the_rest(batch: Batch) -> None:
    refusals = [Refusal(2, "bad_value", f"value {n}") for n in range(19)]
    (row,) = rejected_rows(batch, refusals, np.full(4, REJECTED, np.int8))
    assert row.detail == "; ".join(f"value {n}" for n in range(16)) + " (and 3 more)"


def test_rows_of_a_stored_message_hold_its_payload_and_stay_bounded() -> None:
    draft = Draft()
    payload = b"x" * 1_000_000
    message = draft.message_of("urban/v1/air/a/up", payload, received_us=NOW_US)
    draft.refusals += [Refusal(message, f"reason_{n % 20}", f"value {n}") for n in range(10_000)]
    batch = draft.close()
    rows = rejected_rows(batch, batch.refusals, np.full(1, STORED, np.int8))
    assert [row.reason for row in rows] == [f"reason_{n}" for n in range(20)]
    assert {(row.payload, row.number, row.partial) for row in rows} == {(payload, 500, True)}
    assert sum(len(row.detail) for row in rows) < 10_000


def test_message_of_an_unknown_thing_is_told_as_such_whatever_else_is_wrong() -> None:
    draft = Draft()
    for topic in ("urban/v1/air/new/up", "urban/v1/air/new/up", "urban/v1/air/old/up", "urban/v1/moon/new/up", "?"):
        draft.message_of(topic, b"{", received_us=NOW_US)
    draft.refuse(0, "unknown_property", "air has no property 'x'.")
    draft.refuse(0, "unknown_thing", "new (air) is not registered")
    draft.refuse(1, "malformed", "no JSON.")
    draft.refuse(2, "malformed", "no JSON.")
    draft.refuse(3, "unknown_domain", "there is no domain 'moon'.")
    draft.refuse(4, "bad_topic", "no.")
    batch = draft.close()
    assert senders(batch, batch.refusals) == {"new", "old"}
    found = strangers(batch, batch.refusals, {"old"})
    assert [(one.message, one.reason) for one in found] == [(1, "unknown_thing")]
    rows = rejected_rows(batch, batch.refusals + found, np.full(5, REJECTED, np.int8))
    told = ["unknown_thing", "unknown_thing", "malformed", "unknown_domain", "bad_topic"]
    assert [row.reason for row in rows] == told
    assert rows[0].detail == "new (air) is not registered; air has no property 'x'"
    assert "things admit new" in rows[1].detail
    assert "no JSON" in rows[1].detail


def test_row_tells_the_same_fault_once(batch: Batch) -> None:
    (row,) = rejected_rows(batch, [Refusal(2, "a", "same")] * 3, np.full(4, REJECTED, np.int8))
    assert row.detail == "same"


def test_lines_of_a_file_are_told_by_thing_as_long_as_there_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hypervision.outcome._THINGS", 2)
    none = np.zeros(0)
    batch = Batch.of_series(slot=none, time_us=none, result=none, received_us=1, source="import/x.csv", imported=True)
    lines = [("bad_time", "a"), ("bad_time", "b"), ("conflict", "a"), ("bad_time", "a"), ("bad_time", "c"),
             ("bad_time", "d"), ("bad_thing", "")]  # fmt: skip
    refusals = [Refusal(0, reason, f"line {i}: no", thing) for i, (reason, thing) in enumerate(lines)]
    rows = rejected_rows(batch, refusals, np.full(1, REJECTED, np.int8))
    assert [(row.reason, row.thing, row.number) for row in rows] == [
        ("bad_time", "a", 2), ("bad_time", "b", 1), ("conflict", "a", 1), ("bad_time", "", 2), ("bad_thing", "", 1),
    ]  # fmt: skip
    assert rows[0].detail == "line 0: no; line 3: no"


def test_row_of_a_foreign_topic_has_no_thing() -> None:
    draft = Draft()
    draft.refuse(draft.message_of("elsewhere", b"?", received_us=1), "unknown_topic", "no")
    batch = draft.close()
    (row,) = rejected_rows(batch, batch.refusals, np.full(1, REJECTED, np.int8))
    assert (row.topic, row.thing, row.received_us) == ("elsewhere", "", 1)
