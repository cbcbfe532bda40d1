"""What `watch` reads and tidies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
from psycopg import Connection

from hypervision.alarms import State, Transition
from hypervision.batch import Bool, Float64, Int8, Int32, Int64
from hypervision.clock import to_us
from hypervision.flowing import Flow
from hypervision.scope import Scope
from hypervision.store.alarms import Source
from hypervision.store.clocks import known_time
from hypervision.store.rejected import IN_HAND
from hypervision.store.sql import query
from hypervision.store.transitions import note_step

# A replay beats each second, and at its end; one that was killed holds nothing any more [s].
_REPLAY_LIVES: Final = 15.0


class Newest(NamedTuple):
    """Newest value of every datastream, sorted by id; shape (n,) each."""

    datastream_id: Int32
    time_us: Int64
    result: Float64
    quality: Int8
    received_us: Int64
    live: Bool


class ThingSilence(NamedTuple):
    """When a Thing was last heard [us], the shortest period it should be heard in [us], whether it ever sent itself."""

    thing_id: int
    domain: str
    last_us: int
    period_us: int
    sends: bool


def newest(connection: Connection) -> Newest:
    """Read `latest` as columns."""
    rows = connection.execute(query("latest_all")).fetchall()
    return Newest(
        np.array([r[0] for r in rows], np.int32),
        np.array([to_us(r[1]) for r in rows], np.int64),
        np.array([r[2] for r in rows], np.float64),
        np.array([r[3] for r in rows], np.int8),
        np.array([to_us(r[4]) for r in rows], np.int64),
        np.array([r[5] for r in rows], np.bool_),
    )


def newest_times(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    """When the newest values of some datastreams were true [us]."""
    rows = connection.execute(query("latest_times"), {"ids": list(ids)}).fetchall()
    return {row[0]: to_us(row[1]) for row in rows}


def silences(connection: Connection, derived: Sequence[str], *, now: datetime) -> list[ThingSilence]:
    """Every Thing that reports on a period, without the derived properties (`domain/property`)."""
    rows = connection.execute(query("thing_silence"), {"derived": list(derived), "now": now}).fetchall()
    return [ThingSilence(r[0], r[2], to_us(r[3]), int(r[4] * 1e6), r[5]) for r in rows]


def due(connection: Connection, before: datetime) -> list[Source]:
    """Conditions whose delay ended before an instant."""
    return [Source(*r) for r in connection.execute(query("due_conditions"), {"before": before}).fetchall()]


def replayed(connection: Connection, sources: Sequence[Source]) -> set[Source]:
    """Those of some conditions whose Thing may have readings in the hand of a replay at work.

    Notes
    -----
    Asked after `due`: a condition that a replay has touched was touched after its first beat.
    """
    row = connection.execute(query("replay_in_hand"), {"key": IN_HAND, "patience": _REPLAY_LIVES}).fetchone()
    if row is None or not sources:
        return set()
    told = row[0]
    values = {
        # A replay of the version before tells an organisation at most.
        **Scope.of(told.get("organisation"), told.get("domains"), told.get("districts")).values(),
        "newest": told.get("newest"),
        "thing": told.get("thing"),
        "kinds": [s.kind for s in sources],
        "ids": [s.source_id for s in sources],
    }
    found = set(connection.execute(query("replayed_sources"), values).fetchall())
    return {source for source in sources if (source.kind, source.source_id) in found}


def strays(connection: Connection) -> list[Source]:
    """Conditions that stand although their rule was switched off."""
    return [Source(*r) for r in connection.execute(query("stray_conditions")).fetchall()]


def flow(connection: Connection) -> list[Flow]:
    """What the timers know of the writers that they wait for."""
    return [Flow(*row) for row in connection.execute(query("flow")).fetchall()]


def escalate(
    connection: Connection,
    alarm_id: int,
    *,
    message: str,
    priority: str,
    state: State,
    rule_version: int,
    now: datetime,
) -> bool:
    """Say an alarm louder; False when that was done before."""
    values: dict[str, Any] = {"alarm_id": alarm_id, "message": message, "priority": priority}
    if not connection.execute(query("escalate_silence"), values).rowcount:
        return False
    note_step(connection, alarm_id, Transition(to_us(now), state, state, "stale"), rule_version=rule_version, now=now)
    return True


def tidy(connection: Connection, *, now: datetime) -> None:
    """Remove what is no longer needed. Commits."""
    # Forgotten too early, a message that is delivered again would be stored twice.
    connection.execute(query("purge_identities"), {"before": known_time(connection, now) - timedelta(days=1)})
    # By our own clock alone: a new installation has no reading yet, and a log-in is only made once more.
    connection.execute(query("purge_login_failures"), {"before": now - timedelta(days=1)})
    connection.execute(query("purge_sessions"), {"now": now})
    connection.commit()
