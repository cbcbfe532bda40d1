"""The embedded broker: the collectors' sessions exist before the port opens to devices.

NATS acknowledges and drops a QoS 1 message that no session wants yet. So the broker runs first on a private
port, where the sessions are made if they are not there; only then devices are let in. What it finds there of an
earlier number of collectors is noted, for these sessions may hold messages still.
"""

from __future__ import annotations

import hashlib
import json
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from hypervision.errors import ServiceError
from hypervision.partitions import Partition
from hypervision.services import broker, ports
from hypervision.services.plan import Plan
from hypervision.settings import Settings
from ingest import earlier
from ingest.division import client_id, filters_of

_log = logging.getLogger(__name__)

# Earlier numbers of collectors that are looked for.
_MOST_PARTS = 32

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def session_hash(client_id: str) -> str:
    """Compute the prefix NATS gives to the consumers of one client (server/util.go, getHash)."""
    return "".join(_DIGITS[byte % 62] for byte in hashlib.sha256(client_id.encode()).digest()[:8])


def consumers(report: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What the sessions of a broker hold, by the prefix of their client.

    Parameters
    ----------
    report : dict
        The answer of the broker's monitoring page `/jsz?accounts=1&streams=1&consumers=1&config=1`.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for account in report.get("account_details") or []:
        for stream in account.get("stream_detail") or []:
            if stream.get("name") == "$MQTT_msgs":
                for consumer in stream.get("consumer_detail") or []:
                    found.setdefault(str(consumer.get("name", "")).partition("_")[0], []).append(consumer)
    return found


def missing_filters(report: dict[str, Any], client: str, wanted: Sequence[str]) -> list[str]:
    """Find which of a session's filters no consumer holds yet; `report` as for `consumers`."""
    held = {c.get("config", {}).get("filter_subject", "") for c in consumers(report).get(session_hash(client), [])}
    return [name for name in wanted if subject(name) not in held]


def earlier_sessions(report: dict[str, Any], settings: Settings) -> list[earlier.Session]:
    """Find sessions of another number of collectors, and how much they hold; `report` as for `consumers`."""
    held = consumers(report)
    found = []
    for of in range(1, _MOST_PARTS + 1):
        for part in Partition(of, 1).all if of != settings.ingest.collectors else []:
            session = held.get(session_hash(client_id(settings, part)))
            if session is not None:
                waiting = sum(int(consumer.get("num_pending", 0)) for consumer in session)
                unanswered = sum(int(consumer.get("num_ack_pending", 0)) for consumer in session)
                found.append(earlier.Session(str(part), waiting, unanswered))
    return found


def subject(topic_filter: str) -> str:
    """Under which NATS keeps the QoS 1 messages of a filter."""
    return f"$MQTT.msgs.{topic_filter.replace('/', '.').replace('+', '*')}"


def make_session(
    *, port: int, user: str, password: str, client_id: str, filters: Sequence[str], seconds: float = 15.0
) -> None:
    """Create the durable session with all its filters, and leave it.

    Raises
    ------
    ServiceError
        The broker refused the client or one of the filters, or did not answer in time.
    """
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False, protocol=mqtt.MQTTv311, manual_ack=True
    )
    client.username_pw_set(user, password)
    done, failure = threading.Event(), [""]

    def connected(_client: object, _data: object, _flags: object, reason: Any, _properties: object) -> None:
        if reason.is_failure:
            failure[0] = f"the log-in of {user!r} was refused ({reason})"
            done.set()
        else:
            client.subscribe([(topic, 1) for topic in filters])

    def subscribed(_client: object, _data: object, _mid: object, reasons: Any, _properties: object) -> None:
        refused = [topic for topic, reason in zip(filters, reasons, strict=True) if reason.is_failure]
        failure[0] = f"the filters {', '.join(refused)} were refused" if refused else ""
        done.set()

    client.on_connect = connected
    client.on_subscribe = subscribed
    client.connect("127.0.0.1", port)
    client.loop_start()
    answered = done.wait(seconds)
    client.disconnect()
    client.loop_stop()
    if not answered or failure[0]:
        raise ServiceError(
            f"the collector's session cannot be made ({failure[0] or 'no answer'})",
            remedy="see logs/broker.log in the data directory; a smaller ingest.window may help",
        )


def guard(settings: Settings) -> int:
    """Run the broker until asked to stop or until the parent is gone; the verb `broker`."""
    data_dir = settings.data_dir
    plan = Plan.read(data_dir)
    # Until the service has its own handlers, an end must still pass through `finally` below.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    broker.raise_file_limit()
    broker.clear(data_dir)
    earlier.write(data_dir, ensure_sessions(settings))
    listen = broker.Listen(mqtt=plan.mqtt_port, nats=plan.nats_port, anonymous=plan.anonymous)
    with closing(broker.Stuck(data_dir)) as stuck:
        return broker.service(data_dir, settings, listen).run(ill=stuck)


def ensure_sessions(settings: Settings) -> list[earlier.Session]:
    """Make the collectors' sessions on a private port, unless they exist.

    An existing session is not entered: the broker would deliver what waits to us, and again to the collector
    only when its redelivery timer ends.

    Returns
    -------
    list of Session
        Those of another number of collectors.
    """
    data_dir = settings.data_dir
    private, nats, monitor = ports.free(), ports.free(), ports.free()
    service = broker.service(data_dir, settings, broker.Listen(mqtt=private, nats=nats, monitor=monitor))
    process = service.start()
    try:
        _wait_for_port(process, private)
        report = _report(monitor)
        for part in Partition(settings.ingest.collectors, 1).all:
            name, filters = client_id(settings, part), filters_of(settings, part)
            if missing_filters(report, name, filters):
                password = broker.passwords(data_dir)[broker.PLATFORM]
                make_session(port=private, user=broker.PLATFORM, password=password, client_id=name, filters=filters)
                _log.info("made the session %s", name)
        return earlier_sessions(report, settings)
    finally:
        service.end(process)
        service.record.unlink(missing_ok=True)


def _wait_for_port(process: subprocess.Popen[bytes], port: int, *, seconds: float = 60.0) -> None:
    # A store with a long backlog is read before the port opens.
    deadline = time.monotonic() + seconds
    while not ports.answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServiceError(
                "the broker does not start", remedy="the last lines of logs/broker.log in the data directory say why"
            )
        time.sleep(0.02)


def _report(port: int) -> dict[str, Any]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10.0)
    try:
        connection.request("GET", "/jsz?accounts=1&streams=1&consumers=1&config=1")
        found = json.loads(connection.getresponse().read())
    except (OSError, HTTPException, ValueError) as error:
        raise ServiceError(f"the broker does not report its sessions ({error})", remedy="see logs/broker.log") from None
    finally:
        connection.close()
    return dict(found)
