"""One device in a loop: refused, counted, told, and the others are stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hypervision.settings import IngestSettings

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
