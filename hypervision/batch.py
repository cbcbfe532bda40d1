"""Readings on their way into the store: column lists while they are collected, numpy columns afterwards.

A batch knows its messages (what a device sent, for acknowledgement, counters and rejects) and its readings
(one row each). Times are microseconds since the Unix epoch, UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hypervision import quality

Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
Int8 = NDArray[np.int8]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

STORED, REJECTED, DUPLICATE = 1, 2, 3


class Refusal(NamedTuple):
    """Why a message, or one value of it, was not taken.

    Attributes
    ----------
    message : int
        Index of the message in the batch.
    reason : str
        A short code: `malformed`, `unknown_property`, `time_in_future`, …
    detail : str
        One sentence for a person.
    thing : str
        Of a line of an import, whose source names none; empty where the topic does.
    """

    message: int
    reason: str
    detail: str
    thing: str = ""


class Identity(NamedTuple):
    """What makes a message without a time one and the same when it comes again."""

    message: int
    thing: str
    boot: str
    seq: int
    payload_hash: int


Number = tuple[int, object, object, int, bool]
"""(message, boot, seq, time [us], whether that is the time of receipt): what a device numbered, as it wrote it."""


class Status(NamedTuple):
    """What a device or its last will says of the link: `online` or `offline`."""

    message: int
    domain: str
    thing: str
    status: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages and their readings, closed.

    Attributes
    ----------
    topics, payloads : list
        Of each message, shape (n_messages,); empty payloads where readings come from no message.
    received_us : ndarray of int64, shape (n_messages,)
        When each message was received [us].
    message : ndarray of int32, shape (n_readings,)
        Index of the message a reading belongs to.
    slot : ndarray of int32, shape (n_readings,)
        Slot of the datastream in the process's `StreamTable`.
    time_us : ndarray of int64, shape (n_readings,)
        Phenomenon time [us].
    result : ndarray of float64, shape (n_readings,)
        In the unit of the datastream; may hold NaN, which intake refuses.
    quality : ndarray of int8, shape (n_readings,)
        Codes of `hypervision.quality`.
    refusals : list of Refusal
        What the decoder did not take.
    identities : list of Identity
        Of messages without a time of their own.
    statuses : list of Status
        Of messages that speak of the link and carry no reading.
    numbers : list of Number
        Of messages that carry the counter of their device.
    imported : bool
        History: bounds of an import hold, and nothing rings.
    again : list of int
        Messages that the broker marked as delivered before.
    moments : list of (message, time)
        Of messages without any reading, of which each value was refused for itself: their time [us].
    line : ndarray of int64, shape (n_readings,), or None
        Where a reading stands in its file; None: it comes from none.
    """

    topics: list[str]
    payloads: list[bytes]
    received_us: Int64
    message: Int32
    slot: Int32
    time_us: Int64
    result: Float64
    quality: Int8
    refusals: list[Refusal] = field(default_factory=list)
    identities: list[Identity] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    imported: bool = False
    numbers: list[Number] = field(default_factory=list)
    again: list[int] = field(default_factory=list)
    moments: list[tuple[int, int]] = field(default_factory=list)
    line: Int64 | None = None

    @property
    def messages(self) -> int:
        """How many messages this batch answers for."""
        return len(self.topics)

    def __len__(self) -> int:
        return len(self.slot)

    @classmethod
    def of_series(
        cls,
        *,
        slot: Int32,
        time_us: Int64,
        result: Float64,
        received_us: int,
        source: str,
        imported: bool = False,
        line: Int64 | None = None,
    ) -> Batch:
        """Readings that come from no device message: scores, imports, generated history.

        Parameters
        ----------
        slot, time_us, result : ndarray, shape (n,)
            The columns.
        received_us : int
            Now [us].
        source : str
            What stands as the topic of a rejected reading, for example `import/readings.csv`.
        imported, line
            See `Batch`.

        Notes
        -----
        The whole series counts as one message.
        """
        n = len(slot)
        return cls(
            topics=[source],
            payloads=[b""],
            received_us=np.array([received_us], np.int64),
            message=np.zeros(n, np.int32),
            slot=np.asarray(slot, np.int32),
            time_us=np.asarray(time_us, np.int64),
            result=np.asarray(result, np.float64),
            quality=np.full(n, quality.GOOD, np.int8),
            imported=imported,
            line=line,
        )


