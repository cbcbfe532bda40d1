"""paho with a bulk reader: connection, log-in, TLS, session and keep-alive are paho's, packets are cut here.

paho reads a packet in three `recv` calls under several locks, which makes it the dearest part of the way. Here
one large `recv` fills a buffer, one pass cuts all packets in it, QoS 1 PUBLISH packets are appended to lists,
and every other packet is given to paho's own handler.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import paho.mqtt.client as mqtt
from paho.mqtt import MQTTException
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from ingest.division import plain

_RECV: Final = 262_144
_PUBLISH: Final = 0x30
_PUBACK: Final = 0x40
_DUP: Final = 0x08
_QOS: Final = 0x06
# A line that has said nothing for so long is asked whether somebody is there [s].
_SILENT: Final = 2.0
# A city has tens of thousands of topics; beyond this somebody makes them up.
_MOST_TOPICS: Final = 200_000


@dataclass(slots=True)
class Chunk:
    """Messages in order of arrival; columns of one length, `again` holds the indices that were marked DUP.

    Attributes
    ----------
    mids : list of int
        Packet ids; 0 for QoS 0, which wants no acknowledgement.
    """

    topics: list[str] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    mids: list[int] = field(default_factory=list)
    again: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.mids)


class BulkClient(mqtt.Client):
    """A paho client for MQTT 3.1.1 that hands PUBLISH packets over in bulk.

    Attributes
    ----------
    epoch : int
        Number of the connection; acknowledgements of an older one are worth nothing.
    awaited : frozenset of bytes
        Payloads of the markers that this session sent for; empty but while it retires.
    proved : float
        What was sent before has reached the broker, for it has answered a ping of then (monotonic clock [s]).
    markers : set of bytes
        Those of them that came. Such a marker is no message of a device, so nobody else sees it.
    """

    def __init__(self, client_id: str, *, keepalive: int = 30) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=False,
            protocol=mqtt.MQTTv311,
            manual_ack=True,
        )
        self.epoch = 0
        self.proved = time.monotonic()
        self._pings: deque[float] = deque()
        self.awaited: frozenset[bytes] = frozenset()
        self.markers: set[bytes] = set()
        self._kept_alive = keepalive
        self._rest = b""
        self._wanted = 0
        self._chunk = Chunk()
        self._names: dict[bytes, str] = {}
        self._asked: float | None = None

    def open(self, host: str, port: int) -> None:
        """Connect (again).

        Raises
        ------
        OSError
            Nobody answers there.
        """
        self.epoch += 1
        self._rest, self._wanted, self._chunk = b"", 0, Chunk()
        self._asked = None
        self.proved = time.monotonic()
        self._pings.clear()
        self.connect(host, port, keepalive=self._kept_alive)
        # Acknowledgements must not wait for the broker's delayed TCP acknowledgement.
        if isinstance(self._sock, socket.socket):
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def take(self) -> Chunk:
        """Take the messages read since the last call."""
        chunk, self._chunk = self._chunk, Chunk()
        if self.awaited and not self.awaited.isdisjoint(chunk.payloads):
            return self._without_markers(chunk)
        return chunk

    def _without_markers(self, chunk: Chunk) -> Chunk:
        """Answer the markers of a chunk and take them out."""
        kept = Chunk()
        again = set(chunk.again)
        for index, (name, payload, mid) in enumerate(zip(chunk.topics, chunk.payloads, chunk.mids, strict=True)):
            if payload in self.awaited:
                self.markers.add(payload)
                self.acknowledge([mid] if mid else [])
                continue
            if index in again:
                kept.again.append(len(kept.mids))
            kept.topics.append(name)
            kept.payloads.append(payload)
            kept.mids.append(mid)
        return kept

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Acknowledge messages of this connection in the order given, as one write."""
        if mids:
            packets = np.empty((len(mids), 4), np.uint8)
            packets[:, 0], packets[:, 1] = _PUBACK, 2
            packets[:, 2:] = np.array(mids, ">u2").view(np.uint8).reshape(-1, 2)
            self._packet_queue(_PUBACK, packets.tobytes(), 0, 0)

    def wake(self) -> None:
        """End a `loop` that waits; from any thread."""
        waker = self._sockpairW
        if waker is not None:
            try:
                waker.send(b"\0")
            except (BlockingIOError, OSError):
                # A full pipe wakes as well; a closed one has nobody to wake.
                return

    def ask(self, *, now: float) -> None:
        """Ask a silent line whether somebody is there, and any line whether our answers arrive.

        paho gives a line up when nothing comes for its keep-alive.

        Parameters
        ----------
        now : float
            Monotonic clock [s].
        """
        silent = self._asked is None and now - self._last_bytes_received >= _SILENT
        if silent:
            self._asked = now
        if silent or (not self._pings and now - self.proved >= _SILENT):
            self._send_pingreq()

    def _send_pingreq(self) -> MQTTErrorCode:
        self._pings.append(time.monotonic())
        return super()._send_pingreq()

    def _handle_pingresp(self) -> MQTTErrorCode:
        if self._pings:
            self.proved = self._pings.popleft()
        return super()._handle_pingresp()

    def unanswered(self, *, now: float) -> float:
        """For how long a question has had no answer [s]; 0 when none is open."""
        asked = self._asked
        return 0.0 if asked is None else now - asked

    def idle(self) -> MQTTErrorCode:
        """Keep the connection alive without reading; a pong that we do not read is not missed."""
        self._ping_t, self._asked = 0.0, None
        if self.want_write():
            self.loop_write()
        return self.loop_misc()

    def _packet_read(self) -> MQTTErrorCode:
        try:
            data = self._sock_recv(_RECV)
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_AGAIN
        except OSError:
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        if not data:
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        data += self._drain_tls()
        with self._msgtime_mutex:
            self._last_bytes_received = time.monotonic()
        self._asked = None
        self._rest = self._rest + data if self._rest else data
        if len(self._rest) < self._wanted:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        return self._cut()

    def _drain_tls(self) -> bytes:
        """What TLS has decrypted already: select does not see it."""
        pending = getattr(self._sock, "pending", None)
        waiting = pending() if pending is not None else 0
        if not waiting:
            return b""
        try:
            return bytes(self._sock_recv(waiting))
        except (BlockingIOError, ssl.SSLError):
            return b""

    def _cut(self) -> MQTTErrorCode:
        """Cut all whole packets of the buffer; what is left waits for more."""
        buffer = self._rest
        start, end = 0, len(buffer)
        chunk, names = self._chunk, self._names
        add_topic, add_payload, add_mid = chunk.topics.append, chunk.payloads.append, chunk.mids.append
        self._wanted = 0
        while end - start > 1:
            head, length, body = buffer[start], buffer[start + 1], start + 2
            if length > 0x7F:
                found = _long_length(buffer, start + 1)
                if found is None:
                    break
                length, body = found
                if length < 0:
                    return MQTTErrorCode.MQTT_ERR_PROTOCOL
            stop = body + length
            if stop > end:
                self._wanted = stop - start
                break
            if head & 0xF0 == _PUBLISH and head & _QOS < 0x04:
                after = body + 2 + (buffer[body] << 8 | buffer[body + 1]) if length > 1 else stop + 1
                with_mid = head & _QOS
                if after + (2 if with_mid else 0) > stop:
                    return MQTTErrorCode.MQTT_ERR_PROTOCOL
                raw = buffer[body + 2 : after]
                name = names.get(raw)
                if name is None:
                    name = self._name(raw)
                if head & _DUP:
                    chunk.again.append(len(chunk.mids))
                add_topic(name)
                if with_mid:
                    add_mid(buffer[after] << 8 | buffer[after + 1])
                    add_payload(buffer[after + 2 : stop])
                else:
                    add_mid(0)
                    add_payload(buffer[after:stop])
            else:
                self._rest = buffer[stop:]
                outcome = self._give_to_paho(head, buffer[body:stop])
                if outcome != MQTTErrorCode.MQTT_ERR_SUCCESS or self._sock is None:
                    return outcome
            start = stop
        self._rest = buffer[start:]
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _name(self, raw: bytes) -> str:
        if len(self._names) >= _MOST_TOPICS:
            self._names.clear()
        name = self._names[raw] = plain(raw.decode("utf-8", "backslashreplace"))
        return name

    def _give_to_paho(self, head: int, body: bytes) -> MQTTErrorCode:
        packet: dict[str, Any] = {
            "command": head,
            "have_remaining": 1,
            "remaining_count": [],
            "remaining_mult": 1,
            "remaining_length": len(body),
            "packet": bytearray(body),
            "to_process": 0,
            "pos": 0,
        }
        self._in_packet = packet  # type: ignore[assignment]
        try:
            return self._packet_handle()
        except (MQTTException, ValueError, IndexError):
            return MQTTErrorCode.MQTT_ERR_PROTOCOL


def _long_length(buffer: bytes, at: int) -> tuple[int, int] | None:
    """Remaining length of more than one byte (MQTT 3.1.1, section 2.2.3) and where the body begins.

    None when bytes are missing; a length of -1 is malformed.
    """
    length = 0
    for place in range(4):
        if at + place >= len(buffer):
            return None
        byte = buffer[at + place]
        length |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return length, at + place + 1
    return -1, at + 4
