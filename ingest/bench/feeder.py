"""A publisher that can outrun the platform: MQTT 3.1.1, QoS 1, packets built ahead, a bounded number unanswered.

It keeps a ledger: which messages it sent and which of them the broker answered for. After a broken connection
it goes on with the next message; what was not answered stays attempted and not acknowledged, like a device
that forgets.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from ingest.session import Address

Make = Callable[[int, int], tuple[str, bytes]]
"""`(number, now in ms) -> (topic, payload)`"""

_BURST: Final = 500
_UNANSWERED: Final = 20_000
_MOST_TOPICS: Final = 200_000
_CONNECT: Final = b"\x10"
_PUBLISH: Final = b"\x32"


class Keeper(Protocol):
    """Who writes down what is sent and what is answered for; messages are numbered from 0."""

    @property
    def attempted(self) -> int:
        """How many messages were attempted."""

    def attempt(self, sent: Sequence[tuple[int, int]]) -> None:
        """Note messages that will be sent now: pairs of their number and time [ms]."""

    def acknowledge(self, numbers: Sequence[int]) -> None:
        """Note messages the broker answered for."""


@dataclass(slots=True)
class Ledger:
    """What was sent, and what the broker answered for, in memory.

    Attributes
    ----------
    attempted : int
        Messages 0 to this, the last left out, were sent at least in part.
    acknowledged : list of int
        Numbers of the messages that were answered.
    """

    attempted: int = 0
    acknowledged: list[int] = field(default_factory=list)

    def attempt(self, sent: Sequence[tuple[int, int]]) -> None:
        """Note messages that will be sent now."""
        self.attempted += len(sent)

    def acknowledge(self, numbers: Sequence[int]) -> None:
        """Note messages the broker answered for."""
        self.acknowledged.extend(numbers)


def length(n: int) -> bytes:
    """Remaining length (MQTT 3.1.1, section 2.2.3).

    Examples
    --------
    >>> list(length(127)), list(length(128))
    ([127], [128, 1])
    """
    out = bytearray()
    while True:
        n, low = n >> 7, n & 0x7F
        out.append(low | (0x80 if n else 0))
        if not n:
            return bytes(out)


_SHORT: Final = [length(size) for size in range(4_096)]


def text(value: str) -> bytes:
    """A string with its length."""
    raw = value.encode()
    return struct.pack(">H", len(raw)) + raw


def hello(address: Address, client_id: str) -> bytes:
    """The CONNECT packet of a device: a clean session, kept alive for two minutes."""
    flags = 0x02 | (0xC0 if address.user else 0)
    body = text("MQTT") + bytes((4, flags)) + struct.pack(">H", 120) + text(client_id)
    if address.user:
        body += text(address.user) + text(address.password)
    return _CONNECT + length(len(body)) + body


def connect(address: Address, client_id: str) -> socket.socket:
    """Open a connection and log in.

    Raises
    ------
    OSError
        Nobody answers, or the log-in is refused.
    """
    sock = socket.create_connection((address.host, address.port), timeout=10)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(hello(address, client_id))
        answer = sock.recv(4)
    except OSError:
        sock.close()
        raise
    if len(answer) < 4 or answer[3]:
        sock.close()
        raise ConnectionRefusedError(f"the broker at {address} refuses the log-in")
    return sock


class Feeder:
    """Sends numbered messages.

    Parameters
    ----------
    address : Address
        Of the broker.
    make : callable
        See `Make`.
    client_id : str
        Of this publisher.
    ledger : Keeper, optional
        Written to; one in memory by default.
    flags : int
        Of its PUBLISH packets, such as 1 for messages that the broker keeps (MQTT 3.1.1, section 3.3.1).
    """

    def __init__(
        self,
        address: Address,
        make: Make,
        *,
        client_id: str = "hypervision-bench",
        ledger: Keeper | None = None,
        flags: int = 0,
    ) -> None:
        self._address = address
        self._make = make
        self._client_id = client_id
        self._open: dict[int, int] = {}
        self._rest = b""
        self._head = bytes((_PUBLISH[0] | flags,))
        self._starts: dict[str, bytes] = {}
        self.ledger: Keeper = Ledger() if ledger is None else ledger

    def run(
        self,
        count: int,
        *,
        rate: float | None = None,
        stop: Callable[[], bool] = lambda: False,
        patience: float = 60.0,
    ) -> None:
        """Send messages and wait for their answers.

        Parameters
        ----------
        count : int
            How many.
        rate : float, optional
            Messages a second; as fast as the broker answers by default.
        stop : callable
            Asked between bursts.
        patience : float
            How long to go on trying to connect, and to wait for the last answers [s].
        """
        started = heard = time.monotonic()
        if rate is not None:
            # Where it goes on after a rest, the rest is not made up for.
            started -= self.ledger.attempted / rate
        while self.ledger.attempted < count and not stop():
            try:
                with connect(self._address, self._client_id) as sock:
                    heard = time.monotonic()
                    self._open, self._rest = {}, b""
                    self._feed(sock, count, rate=rate, stop=stop, started=started)
                    self._answers(sock, until=0, deadline=time.monotonic() + patience)
            except OSError:
                if time.monotonic() - heard > patience:
                    raise
                time.sleep(0.05)

    def _feed(
        self, sock: socket.socket, count: int, *, rate: float | None, stop: Callable[[], bool], started: float
    ) -> None:
        ledger, head, starts = self.ledger, self._head, self._starts
        if len(starts) > _MOST_TOPICS:
            starts.clear()
        while ledger.attempted < count and not stop():
            due = count if rate is None else min(count, int((time.monotonic() - started) * rate) + 1)
            packets, sent = [], []
            for number in range(ledger.attempted, min(due, ledger.attempted + _BURST)):
                mid = number % 65_535 + 1
                now_ms = time.time_ns() // 1_000_000
                topic, payload = self._make(number, now_ms)
                start = starts.get(topic)
                if start is None:
                    starts[topic] = start = text(topic)
                size = len(start) + 2 + len(payload)
                shown = _SHORT[size] if size < len(_SHORT) else length(size)
                packets.append(b"%b%b%b%b%b" % (head, shown, start, mid.to_bytes(2, "big"), payload))
                self._open[mid] = number
                sent.append((number, now_ms))
            if packets:
                ledger.attempt(sent)
                sock.sendall(b"".join(packets))
            else:
                time.sleep(0.001)
            self._answers(sock, until=_UNANSWERED, deadline=time.monotonic() + 60.0)

    def _answers(self, sock: socket.socket, *, until: int, deadline: float) -> None:
        """Read answers; wait only while more than `until` are missing."""
        while self._open and time.monotonic() < deadline:
            waiting = len(self._open) > until
            sock.settimeout(0.2 if waiting else 0.0)
            try:
                data = sock.recv(65_536)
            except (TimeoutError, BlockingIOError):
                if waiting:
                    continue
                break
            if not data:
                raise ConnectionResetError("the broker closed the connection")
            data = self._rest + data
            whole = len(data) // 4 * 4
            found = [self._open.pop(mid, None) for (mid,) in struct.iter_unpack(">xxH", data[:whole])]
            self.ledger.acknowledge([number for number in found if number is not None])
            self._rest = data[whole:]
        sock.settimeout(10.0)
