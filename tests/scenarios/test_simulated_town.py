"""The simulated town against the real database and the real broker."""

import json
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import paho.mqtt.client as mqtt
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import SecretStr

from hypervision import settings as settings_module
from hypervision.clock import to_us
from hypervision.domains import load as load_domains
from hypervision.errors import ServiceError, SettingError
from hypervision.intake import Intake
from hypervision.services import broker as broker_service
from hypervision.services.plan import Plan
from hypervision.store import migrate
from hypervision.store.connection import connect
from simulators import anchor, history, run
from simulators.localtime import DAY_US, SECOND_US
from simulators.publisher import Publisher
from simulators.run import Wishes
from simulators.scenario import load
from simulators.simulation import Simulation

NOW = datetime(2026, 11, 12, 18, 0, tzinfo=UTC)
DRY = ("cab-0[12]", "lamp-01-*", "bay-gare-00*", "park-gare", "bin-10*")


def town(now=NOW, *, days=2, include=DRY):
    scenario = replace(load("tiny", anchor_us=to_us(NOW)), include=include)
    return Simulation(scenario, origin_us=to_us(NOW) - days * DAY_US, horizon_us=to_us(now) + DAY_US)


@pytest.fixture
def settings(embedded_database, data_dir):
    with connect(embedded_database, application="test") as connection:
        migrate.migrate(connection, load_domains(), now=NOW)
    found = settings_module.load({}, overrides={"data_dir": data_dir, "registration": "open"})
    return found.model_copy(update={"database_url": SecretStr(embedded_database)})


def fill(settings, simulation, now, *, days=2.0):
    told = []
    with Intake.open(settings, writer="simulate", wait=20) as intake:
        history.register(intake, simulation.town, now=now)
        until = history.fill(
            intake,
            simulation,
            days=days,
            pace=simulation.scenario.history,
            clock=lambda: now,
            stop=threading.Event(),
            progress=told.append,
        )
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)
    return until


def stored(settings):
    with psycopg.connect(settings.database_url.get_secret_value()) as connection:
        rows = connection.execute(
            "SELECT thing, property, phenomenon_time, result FROM observations ORDER BY 1, 2, 3"
        ).fetchall()
    return [(thing, name, to_us(at), result) for thing, name, at, result in rows]


def expected(simulation, start_us, end_us):
    readings = simulation.arrived(start_us, end_us, simulation.scenario.history).readings
    rows = zip(readings.stream.tolist(), readings.time_us.tolist(), readings.result.tolist(), strict=True)
    return sorted((simulation.streams[s].thing, simulation.streams[s].name, t, r) for s, t, r in rows)


@pytest.mark.integration
def test_history_holds_every_reading_once_and_the_next_start_fills_the_hole(settings):
    begin = to_us(NOW) - 2 * DAY_US
    assert fill(settings, town(), NOW) == to_us(NOW)
    assert stored(settings) == expected(town(), begin, to_us(NOW))
    later = NOW + timedelta(hours=30)
    assert fill(settings, town(later), later) == to_us(later)
    assert stored(settings) == expected(town(later), begin, to_us(later))
    with psycopg.connect(settings.database_url.get_secret_value()) as connection:
        assert connection.execute("SELECT count(*) FROM alarms").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM rejected_messages").fetchone() == (0,)
        parents = connection.execute("SELECT DISTINCT parent FROM things WHERE code LIKE 'lamp-01-%%'").fetchall()
        assert parents == [("cab-01",)]
        assumed = "SELECT thing, count(*) > 20 FROM observations WHERE quality = 'time_assumed' GROUP BY 1"
        # The clock of this one was lost a day before the present.
        assert connection.execute(assumed).fetchall() == [("bin-103", True)]


