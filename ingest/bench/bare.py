"""The bare path: one process, paho as it is, orjson, numpy, binary COPY. What the platform is measured against.

It decodes one format, knows one table, and does nothing else: no checks, no rules, no live values, no rejects,
no counters. Messages are acknowledged after the commit, as the platform does.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import orjson
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from hypervision.store.bench import BareTable
from hypervision.store.copy import HEAD, PG_EPOCH_US, TAIL
from ingest.session import Address

CLIENT_ID: Final = "hypervision-bench-bare"
FILTER: Final = "bare/v1/+/+/up"
_BATCH: Final = 5_000
_ROW: Final = np.dtype(
    [("fields", ">i2"), ("l1", ">i4"), ("id", ">i4"), ("l2", ">i4"), ("ts", ">i8"), ("l3", ">i4"), ("v", ">f8")]
)


def client(address: Address) -> mqtt.Client:
    """A paho client with the bare path's session."""
    made = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id=CLIENT_ID, clean_session=False, protocol=mqtt.MQTTv311, manual_ack=True
    )
    if address.user:
        made.username_pw_set(address.user, address.password)
    return made


def make_session(address: Address, *, seconds: float = 15.0) -> None:
    """Make the session, so that the broker keeps what is published from now on."""
    granted = threading.Event()
    maker = client(address)
    maker.on_subscribe = lambda *_: granted.set()
    maker.connect(address.host, address.port)
    maker.subscribe(FILTER, 1)
    deadline = time.monotonic() + seconds
    while not granted.is_set() and time.monotonic() < deadline:
        maker.loop(0.05)
        if maker.is_connected() and not granted.is_set():
            maker.subscribe(FILTER, 1)
            maker.loop(0.2)
    maker.disconnect()
    maker.loop(0.05)
    if not granted.is_set():
        raise TimeoutError("the broker did not grant the bare path's filter")


class Bare:
    """Takes a given number of messages and ends.

    Parameters
    ----------
    names : tuple of str
        Properties in every object of a message.
    several : bool
        Whether a message is an array of objects.

    Attributes
    ----------
    first, last : float
        Wall clock at the first message and at the last commit [s].
    cpu : float
        CPU time of this process between the two [s].
    """

    def __init__(self, address: Address, database_url: str, *, names: tuple[str, ...], several: bool) -> None:
        self._address = address
        self._table = BareTable(database_url)
        self._names = names
        self._several = several
        self._ids: dict[str, int] = {}
        self._messages: list[tuple[str, bytes, int]] = []
        self._work: queue.Queue[tuple[bytes, list[int]] | None] = queue.Queue(maxsize=4)
        self._done: queue.SimpleQueue[list[int]] = queue.SimpleQueue()
        self.first = self.last = self.cpu = 0.0
        self._cpu_before = 0.0

    def run(self, count: int, *, seconds: float = 300.0, ready: Callable[[], None]) -> int:
        """Take messages until `count` are committed; how many were.

        Parameters
        ----------
        seconds : float
            At most so long.
        ready : callable
            Called once when connected.
        """
        taker = client(self._address)
        taker.on_message = self._on_message
        taker.on_connect = lambda *_: ready()
        taker.connect(self._address.host, self._address.port)
        writer = threading.Thread(target=self._write, daemon=True)
        writer.start()
        committed, deadline = 0, time.monotonic() + seconds
        while committed < count and time.monotonic() < deadline:
            before = len(self._messages)
            taker.loop(0.02)
            if len(self._messages) >= _BATCH or (self._messages and len(self._messages) == before):
                self._flush()
            while not self._done.empty():
                mids = self._done.get()
                # All acknowledgements of a batch as one write: paho's own `ack` would send each alone.
                acks = np.empty((len(mids), 4), np.uint8)
                acks[:, 0], acks[:, 1] = 0x40, 2
                acks[:, 2:] = np.array(mids, ">u2").view(np.uint8).reshape(-1, 2)
                taker._packet_queue(0x40, acks.tobytes(), 0, 0)  # noqa: SLF001
                committed += len(mids)
        self._work.put(None)
        writer.join()
        self.cpu = time.process_time() - self._cpu_before
        taker.disconnect()
        taker.loop(0.05)
        self._table.close()
        return committed

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        if not self.first:
            self.first, self._cpu_before = time.time(), time.process_time()
        self._messages.append((message.topic, bytes(message.payload), message.mid))
        if len(self._messages) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        messages, self._messages = self._messages, []
        documents = orjson.loads(b"[" + b",".join([payload for _, payload, _ in messages]) + b"]")
        ids, width = self._ids, len(self._names)
        keys = [ids.setdefault(topic, width * len(ids)) for topic, _, _ in messages]
        if self._several:
            keys = [key for key, items in zip(keys, documents, strict=True) for _ in items]
            documents = [item for items in documents for item in items]
        rows = np.empty(width * len(documents), _ROW)
        rows["fields"], rows["l1"], rows["l2"], rows["l3"] = 3, 4, 8, 8
        key = np.array(keys, np.int64)
        at = np.array([d["time"] for d in documents], np.int64) * 1000 - PG_EPOCH_US
        for offset, name in enumerate(self._names):
            rows["id"][offset::width], rows["ts"][offset::width] = key + offset, at
            rows["v"][offset::width] = [d[name] for d in documents]
        self._work.put((HEAD + rows.tobytes() + TAIL, [mid for _, _, mid in messages]))

    def _write(self) -> None:
        while (work := self._work.get()) is not None:
            data, mids = work
            self._table.write(data)
            self.last = time.time()
            self._done.put(mids)


def main() -> None:
    """Run as a process: its order on standard input; on standard output a line when connected, and the result."""
    order = json.loads(sys.stdin.readline())
    bare = Bare(Address.parse(order["mqtt"]), order["database"], names=tuple(order["names"]), several=order["several"])

    def ready() -> None:
        sys.stdout.write("{}\n")
        sys.stdout.flush()

    committed = bare.run(order["messages"], seconds=order["seconds"], ready=ready)
    sys.stdout.write(
        json.dumps({"committed": committed, "first": bare.first, "last": bare.last, "cpu": bare.cpu}) + "\n"
    )


if __name__ == "__main__":
    main()
