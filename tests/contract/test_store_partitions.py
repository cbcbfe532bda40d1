"""Several collectors on one database: the same end state as one; who is out of service is not missed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson
import pytest

from hypervision import rollups
from hypervision.batch import Batch, Draft
from hypervision.clock import to_us
from hypervision.decoding import bounds_of, decoder
from hypervision.flowing import holding
from hypervision.intake import Intake
from hypervision.settings import IngestSettings
from hypervision.store import collectors, outages, watch
from hypervision.store.connection import connect
from hypervision.store.screens import read_writers
from tests.contract.world import STOPPED

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
THINGS = 8
TURNS = 24
# Some come behind their time, and say nothing of the temperature: the instant of a crossing among them would depend on
# where a batch ends, whoever collects.
BEHIND = range(1, TURNS, 6)
ARRIVAL = sorted(range(TURNS), key=lambda turn: turn + (3.5 if turn in BEHIND else 0))
# What follows from readings, by the number of the Thing, whatever the collectors.
END_STATE = {
    "readings": "SELECT substr(thing, 3), property, phenomenon_time, result, quality, late FROM observations",
    "newest": "SELECT substr(thing, 3), property, phenomenon_time, result FROM latest_observations",
    "alarms": "SELECT substr(thing, 3), rule, priority, state, raised_at, returned_at, value FROM alarms",
    "steps": "SELECT substr(a.thing, 3), a.rule, t.at, t.from_state, t.to_state, t.cause"
    " FROM alarm_transitions t JOIN alarms a ON a.id = t.alarm_id",
    "hours": "SELECT substr(thing, 3), property, bucket, n, minimum, maximum, round(mean::numeric, 9), total,"
    " covered_seconds FROM observations_hourly",
    "gaps": 'SELECT substr(thing, 3), property, start, "end", cause, missing FROM gaps',
    "refused": "SELECT substr(thing, 3), reason, sum(count) FROM hv.rejected_message",
}


def message(kind: str, thing: int, turn: int) -> tuple[str, bytes]:
    """What a device sends: crossings, jumps of its number."""
    at = NOW + turn * SECOND + timedelta(milliseconds=thing)
    value: dict[str, object] = {"time": at.isoformat(), "seq": turn + (turn // 10) * 5}
    value["fill"] = turn + thing
    if turn not in BEHIND:
        value["temperature"] = 70.0 + turn if turn % 6 > 3 else 20.0
    return f"urban/v1/waste/{kind}.{thing}/up", orjson.dumps(value)


def loop(kind: str, number: int) -> tuple[str, bytes]:
    """What a device sends that talks too much."""
    at = NOW + number * timedelta(milliseconds=1)
    return f"urban/v1/waste/{kind}.loop/up", orjson.dumps({"time": at.isoformat(), "fill": number % 50})


def batch(intake: Intake, messages: Sequence[tuple[str, bytes]], received: datetime) -> Batch:
    draft = Draft()
    decoder("urban")(
        [topic for topic, _ in messages],
        [payload for _, payload in messages],
        received_us=to_us(received),
        draft=draft,
        streams=intake.streams,
        bounds=bounds_of(intake.settings),
    )
    return draft.close()


def collect(intake: Intake, kind: str, things: Sequence[int], seed: int) -> None:
    """Send everything of some Things, in batches of any size."""
    at = NOW + TURNS * SECOND
    if 0 in things:
        intake.commit(batch(intake, [loop(kind, n) for n in range(100)], at), now=at)
    messages = [message(kind, thing, turn) for turn in ARRIVAL for thing in things]
    cuts = np.sort(np.random.default_rng(seed).choice(np.arange(1, len(messages)), 9, replace=False))
    for part in np.split(np.arange(len(messages)), cuts):
        intake.commit(batch(intake, [messages[i] for i in part], at), now=at)


@pytest.mark.usefixtures("several")
def test_two_collectors_leave_the_same_end_state_as_one(world: Any) -> None:
    limits = {"ingest": IngestSettings(rate=1.0, burst=30).model_dump()}
    collect(world.intake("collector-1/1", **limits), "a", range(THINGS), 1)
    failures: list[BaseException] = []

    def work(intake: Intake, things: Sequence[int], seed: int) -> None:
        try:
            collect(intake, "b", things, seed)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [
        threading.Thread(
            target=work, args=(world.intake(f"collector-{part + 1}/2", **limits), range(part, THINGS, 2), part)
        )
        for part in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    with connect(world.url, application="test") as connection:
        rollups.bring_up_to_date(connection, zone="Europe/Paris")
    for what, query in END_STATE.items():
        grouped = " GROUP BY 1, 2" if what == "refused" else ""
        one, two = (
            world.rows(
                f"{query} WHERE {'a.' if what == 'steps' else ''}thing LIKE '{kind}.%%'{grouped} ORDER BY 1, 2, 3"
            )
            for kind in "ab"
        )
        assert len(one) > 1 or (what == "refused" and one), what
        assert sorted(one, key=str) == sorted(two, key=str), what
    counted = world.rows("SELECT stored, duplicate, rejected FROM hv.writer ORDER BY name LIKE '%%1/1' DESC")
    assert counted[0] == tuple(map(sum, zip(*counted[1:], strict=True)))


def test_collector_out_of_service_is_not_missed_and_still_counts(world: Any) -> None:
    world.now = NOW
    intake = world.intake("collector-1/1")
    world.send(intake, ("waste", "bin", "fill", NOW, 1.0))
    world.beat("collector-1/1", age=STOPPED)
    later = NOW + 60 * SECOND
    world.beat("collector-1/2")

    def flows() -> bool:
        with intake.between() as connection:
            return holding(watch.flow(connection), most=10) is None

    # The old one is silent, and of the new ones the second was never started.
    assert not flows()
    with intake.between() as connection:
        collectors.retire(connection, "collector-1/1", now=later)
        assert collectors.collectors(connection) == {"collector-1/2": True}
        # A month later it is no outage that it did not run.
        assert outages.last_beat(connection, "collector-1/1") is None
    assert not flows()
    world.beat("collector-2/2")
    assert flows()
    with intake.between() as connection:
        told = {w.name: (w.retired, w.stored) for w in read_writers(connection)}
    assert told["collector-1/1"][0]
    assert not told["collector-1/2"][0]
    # Whoever stores something is in service, and so is one that was put there.
    world.send(intake, ("waste", "bin", "fill", NOW + SECOND, 2.0))
    assert not flows()
    with intake.between() as connection:
        collectors.retire(connection, "collector-1/1", now=later)
    assert flows()
    with intake.between() as connection:
        collectors.enlist(connection, "collector-1/1")
    assert not flows()


def test_timers_publish_what_holds_them_and_for_how_long(world: Any, newest_only: None) -> None:
    timers = world.watch()
    for seconds in (1, 61):
        world.now = NOW + seconds * SECOND
        world.beat("collector-1/2")
        timers.tick(world.now)
    timers.beat()
    [(told,)] = world.rows("SELECT s.detail->'held' FROM hv.writer_snapshot s WHERE s.detail ? 'flowing'")
    assert told == {"cause": "untaken", "names": ["collector-2/2"], "seconds": 60.0}
