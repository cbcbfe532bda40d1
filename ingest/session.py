"""The collector's session at the broker: where it is, who we are, which filters it holds."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from hypervision.errors import ServiceError, SettingError
from hypervision.settings import Settings
from ingest.reader import BulkClient


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker is and who we are there."""

    host: str
    port: int
    tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, settings: Settings) -> Address:
        """The broker of the settings.

        Raises
        ------
        SettingError
            No URL is set, or it is none.
        """
        if settings.mqtt_url is None:
            raise SettingError(
                "setting 'mqtt_url' is missing",
                remedy="set HYPERVISION_MQTT_URL, or start the platform with `hypervision up`",
            )
        return cls.parse(settings.mqtt_url.get_secret_value())

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read `mqtt[s]://user:password@host:port`.

        Raises
        ------
        SettingError
            The text is no such URL; the message does not repeat it, because it may hold a password.

        Examples
        --------
        >>> Address.parse("mqtts://me:p%40ss@broker.example")
        Address(host='broker.example', port=8883, tls=True, user='me')
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        tls = parts.scheme == "mqtts"
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise SettingError(
                "setting 'mqtt_url' is no broker URL", remedy="write mqtt://user:password@host:1883, or mqtts://…:8883"
            )
        return cls(
            parts.hostname,
            port or (8883 if tls else 1883),
            tls,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Session:
    """A durable session: connects, subscribes, and checks every answer.

    Attributes
    ----------
    ready : bool
        Whether all filters are granted on the present connection.
    present : bool
        Whether the broker knew this session already.
    refused : str
        Why the broker will not have us; empty when it will.

    Notes
    -----
    Without filters nothing is subscribed: what the session was subscribed to stays.

    A session that has its filters is not subscribed again: each subscription brings all retained messages, and those
    that a broken connection did not acknowledge NATS counts for ever, until it delivers nothing any more (see
    docs/decisions/0004-ingest.md).

    Parameters
    ----------
    held : callable, optional
        Whether the broker holds the filters already; asked where it knows the session and we never subscribed.
    """

    def __init__(
        self, address: Address, *, client_id: str, filters: tuple[str, ...], held: Callable[[], bool] = lambda: False
    ) -> None:
        self.address = address
        self.ready = False
        self.present = False
        self.refused = ""
        self._filters = filters
        self._held = held
        self._granted = False
        self.client = BulkClient(client_id)
        if address.user:
            self.client.username_pw_set(address.user, address.password)
        if address.tls:
            self.client.tls_set_context(ssl.create_default_context())
        self.client.on_connect = self._connected
        self.client.on_subscribe = self._subscribed
        self.client.on_disconnect = self._disconnected

    def connect(self) -> None:
        """Open a connection; `ready` follows while the client's loop runs.

        Raises
        ------
        OSError
            Nobody answers there.
        """
        self.ready, self.refused = False, ""
        self.client.open(self.address.host, self.address.port)

    def check(self) -> None:
        """Raise when the broker has refused what we need.

        Raises
        ------
        ServiceError
            The log-in or a filter was refused.
        """
        if self.refused:
            raise ServiceError(self.refused, remedy="check user, password and rights in HYPERVISION_MQTT_URL")

    def _connected(self, client: Any, _data: object, flags: Any, reason: Any, _properties: object) -> None:
        if reason.is_failure:
            self.refused = f"the broker at {self.address} refuses the log-in ({reason})"
            return
        self.present = bool(flags.session_present)
        self._granted = self.present and (self._granted or self._held())
        if not self._filters or self._granted:
            self.ready = True
        else:
            client.subscribe([(topic, 1) for topic in self._filters])

    def _subscribed(self, _client: object, _data: object, _mid: object, reasons: Any, _properties: object) -> None:
        refused = [topic for topic, reason in zip(self._filters, reasons, strict=False) if reason.is_failure]
        if refused or len(reasons) != len(self._filters):
            self.refused = f"the broker at {self.address} refuses the filters {', '.join(refused) or reasons}"
        else:
            self.ready = self._granted = True

    def _disconnected(self, *_details: object) -> None:
        self.ready = False
