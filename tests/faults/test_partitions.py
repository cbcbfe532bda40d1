"""Collectors share the messages: their number changes, and nothing is lost, doubled or out of order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from hypervision import settings as settings_module
from hypervision.errors import ServiceError, TemporaryStoreError
from hypervision.intake import Intake
from hypervision.partitions import Partition
from hypervision.services.plan import EARLIER_SESSIONS
from hypervision.services.stage import Stage, stage
from hypervision.settings import Settings
from hypervision.store.connection import connect
from ingest import retirement, service
from ingest.bench.mosquitto import mosquitto as running
from ingest.bench.rig import find_mosquitto
from ingest.collector import Collector
from tests.integration.test_collect import Device, ms

pytestmark = pytest.mark.integration

MOSQUITTO = find_mosquitto()
THINGS = 12
Wait = Callable[..., None]


class Scene:
    """A stage, collectors in threads, and a device that numbers its readings."""

    def __init__(self, place: Stage) -> None:
        self.stage = place
        self.sent = 0
        self._began = ms() - 30_000
        self._device: Device | None = None
        self._lock = threading.Lock()

    def settings(self, **ingest: object) -> Settings:
        further = {f"HYPERVISION_INGEST__{key.upper()}": str(value) for key, value in ingest.items()}
        return settings_module.load({"HYPERVISION_DATA_DIR": str(self.stage.folder), **self.stage.environ, **further})

    def publish(self, number: int) -> None:
        if self._device is None:
            self._device = Device(self.stage.mqtt_url("device"), "device")
        with self._lock:
            for _ in range(number):
                thing, turn = self.sent % THINGS, self.sent // THINGS
                reading = {"time": self._began + 10 * turn, "seq": turn, "level": float(turn)}
                self._device.publish(
                    f"urban/v1/{('water', 'waste')[thing % 2]}/t.{thing}/up", _as_domain(reading, thing)
                )
                self.sent += 1

    def forge(self) -> None:
        """A device sends what looks like a marker."""
        assert self._device is not None
        self._device.publish("urban/v1/water/~0/up", b"hypervision marker 0")

    def leave(self) -> None:
        if self._device is not None:
            self._device.close()
            self._device = None

    def broker(self, collectors: int) -> None:
        """Start the embedded broker again, for another number of collectors."""
        self.leave()
        self.stage.roles["broker"].stop()
        (self.stage.folder / "run" / EARLIER_SESSIONS).write_text("", "utf-8")
        self.stage.start("broker", HYPERVISION_INGEST__COLLECTORS=str(collectors))

    def ask(self, text: str) -> list[Any]:
        statement: Any = text
        with connect(self.stage.database_url, application="test", autocommit=True) as connection:
            return connection.execute(statement).fetchall()

    def stored(self) -> int:
        return int(self.ask("SELECT count(*) FROM observations")[0][0])

    def writers(self) -> dict[str, tuple[bool, int, int, int]]:
        """By name: out of service, and messages stored, duplicate, rejected."""
        rows = self.ask("SELECT name, retired_at IS NOT NULL, stored, duplicate, rejected FROM hv.writer ORDER BY name")
        return {name: tuple(values) for name, *values in rows if name.startswith("collector-")}

    def owners(self) -> dict[str, str]:
        """By Thing, who stored its newest reading."""
        rows = self.ask(
            "SELECT DISTINCT t.code, w.name FROM hv.latest l JOIN hv.writer w USING (writer_id)"
            " JOIN hv.datastream d USING (datastream_id) JOIN hv.thing t USING (thing_id)"
        )
        assert len(rows) == THINGS
        return dict(rows)

    def tell(self) -> str:
        return f"{self.sent} sent, {self.stored()} stored, {self.writers()}\n{self.stage.roles['broker'].tail()}"

    @contextmanager
    def collecting(self, *parts: str, **ingest: object) -> Iterator[None]:
        """Collectors in threads of this process, through the same steps as those of `collect`."""
        settings = self.settings(**ingest)
        stop, failures = threading.Event(), []
        collectors: list[Collector] = []

        def run(part: Partition) -> None:
            try:
                left = service.clear_earlier(settings, part)
                with Intake.open(settings, writer=part.writer) as intake:
                    service.begin(settings, intake, part, left)
                    collectors.append(Collector(settings, intake, stop, partition=part))
                    collectors[-1].run()
            except BaseException as error:  # noqa: BLE001
                failures.append(error)

        threads = [threading.Thread(target=run, args=(Partition.parse(part),)) for part in parts]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for collector in collectors:
                collector.wake()
            for thread in threads:
                thread.join(20)
        assert not failures
        assert not any(thread.is_alive() for thread in threads)

    def connected(self, *parts: str) -> bool:
        rows = self.ask(
            "SELECT w.name FROM hv.writer_snapshot s JOIN hv.writer w USING (writer_id)"
            " WHERE s.link = 'connected' AND s.beat_at > now() - INTERVAL '2 s'"
        )
        return {f"collector-{part}" for part in parts} <= {row[0] for row in rows}

    def whole(self) -> None:
        """Every reading is stored once, in its place, and no Thing was taken by two parts at a time."""
        rows = self.ask(
            "SELECT thing, count(*), count(DISTINCT result), min(result), max(result) FROM observations GROUP BY thing"
        )
        assert sum(row[1] for row in rows) == self.sent
        assert all(n == distinct == highest - lowest + 1 for _, n, distinct, lowest, highest in rows)
        assert self.ask("SELECT count(*) FROM observations WHERE late") == [(0,)]


def _as_domain(reading: dict[str, Any], thing: int) -> dict[str, Any]:
    """`level` of a water Thing, `fill` of a waste Thing."""
    return reading if thing % 2 == 0 else {("fill" if key == "level" else key): v for key, v in reading.items()}


@pytest.fixture
def scene(embedded_database: str) -> Iterator[Scene]:
    with stage(settings={"BROKER__ACK_WAIT": "1"}, database_url=embedded_database) as place:
        found = Scene(place)
        yield found
        found.leave()


def test_number_of_collectors_changes_at_the_embedded_broker(scene: Scene, wait_until: Wait) -> None:
    with scene.collecting("1/1"):
        scene.publish(120)
        wait_until(lambda: scene.stored() == 120, tell=scene.tell)
        # A second of the same name is refused, and the first goes on.
        with pytest.raises(TemporaryStoreError, match="another process writes as 'collector-1/1'"):
            Intake.open(scene.settings(), writer="collector-1/1", wait=0.0)
    scene.publish(60)
    for number in (2, 1):
        # What waits in the sessions of the old number is stored by the first collector of the new one.
        scene.broker(number)
        parts = [str(part) for part in Partition(number, 1).all]
        scene.publish(60)
        with scene.collecting(*parts, collectors=number):
            wait_until(lambda: scene.stored() == scene.sent, tell=scene.tell)
            owners = scene.owners()
            scene.publish(60)
            wait_until(lambda: scene.stored() == scene.sent, tell=scene.tell)
            # A Thing stays with its collector.
            assert scene.owners() == owners
            assert len(set(owners.values())) == number
        told = scene.writers()
        assert [name for name, (out, *_) in told.items() if not out] == [f"collector-{part}" for part in parts]
        assert all(told[f"collector-{part}"][1] > 0 for part in parts)
        scene.publish(60)
    with scene.collecting("1/1"):
        wait_until(lambda: scene.stored() == scene.sent, tell=scene.tell)
    scene.whole()
    counted = list(scene.writers().values())
    assert sum(stored for _, stored, _, _ in counted) == scene.sent
    assert all((duplicate, rejected) == (0, 0) for _, _, duplicate, rejected in counted)
    # Parts that nobody announced to the broker get nothing: the whole must not go for them.
    with scene.collecting("1/2", "2/2"):
        wait_until(lambda: scene.connected("1/2", "2/2"), tell=scene.tell)
        with pytest.raises(ServiceError, match="still hands new messages to it"):
            retirement.explicitly(scene.settings(), Partition(1, 1))


@pytest.fixture
def mosquitto() -> Iterator[str]:
    assert MOSQUITTO is not None
    with running(MOSQUITTO, window=None) as url:
        yield url


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed on this machine")
def test_filters_divide_at_any_broker_while_devices_go_on_publishing(
    mosquitto: str, embedded_database: str, wait_until: Wait
) -> None:
    settings = {"BROKER__ACK_WAIT": "1", "INGEST__DIVISION": "domain"}
    with stage(settings=settings, database_url=embedded_database, mqtt_url=mosquitto) as place:
        scene = Scene(place)
        with scene.collecting("1/1"):
            wait_until(lambda: scene.connected("1/1"))
        scene.publish(60)
        scene.forge()
        ended = threading.Event()

        def go_on() -> None:
            while not ended.wait(0.01):
                scene.publish(1)

        publisher = threading.Thread(target=go_on)
        publisher.start()
        try:
            for old, new in (["1/1"], ["1/2", "2/2"]), (["1/2", "2/2"], ["1/1"]):
                with scene.collecting(*new):
                    wait_until(lambda new=new: scene.connected(*new))
                    with ThreadPoolExecutor() as pool:
                        said = list(
                            pool.map(lambda o: retirement.explicitly(scene.settings(), Partition.parse(o)), old)
                        )
                    assert all(f"partition {one} is retired" in told for one, told in zip(old, said, strict=True))
        finally:
            ended.set()
            publisher.join(10)
        with scene.collecting("1/1"):
            wait_until(lambda: scene.stored() == scene.sent, tell=lambda: f"{scene.sent} {scene.stored()}")
        scene.leave()
        scene.whole()
        forged = "SELECT reason FROM rejected_messages WHERE payload = 'hypervision marker 0'"
        assert scene.ask(forged) == [("bad_topic",)]
        assert [name for name, (out, *_) in scene.writers().items() if not out] == ["collector-1/1"]
