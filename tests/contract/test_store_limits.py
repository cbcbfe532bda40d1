"""One device in a loop: refused, counted, told, and the others are stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hypervision.batch import Draft, Status
from hypervision.clock import to_us
from hypervision.decoding import bounds_of, decoder
from hypervision.intake import Intake
from hypervision.replay import replay
from hypervision.settings import IngestSettings
from hypervision.store import limits
from hypervision.store.rejected import Chosen

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SLOW = {"ingest": IngestSettings(rate=1.0, burst=10).model_dump()}


def loop(number: int, *, at: datetime = NOW, thing: str = "loud") -> list[tuple[str, str, str, datetime, float]]:
    return [("water", thing, "flow", at + n * timedelta(milliseconds=1), float(n)) for n in range(number)]


def rejected(world: Any) -> list[tuple[Any, ...]]:
    return world.rows("SELECT thing, reason, count, received_time FROM hv.rejected_message ORDER BY rejected_id")


def test_surplus_is_one_row_per_thing_and_minute_and_the_counters_add_up(world: Any) -> None:
    intake = world.intake(**SLOW)
    for second in (0, 1, 2, 61):
        at = NOW + second * SECOND
        world.send(intake, *loop(100, at=at), ("water", "calm", "flow", at, 1.0), received=at)
    rows = rejected(world)
    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("loud", "rate_limited", NOW), ("loud", "rate_limited", NOW + 61 * SECOND),
    ]  # fmt: skip
    stored = world.rows("SELECT thing, count(*) FROM observations GROUP BY 1 ORDER BY 1")
    assert stored[0] == ("calm", 4)
    assert stored[1][1] + sum(row[2] for row in rows) == 400
    assert intake.committed == (stored[1][1] + 4, 0, sum(row[2] for row in rows))
    payload, detail = world.rows("SELECT payload, detail FROM rejected_messages")[0]
    assert bytes(payload) == b"{}"
    assert "more than 1 messages a second" in detail


def test_row_that_was_purged_is_begun_anew(world: Any) -> None:
    intake = world.intake(**SLOW)
    world.send(intake, *loop(100))
    world.execute("DELETE FROM hv.rejected_message")
    world.send(intake, *loop(50, at=NOW + SECOND))
    [(stored,)] = world.rows("SELECT count(*) FROM observations")
    assert [row[1:3] for row in rejected(world)] == [("rate_limited", 60 - stored)]


def test_thing_that_talks_too_much_rings_and_is_quiet_again(world: Any, several: None) -> None:
    intake, watch = world.intake(**SLOW), world.watch()
    world.send(intake, *loop(100))
    world.now = NOW
    world.ticks(watch, until=NOW + 20 * SECOND)
    assert world.alarms() == [("water.talking", "loud", "UNACK")]
    assert world.rows("SELECT source_kind, value, message FROM alarms") == [
        ("thing", 90.0, "Talking too much: 90 messages refused in a minute")
    ]
    world.ticks(watch, until=NOW + 300 * SECOND)
    assert world.alarms() == [("water.talking", "loud", "RTNUN")]


def deliver(intake: Intake, *payloads: bytes, at: datetime = NOW, thing: str = "loud") -> tuple[int, int, int]:
    """What a device sends, as a collector gives it: stored, duplicate and rejected."""
    draft, topic = Draft(), f"urban/v1/water/{thing}/up"
    for payload in payloads:
        if payload in (b"online", b"offline"):
            message = draft.message_of(f"urban/v1/water/{thing}/status", payload, received_us=to_us(at))
            draft.statuses.append(Status(message, "water", thing, payload.decode(), to_us(at)))
            continue
        decoder("urban")(
            [topic], [payload], received_us=to_us(at), draft=draft, streams=intake.streams,
            bounds=bounds_of(intake.settings),
        )  # fmt: skip
    receipt = intake.commit(draft.close(), now=at)
    return receipt.stored, receipt.duplicate, receipt.rejected


def test_loop_of_messages_that_nobody_can_read_is_one_row_a_minute_and_rings(world: Any) -> None:
    intake = world.intake(**SLOW)
    world.send(intake, ("water", "loud", "flow", NOW, 1.0))
    assert deliver(intake, *[b"{bad"] * 100) == (0, 0, 100)
    assert deliver(intake, *[b'{"nonsense": 1}'] * 100, at=NOW + SECOND) == (0, 0, 100)
    rows = rejected(world)
    expected = [*[("malformed", 1)] * 10, ("rate_limited", 189), ("unknown_property", 1)]
    assert sorted(row[1:3] for row in rows) == expected
    assert intake.committed == (1, 0, 200) == (1, 0, sum(row[2] for row in rows))
    # Its readings are not held back: they have a pace of their own.
    assert deliver(intake, b'{"time": %d, "flow": 2}' % (NOW.timestamp() * 1000 + 1)) == (1, 0, 0)
    with intake.between() as connection:
        assert [told[1:] for told in limits.talking(connection, since=NOW, until=NOW)] == [("water", 189)]
        # A row of a clock that was ahead is none of now.
        assert limits.talking(connection, since=NOW - 120 * SECOND, until=NOW - SECOND) == []


def test_loop_of_a_thing_that_nobody_let_in_and_of_words_about_a_link_are_one_row(world: Any) -> None:
    intake = world.intake(registration="closed", **SLOW)
    assert deliver(intake, *[b'{"flow": 1, "time": 1795341600000}'] * 50, thing="stranger") == (0, 0, 50)
    assert deliver(intake, *[b"online", b"offline"] * 50, thing="other") == (0, 0, 100)
    assert [row[:3] for row in rejected(world) if row[1] == "rate_limited"] == [
        ("stranger", "rate_limited", 40), ("other", "rate_limited", 90),
    ]  # fmt: skip
    assert world.rows("SELECT sum(count)::int FROM hv.rejected_message") == [(150,)]


def test_last_word_about_a_link_counts_also_beyond_the_pace(world: Any) -> None:
    intake = world.intake(**SLOW)
    deliver(intake, *[b"offline", b"online"] * 50, b"offline")
    assert world.rows("SELECT status FROM things WHERE code = 'loud'") == [("offline",)]
    assert intake.committed == (10, 0, 91)


def test_messages_that_a_person_sends_again_are_not_limited(world: Any, several: None) -> None:
    intake = world.intake(ingest=IngestSettings(rate=0.0).model_dump())
    deliver(intake, *[b"{bad%d" % n for n in range(30)])
    world.close()
    found = replay(world.settings(**SLOW), Chosen(), clock=lambda: NOW)
    assert (found.messages, found.reasons) == (30, {"malformed": 30})
    assert world.rows("SELECT reason, count(*) FROM rejected_messages WHERE replayed_at IS NULL GROUP BY 1") == [
        ("malformed", 30)
    ]
