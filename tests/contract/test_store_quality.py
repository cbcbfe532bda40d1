"""The quality of alarms from transitions in the database, on every engine; a month of a busy town in time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from dashboards.quality import read_quality
from hypervision.alarm_quality import ACKNOWLEDGED, RANG, RANG_AGAIN, actor_of
from hypervision.scope import EVERYTHING, Scope
from hypervision.store import alarm_quality as store
from hypervision.store.connection import connect

pytestmark = pytest.mark.integration


def put(world: Any, alarm_id: int, thing: str, steps: Sequence[tuple[float, str, str, str]], *, priority: str) -> None:
    """One occurrence with its steps: (minutes before now, from, to, cause)."""
    values = {"alarm": alarm_id, "thing": thing, "priority": priority, "at": world.now - timedelta(minutes=steps[0][0])}
    world.execute(
        "INSERT INTO hv.alarm (alarm_id, rule_id, rule_version, source_kind, source_id, thing_id, priority, state,"
        " raised_at, detected_at, message) OVERRIDING SYSTEM VALUE"
        " SELECT %(alarm)s, (SELECT min(rule_id) FROM hv.rule), 1, 'thing', thing_id, thing_id, %(priority)s, 'NORM',"
        " %(at)s, %(at)s, 'm' FROM hv.thing WHERE code = %(thing)s",
        values,
    )
    for before, was, now, cause in steps:
        world.execute(
            "INSERT INTO hv.alarm_transition (alarm_id, at, from_state, to_state, cause, rule_version, recorded_at)"
            " VALUES (%(alarm)s, %(at)s, %(was)s, %(now)s, %(cause)s, 1, %(at)s)",
            {"alarm": alarm_id, "at": world.now - timedelta(minutes=before), "was": was, "now": now, "cause": cause},
        )
    world.execute("UPDATE hv.alarm SET state = %(to)s WHERE alarm_id = %(alarm)s", {**values, "to": steps[-1][2]})


def things(world: Any) -> None:
    world.execute("INSERT INTO hv.organisation (code, name) VALUES ('a', 'A'), ('b', 'B')")
    world.execute(
        "INSERT INTO hv.thing (code, name, domain, organisation_id, registered_at)"
        " SELECT 'w-' || code, 'Pump ' || code, 'water', organisation_id, now() FROM hv.organisation"
    )


STORY = (
    (50.0, "NORM", "UNACK", "limit"), (49.8, "UNACK", "RTNUN", "return to normal"), (49.6, "RTNUN", "UNACK", "limit"),
    (49.4, "UNACK", "RTNUN", "return to normal"), (49.2, "RTNUN", "UNACK", "limit"), (40.0, "UNACK", "ACKED", "acknowledge"),
    (30.0, "ACKED", "NORM", "return to normal"),
)  # fmt: skip


def reading(world: Any) -> Any:
    return connect(world.url, application="test", autocommit=True)


def test_figures_of_a_story_are_those_counted_by_hand(world: Any) -> None:
    things(world)
    put(world, 1, "w-a", STORY, priority="critical")
    put(world, 2, "w-b", [(5.0, "NORM", "UNACK", "limit")], priority="low")
    # Found to be none by a correction; and long before.
    put(
        world,
        3,
        "w-b",
        [(4.0, "NORM", "UNACK", "limit"), (3.0, "UNACK", "NORM", "reading corrected")],
        priority="high",
    )
    world.execute("UPDATE hv.alarm SET correction_id = 1 WHERE alarm_id = 3")
    put(world, 4, "w-a", [(60 * 24 * 2.0, "NORM", "UNACK", "limit")], priority="high")
    with reading(world) as connection:
        found = read_quality(connection, world.settings(), "24h", now=world.now, scope=EVERYTHING)
        own = read_quality(connection, world.settings(), "24h", now=world.now, scope=Scope(1))
        month = read_quality(connection, world.settings(), "30d", now=world.now, scope=EVERYTHING)
    total = found.quality.total
    assert (total.alarms, total.peak, total.acknowledged, total.waiting) == (4, 3, 1, 1)
    assert total.p50 == pytest.approx(600.0)
    assert [load.alarms for load in found.quality.priorities] == [3, 0, 0, 1]
    assert [share.in_a_minute for share in found.quality.chattering] == [3]
    named = found.names[found.quality.top[0].actor]
    assert (named.thing, named.name) == ("w-a", "Pump a")
    # The longest first; what is older than the time still stands.
    assert [(each.name, found.is_stale(alarm)) for alarm, each in found.standing] == [
        ("Pump a", True),
        ("Pump b", False),
    ]
    assert (own.quality.total.alarms, len(own.standing)) == (3, 1)
    assert month.quality.total.alarms == 5


def test_events_tell_what_rang_first_what_rang_again_and_what_was_acknowledged(world: Any) -> None:
    things(world)
    put(world, 1, "w-b", STORY, priority="medium")
    with reading(world) as connection:
        found = store.read_events(
            connection, since=world.now - timedelta(hours=1), until=world.now, scope=EVERYTHING
        ).in_time()
        none = store.read_events(connection, since=world.now, until=world.now, scope=EVERYTHING)
    assert found.what.tolist() == [RANG, RANG_AGAIN, RANG_AGAIN, ACKNOWLEDGED]
    assert set(found.rank.tolist()) == {2}
    ((kind, rule, source),) = {actor_of(number) for number in found.actor.tolist()}
    assert (kind, source) == (1, world.rows("SELECT thing_id FROM hv.thing WHERE code = 'w-b'")[0][0])
    assert rule == world.rows("SELECT min(rule_id) FROM hv.rule")[0][0]
    assert len(none.at_us) == 0


MANY = 1_000_000
# Four steps an alarm over thirty days: it rings, returns, rings again, is acknowledged.
FILL = """
    INSERT INTO hv.alarm (alarm_id, rule_id, rule_version, source_kind, source_id, thing_id, priority, state, raised_at,
                          detected_at, message) OVERRIDING SYSTEM VALUE
    SELECT n, (SELECT min(rule_id) FROM hv.rule), 1, 'thing', 1 + n %% 2, 1 + n %% 2,
           (ARRAY['critical', 'high', 'medium', 'low'])[1 + n %% 4], 'NORM', %(since)s + n * %(step)s, %(since)s + n * %(step)s, 'm'
    FROM generate_series(1, %(n)s / 4) AS n;
