"""A partition goes out of service: what its session still holds is stored, then the session is removed.

The session stays subscribed until it is empty, for some brokers throw its queue away with the subscription; and
nothing may be published to it alone from then on, so every part of the new division has to be subscribed before.
"""

from __future__ import annotations

import logging
import math
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from hypervision.errors import ServiceError
from hypervision.intake import Intake
from hypervision.partitions import Partition, of_writer
from hypervision.settings import Settings
from hypervision.store import collectors as store
from hypervision.topics import PREFIX
from ingest.collector import Collector
from ingest.counters import Snapshot
from ingest.division import client_id, filters_of
from ingest.session import Address, Session

_log = logging.getLogger(__name__)

_LOOK: Final = 0.1
# The broker may be a moment late with its timer [s].
_MARGIN: Final = 2.0
# With this chance no marker falls into the part that is asked.
_MISSED: Final = 2e-6
_ANSWER: Final = 15.0
# Between two filters of a session that is removed [s]: NATS looks through its messages after each, in its own time.
_APART: Final = 0.2


@dataclass(frozen=True, slots=True)
class Drained:
    """What a session still held, by what became of it; `held` could not be stored, and stays with the session."""

    received: int
    stored: int
    duplicate: int
    rejected: int
    held: int

    def __str__(self) -> str:
        return (
            f"{self.received} messages drained: {self.stored} stored, {self.duplicate} duplicate,"
            f" {self.rejected} rejected"
        )


class Retirement:
    """Drains one session and removes it.

    Parameters
    ----------
    quiet : float
        The session is empty when nothing came for so long [s]; longer than the broker's redelivery where messages
        may be unanswered.
    proved : bool
        Whether it is known that the new division is in force (the platform's own broker). Otherwise markers are
        sent to find out.
    """

    def __init__(self, settings: Settings, partition: Partition, *, quiet: float, proved: bool) -> None:
        self._settings = settings
        self._partition = partition
        self._quiet = quiet
        self._proved = proved
        self._stop = threading.Event()
        self._problem = ""

    def run(self, intake: Intake) -> Drained:
        """Drain, remove the session, and note it.

        Parameters
        ----------
        intake : Intake
            Open under the name of the partition, so that no collector of it is at work.

        Raises
        ------
        ServiceError
            The new division is not in force; the session is as it was.
        """
        settings, partition = self._settings, self._partition
        address = Address.of(settings)
        session = Session(address, client_id=client_id(settings, partition), filters=())
        collector = Collector(settings, intake, self._stop, partition=partition, session=session)
        before = collector.counters.snapshot()
        watcher = threading.Thread(target=self._watch, args=(collector, session), name="retire", daemon=True)
        watcher.start()
        collector.run()
        watcher.join(_ANSWER)
        drained = _difference(before, collector.counters.snapshot())
        if drained.held and not self._problem:
            self._problem = f"for {drained.held} messages could not be stored"
        if self._problem:
            raise ServiceError(f"partition {partition} is not retired, {self._problem}", remedy="nothing is lost")
        remove(address, client_id(settings, partition), filters_of(settings, partition))
        with intake.between() as connection:
            store.retire(connection, partition.writer, now=datetime.now(UTC))
        return drained

    def _watch(self, collector: Collector, session: Session) -> None:
        """End the collector when its session is empty."""
        try:
            while not self._stop.is_set() and not session.ready:
                self._stop.wait(_LOOK)
            # A session that is not there holds nothing.
            if session.present:
                self._await_empty(collector, session)
        except (OSError, ServiceError) as error:
            self._problem = str(error)
        finally:
            self._stop.set()
            collector.wake()

    def _await_empty(self, collector: Collector, session: Session) -> None:
        wanted = frozenset() if self._proved else self._mark(session)
        by_thing = self._settings.ingest.division == "thing"
        seen, since, epoch = -1, time.monotonic(), session.client.epoch
        while not self._stop.is_set():
            now = time.monotonic()
            counted = collector.counters.snapshot()
            if by_thing and not wanted.isdisjoint(session.client.markers):
                self._problem = (
                    "for the broker still hands new messages to it: its subject mapping does not divide by Thing, or"
                    " still divides as before"
                )
                return
            # Where filters divide, new messages never cease, and the markers tell the end; by Thing, silence does.
            back = by_thing or wanted <= session.client.markers
            if epoch != session.client.epoch or (by_thing and counted.received != seen):
                seen, since, epoch = counted.received, now, session.client.epoch
            held = counted.in_flight if by_thing else 0
            if not held and session.ready and back and now - since >= self._quiet:
                return
            self._stop.wait(_LOOK)

    def _mark(self, session: Session) -> frozenset[bytes]:
        """Publish the markers; what they hold."""
        if self._settings.ingest.division == "thing":
            topics = [f"{PREFIX}/-/~{number}/up" for number in range(enough_for(self._partition))]
        else:
            topics = [
                name.replace("+", "-", 1).replace("+", "~0") if name.count("+") > 1 else name.replace("+", "~0")
                for name in filters_of(self._settings, self._partition)
            ]
        payloads = markers(len(topics))
        # Before they are under way: what is not awaited is a device's.
        session.client.awaited = frozenset(payloads)
        address = session.address
        client = _client(address, f"{client_id(self._settings, self._partition)}-marker")
        client.connect(address.host, address.port)
        client.loop_start()
        try:
            sent = [client.publish(topic, payload, qos=1) for topic, payload in zip(topics, payloads, strict=True)]
            for message in sent:
                message.wait_for_publish(_ANSWER)
        except (ValueError, RuntimeError) as error:
            raise ServiceError(f"for the markers cannot be published ({error})") from None
        finally:
            client.disconnect()
            client.loop_stop()
        if not all(message.is_published() for message in sent):
            raise ServiceError("for the broker does not take the markers")
        return session.client.awaited


