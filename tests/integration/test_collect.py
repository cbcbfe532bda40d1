"""The collector between a real broker and a real database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from hypervision.services import broker
from hypervision.services.stage import Stage, stage
from hypervision.store.connection import connect
from ingest.session import Address

pytestmark = pytest.mark.integration

Wait = Callable[..., None]


class Device:
    """A device that publishes at QoS 1 and waits for the broker's word, however often the broker goes meanwhile."""

    def __init__(self, url: str, name: str) -> None:
        address = Address.parse(url)
        self._answered: set[int] = set()
        self._answer = threading.Condition()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name)
        self.client.max_queued_messages_set(0)
        self.client.max_inflight_messages_set(1000)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_publish = self._note
        if address.user:
            self.client.username_pw_set(address.user, address.password)
        self.client.connect(address.host, address.port)
        self.client.loop_start()

    def publish(self, topic: str, *payloads: object, retain: bool = False) -> None:
        # paho sends what is given to it without a connection once there is one; only its own waiting refuses that.
        self._answered.clear()
        bodies = [p if isinstance(p, bytes) else json.dumps(p).encode() for p in payloads]
        sent = {self.client.publish(topic, body, qos=1, retain=retain).mid for body in bodies}
        with self._answer:
            assert self._answer.wait_for(lambda: sent <= self._answered, 30), f"{len(sent - self._answered)} unanswered"

    def _note(self, _client: object, _data: object, mid: int, *_: object) -> None:
        with self._answer:
            self._answered.add(mid)
            self._answer.notify_all()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


class Town:
    """A stage with a collector, questions to its database, and a device."""

    def __init__(self, place: Stage) -> None:
        self.stage = place
        self._device: Device | None = None

    @property
    def device(self) -> Device:
        if self._device is None:
            self._device = Device(self.stage.mqtt_url("device"), "device")
        return self._device

    def ask(self, text: str, **values: object) -> list[Any]:
        statement: Any = text
        with connect(self.stage.database_url, application="test", autocommit=True) as connection:
            return connection.execute(statement, values).fetchall()

    def counters(self) -> dict[str, Any]:
        rows = self.ask(
            "SELECT row_to_json(s) FROM hv.writer_snapshot s JOIN hv.writer w USING (writer_id) WHERE w.name = 'collector-1/1'"
        )
        return dict(rows[0][0]) if rows else {"received": 0, "in_flight": 0, "link": ""}

    def is_settled(self) -> bool:
        """Whether nothing is in flight and the snapshot shows all that is committed."""
        rows = self.ask("SELECT stored, duplicate, rejected FROM hv.writer WHERE name = 'collector-1/1'")
        now = self.counters()
        return now["in_flight"] == 0 and [(now["stored"], now["duplicate"], now["rejected"])] == rows

    def results(self, thing: str, name: str = "flow") -> list[float]:
        rows = self.ask(
            "SELECT result FROM observations WHERE thing = %(thing)s AND property = %(name)s ORDER BY phenomenon_time",
            thing=thing,
            name=name,
        )
        return [row[0] for row in rows]

    def reasons(self, thing: str) -> list[str]:
        rows = self.ask(
            "SELECT reason FROM hv.rejected_message WHERE thing = %(thing)s ORDER BY rejected_id", thing=thing
        )
        return [row[0] for row in rows]

    def refused(self, thing: str) -> int:
        [(number,)] = self.ask("SELECT sum(count)::int FROM hv.rejected_message WHERE thing = %(thing)s", thing=thing)
        return int(number or 0)

    def tell(self) -> str:
        return f"{self.counters()}\n" + "\n".join(f"{v}: {r.tail()}" for v, r in self.stage.roles.items())

    def close(self) -> None:
        if self._device is not None:
            self._device.close()


def ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with stage() as place:
        place.start("collect")
        town = Town(place)
        yield town
        town.close()


@pytest.fixture
def collecting(town: Town, wait_until: Wait) -> Town:
    """The town, with everything running whatever the last test did."""
    for verb in ("database", "broker", "collect"):
        if not town.stage.roles[verb].running:
            town.stage.start(verb)
    wait_until(lambda: town.counters()["link"] == "connected", tell=town.tell, seconds=40)
    return town


def test_readings_are_stored_with_time_unit_and_quality(collecting: Town, wait_until: Wait) -> None:
    at = ms()
    collecting.device.publish(
        "urban/v1/water/read/up",
        {"time": at, "flow": 3.2, "pressure": {"value": 310, "unit": "kPa"}},
        {"time": at + 1000, "flow": 1e6},
        {"flow": 7},
    )
    wait_until(lambda: len(collecting.results("read")) == 3, tell=collecting.tell)
    rows = collecting.ask(
        "SELECT property, result, unit, quality FROM observations WHERE thing = 'read' ORDER BY property, quality"
    )
    assert sorted(rows) == [
        ("flow", 3.2, "m3/h", "good"),
        ("flow", 7.0, "m3/h", "time_assumed"),
        ("flow", 1e6, "m3/h", "out_of_range"),
        ("pressure", 3.1, "bar", "good"),
    ]