@pytest.mark.integration
def test_devices_publish_while_time_runs_and_leave_when_asked(settings, embedded_broker, data_dir, wait_until):
    plan = Plan.read(data_dir)
    device = broker_service.url(data_dir, plan.mqtt_port, broker_service.DEVICE)
    settings = settings.model_copy(update={"mqtt_url": SecretStr(device), "demo": True})
    heard, statuses = [], {}

    def on_message(_client, _data, message):
        if message.topic.endswith("/up"):
            heard.append((message.topic, json.loads(message.payload)))
        else:
            statuses[message.topic.split("/")[3]] = message.payload

    user, password = embedded_broker.removeprefix("mqtt://").split("@")[0].split(":")
    listener = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="listener")
    listener.username_pw_set(user, password)
    listener.on_message = on_message
    listener.on_connect = lambda client, *_: client.subscribe([("urban/v1/+/+/up", 1), ("urban/v1/+/+/status", 1)])
    listener.connect("127.0.0.1", plan.mqtt_port)
    listener.loop_start()
    truth = data_dir / "truth.jsonl"
    scenario = data_dir / "dry.toml"
    scenario.write_text(
        'things = 120\nhistory_days = 1\ninclude = ["lamp-01-*", "bin-10*"]\n[live]\nlamp = 2\nbin = 5\n'
        '[[fault]]\nkind = "lamp_out"\nthing = "lamp-01-02"\nstart = "-1h"\n',
        "utf-8",
    )
    stop = threading.Event()
    wishes = Wishes(scenario=str(scenario), truth=truth)
    published = []

    def work():
        published.append(run.run(wishes, settings, clock=lambda: datetime.now(UTC), stop=stop))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        wait_until(lambda: len(heard) > 40, seconds=60, tell=lambda: f"{len(heard)} messages, {statuses}")
        assert statuses["lamp-01-01"] == b"online"
        stop.set()
        worker.join(20)
        wait_until(lambda: statuses["lamp-01-01"] == b"offline")
    finally:
        stop.set()
        listener.disconnect()
        listener.loop_stop()
    assert published == [len(heard)]
    failed = [content["lamp_state"] for topic, content in heard if "/lamp-01-02/" in topic]
    assert failed
    assert set(failed) == {2}
    for topic in {topic for topic, _ in heard}:
        counters = [content["seq"] for each, content in heard if each == topic]
        assert counters == list(range(len(counters)))
    live = min(to_us(datetime.fromisoformat(content["time"])) for _, content in heard)
    past = stored(settings)
    assert past
    # No hole and no overlap between the past and what is live.
    assert live - max(at for *_, at, _ in past) <= 3_600 * SECOND_US
    assert live >= max(at for thing, _, at, _ in past if thing.startswith("lamp"))
    told = [json.loads(line) for line in truth.read_text().splitlines()]
    assert {line["fault"] for line in told} == {"lamp_out"}
    assert {line["thing"] for line in told} == {"lamp-01-02", "cab-01"}
    assert json.loads((data_dir / "run" / "progress.json").read_text()) == {"step": "history", "done": 1.0}
    layers = {f["properties"]["layer"] for f in json.loads((data_dir / "map.geojson").read_text())["features"]}
    assert "street" in layers


def test_first_start_is_remembered(data_dir):
    assert anchor.keep(data_dir, scenario="town", seed=None, now_us=5) == (5, None)
    assert anchor.keep(data_dir, scenario="town", seed=None, now_us=9) == (5, None)
    assert anchor.keep(data_dir, scenario="tiny", seed=3, now_us=12) == (12, 3)
    (data_dir / anchor.NAME).write_text("{", "utf-8")
    with pytest.raises(Exception, match=r"town\.json cannot be read"):
        anchor.keep(data_dir, scenario="town", seed=None, now_us=1)


def test_missing_broker_is_said_in_one_sentence(data_dir, monkeypatch):
    with pytest.raises(SettingError, match="mqtt://user"):
        Publisher("http://127.0.0.1:1")
    settings = settings_module.load({}, overrides={"data_dir": data_dir})
    monkeypatch.setattr(run.endpoints, "complete", lambda given: given)
    with pytest.raises(SettingError, match="no broker is known"):
        run.run(Wishes("tiny"), settings, clock=lambda: NOW, stop=threading.Event())
    # Port 1 of the loopback is closed everywhere.
    begun = time.monotonic()
    with Publisher("mqtt://127.0.0.1:1") as publisher, pytest.raises(ServiceError, match="cannot be reached"):
        publisher.wait_connected(threading.Event(), seconds=1.0)
    assert time.monotonic() - begun < 10