class Draft:
    """A batch under construction; decoders append to its columns.

    The lists are public on purpose: one append is the cheapest step Python has, and this is the hot path.

    Examples
    --------
    >>> draft = Draft()
    >>> m = draft.message_of("urban/v1/water/p1/up", b'{"flow": 3.2}', received_us=1_000_000)
    >>> draft.reading(m, slot=0, time_us=1_000_000, result=3.2)
    >>> batch = draft.close()
    >>> batch.messages, len(batch)
    (1, 1)
    """

    __slots__ = (
        "again", "identities", "message", "moments", "numbers", "payloads", "quality", "received_us", "refusals",
        "result", "slot", "statuses", "time_us", "topics",
    )  # fmt: skip

    def __init__(self) -> None:
        self.topics: list[str] = []
        self.payloads: list[bytes] = []
        self.received_us: list[int] = []
        self.message: list[int] = []
        self.slot: list[int] = []
        self.time_us: list[int] = []
        self.result: list[float] = []
        self.quality: list[int] = []
        self.refusals: list[Refusal] = []
        self.identities: list[Identity] = []
        self.statuses: list[Status] = []
        self.numbers: list[Number] = []
        self.again: list[int] = []
        self.moments: list[tuple[int, int]] = []

    def message_of(self, topic: str, payload: bytes, *, received_us: int) -> int:
        """Open a message and return its index."""
        self.topics.append(topic)
        self.payloads.append(payload)
        self.received_us.append(received_us)
        return len(self.topics) - 1

    def reading(self, message: int, *, slot: int, time_us: int, result: float, quality: int = quality.GOOD) -> None:
        """Append one reading of an open message."""
        self.message.append(message)
        self.slot.append(slot)
        self.time_us.append(time_us)
        self.result.append(result)
        self.quality.append(quality)

    def refuse(self, message: int, reason: str, detail: str) -> None:
        """Note that a message, or one value of it, is not taken."""
        self.refusals.append(Refusal(message, reason, detail))

    def rewind(self, messages: int) -> None:
        """Take back every message from this index on, with all that was noted of it."""
        del self.topics[messages:], self.payloads[messages:], self.received_us[messages:]
        readings = next((i for i, m in enumerate(self.message) if m >= messages), len(self.message))
        for column in (self.message, self.slot, self.time_us, self.result, self.quality):
            del column[readings:]
        self.refusals[:] = [one for one in self.refusals if one.message < messages]
        self.identities[:] = [one for one in self.identities if one.message < messages]
        self.statuses[:] = [one for one in self.statuses if one.message < messages]
        self.numbers[:] = [one for one in self.numbers if one[0] < messages]
        self.again[:] = [one for one in self.again if one < messages]
        self.moments[:] = [one for one in self.moments if one[0] < messages]

    def close(self) -> Batch:
        """Turn the columns into numpy arrays; the draft must not be used again."""
        return Batch(
            topics=self.topics,
            payloads=self.payloads,
            received_us=np.array(self.received_us, np.int64),
            message=np.array(self.message, np.int32),
            slot=np.array(self.slot, np.int32),
            time_us=np.array(self.time_us, np.int64),
            result=np.array(self.result, np.float64),
            quality=np.array(self.quality, np.int8),
            refusals=self.refusals,
            identities=self.identities,
            statuses=self.statuses,
            numbers=self.numbers,
            again=self.again,
            moments=self.moments,
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch, after the commit.

    Attributes
    ----------
    outcome : ndarray of int8, shape (n_messages,)
        STORED, REJECTED or DUPLICATE of each message.
    stored, rejected, duplicate : int
        Messages of each outcome.
    rows : int
        New observations.
    transitions : int
        Alarm transitions written.
    repeated : int
        Readings that were stored already, with the same value.
    refused : tuple of int
        Messages that were refused, whole or in part, now or when they came before.
    """

    outcome: Int8
    stored: int
    rejected: int
    duplicate: int
    rows: int
    transitions: int
    repeated: int = 0
    refused: tuple[int, ...] = ()