def test_every_message_has_one_outcome_and_the_counters_add_up(collecting: Town, wait_until: Wait) -> None:
    wait_until(collecting.is_settled, tell=collecting.tell)
    before, at = collecting.counters(), ms()
    good = [{"time": at + i, "flow": i} for i in range(50)]
    collecting.device.publish("urban/v1/water/count/up", *good, good[0], {"time": at, "flow": 99}, b"x", b"{}")
    collecting.device.publish("urban/v1/water/count/up", {"time": at + 100, "flow": 1, "flux": 2})
    collecting.device.publish("urban/v1/water/count/up", {"seq": 1, "level": 1}, {"seq": 1, "level": 1})

    def settled() -> bool:
        now = collecting.counters()
        return now["received"] - before["received"] == 57 and now["in_flight"] == 0

    wait_until(settled, tell=collecting.tell)
    after = collecting.counters()
    changes = {key: after[key] - before[key] for key in ("stored", "duplicate", "rejected")}
    assert changes == {"stored": 52, "duplicate": 2, "rejected": 3}
    assert sorted(collecting.reasons("count")) == ["conflict", "empty", "malformed", "unknown_property"]


def test_status_of_a_device_is_known(collecting: Town, wait_until: Wait) -> None:
    def status() -> list[Any]:
        return collecting.ask("SELECT status FROM things WHERE code = 'link'")

    collecting.device.publish("urban/v1/water/link/status", b"online", retain=True)
    wait_until(lambda: status() == [("online",)], tell=collecting.tell)
    collecting.device.publish("urban/v1/water/link/status", b"offline", retain=True)
    wait_until(lambda: status() == [("offline",)], tell=collecting.tell)
    collecting.device.publish("urban/v1/water/link/status", b"maybe")
    wait_until(lambda: collecting.reasons("link") == ["bad_status"], tell=collecting.tell)


def test_megabyte_and_poison_do_not_hold_up_what_follows(collecting: Town, wait_until: Wait) -> None:
    collecting.device.publish("urban/v1/water/poison/up", b'{"flow": "' + b"x" * 1_000_000 + b'"}')
    sent = [
        collecting.device.client.publish("urban/v1/water/poison/up", b'{"flow": %d' % i, qos=1) for i in range(5000)
    ]
    collecting.device.publish("urban/v1/water/after/up", {"time": ms(), "flow": 1})
    started = time.monotonic()
    assert all(message.is_published() for message in sent[:-1000])
    wait_until(lambda: collecting.results("after") == [1.0], tell=collecting.tell, seconds=10)
    assert time.monotonic() - started < 10
    # Each is counted; as one Thing sends them in a loop, those beyond its pace share a row a minute.
    wait_until(lambda: collecting.refused("poison") == 5001, tell=collecting.tell)
    reasons = Counter(collecting.reasons("poison"))
    assert reasons["malformed"] >= 2000
    assert 1 <= reasons["rate_limited"] <= 2
    assert collecting.stage.roles["collect"].log.stat().st_size < 20_000


def test_database_that_goes_and_comes_loses_nothing(collecting: Town, wait_until: Wait) -> None:
    collecting.device.publish("urban/v1/water/outage/up", {"time": ms(), "flow": 0})
    wait_until(lambda: collecting.results("outage") == [0.0], tell=collecting.tell)
    collecting.stage.roles["database"].stop()
    at = ms()
    collecting.device.publish("urban/v1/water/outage/up", *[{"time": at + i, "flow": i} for i in range(1, 101)])
    collecting.stage.start("database")
    wait_until(lambda: collecting.results("outage") == list(range(101)), tell=collecting.tell, seconds=60)
    wait_until(lambda: collecting.counters()["in_flight"] == 0, tell=collecting.tell)
    assert collecting.stage.roles["collect"].running


def test_broker_that_is_killed_and_comes_back_loses_and_doubles_nothing(collecting: Town, wait_until: Wait) -> None:
    at = ms()
    collecting.device.publish("urban/v1/water/broken/up", *[{"time": at + i, "flow": i} for i in range(100)])
    collecting.device.publish("urban/v1/water/broken/up", {"level": 1})
    collecting.stage.roles["broker"].kill()
    wait_until(lambda: collecting.counters()["link"] == "connecting", tell=collecting.tell)
    collecting.stage.start("broker")
    wait_until(lambda: collecting.results("broken") == list(range(100)), tell=collecting.tell, seconds=60)
    collecting.device.publish("urban/v1/water/broken/up", {"time": at + 100, "flow": 100})
    wait_until(lambda: collecting.results("broken") == list(range(101)), tell=collecting.tell, seconds=60)
    wait_until(lambda: collecting.results("broken", "level") == [1.0], tell=collecting.tell)


