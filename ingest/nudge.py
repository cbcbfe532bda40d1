"""What a connection before held unacknowledged comes at once, and not when the broker's patience ends.

NATS delivers the messages of a crashed client again only when `ack_wait` has passed, not when the client returns. A
consumer whose `ack_wait` is changed looks at what is pending anew: set to a second for a second, all that is older is
delivered again. Nothing else is touched, and what a crash left so is put right at the next connection.

What came over the new connection meanwhile and waits for the database for longer than that comes twice as well. So the
broker is asked before the connection, and left alone where nothing is held.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Final

from hypervision.errors import HypervisionError
from hypervision.services import broker
from hypervision.services.plan import Plan
from hypervision.settings import Settings
from ingest.jetstream import Jetstream

_log = logging.getLogger(__name__)

# NATS looks again a tenth of a second after the change; what was delivered a moment ago has to grow this old [s].
_SHORT: Final = 1.0
_LASTS: Final = 1.3
# A broker that stands still keeps its connections, and with them what was changed: it is asked until it answers [s].
_PATIENCE: Final = 600.0
_PAUSE: Final = 1.0
_FAILURES: Final = (OSError, ValueError, KeyError, HypervisionError)


class Nudge:
    """Makes the embedded broker deliver again what is pending; a broker of one's own is left alone."""

    def __init__(self, settings: Settings, client_id: str) -> None:
        self._settings = settings
        self._client_id = client_id
        self._lock = threading.Lock()
        self._asked = self._busy = False
        self._needless = False

    def look(self) -> None:
        """Before a connection: whether a connection before holds anything, or may still be given something."""
        self._needless = False
        try:
            port = Plan.read(self._settings.data_dir).nats_port
            self._needless = bool(port) and not held(port, self._settings, self._client_id)
        except _FAILURES as error:
            _log.debug("what the connection before held is not known: %s", error)

    def begin(self) -> None:
        """In a thread of its own, once a connection stands; nothing where the look before it found nothing.

        While one is at it for a connection before, it does so once more afterwards: what this connection's predecessor
        held may have been delivered after it had looked.
        """
        if self._needless:
            return
        with self._lock:
            self._asked = True
            if not self._busy:
                threading.Thread(target=self._run, name="nudge", daemon=True).start()
                self._busy = True

    def _run(self) -> None:
        while self._take():
            try:
                self._once()
            except _FAILURES as error:
                _log.info("what the connection before held comes when ack_wait ends: %s", error)
            except BaseException:
                with self._lock:
                    self._busy = False
                raise

    def _take(self) -> bool:
        """Whether somebody has asked since the last look; the thread ends where nobody has."""
        with self._lock:
            self._busy, self._asked = self._asked, False
            return self._busy

    def _once(self) -> None:
        port = Plan.read(self._settings.data_dir).nats_port
        if port:
            pending = nudge(port, self._settings, self._client_id)
            if pending:
                _log.info("%d messages of the connection before come again", pending)


def held(port: int, settings: Settings, client_id: str) -> bool:
    """Whether a session has unacknowledged messages, may be given some just now, or was left with another `ack_wait`.

    Parameters
    ----------
    port : int
        Of the broker's own protocol, on loopback.

    Raises
    ------
    OSError, ServiceError
        The broker is away or refuses.
    """
    with _asking(port, settings) as asked:
        # `push_bound` while the broker has not seen the end of the connection before.
        return any(
            each.get("num_ack_pending") or each.get("push_bound") or _is_odd(each, settings)
            for each in asked.consumers(client_id)
        )


def nudge(port: int, settings: Settings, client_id: str) -> int:
    """Have everything delivered again that is not acknowledged.

    Parameters
    ----------
    port : int
        Of the broker's own protocol, on loopback.

    Returns
    -------
    int
        How many messages were pending.

    Raises
    ------
    OSError, ServiceError
        The broker is away or refuses.
    """
    with _asking(port, settings) as jetstream:
        consumers = jetstream.consumers(client_id)
        waiting = [consumer for consumer in consumers if consumer.get("num_ack_pending")]
        try:
            if settings.broker.ack_wait > _SHORT:
                for consumer in waiting:
                    jetstream.wait_for(consumer, _SHORT)
                if waiting:
                    time.sleep(_LASTS)
        finally:
            if waiting or any(_is_odd(consumer, settings) for consumer in consumers):
                _put_right(port, settings, client_id)
    return sum(int(consumer["num_ack_pending"]) for consumer in waiting)


def _put_right(port: int, settings: Settings, client_id: str) -> None:
    """Give a session's filters their usual patience, whatever became of the broker meanwhile."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            with _asking(port, settings) as jetstream:
                for consumer in jetstream.consumers(client_id):
                    if _is_odd(consumer, settings):
                        jetstream.wait_for(consumer, settings.broker.ack_wait)
        except _FAILURES:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _asking(port: int, settings: Settings) -> Jetstream:
    return Jetstream(port, user=broker.PLATFORM, password=broker.passwords(settings.data_dir)[broker.PLATFORM])


def _is_odd(consumer: dict[str, Any], settings: Settings) -> bool:
    """Whether a filter has another `ack_wait` than the settings say."""
    return bool(consumer["config"].get("ack_wait") != round(settings.broker.ack_wait * 1e9))
