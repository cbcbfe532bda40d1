"""The embedded broker as a device and a collector meet it."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hypervision.errors import ServiceError
from hypervision.partitions import Partition
from hypervision.services import broker
from hypervision.services.broker_log import LogReader
from hypervision.services.guard import Service
from hypervision.services.plan import Plan, log_file
from hypervision.services.stale import Record, alive
from hypervision.settings import Settings
from hypervision.settings import load as load_settings
from ingest import jetstream, nudge, retirement
from ingest.division import FILTERS, client_id
from ingest.session import Address, Session

pytestmark = pytest.mark.integration

Wait = Callable[..., None]


class Client:
    """A plain MQTT 3.1.1 client that remembers what it was told."""

    def __init__(self, url: str, client_id: str, *, clean: bool = True) -> None:
        parts = urlsplit(url)
        self.messages: list[tuple[str, bytes]] = []
        self.acknowledged: list[int] = []
        self.granted: list[list[bool]] = []
        self.reason: Any = None
        self.present = False
        self.gone = threading.Event()
        self.paho = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean, protocol=mqtt.MQTTv311
        )
        if parts.username:
            self.paho.username_pw_set(parts.username, parts.password)
        self.paho.on_connect = self._connected
        self.paho.on_message = lambda _c, _d, message: self.messages.append((message.topic, message.payload))
        self.paho.on_publish = lambda _c, _d, mid, _r, _p: self.acknowledged.append(mid)
        self.paho.on_subscribe = lambda _c, _d, _m, reasons, _p: self.granted.append(
            [not reason.is_failure for reason in reasons]
        )
        self.paho.on_disconnect = lambda *_: self.gone.set()
        assert parts.port is not None
        self.paho.connect("127.0.0.1", parts.port)
        self.paho.loop_start()

    def _connected(self, _client: object, _data: object, flags: Any, reason: Any, _properties: object) -> None:
        self.present, self.reason = flags.session_present, reason

    def close(self) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()


@pytest.fixture
def connect(wait_until: Wait) -> Iterator[Callable[..., Client]]:
    clients: list[Client] = []

    def make(url: str, client_id: str, *, clean: bool = True) -> Client:
        client = Client(url, client_id, clean=clean)
        clients.append(client)
        wait_until(lambda: client.reason is not None)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def settings(data_dir: Path) -> Settings:
    return load_settings({}, overrides={"data_dir": data_dir})


def device_url(data_dir: Path) -> str:
    return broker.url(data_dir, Plan.read(data_dir).mqtt_port, broker.DEVICE)


def test_first_publish_of_all_reaches_the_collector_when_it_connects_later(
    embedded_broker: str, data_dir: Path, settings: Settings, connect: Any, wait_until: Wait
) -> None:
    device = connect(device_url(data_dir), "meter-1")
    device.paho.publish("urban/v1/water/meter-1/up", b'{"flow": 1}', qos=1)
    wait_until(lambda: device.acknowledged)
    collector = connect(embedded_broker, client_id(settings, Partition(1, 1)), clean=False)
    assert collector.present
    wait_until(lambda: collector.messages)
    assert collector.messages == [("urban/v1/water/meter-1/up", b'{"flow": 1}')]


def test_collector_session_holds_all_filters_and_survives_a_killed_broker(
    data_dir: Path, settings: Settings, start_broker: Any, connect: Any, wait_until: Wait
) -> None:
    child, plan = start_broker()
    device = connect(device_url(data_dir), "meter-1")
    topics = ["urban/v1/water/a/up", "urban/v1/water/a/status", "urban/v1/water/a/ack"]
    for topic in topics:
        device.paho.publish(topic, b"{}", qos=1)
    wait_until(lambda: len(device.acknowledged) == 3)
    record = Record.read(data_dir / "run" / "broker.json")
    assert record is not None
    os.kill(record.pid, signal.SIGKILL)
    assert child.process.wait(timeout=10) == 1
    device.close()
    start_broker()
    platform = broker.url(data_dir, plan.mqtt_port, broker.PLATFORM)
    collector = connect(platform, client_id(settings, Partition(1, 1)), clean=False)
    assert collector.present
    wait_until(lambda: len(collector.messages) == 3)
    assert sorted(topic for topic, _ in collector.messages) == sorted(topics)


def test_waiting_messages_come_at_once_after_a_restart_because_the_session_is_not_entered(
    data_dir: Path, settings: Settings, start_broker: Any, connect: Any, wait_until: Wait
) -> None:
    child, plan = start_broker()
    device = connect(device_url(data_dir), "meter-1")
    for number in range(50):
        device.paho.publish("urban/v1/water/a/up", str(number).encode(), qos=1)
    wait_until(lambda: len(device.acknowledged) == 50)
    device.close()
    assert child.stop() == 0
    start_broker()
    platform = broker.url(data_dir, plan.mqtt_port, broker.PLATFORM)
    collector = connect(platform, client_id(settings, Partition(1, 1)), clean=False)
    # Had somebody taken them without acknowledging, they would come back only after ack_wait (15 s).
    wait_until(lambda: len(collector.messages) == 50, seconds=5)
    assert [payload for _, payload in collector.messages] == [str(number).encode() for number in range(50)]


def test_what_a_crashed_session_held_comes_at_once_when_it_is_nudged(
    data_dir: Path, settings: Settings, start_broker: Any, connect: Any, wait_until: Wait
) -> None:
    _, plan = start_broker()
    device = connect(device_url(data_dir), "meter-1")
    for number in range(50):
        device.paho.publish("urban/v1/water/a/up", str(number).encode(), qos=1)
    address = Address.parse(broker.url(data_dir, plan.mqtt_port, broker.PLATFORM))
    name = client_id(settings, Partition(1, 1))

    def held(session: Session, payloads: set[bytes]) -> Callable[[], bool]:
        def all_of_them() -> bool:
            session.client.loop(0.05)
            payloads.update(session.client.take().payloads)
            return len(payloads) == 50

        return all_of_them

    crashed, again = (Session(address, client_id=name, filters=FILTERS) for _ in range(2))
    ask = partial(nudge.held, plan.nats_port, settings, name)
    assert not ask()  # they wait, but nobody was given them
    crashed.connect()
    wait_until(held(crashed, set()))
    crashed.client.socket().close()
    assert ask()
    again.connect()
    wait_until(lambda: again.client.loop(0.05) or again.ready)
    payloads: set[bytes] = set()
    nudging = threading.Thread(target=nudge.nudge, args=(plan.nats_port, settings, name))
    nudging.start()
    # By itself they would come after ack_wait (15 s).
    wait_until(held(again, payloads), seconds=5)
    again.client.acknowledge(range(1, 51))
    nudging.join(10)
    password = broker.passwords(data_dir)[broker.PLATFORM]
    with jetstream.Jetstream(plan.nats_port, user=broker.PLATFORM, password=password) as asked:
        consumers = asked.consumers(name)
        assert {each["config"]["ack_wait"] for each in consumers} == {15_000_000_000}
        gone = {**consumers[0]["config"], "durable_name": "gone", "name": "gone"}
        with pytest.raises(ServiceError, match="does not exist"):
            asked.wait_for({"name": "gone", "config": gone}, 1.0)
    assert ask()  # may be given some at any moment
    again.client.disconnect()
    wait_until(lambda: again.client.loop(0.05) and not ask())


@pytest.mark.parametrize("again", ["in one process", "in another"])
def test_retained_messages_that_broken_connections_leave_hold_nothing_up(
    settings: Settings, start_broker: Any, connect: Any, wait_until: Wait, again: str
) -> None:
    """NATS counts what it sent at a subscription, and nobody acknowledged, until it delivers nothing any more."""
    _, plan = start_broker()
    device = connect(device_url(settings.data_dir), "meter-1")
    for number in range(5000):
        device.paho.publish(f"urban/v1/water/{number}/up", b"{}", qos=1, retain=True)
    wait_until(lambda: len(device.acknowledged) == 5000)
    address = Address.parse(broker.url(settings.data_dir, plan.mqtt_port, broker.PLATFORM))
    name = client_id(settings, Partition(1, 1))

    def new() -> Session:
        return Session(address, client_id=name, filters=FILTERS, held=lambda: jetstream.holds(settings, name, FILTERS))

    def joined(session: Session) -> bool:
        # A connection that comes before the broker saw the end of the last one is closed.
        if session.client.loop(0.05):
            session.connect()
        return session.ready

    session = new()
    for _ in range(6):
        session.connect()
        wait_until(partial(joined, session))
        session.client.socket().close()
        session = new() if again == "in another" else session
    session.connect()
    device.paho.publish("urban/v1/water/new/up", b"new", qos=1)
    wait_until(lambda: joined(session) and b"new" in session.client.take().payloads, seconds=10)
    session.client.disconnect()


def test_killed_guard_leaves_a_broker_that_the_next_start_stops(
    data_dir: Path, start_broker: Any, wait_until: Wait
) -> None:
    child, _ = start_broker()
    record = Record.read(data_dir / "run" / "broker.json")
    assert record is not None
    child.process.kill()
    child.process.wait(timeout=10)
    assert alive(record.pid, record.created)
    # The old broker still answers on the port at first.
    again, plan = start_broker()
    wait_until(lambda: not alive(record.pid, record.created))
    again.wait_for_port(plan.mqtt_port)


@pytest.mark.parametrize("thing", ["a.b", "a.b.c", "pole:7_x-1", "x."])
def test_thing_code_with_dots_arrives_unchanged(
    thing: str, embedded_broker: str, data_dir: Path, connect: Any, wait_until: Wait
) -> None:
    listener = connect(embedded_broker, "listener")
    listener.paho.subscribe("urban/v1/+/+/up", 1)
    wait_until(lambda: listener.granted)
    # NATS refuses a client id with a dot, so the Thing's code is in the topic alone.
    device = connect(device_url(data_dir), "meter-1")
    device.paho.publish(f"urban/v1/water/{thing}/up", b"{}", qos=1)
    wait_until(lambda: listener.messages)
    assert listener.messages == [(f"urban/v1/water/{thing}/up", b"{}")]


def test_device_receives_commands_and_nothing_else(
    embedded_broker: str, data_dir: Path, connect: Any, wait_until: Wait
) -> None:
    device = connect(device_url(data_dir), "pump-1")
    for number, topic in enumerate(["urban/v1/water/pump-1/down", "urban/v1/#", "#"]):
        device.paho.subscribe(topic, 1)
        wait_until(lambda wanted=number + 1: len(device.granted) == wanted)
    assert device.granted == [[True], [False], [False]]
    platform = connect(embedded_broker, "dispatcher")
    platform.paho.publish("urban/v1/water/other/up", b"secret", qos=1)
    platform.paho.publish("urban/v1/water/pump-1/down", b"{}", qos=1)
    wait_until(lambda: device.messages)
    assert device.messages == [("urban/v1/water/pump-1/down", b"{}")]


def test_refusals_are_counted_from_the_log(data_dir: Path, start_broker: Any, connect: Any, wait_until: Wait) -> None:
    _, plan = start_broker()
    reader = LogReader(log_file(data_dir, "broker"))
    assert not reader.read()
    url = device_url(data_dir)
    denied = connect(url, "d1")
    denied.paho.publish("urban/v1/water/a/down", b"{}", qos=1)
    denied.paho.publish("somewhere/else", b"{}", qos=1)
    wait_until(lambda: len(denied.acknowledged) == 2)
    large = connect(url, "d2")
    large.paho.publish("urban/v1/water/a/up", b"x" * 2_200_000, qos=1)
    wait_until(large.gone.is_set)
    large.close()
    spaced = connect(url, "d3")
    spaced.paho.publish("urban/v1/water/a b/up", b"{}", qos=1)
    wait_until(spaced.gone.is_set)
    spaced.close()
    stranger = connect(f"mqtt://device:wrong@127.0.0.1:{plan.mqtt_port}", "d4")
    stranger.close()
    nobody = connect(f"mqtt://127.0.0.1:{plan.mqtt_port}", "d5")
    nobody.close()
    assert stranger.reason.is_failure
    assert nobody.reason.is_failure
    counted = reader.read()

    def all_counted() -> bool:
        counted.update(reader.read())
        return len(counted) == 4 and counted["log_in_refused"] >= 2

    wait_until(all_counted, tell=lambda: repr(counted))
    reader.close()
    assert counted["publish_denied"] == 2
    assert counted["payload_too_large"] >= 1
    assert counted["topic_refused"] >= 1
    assert counted["log_in_refused"] >= 2
    assert set(counted) == {"publish_denied", "payload_too_large", "topic_refused", "log_in_refused"}


def test_payload_of_two_megabytes_is_let_through(embedded_broker: str, connect: Any, wait_until: Wait) -> None:
    listener = connect(embedded_broker, "listener")
    listener.paho.subscribe(FILTERS[0], 1)
    wait_until(lambda: listener.granted)
    payload = b"x" * 2_000_000
    listener.paho.publish("urban/v1/water/a/up", payload, qos=1)
    wait_until(lambda: listener.messages)
    assert listener.messages == [("urban/v1/water/a/up", payload)]


def test_anonymous_client_is_a_device_where_a_demo_allows_it(start_broker: Any, connect: Any, wait_until: Wait) -> None:
    _, plan = start_broker(anonymous=True)
    device = connect(f"mqtt://127.0.0.1:{plan.mqtt_port}", "newcomer")
    assert not device.reason.is_failure
    device.paho.publish("urban/v1/water/a/up", b"{}", qos=1)
    wait_until(lambda: device.acknowledged)
    device.paho.subscribe("urban/v1/+/+/up", 1)
    wait_until(lambda: device.granted)
    assert device.granted == [[False]]


def test_service_that_is_ill_is_ended_to_be_started_again(data_dir: Path) -> None:
    record = data_dir / "run" / "sleeper.json"
    record.parent.mkdir()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    pids: list[int] = []

    def ill() -> str:
        found = Record.read(record)
        assert found is not None
        pids.append(found.pid)
        return "it sleeps" if len(pids) == 2 else ""

    try:
        assert Service("the sleeper", ("/bin/sleep", "60"), record).run(ill=ill) == 1
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert len(pids) == 2
    assert not record.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_waiting_message_survives_the_retirement_of_another_session(
    embedded_broker: str, data_dir: Path, settings: Settings, connect: Any, wait_until: Wait
) -> None:
    """With one `clean_session` instead, NATS 2.15.1 loses about every seventh of these messages."""
    address = Address.parse(embedded_broker)
    own = client_id(settings, Partition(1, 1))

    def leave(name: str, filters: list[str]) -> None:
        client = connect(embedded_broker, name, clean=False)
        client.paho.subscribe([(topic, 1) for topic in filters])
        wait_until(lambda: client.granted)
        assert client.granted == [[True] * len(filters)]
        client.close()

    # So many others that NATS needs some milliseconds to look at all of them.
    for number in range(64):
        leave(f"other-{number}", [f"urban/v1/other/{number}-{turn}/down" for turn in range(3)])
    device = connect(device_url(data_dir), "meter-1")
    chance = random.Random(1)
    for turn in range(12):
        filters = [f"urban/v1/other/{turn}-{number}/ack" for number in range(3)]
        leave("old", filters)
        publish = threading.Timer(
            chance.uniform(0.0, 0.006), device.paho.publish, (f"urban/v1/water/{turn}/up", b"{}"), {"qos": 1}
        )
        publish.start()
        retirement.remove(address, "old", filters, pause=0.02)
        publish.join()
        wait_until(lambda wanted=turn + 1: len(device.acknowledged) == wanted)
        collector = connect(embedded_broker, own, clean=False)
        wait_until(lambda c=collector: c.messages, tell=lambda lost=turn: f"message {lost} is lost")
        assert collector.messages == [(f"urban/v1/water/{turn}/up", b"{}")]
        collector.close()
