from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dashboards import town as judge
from dashboards.health import parts
from dashboards.limits import Limits, Periods
from dashboards.town import Feed, Freshness, Reporting, Town
from hypervision.progress import Progress, progressed
from hypervision.scope import EVERYTHING, Scope
from hypervision.store.screens import AlarmRow, LimitRow, ReadingRow, StreamRow, ThingRow, WriterRow

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PERIODS = Periods(2, 4)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def thing(thing_id: int, organisation: int | None = 1) -> ThingRow:
    return ThingRow(thing_id, f"t{thing_id}", "", "water", "", None, None, None, "", organisation, None, None, None)


def stream(stream_id: int, thing_id: int, period: float | None = 60.0, name: str = "flow") -> StreamRow:
    return StreamRow(stream_id, thing_id, "water", name, "m3/h", "gauge", period)


def alarm(
    alarm_id: int, priority: str = "high", state: str = "UNACK", thing_id: int | None = 1, age: float = 60
) -> AlarmRow:
    return AlarmRow(
        alarm_id, priority, state, "none", "datastream", thing_id, 1, ago(age), ago(age), None, None, None, 1.0, 2.0, "m",
        "r", "water", "flow", "high", "fr", "en", "", "",
    )  # fmt: skip


def writer(name: str, beat_age: float | None) -> WriterRow:
    beat = None if beat_age is None else ago(beat_age)
    return WriterRow(1, name, 1, 1, beat, beat_age, 1, 1, 0, 0, 0, "", {})


@pytest.mark.parametrize(
    ("age", "period", "quality", "expected"),
    [
        (100, 60, 5, Freshness.GOOD),
        (121, 60, 5, Freshness.LATE),
        (241, 60, 5, Freshness.STALE),
        (241, 60, 0, Freshness.STALE),
        (10, 60, 0, Freshness.BAD),
        (1e9, None, 5, Freshness.GOOD),
    ],
)
def test_freshness_by_age_and_quality(age: float, period: float | None, quality: int, expected: Freshness) -> None:
    reading = ReadingRow(1, ago(age), 1.0, quality)
    assert judge.freshness(reading, period, now=NOW, periods=PERIODS) is expected


def test_freshness_without_reading_is_never() -> None:
    assert judge.freshness(None, 60, now=NOW, periods=PERIODS) is Freshness.NEVER


def test_value_is_late_when_its_silence_rule_rings() -> None:
    rule = LimitRow("water", "", "silence", "low", 3.0, None, True)
    own = LimitRow("water", "", "silence", "low", 6.0, 7, True)
    limits = Limits.of([rule, own, LimitRow("water", "flow", "high", "low", 1.0, None, True)])
    assert limits.periods("water", stale=4) == Periods(3, 4)
    assert limits.periods("water", 1, stale=4) == Periods(3, 4)
    assert limits.periods("water", 7, stale=4) == Periods(6, 6)
    assert limits.periods("waste", 7, stale=4) == Periods(2, 4)
    assert [row.kind for row in limits.of_stream(stream(1, 7))] == ["high"]


def test_reporting_counts_by_the_fastest_stream_so_that_a_battery_does_not_hide_silence() -> None:
    streams = {1: stream(1, 1, 60), 2: stream(2, 1, 86_400, "battery"), 3: stream(3, 2, 60), 4: stream(4, 3, None)}
    latest = {1: ReadingRow(1, ago(300), 1, 5), 2: ReadingRow(2, ago(250), 1, 5), 3: ReadingRow(3, ago(200), 1, 5)}
    town = Town(
        things={i: thing(i) for i in (1, 2, 3)},
        streams=streams,
        streams_of={1: (1, 2), 2: (3,), 3: (4,)},
        latest=latest,
    )
    assert judge.is_reporting(town, 1, now=NOW, periods=PERIODS) is False
    assert judge.is_reporting(town, 3, now=NOW, periods=PERIODS) is None
    assert judge.reporting(town, town.things.values(), now=NOW, periods=PERIODS) == Reporting(1, 2)


def test_alarm_order_puts_what_waits_first_then_worst_then_active_then_newest() -> None:
    alarms = [
        alarm(1, "low"), alarm(2, "critical", "ACKED"), alarm(3, "high", age=10), alarm(4, "high", age=90),
        alarm(5, "critical", "RTNUN", age=5), alarm(6, "critical"), alarm(7, "low", "RTNUN", age=1),
        alarm(8, "low", "ACKED"),
    ]  # fmt: skip
    assert [a.alarm_id for a in sorted(alarms, key=judge.urgency)] == [6, 5, 3, 4, 1, 7, 2, 8]
    worst = judge.worst_unacknowledged(alarms)
    assert worst is not None
    assert worst.alarm_id == 6


