"""Kill -9 under load, with a ledger: what the broker answered for is stored, once, and its alarms rang once."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hypervision.errors import ServiceError, StoreError
from hypervision.store.bench import Gauge
from ingest.bench.feeder import Feeder, Ledger
from ingest.bench.runs import NAME
from ingest.bench.stage import Stage
from ingest.session import Address

LAMP_EVERY: Final = 20
"""Every so many messages one is a lamp that fails: an alarm of its own."""
_METERS: Final = 50
_SETTLE: Final = 120.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a campaign.

    Attributes
    ----------
    attempted, acknowledged, stored : int
        Messages offered to the broker, answered by it, found in the database.
    lost, doubled, invented : int
        Answered and not stored; stored more than once; stored and never offered.
    alarms, alarms_missed, alarms_doubled : int
        Alarms found; of answered failures without one; Things with more than one, or raised more than once.
    counters : str
        Empty when the counters add up at the end, else what they were.
    kills : int
        How often something was killed.
    """

    attempted: int
    acknowledged: int
    stored: int
    lost: int
    doubled: int
    invented: int
    alarms: int
    alarms_missed: int
    alarms_doubled: int
    counters: str
    kills: int

    @property
    def passed(self) -> bool:
        """Whether nothing was lost, doubled, invented or missed."""
        return not (
            self.lost or self.doubled or self.invented or self.alarms_missed or self.alarms_doubled or self.counters
        )

    def __str__(self) -> str:
        return (
            f"{self.kills} kills; {self.attempted} attempted, {self.acknowledged} acknowledged, {self.stored} stored;"
            f" {self.lost} lost, {self.doubled} doubled, {self.invented} invented; {self.alarms} alarms,"
            f" {self.alarms_missed} missed, {self.alarms_doubled} doubled;"
            f" counters {self.counters or 'add up'}: {'passed' if self.passed else 'FAILED'}"
        )


def message(number: int, now_ms: int) -> tuple[str, bytes]:
    """A message of the campaign; its number is its value, a third of them has `seq` and no `time`."""
    if number % LAMP_EVERY == 0:
        return f"urban/v1/lighting/lamp{number:07d}/up", b'{"time":%d,"lamp_state":2}' % now_ms
    topic = f"urban/v1/water/kill{number % _METERS:03d}/up"
    if number % 3 == 0:
        return topic, b'{"seq":%d,"volume":%d}' % (number // _METERS, number)
    # A meter sends twice within a millisecond at most here; its number keeps the times apart.
    return topic, b'{"time":%d.%03d,"seq":%d,"volume":%d}' % (
        now_ms, number // _METERS % 1000, number // _METERS, number,
    )  # fmt: skip


def campaign(place: Stage, kills: Mapping[str, int], *, rate: float = 600.0, pause: float = 2.0) -> Verdict:
    """Publish, kill, start again, and judge.

    Parameters
    ----------
    place : Stage
        With services running; the collector is started here.
    kills : mapping
        How often each role is killed: `collect`, `database`, `broker`.
    rate : float
        Messages a second.
    pause : float
        Between two kills [s].
    """
    if "collect" not in place.roles or not place.roles["collect"].running:
        place.start("collect")
    feeder = Feeder(Address.parse(place.mqtt_url("device")), message)
    stop = threading.Event()
    thread = threading.Thread(target=feeder.run, args=(10_000_000,), kwargs={"rate": rate, "stop": stop.is_set})
    thread.start()
    try:
        order = _order(kills)
        for verb in order:
            time.sleep(pause)
            place.roles[verb].kill()
            place.start(verb)
        time.sleep(pause)
    finally:
        stop.set()
        thread.join(90)
    return judge(place, feeder.ledger, kills=len(order))


def _order(kills: Mapping[str, int]) -> Sequence[str]:
    """The roles in turn, as often as each is wanted."""
    columns = [[verb] * count for verb, count in kills.items()]
    return [verb for row in itertools.zip_longest(*columns) for verb in row if verb is not None]


def judge(place: Stage, ledger: Ledger, *, kills: int) -> Verdict:
    """Wait until all that was answered is stored, or long enough, and compare."""
    acknowledged = set(ledger.acknowledged)
    lamps = {number for number in acknowledged if number % LAMP_EVERY == 0}
    deadline = time.monotonic() + _SETTLE
    while True:
        stored, alarms = _found(place)
        done = acknowledged <= set(stored) and {f"lamp{number:07d}" for number in lamps} <= set(alarms)
        counters = _counters(place)
        if (done and not counters) or time.monotonic() > deadline:
            break
        if not place.roles["collect"].running:
            raise ServiceError("the collector ended by itself", remedy=place.roles["collect"].tail())
        time.sleep(0.25)
    return Verdict(
        attempted=ledger.attempted,
        acknowledged=len(acknowledged),
        stored=len(stored),
        lost=len(acknowledged - set(stored)),
        doubled=sum(1 for count in stored.values() if count > 1),
        invented=sum(1 for number in stored if not 0 <= number < ledger.attempted),
        alarms=len(alarms),
        alarms_missed=len({f"lamp{number:07d}" for number in lamps} - set(alarms)),
        alarms_doubled=sum(1 for count in alarms.values() if count > 1),
        counters=counters,
        kills=kills,
    )


def _found(place: Stage) -> tuple[Counter[int], Counter[str]]:
    """How often each message is stored, and how often an alarm of each lamp was raised."""
    try:
        with Gauge(place.database_url) as gauge:
            stored = Counter(int(reading.result) for reading in gauge.ledger("kill", "volume"))
            stored.update(int(reading.thing[4:]) for reading in gauge.ledger("lamp", "lamp_state"))
            alarms: Counter[str] = Counter()
            for alarm in gauge.alarms("lamp"):
                alarms[alarm.thing] += max(1, alarm.raised)
    except StoreError:
        return Counter(), Counter()
    return stored, alarms


def _counters(place: Stage) -> str:
    """Empty when nothing is in flight and the published counters are what is committed."""
    try:
        with Gauge(place.database_url) as gauge:
            found, settled = gauge.snapshot(NAME), gauge.settled(NAME)
    except StoreError as error:
        return str(error)
    if found is None:
        return "were never published"
    total = found.stored + found.duplicate + found.rejected
    fine = found.in_flight == 0 and found.received == total and (total, found.stored) == settled
    return "" if fine else f"{found}, committed {settled}"