def test_collector_ends_in_order_and_starts_where_it_was(collecting: Town, wait_until: Wait) -> None:
    at = ms()
    collecting.device.publish("urban/v1/water/again/up", *[{"time": at + i, "flow": i} for i in range(200)])
    role = collecting.stage.roles["collect"]
    started = time.monotonic()
    assert role.stop() == 0, role.tail()
    assert time.monotonic() - started < 10
    collecting.device.publish("urban/v1/water/again/up", *[{"time": at + i, "flow": i} for i in range(200, 300)])
    collecting.stage.start("collect")
    wait_until(lambda: collecting.results("again") == list(range(300)), tell=collecting.tell, seconds=60)
    wait_until(lambda: collecting.counters()["in_flight"] == 0, tell=collecting.tell)
    found = collecting.counters()
    assert found["received"] == found["stored"] + found["duplicate"] + found["rejected"]


def test_second_collector_refuses_to_start(collecting: Town) -> None:
    done = run_verb(collecting.stage, "collect", seconds=40)
    assert done.returncode == 1
    assert "another process writes as 'collector-1/1'" in done.stderr
    assert done.stderr.count("\n") == 1
    assert collecting.stage.roles["collect"].running


def test_wrong_password_is_one_sentence_and_exit_code_1(town: Town, wait_until: Wait) -> None:
    town.stage.roles["collect"].stop()
    wrong = town.stage.mqtt_url().replace("platform:", "platform:x")
    done = run_verb(town.stage, "collect", HYPERVISION_MQTT_URL=wrong)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "refuses the log-in" in last
    assert "HYPERVISION_MQTT_URL" in last
    assert broker.passwords(town.stage.folder)["platform"] not in done.stderr


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"HYPERVISION_MQTT_URL": ""}, "setting 'mqtt_url' is missing"),
        ({"HYPERVISION_MQTT_URL": "http://x"}, "setting 'mqtt_url' cannot be"),
        (
            {"HYPERVISION_INGEST__PARTITION": "2/5", "HYPERVISION_INGEST__DIVISION": "domain"},
            "4 domains cannot be divided into 5 partitions",
        ),
    ],
)
def test_wrong_setting_is_one_sentence_and_exit_code_1(town: Town, environ: dict[str, str], words: str) -> None:
    done = run_verb(town.stage, "collect", **environ)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_publish_says_that_a_reading_is_stored(collecting: Town) -> None:
    done = run_verb(collecting.stage, "publish", "first", "flow=3.2", "pressure=310 kPa")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "stored: flow, pressure" in done.stdout
    assert collecting.results("first", "pressure") == [3.1]


def test_publish_says_why_a_reading_is_refused(collecting: Town) -> None:
    done = run_verb(collecting.stage, "publish", "--domain", "water", "second", "flux=3.2")
    assert done.returncode == 1
    assert "unknown_property: water has no property 'flux'" in done.stdout


def test_publish_without_broker_is_one_sentence(collecting: Town) -> None:
    done = run_verb(collecting.stage, "publish", "x", "flow=1", HYPERVISION_MQTT_URL="mqtt://127.0.0.1:9")
    assert done.returncode == 1
    assert "no broker answers at 127.0.0.1:9" in done.stderr


def test_rejected_messages_are_listed_and_replayed(collecting: Town, wait_until: Wait) -> None:
    collecting.device.publish("urban/v1/water/quarantine/up", b"\x1b[31mno")
    wait_until(lambda: collecting.reasons("quarantine") == ["malformed"], tell=collecting.tell)
    listed = run_verb(collecting.stage, "rejected", "list", "--reason", "malformed", "--limit", "1")
    assert listed.returncode == 0, listed.stderr
    assert "urban/v1/water/quarantine/up" in listed.stdout
    assert "\x1b" not in listed.stdout
    again = run_verb(collecting.stage, "rejected", "replay", "--thing", "quarantine")
    assert again.returncode == 0, again.stderr
    assert "0 of 1 messages are stored now" in again.stdout


def run_verb(place: Stage, *words: str, seconds: float = 30, **environ: str) -> subprocess.CompletedProcess[str]:
    own = {key: value for key, value in os.environ.items() if not key.startswith("HYPERVISION_")}
    return subprocess.run(
        [sys.executable, "-m", "hypervision", *words],
        env=own | {"HYPERVISION_DATA_DIR": str(place.folder)} | place.environ | environ,
        cwd=Path(place.folder),
        capture_output=True,
        text=True,
        timeout=seconds,
        stdin=subprocess.DEVNULL,
    )