def test_banner_shows_a_worse_alarm_that_returned_before_a_lesser_active_one() -> None:
    worst = judge.worst_unacknowledged([alarm(1, "low"), alarm(2, "critical", "RTNUN")])
    assert worst is not None
    assert worst.alarm_id == 2


def test_banner_is_empty_when_everything_is_acknowledged_or_shelved() -> None:
    assert judge.worst_unacknowledged([alarm(1, state="ACKED"), replace(alarm(2), suppression="shelved")]) is None


def test_account_of_an_organisation_sees_neither_others_nor_platform_alarms() -> None:
    town = Town(
        things={1: thing(1), 2: thing(2, 9)}, alarms={i: alarm(i, thing_id=t) for i, t in ((1, 1), (2, 2), (3, None))}
    )
    assert [a.alarm_id for a in town.visible_alarms(Scope(1))] == [1]
    assert len(town.visible_alarms(EVERYTHING)) == 3


def test_counts_tell_open_and_waiting_apart() -> None:
    counted = judge.by_priority([alarm(1), alarm(2, state="ACKED"), alarm(3, "low", "RTNUN")])
    assert counted == {"critical": (0, 0), "high": (2, 1), "medium": (0, 0), "low": (1, 1)}


def test_override_replaces_the_limit_of_one_thing_and_can_switch_it_off() -> None:
    rows = [
        LimitRow("water", "flow", "high", "high", 10.0, None, True),
        LimitRow("water", "flow", "high", "high", 20.0, 2, True),
        LimitRow("water", "flow", "high", "high", 10.0, 3, False),
    ]
    limits = Limits.of(rows)
    told = [[row.limit for row in limits.of_stream(stream(1, t))] for t in (1, 2, 3)]
    assert told == [[10.0], [20.0], []]


@pytest.mark.parametrize(
    ("proved", "writers", "state"),
    [
        (0.5, [("collector-1/1", 0.4)], "live"),
        (4.0, [("collector-1/1", 0.4)], "database"),
        (0.5, [("collector-1/1", 3.4)], "collector"),
        (0.5, [("collector-1/2", 0.4), ("collector-2/2", 60.0)], "collector"),
        (0.5, [("collector-1/1", 0.4), ("collector-old", 90_000.0)], "live"),
        (0.5, [("collector-1/1", 90_000.0)], "collector"),
        (0.5, [("watch", 0.1)], "none"),
        (0.5, [("collector-1/1", None)], "none"),
    ],
)
def test_feed_names_the_link_that_is_dead(proved: float, writers: list[tuple[str, float | None]], state: str) -> None:
    town = Town(proved_at=ago(proved), writers=tuple(writer(*w) for w in writers))
    assert judge.feed(town, now=NOW).state == state


@pytest.mark.parametrize("silent", [0.5, 1.5, 2.9, 3.1, 40.0, 1e6])
def test_silence_of_the_database_is_not_held_against_a_collector(silent: float) -> None:
    """Its last beat was two seconds old, and it holds messages that it cannot commit."""
    held = replace(writer("collector-1/1", 2.0), in_flight=3)
    town = Town(proved_at=ago(silent), writers=(held,), progress={held.name: Progress(1, ago(silent + 10))})
    cause = "database" if silent > 3 else "live"
    assert judge.feed(town, now=NOW).state == cause
    failing = [part.name for part in parts(town, now=NOW) if part.needed and not part.working]
    assert failing == (["database"] if cause == "database" else [])


def test_feed_that_never_answered_is_the_database() -> None:
    assert judge.feed(Town(), now=NOW) == Feed("database")


def test_progress_counts_from_the_last_commit_or_the_last_idle_moment() -> None:
    held = replace(writer("collector-1/1", 0.5), stored=7, in_flight=3)
    first = progressed({}, [held], now=ago(100))
    assert first == {"collector-1/1": Progress(7, ago(100))}
    assert progressed(first, [held], now=ago(50)) == first
    assert progressed(first, [replace(held, rejected=1)], now=ago(50)) == {"collector-1/1": Progress(8, ago(50))}
    assert progressed(first, [replace(held, in_flight=0)], now=ago(50)) == {"collector-1/1": Progress(7, ago(50))}


def test_feed_tells_a_collector_that_beats_but_commits_nothing() -> None:
    held = replace(writer("collector-1/1", 0.5), in_flight=3)
    town = Town(proved_at=NOW, writers=(held,), progress={held.name: Progress(1, ago(30))})
    assert judge.feed(town, now=NOW) == Feed("collector", held.name, ago(30))
    assert judge.feed(replace(town, progress={held.name: Progress(1, ago(29))}), now=NOW) == Feed("live")