def markers(number: int) -> list[bytes]:
    """What the markers of one retirement hold: nobody else can know it, so no device can send one."""
    nonce = secrets.token_hex(16)
    return [f"hypervision marker {nonce} {one}".encode("ascii") for one in range(number)]


def enough_for(partition: Partition) -> int:
    """So many Things that one falls into this partition where the broker still divides as before.

    Examples
    --------
    >>> [enough_for(Partition(of=of, number=1)) for of in (1, 2, 4, 16)]
    [1, 19, 46, 204]
    """
    return 1 if partition.whole else math.ceil(math.log(_MISSED) / math.log1p(-1 / partition.of))


def explicitly(settings: Settings, partition: Partition) -> str:
    """Retire one partition as somebody asked; what was done, as a sentence.

    Raises
    ------
    ServiceError
        No other division collects all there is, or the broker does not divide.
    """
    retirement = Retirement(settings, partition, quiet=settings.broker.ack_wait + _MARGIN, proved=False)
    with Intake.open(settings, writer=partition.writer) as intake:
        with intake.between() as connection:
            at_work = store.collectors(connection)
        lacking = lacking_beside(partition, at_work)
        if lacking:
            raise ServiceError(
                f"partition {partition} cannot be retired, for {lacking}",
                remedy="start every collector of the new division first, so that no message is without a session",
            )
        drained = retirement.run(intake)
    return f"partition {partition} is retired, {drained}; its session {client_id(settings, partition)} is removed"


def lacking_beside(partition: Partition, at_work: dict[str, bool]) -> str:
    """Why a partition cannot go yet; empty when another division is complete.

    Parameters
    ----------
    at_work : dict
        By name of each collector in service, whether it is connected.

    Examples
    --------
    >>> lacking_beside(Partition(1, 1), {"collector-1/2": True, "collector-2/2": True})
    ''
    >>> lacking_beside(Partition(1, 1), {"collector-1/2": True, "collector-2/2": False})
    'collector-2/2 does not collect'
    >>> lacking_beside(Partition(1, 1), {"collector-1/1": True})
    'no other division collects'
    """
    known = {part: connected for name, connected in at_work.items() if (part := of_writer(name)) is not None}
    others = {part.of: part for part in known if part.of != partition.of}
    if not others:
        return "no other division collects"
    lacking = [[part for part in one.all if not known.get(part, False)] for one in others.values()]
    fewest = min(lacking, key=len)
    return f"{', '.join(part.writer for part in fewest)} does not collect" if fewest else ""


def quiet_for(settings: Settings, *, unanswered: int) -> float:
    """How long silence must last before a session is empty [s]."""
    return settings.broker.ack_wait + _MARGIN if unanswered else 1.0


def _difference(before: Snapshot, after: Snapshot) -> Drained:
    received, stored, duplicate, rejected, held = (now - then for now, then in zip(after, before, strict=True))
    return Drained(received - held, stored, duplicate, rejected, held)


def _client(address: Address, name: str, *, clean: bool = True) -> mqtt.Client:
    """A client whose session ends with its connection, or stays."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id=name, clean_session=clean, protocol=mqtt.MQTTv311, manual_ack=True
    )
    if address.user:
        client.username_pw_set(address.user, address.password)
    if address.tls:
        client.tls_set()
    return client


def remove(address: Address, name: str, filters: Sequence[str], *, pause: float = _APART) -> None:
    """Remove a session: its filters one by one, then what is left of it.

    NATS 2.12.4 to 2.15.1 may throw away what other sessions still wait for when two filters of a session end at
    once. Who connects with a clean session gives the old one up (MQTT 3.1.1, section 3.1.2.4).

    Parameters
    ----------
    pause : float
        Between two filters [s].

    Raises
    ------
    ServiceError
        The broker is away or does not answer; the session, or what is left of it, stays.
    """
    try:
        with _connected(_client(address, name, clean=False), address) as client:
            for topic in filters:
                _unsubscribe(client, topic)
                time.sleep(pause)
        with _connected(_client(address, name), address):
            pass
    except (OSError, ValueError, RuntimeError) as error:
        raise ServiceError(
            f"the session {name} is drained and not removed ({error})", remedy="retire it again"
        ) from None


@contextmanager
def _connected(client: mqtt.Client, address: Address) -> Iterator[mqtt.Client]:
    """A client that the broker has let in.

    Raises
    ------
    OSError
        It has not, or has not answered in time.
    """
    connected = threading.Event()

    def answered(_client: object, _data: object, _flags: object, reason: Any, _properties: object) -> None:
        if not reason.is_failure:
            connected.set()

    client.on_connect = answered
    client.connect(address.host, address.port)
    client.loop_start()
    try:
        if not connected.wait(_ANSWER):
            raise TimeoutError("the broker does not answer")
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def _unsubscribe(client: mqtt.Client, topic: str) -> None:
    """Give one filter up, and wait for the answer."""
    gone = threading.Event()
    client.on_unsubscribe = lambda *_: gone.set()
    client.unsubscribe(topic)
    if not gone.wait(_ANSWER):
        raise TimeoutError("the broker does not answer")
