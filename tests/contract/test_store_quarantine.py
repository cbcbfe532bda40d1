"""The quarantine: what is refused waits with its reason, and a second try neither doubles nor loses anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hypervision.batch import Draft, Status
from hypervision.clock import to_us
from hypervision.decoding import bounds_of, decoder
from hypervision.intake import Intake
from hypervision.replay import Replayed, resend
from hypervision.store import registry
from hypervision.store.rejected import Chosen

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
UP = "urban/v1/water/p1/up"


def receive(intake: Intake, *messages: tuple[str, bytes], at: datetime = NOW) -> None:
    """What a collector does with messages of one read."""
    draft = Draft()
    for topic, payload in messages:
        if topic.endswith("/status"):
            message = draft.message_of(topic, payload, received_us=to_us(at))
            _, _, domain, thing, _ = topic.split("/")
            draft.statuses.append(Status(message, domain, thing, payload.decode(), to_us(at)))
            continue
        decoder("urban")(
            [topic], [payload], received_us=to_us(at), draft=draft, streams=intake.streams,
            bounds=bounds_of(intake.settings),
        )  # fmt: skip
    intake.commit(draft.close(), now=at)


def again(world: Any, **which: Any) -> Replayed:
    """Everything once more, by the writer `replay`."""
    world.close()
    intake = world.intake("replay", registration="closed")
    return resend(intake, Chosen(**which), clock=lambda: NOW + timedelta(minutes=1))


def observed(world: Any) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = world.rows(
        "SELECT property, phenomenon_time, result FROM observations ORDER BY 1, 2, 3"
    )
    return found


@pytest.mark.parametrize("payload", [b'{"seq": 7, "flow": 1, "xyz": 2, "level": "wet"}', b'{"flow": 1, "xyz": 2}'])
def test_message_without_time_sent_again_has_its_readings_once(world: Any, payload: bytes) -> None:
    receive(world.intake(), (UP, payload))
    before = observed(world)
    assert [row[0] for row in before] == ["flow"]
    rows = world.rows("SELECT id, partial FROM rejected_messages ORDER BY id")
    for _ in range(3):
        assert again(world) == Replayed(1, 0, 1)
        assert observed(world) == before
        # What was refused again waits on in a row that it had, however often it is tried.
        assert world.rows("SELECT id, partial FROM rejected_messages ORDER BY id") == rows
        waiting = world.rows("SELECT reason, detail FROM rejected_messages WHERE replayed_at IS NULL")
        assert len(waiting) == 1
        assert waiting[0][1].count("(refused again 2026-11-22 10:01 UTC)") == 1


def test_message_refused_again_keeps_its_row_with_the_newer_reason(world: Any) -> None:
    messages = [("urban/v1/water/p%d/up" % i, b'{"flow": 1, "xyz": 2}') for i in range(5)]  # noqa: UP031
    receive(world.intake(registration="closed"), *messages, (UP, b"{"))
    ids = world.rows("SELECT id FROM rejected_messages ORDER BY id")
    before = world.rows("SELECT id, reason FROM rejected_messages ORDER BY id")
    assert {row[1] for row in before} == {"unknown_thing"}
    assert again(world) == Replayed(6, 0, 6)
    # Nothing was mended: the same rows, all waiting.
    assert world.rows("SELECT id, reason FROM rejected_messages WHERE replayed_at IS NULL ORDER BY id") == before
    with world.intake("admission").between() as connection:
        registry.admit(connection, "p1", domain="water", name="p1", now=NOW)
    assert again(world) == Replayed(6, 1, 6)
    now = world.rows("SELECT id, reason, partial, replayed_at IS NULL FROM rejected_messages ORDER BY id")
    assert [row[:1] for row in now] == ids
    assert all(row[3] for row in now)
    told = sorted((reason, partial) for _, reason, partial, _ in now)
    assert told == [("malformed", False)] + [("unknown_property", True)] + [("unknown_thing", False)] * 4


def test_message_that_is_stored_at_the_second_try_is_marked_in_all_its_rows(world: Any) -> None:
    receive(world.intake(registration="closed"), (UP, b'{"flow": 1}'))
    with world.intake("admission").between() as connection:
        registry.admit(connection, "p1", domain="water", name="p1", now=NOW)
    assert again(world) == Replayed(1, 1)
    assert world.rows("SELECT reason, replayed_at, detail LIKE '%%again%%' FROM rejected_messages") == [
        ("unknown_thing", NOW + timedelta(minutes=1), False)
    ]
    assert again(world) == Replayed(0, 0)


def test_equal_messages_without_time_and_number_are_each_sent_again(world: Any) -> None:
    receive(world.intake(), *[(UP, b'{"flow": 1, "xyz": 2}')] * 3)
    before = observed(world)
    assert [row[2] for row in before] == [1.0] * 3
    assert again(world) == Replayed(3, 0, 3)
    assert observed(world) == before


def test_everything_of_an_unknown_thing_waits_for_its_admission(world: Any) -> None:
    receive(
        world.intake(registration="closed"),
        ("urban/v1/water/p1/status", b"online"),
        (UP, b'{"flow": 1, "xyz": 2}'),
        (UP, b'{"xyz": 2}'),
        (UP, b"{"),
        ("urban/v1/moon/p1/up", b'{"flow": 1}'),
    )
    reasons = world.rows("SELECT reason, topic LIKE '%%moon%%' FROM rejected_messages ORDER BY reason")
    assert reasons == [("unknown_domain", True)] + [("unknown_thing", False)] * 4
    world.close()
    intake = world.intake("replay", registration="closed")
    with intake.between() as connection:
        (waiting,) = registry.waiting(connection)
        assert (waiting.code, waiting.domain, waiting.messages) == ("p1", "water", 4)
        registry.admit(connection, "p1", domain="water", name="p1", now=NOW)
    assert again(world, thing="p1", reason="unknown_thing") == Replayed(4, 2, 3)
    assert observed(world) == [("flow", NOW, 1.0)]
    assert world.rows("SELECT status, status_at FROM hv.thing") == [("online", NOW)]
    left = world.rows("SELECT reason, count FROM rejected_messages WHERE replayed_at IS NULL ORDER BY reason")
    assert left == [("malformed", 1), ("unknown_domain", 1), ("unknown_property", 1), ("unknown_property", 1)]
    with world.intake("look").between() as connection:
        assert registry.waiting(connection) == []


def test_message_is_chosen_by_any_of_its_reasons(world: Any) -> None:
    receive(world.intake(), (UP, b'{"seq": 7, "flow": 1, "xyz": 2, "level": "wet"}'))
    assert again(world, reason="not_a_number") == Replayed(1, 0, 1)
    assert again(world, reason="conflict") == Replayed(0, 0)


def test_what_no_second_try_can_mend_stays_as_it_is(world: Any) -> None:
    intake = world.intake()
    draft = Draft()
    for topic, payload, reason in (
        ("import/past.csv", b"", "unknown_state"),
        ("urban/v1/water/p1/ack", b"{}", "unexpected_ack"),
        ("urban/v1/water/p1/status", b"asleep", "bad_status"),
        ("urban/v1/moon/p1/status", b"online", "bad_topic"),
        ("elsewhere", b"{}", "bad_topic"),
        (UP, b"{" + b" " * 70_000, "malformed"),
    ):
        draft.refuse(draft.message_of(topic, payload, received_us=to_us(NOW)), reason, "no")
    intake.commit(draft.close(), now=NOW)
    before = world.rows("SELECT * FROM rejected_messages ORDER BY id")
    assert again(world) == Replayed(0, 0)
    assert world.rows("SELECT * FROM rejected_messages ORDER BY id") == before


def test_replay_counts_its_messages(world: Any) -> None:
    receive(world.intake(), (UP, b'{"flow": 1, "xyz": 2}'))
    again(world)
    counters = world.rows(
        "SELECT s.received, s.stored, s.duplicate, s.rejected, s.in_flight FROM hv.writer_snapshot s"
        " JOIN hv.writer w USING (writer_id) WHERE w.name = 'replay'"
    )
    assert counters == [(1, 0, 0, 1, 0)]