"""
STEPS = """
    INSERT INTO hv.alarm_transition (alarm_id, at, from_state, to_state, cause, rule_version, recorded_at)
    SELECT n, %(since)s + n * %(step)s + k * interval '20 s', (ARRAY['NORM', 'UNACK', 'RTNUN', 'UNACK'])[k],
           (ARRAY['UNACK', 'RTNUN', 'UNACK', 'ACKED'])[k], (ARRAY['limit', 'return to normal', 'limit', 'acknowledge'])[k], 1,
           %(since)s + n * %(step)s + k * interval '20 s'
    FROM generate_series(1, %(n)s / 4) AS n CROSS JOIN generate_series(1, 4) AS k ORDER BY n, k
"""


@pytest.mark.usefixtures("newest_only")
def test_month_of_a_million_transitions_is_measured_within_the_patience_of_a_page(world: Any) -> None:
    things(world)
    since: datetime = world.now - timedelta(days=29)
    values = {"n": MANY, "since": since, "step": timedelta(days=28) / (MANY // 4)}
    world.execute(FILL, values)
    world.execute(STEPS, values)
    world.execute("ANALYZE hv.alarm")
    world.execute("ANALYZE hv.alarm_transition")
    with reading(world) as connection:
        started = time.monotonic()
        found = read_quality(connection, world.settings(), "30d", now=world.now, scope=EVERYTHING)
        month = time.monotonic() - started
        started = time.monotonic()
        read_quality(connection, world.settings(), "24h", now=world.now, scope=Scope(2))
        day = time.monotonic() - started
        plan = connection.execute(
            "EXPLAIN SELECT * FROM hv.alarm_transition WHERE recorded_at >= %(at)s",
            {"at": world.now - timedelta(days=2)},
        ).fetchall()
    assert found.quality.total.alarms == MANY // 2
    assert found.quality.total.p50 == pytest.approx(60.0)
    assert "alarm_transition_recorded" in str(plan)
    assert month < 15.0, f"{month:.1f} s for a month, {day:.1f} s for a day"
    assert day < 5.0
