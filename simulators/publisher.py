"""One MQTT connection for many simulated devices: the only door to paho here."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable
from typing import Final, Self
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from hypervision.errors import ServiceError, SettingError

log = logging.getLogger(__name__)

# QoS 1 messages under way before `publish` waits: the broker's pace is ours.
_WINDOW: Final = 2_000
_CONNECT_S: Final = 30.0


class Publisher:
    """Publishes for many devices; a context manager.

    Parameters
    ----------
    url : str
        `mqtt[s]://user:password@host:port`.

    Notes
    -----
    When the broker goes away, messages wait in memory up to the window and `publish` waits with them; the
    connection comes back by itself.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise SettingError("setting 'mqtt_url' cannot be used", remedy="write mqtt://user:password@host:port")
        self._host, self._port = parts.hostname, parts.port or (8883 if parts.scheme == "mqtts" else 1883)
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"hypervision-simulate-{os.getpid()}", clean_session=True
        )
        if parts.username:
            self._client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            self._client.tls_set()
        self._client.max_inflight_messages_set(_WINDOW)
        self._client.reconnect_delay_set(1, 5)
        self._room = threading.Condition()
        self._waiting: set[int] = set()
        self._early: set[int] = set()
        self._connected = threading.Event()
        self._refused = ""
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish

    def __enter__(self) -> Self:
        self._client.connect_async(self._host, self._port, keepalive=30)
        self._client.loop_start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def wait_connected(self, stop: threading.Event, *, seconds: float = _CONNECT_S) -> None:
        """Wait for the broker.

        Raises
        ------
        ServiceError
            It did not answer in time or refused us.
        """
        for _ in range(int(seconds / 0.1)):
            if self._connected.wait(0.1) or stop.is_set():
                return
        why = self._refused or "no answer"
        raise ServiceError(
            f"the broker at {self._host}:{self._port} cannot be reached ({why})",
            remedy="check HYPERVISION_MQTT_URL and that the broker runs",
        )

    def publish(self, topic: str, payload: bytes, stop: threading.Event, *, retain: bool = False) -> None:
        """Publish at QoS 1; waits while too many messages are under way."""
        with self._room:
            while len(self._waiting) >= _WINDOW and not stop.is_set():
                self._room.wait(0.2)
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        with self._room:
            # The acknowledgement may have overtaken us.
            if info.mid in self._early:
                self._early.discard(info.mid)
            else:
                self._waiting.add(info.mid)

    def flush(self, *, seconds: float) -> bool:
        """Wait until every message is acknowledged; False when some were not in time."""
        with self._room:
            return self._room.wait_for(lambda: not self._waiting, timeout=seconds)

    def status(self, things: Iterable[tuple[str, str]], online: bool, stop: threading.Event) -> None:
        """Say of Things, each (domain, code), that they are online or offline; the broker keeps it."""
        for domain, thing in things:
            topic = f"urban/v1/{domain}/{thing}/status"
            self.publish(topic, b"online" if online else b"offline", stop, retain=True)

    def _on_connect(
        self, _client: mqtt.Client, _data: object, _flags: mqtt.ConnectFlags, code: ReasonCode, _props: object
    ) -> None:
        if code.is_failure:
            self._refused = str(code)
            log.warning("the broker refused the connection: %s", code)
        else:
            self._connected.set()

    def _on_disconnect(
        self,
        _client: mqtt.Client,
        _data: object,
        _flags: mqtt.DisconnectFlags,
        code: ReasonCode,
        _props: object,
    ) -> None:
        if code.is_failure:
            log.warning("the broker is gone (%s): waiting for it", code)

    def _on_publish(self, _client: mqtt.Client, _data: object, mid: int, _code: ReasonCode, _props: object) -> None:
        with self._room:
            if mid in self._waiting:
                self._waiting.discard(mid)
            else:
                self._early.add(mid)
            self._room.notify()
