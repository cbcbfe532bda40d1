"""A few requests to the JetStream API of the embedded broker, over its own protocol."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self

from hypervision.errors import HypervisionError, ServiceError
from hypervision.services import broker
from hypervision.services.plan import Plan
from hypervision.settings import Settings
from ingest.broker import session_hash, subject

_STREAM: Final = "$MQTT_msgs"
_ANSWER: Final = 3.0
"""How long an answer may take [s]."""


class Jetstream:
    """A few requests to the JetStream API over the NATS protocol; a context manager.

    Raises
    ------
    OSError
        Nobody answers there, or not in time.
    ServiceError
        The broker refuses.
    """

    def __init__(self, port: int, *, user: str, password: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_ANSWER)
        self._stream = self._socket.makefile("rb")
        self._inbox = f"_INBOX.nudge{time.monotonic_ns()}"
        options = {
            "user": user,
            "pass": password,
            "verbose": False,
            "pedantic": False,
            "lang": "python",
            "version": "1",
        }
        self._send(f"CONNECT {json.dumps(options)}\r\nSUB {self._inbox} 1\r\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        self._socket.close()

    def ask(self, subject: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask one thing and wait for its answer."""
        payload = json.dumps(body)
        self._send(f"PUB {subject} {self._inbox} {len(payload.encode())}\r\n{payload}\r\n")
        while True:
            line = self._stream.readline().decode()
            if not line:
                raise OSError("the broker closed the connection")
            if line.startswith("-ERR"):
                raise ServiceError(f"the broker answers {line.strip()}")
            if line.startswith("PING"):
                self._send("PONG\r\n")
            if line.startswith("MSG "):
                size = int(line.split()[-1])
                found = json.loads(self._stream.read(size + 2))
                if "error" in found:
                    raise ServiceError(f"the broker answers {found['error'].get('description')}")
                return dict(found)

    def _send(self, text: str) -> None:
        self._socket.sendall(text.encode())

    def consumers(self, client_id: str) -> list[dict[str, Any]]:
        """What the broker knows of the filters of one session: `name`, `config`, `num_ack_pending`, `push_bound`, …"""
        prefix, found = f"{session_hash(client_id)}_", []
        offset, total = 0, 1
        while offset < total:
            page = self.ask(f"$JS.API.CONSUMER.LIST.{_STREAM}", {"offset": offset})
            listed = page.get("consumers") or []
            found += [consumer for consumer in listed if str(consumer["name"]).startswith(prefix)]
            total, offset = int(page.get("total", 0)), offset + max(len(listed), 1)
        return found

    def wait_for(self, consumer: dict[str, Any], seconds: float) -> None:
        """Set a consumer's `ack_wait`."""
        config = {**consumer["config"], "ack_wait": round(seconds * 1e9)}
        subject = f"$JS.API.CONSUMER.DURABLE.CREATE.{_STREAM}.{consumer['name']}"
        # Never made anew: one that was wiped out meanwhile would hold messages for nobody.
        self.ask(subject, {"stream_name": _STREAM, "config": config, "action": "update"})


def holds(settings: Settings, client_id: str, filters: Sequence[str]) -> bool:
    """Whether a session of the embedded broker is subscribed to all of these filters; False where nobody can tell."""
    try:
        port = Plan.read(settings.data_dir).nats_port
        if not port:
            return False
        password = broker.passwords(settings.data_dir)[broker.PLATFORM]
        with Jetstream(port, user=broker.PLATFORM, password=password) as jetstream:
            held = {consumer["config"].get("filter_subject") for consumer in jetstream.consumers(client_id)}
    except (OSError, ValueError, KeyError, HypervisionError):
        return False
    return all(subject(topic) in held for topic in filters)
