"""The collector: one thread reads and decodes, a second only commits, a third publishes the counters.

Nothing is acknowledged before it is committed, so whatever dies here comes again from the broker.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import Final

from paho.mqtt.enums import MQTTErrorCode

from hypervision.decoding import bounds_of, decoder
from hypervision.errors import ServiceError
from hypervision.intake import Intake
from hypervision.partitions import Partition
from hypervision.pulse import Pulse
from hypervision.settings import Settings
from ingest import jetstream, queues
from ingest.assembly import Assembly
from ingest.beat import Beat
from ingest.committer import Committer
from ingest.counters import Counters
from ingest.division import client_id, filters_of
from ingest.held import Held
from ingest.nudge import Nudge
from ingest.outages import Outages
from ingest.quiet import Quiet
from ingest.session import Address, Session

_log = logging.getLogger(__name__)
_quiet = Quiet(__name__)

_FIRST_PAUSE: Final = 0.25
# A connection costs little, and what waits for one are a city's readings.
_LONGEST_PAUSE: Final = 2.0
# From connect to the last SUBACK [s]; a broker that reads a long store answers late.
_ANSWER: Final = 30.0
# While batches wait, the one under construction may grow to this many times the batch size.
_GROWTH: Final = 4
# A line that is silent so long [s] with the same number of messages held as the last time has come to the end
# of the broker's window: waiting for more would be waiting for our own acknowledgement.
_SILENCE: Final = 0.02
_SMALLEST_WINDOW: Final = 10
# A broker that has not answered for so long stands still [s]; a busy machine keeps one waiting for five.
_SPEECHLESS: Final = 6.0


class Collector:
    """Takes readings from the broker to the store until told to stop.

    Parameters
    ----------
    settings : Settings
        Batch size and age, broker, database.
    intake : Intake
        The way in; its writer lock keeps a second collector of this name away.
    partition : Partition, optional
        Which part of the traffic; by default that of the settings.
    session : Session, optional
        One to be drained, instead of the partition's.
    stop : Event
        Set from outside; `wake` makes it noticed at once.
    """

    def __init__(
        self,
        settings: Settings,
        intake: Intake,
        stop: threading.Event,
        *,
        partition: Partition | None = None,
        session: Session | None = None,
    ) -> None:
        self._settings = settings
        self._intake = intake
        self._stop = stop
        self.counters = Counters(intake.committed)
        self._held = Held()
        self._assembly = Assembly(decoder("urban"), intake.streams, bounds_of(settings), self._held)
        part = partition or Partition.parse(settings.ingest.partition)
        self._drains = session is not None
        name, filters = client_id(settings, part), filters_of(settings, part)
        self._session = session or Session(
            Address.of(settings), client_id=name, filters=filters, held=lambda: jetstream.holds(settings, name, filters)
        )
        self._client = self._session.client
        self._outages = Outages(intake)
        self._clock = intake.clock
        committer = Committer(
            intake, self.counters, settled=self._client.wake, outages=self._outages, clock=intake.clock.now
        )
        self._committer = committer
        self._nudge = Nudge(settings, name)
        self._pulse = Pulse()
        # One of them counts what the broker refused.
        log_dir = settings.data_dir if part.number == 1 and not self._drains else None
        self._beat = Beat(intake, self.counters, link=self._link, data_dir=log_dir, pulse=self._pulse)
        queues.register(
            intake.metrics, held=self._held, assembly=self._assembly, committer=committer, outages=self._outages
        )
        self._was_connected = False
        self._held_in_silence = 0

    def wake(self) -> None:
        """Make the reader look at the stop event; from any thread or signal handler."""
        self._client.wake()

    def run(self) -> None:
        """Collect until stopped.

        Raises
        ------
        ServiceError
            The broker refuses the log-in or a filter.
        """
        self._outages.note_own(lasting=not self._drains)
        without_broker_since = self._clock.now()
        self._committer.start()
        self._beat.start()
        try:
            while not self._stop.is_set():
                if self._connect():
                    self._outages.note("broker", without_broker_since, self._clock.now())
                    self._serve()
                    without_broker_since = self._clock.now()
                if not self._stop.is_set():
                    self._lost()
        finally:
            self._finish()

    def _link(self) -> str:
        if not self._session.ready:
            return "connecting"
        return "silent" if self._client.unanswered(now=time.monotonic()) > _SPEECHLESS else "connected"

    def _connect(self) -> bool:
        """Connect and subscribe, with back-off; False when told to stop or when the connection broke."""
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            self._raise_failure()
            self._pulse.here()
            self._nudge.look()
            try:
                self._session.connect()
            except OSError as error:
                _quiet.warning("no broker at %s (%s); trying again", self._session.address, error)
            else:
                if self._await_session():
                    _log.info("connected to the broker at %s", self._session.address)
                    if self._was_connected:
                        self._intake.metrics.count("reconnects", label="broker")
                    self._was_connected = True
                    self._nudge.begin()
                    return True
                if not self._was_connected or "filters" in self._session.refused:
                    self._session.check()
                _quiet.warning(
                    "no session at %s (%s); trying again",
                    self._session.address,
                    self._session.refused or "the connection broke",
                )
            self._stop.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311  (collectors must not return all at once)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return False

    def _await_session(self) -> bool:
        deadline = time.monotonic() + _ANSWER
        while not self._stop.is_set() and time.monotonic() < deadline:
            self._pulse.here()
            if self._client.loop(0.25) != MQTTErrorCode.MQTT_ERR_SUCCESS or self._session.refused:
                return False
            if self._session.ready:
                return True
        return False

    def _serve(self) -> None:
        """Read, decode, hand over, acknowledge, until the connection is gone."""
        client, committer = self._client, self._committer
        outcome = MQTTErrorCode.MQTT_ERR_SUCCESS
        while outcome == MQTTErrorCode.MQTT_ERR_SUCCESS and not self._stop.is_set():
            self._raise_failure()
            self._pulse.here()
            self._acknowledge()
            if committer.full and self._is_large():
                outcome = client.idle()
                self._stop.wait(_SILENCE)
            else:
                client.ask(now=time.monotonic())
                outcome = client.loop(self._patience())
            self._hand_over(silent=not self._gather())

    def _gather(self) -> bool:
        chunk = self._client.take()
        if not chunk.mids:
            return False
        self._held.proved = self._client.proved
        self.counters.arrived(self._assembly.add(chunk, now=self._clock.now(), monotonic=time.monotonic()))
        return True

    def _is_large(self) -> bool:
        return self._assembly.full or len(self._assembly) >= _GROWTH * self._settings.ingest.batch_size

    def _patience(self) -> float:
        """How long to wait for the line [s]."""
        opened = self._assembly.opened
        if opened is None or self._committer.full:
            return 1.0
        left = opened + self._settings.ingest.batch_age - time.monotonic()
        return min(max(left, 0.0), _SILENCE)

    def _hand_over(self, *, silent: bool) -> None:
        assembly, settings = self._assembly, self._settings.ingest
        if assembly.opened is None or self._committer.full:
            return
        now = time.monotonic()
        due = len(assembly) >= settings.batch_size or assembly.full or now - assembly.opened >= settings.batch_age
        if due or self._window_is_full(silent=silent):
            self._committer.submit(assembly.close(epoch=self._client.epoch))

    def _window_is_full(self, *, silent: bool) -> bool:
        """Whether the broker seems to wait for us: silence twice with the same number of messages held."""
        if not silent or len(self._held) < _SMALLEST_WINDOW:
            return False
        before, self._held_in_silence = self._held_in_silence, len(self._held)
        return before == self._held_in_silence

    def _acknowledge(self) -> None:
        """Acknowledge what is committed, in order of arrival."""
        done = self._committer.done
        while done:
            load = done.popleft()
            mids = load.mids
            self._client.acknowledge(mids)
            self._held.acknowledged(mids, load.told, load.anonymous, now=time.monotonic())

    def _lost(self) -> None:
        """After a disconnect: let the running commit end, throw away the rest; it comes again."""
        _log.warning("the connection to the broker at %s is gone", self._session.address)
        committer = self._committer
        thrown = len(self._assembly) + committer.discard()
        self._assembly.clear()
        self.counters.gone(thrown)
        while not committer.idle and not self._stop.is_set():
            self._raise_failure()
            self._pulse.here()
            self._stop.wait(_SILENCE)
        unacknowledged = [pair for load in committer.done for pair in load.anonymous]
        committer.done.clear()
        self._held.proved = self._client.proved
        self._held.disconnected(unacknowledged, now=time.monotonic())

    def _raise_failure(self) -> None:
        self._pulse.check()
        failure = self._committer.failure
        if failure is not None:
            raise ServiceError(f"a batch cannot be stored ({failure})", remedy="see the log") from failure

    def _finish(self) -> None:
        """Commit and acknowledge what is at hand, within seconds; the rest comes again."""
        if self._session.ready and self._assembly.opened is not None and not self._committer.full:
            self._committer.submit(self._assembly.close(epoch=self._client.epoch))
        self._committer.stop(4.0)
        if self._session.ready:
            self._acknowledge()
            self._client.disconnect()
            deadline = time.monotonic() + 1.0
            while self._client.want_write() and time.monotonic() < deadline:
                self._client.loop_write()
        self._beat.stop()
