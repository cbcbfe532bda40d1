"""The wall clocks of the platform's own processes jump by hours and days, both ways, while messages come in."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hypervision.alarms import Alarm, Delays, Reading, apply_all
from hypervision.clock import to_us
from hypervision.services import guard
from hypervision.services.stage import Stage, stage
from hypervision.store.connection import connect
from ingest.bench.faults.clock import WrongClock
from tests.integration.test_collect import Device, ms

pytestmark = pytest.mark.faults

HOUR, DAY = 3600.0, 86_400.0
# Of the collector and, at the same time, of the timers.
JUMPS = ((4 * DAY, 0.0), (-3 * HOUR, 400 * DAY), (0.0, -700 * DAY), (400 * DAY, 400 * DAY), (0.0, 0.0))
THINGS = 5
Wait = Callable[..., None]
SETTINGS = {
    "BROKER__ACK_WAIT": "1",
    "ALARMS__GRACE": "1",
    # So that a clock that is ahead would make readings too old, drop and pack them.
    "STORAGE__KEEP_READINGS": "31",
    "STORAGE__KEEP_GAPS": "31",
    "STORAGE__PACK_AFTER": "3",
}


class Town:
    """A stage, the wrong clocks of its collector and its timers, and devices that number what they send."""

    def __init__(self, place: Stage) -> None:
        self.stage = place
        self.clocks = {verb: WrongClock(place.folder / f"{verb}.clock") for verb in ("collect", "watch", "db")}
        for verb in ("collect", "watch"):
            place.start(verb, **self.clocks[verb].environment)
        self.device = Device(place.mqtt_url("device"), "device")
        self.sent: list[int] = []
        self.lamps = 0
        self.others = 0
        self.samples: list[tuple[Any, ...]] = []

    def ask(self, text: str) -> list[tuple[Any, ...]]:
        statement: Any = text
        with connect(self.stage.database_url, application="test", autocommit=True) as connection:
            return connection.execute(statement).fetchall()

    def jump(self, seconds: float, *verbs: str) -> None:
        for verb in verbs:
            self.clocks[verb].set(seconds)
        time.sleep(0.02)  # by then they have looked at it

    def publish(self, turns: int) -> None:
        """Readings with a time, readings with a number alone, and a lamp that fails, and is mended the turn after."""
        for _ in range(turns):
            number = len(self.sent)
            at = ms()
            self.sent.append(at)
            thing = number % THINGS
            self.device.publish(
                f"urban/v1/water/timed{thing}/up", {"time": at, "seq": number // THINGS, "volume": number}
            )
            self.device.publish(f"urban/v1/water/plain{thing}/up", {"seq": number // THINGS, "volume": number})
        self.device.publish(f"urban/v1/lighting/lamp{self.lamps}/up", {"time": ms(), "lamp_state": 2})
        if self.lamps:
            self.device.publish(f"urban/v1/lighting/lamp{self.lamps - 1}/up", {"time": ms(), "lamp_state": 1})
        self.lamps += 1

    def counted(self) -> tuple[Any, ...]:
        """The counters of the collector, which add up whenever they are looked at."""
        counters, *_ = [
            *self.ask(
                "SELECT s.received, s.stored, s.duplicate, s.rejected, s.in_flight FROM hv.writer_snapshot s"
                " JOIN hv.writer USING (writer_id) WHERE name = 'collector-1/1' AND s.link = 'connected'"
            ),
            (0,) * 5,
        ]
        assert counters[0] == sum(counters[1:])
        self.samples.append(counters)
        return counters

    def all_settled(self) -> bool:
        received, *_, in_flight = self.counted()
        return bool(received >= 2 * len(self.sent) + 2 * self.lamps - 1 + self.others and in_flight == 0)

    def db(self, *words: str) -> str:
        """What a `db` verb says whose process has a wrong clock."""
        environ = {"HYPERVISION_DATA_DIR": str(self.stage.folder), "PYTHONSAFEPATH": "1", guard.VARIABLE: ""}
        done = subprocess.run(
            [sys.executable, "-m", "hypervision", "db", *words],
            env=environ | self.stage.environ | self.clocks["db"].environment,
            cwd=self.stage.folder,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def tell(self) -> str:
        tails = "\n".join(role.tail(1500) for role in self.stage.roles.values())
        rejected = self.ask("SELECT reason, detail, count FROM rejected_messages LIMIT 5")
        return f"{len(self.sent)} {self.lamps} {self.samples[-1:]} {rejected}\n{tails}"


@pytest.fixture
def town(embedded_database: str) -> Iterator[Town]:
    with stage(settings=SETTINGS, database_url=embedded_database) as place:
        found = Town(place)
        yield found
        found.device.close()


def replayed(rows: list[tuple[Any, ...]]) -> list[tuple[str, str, str, int]]:
    """What the state machine makes of stored readings, offline: (thing, from, to, at_us) in order of time."""
    steps: list[tuple[str, str, str, int]] = []
    for thing in sorted({row[0] for row in rows}):
        readings = [Reading(to_us(at), value == 2, value != 2, value) for name, at, value in rows if name == thing]
        steps += [(thing, s.from_state, s.to_state, s.at_us) for s in apply_all(Alarm(), readings, Delays())[1]]
    return sorted(steps)


def test_clocks_of_the_processes_jump_while_messages_come_in(town: Town, wait_until: Wait) -> None:
    wait_until(lambda: town.ask("SELECT FROM hv.writer_snapshot WHERE link = 'connected'"), tell=town.tell)
    began = ms()
    old = [{"time": began - int(days * DAY * 1000), "volume": days} for days in (5, 20)]
    town.device.publish("urban/v1/water/old/up", *old)
    town.others = len(old)
    for collector, timers in JUMPS:
        town.publish(15)
        town.jump(collector, "collect")
        town.jump(timers, "watch")
        town.publish(15)
        wait_until(town.all_settled, tell=town.tell)
    n = len(town.sent)

    # Nothing is refused, lost or doubled, and no time is that of a wrong clock.
    assert town.counted()[1:] == (2 * n + 2 * town.lamps - 1 + town.others, 0, 0, 0), town.tell()
    rows = town.ask("SELECT phenomenon_time, result FROM observations WHERE thing LIKE 'timed%'")
    assert sorted((int(value), to_us(at)) for at, value in rows) == [(i, at * 1000) for i, at in enumerate(town.sent)]
    rows = town.ask("SELECT phenomenon_time, result FROM observations WHERE thing LIKE 'plain%'")
    assert sorted(int(value) for _, value in rows) == list(range(n))
    assert all(abs(to_us(at) / 1000 - town.sent[int(value)]) < 5_000 for at, value in rows)
    assert town.ask("SELECT thing FROM observations WHERE late AND thing <> 'old'") == []
    receipts = town.ask("SELECT min(received_time), max(received_time) FROM observations")[0]
    assert all(abs(to_us(at) / 1000 - began) < 60_000 for at in receipts)
    assert town.ask("SELECT cause FROM gaps WHERE thing <> 'old'") == []

    # Alarms are those of a replay, and nothing is silent.
    lamps = town.ask("SELECT thing, phenomenon_time, result FROM observations WHERE thing LIKE 'lamp%' ORDER BY 1, 2")
    steps = town.ask(
        "SELECT a.thing, t.from_state, t.to_state, t.at FROM alarm_transitions t JOIN alarms a ON a.id = t.alarm_id"
    )
    assert sorted((thing, old, new, to_us(at)) for thing, old, new, at in steps) == replayed(lamps)
    assert len(steps) == 2 * town.lamps - 1

    # Hours are those of the readings.
    hours = "SELECT thing, property, bucket, n, minimum, maximum FROM observations_hourly WHERE n > 0 ORDER BY 1, 2, 3"
    anew = (
        "SELECT thing, property, date_trunc('hour', phenomenon_time), count(*), min(result), max(result)"
        " FROM observations GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    wait_until(lambda: town.ask(hours) == town.ask(anew), tell=lambda: f"{town.ask(hours)} {town.ask(anew)}")

    # What packs and drops with a wrong clock takes what is old, and nothing else.
    stored = "SELECT thing, property, phenomenon_time, result FROM observations ORDER BY 1, 2, 3"
    before = town.ask(stored)
    town.jump(-700 * DAY, "db")
    assert "nothing" in town.db("pack")
    town.jump(400 * DAY, "db")
    assert "nothing is older than is kept" in town.db("retain")
    assert town.db("pack") == f"packed {len(old)} partitions\n"
    town.device.publish("urban/v1/water/old/up", *old)
    town.others += len(old)
    wait_until(town.all_settled, tell=town.tell)
    assert town.counted()[2] == len(old)
    assert town.ask(stored) == before
    for verb in ("collect", "watch"):
        told = town.stage.roles[verb].tail(20_000)
        assert "400 days, 0:00:00 ahead of the database's" in told
        assert "agrees with the database's again" in told
