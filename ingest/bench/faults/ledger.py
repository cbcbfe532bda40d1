"""The ledger: every attempted and every acknowledged message as a line of an append-only file.

An attempt is written before its first byte is sent, an acknowledgement after its last byte was read; so the files
never say less than what happened in the one, nor more in the other.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

_LINE: Final = b"%010d %017d %08d %d\n"
_WIDTH: Final = len(_LINE % (0, 0, 0, 0))
_ANSWER: Final = b"%010d\n"
_ANSWER_WIDTH: Final = len(_ANSWER % 0)
_SYNC_EVERY: Final = 1.0
_CHUNK: Final = 1_000_000

Make = Callable[[int, int], tuple[str, bytes]]
"""`(number, now in ms) -> (topic, payload)`"""


class Entry(NamedTuple):
    """What a message should become.

    Attributes
    ----------
    time_us : int
        Its phenomenon time [us since the Unix epoch]; 0 when it has none.
    thing : int
        Number in the code of its Thing.
    readings : int
        How many it holds; 0 of a message that must be refused.
    """

    time_us: int
    thing: int
    readings: int


@dataclass(frozen=True, slots=True)
class Lane:
    """A kind of publisher: its messages are numbered from 0, and each says its number.

    Parameters
    ----------
    name : str
        Of its files.
    prefix : str
        Of the codes of its Things.
    make, entry : callable
        `(number, now in ms)` to topic and payload, and to what is written down.
    properties : sequence of str
        Of the readings of one message, in order; empty where every message must be refused.
    numbered : bool
        Whether a result is the message's number; otherwise the Thing's code ends with it.
    once : bool
        Whether a redelivery can be told from a second message.
    """

    name: str
    prefix: str
    make: Make
    entry: Callable[[int, int], Entry]
    properties: Sequence[str]
    numbered: bool = True
    once: bool = True


@dataclass(frozen=True, slots=True)
class Account:
    """A ledger as columns; the index is the message's number, shape (n,) each."""

    time_us: npt.NDArray[np.int64]
    thing: npt.NDArray[np.int64]
    readings: npt.NDArray[np.int64]
    acknowledged: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.time_us)


class Book:
    """The ledger of one lane, as the feeder writes it; safe from several threads.

    Parameters
    ----------
    folder : Path
        Where the two files are.
    lane : Lane
        Whose messages these are.

    Attributes
    ----------
    attempted, answered : int
        Messages so far.
    acknowledged : dict
        `number: when` [s since the Unix epoch] of those answered, where `remember` is set; else empty.
    """

    def __init__(self, folder: Path, lane: Lane, *, remember: bool = False) -> None:
        self.lane = lane
        self.attempted = 0
        self.answered = 0
        self.acknowledged: dict[int, float] = {}
        self._remember = remember
        self._lock = threading.Lock()
        self._synced = time.monotonic()
        self._paths = paths(folder, lane.name)
        self._attempts, self._answers = (path.open("ab") for path in self._paths)

    def attempt(self, sent: Iterable[tuple[int, int]]) -> None:
        """Note messages that will be sent now: pairs of their number and time [ms]."""
        entry = self.lane.entry
        lines = [_LINE % (number, *entry(number, now_ms)) for number, now_ms in sent]
        with self._lock:
            self._attempts.write(b"".join(lines))
            self.attempted += len(lines)
            self._sync()

    def acknowledge(self, numbers: Sequence[int]) -> None:
        """Note messages the broker answered for."""
        with self._lock:
            self._answers.write(b"".join([_ANSWER % number for number in numbers]))
            self.answered += len(numbers)
            if self._remember:
                self.acknowledged.update(dict.fromkeys(numbers, time.time()))
            self._sync()

    def answers(self, *, since: float) -> dict[int, float]:
        """What was answered since an instant [s since the Unix epoch]; for a book that remembers."""
        with self._lock:
            return {number: at for number, at in self.acknowledged.items() if at > since}

    def _sync(self) -> None:
        if time.monotonic() - self._synced >= _SYNC_EVERY:
            self._flush()

    def _flush(self) -> None:
        for stream in (self._attempts, self._answers):
            stream.flush()
            os.fsync(stream.fileno())
        self._synced = time.monotonic()

    def tail(self, count: int) -> list[tuple[int, Entry]]:
        """The last attempts, oldest first."""
        with self._lock:
            self._flush()
            size = self._paths[0].stat().st_size
            with self._paths[0].open("rb") as stream:
                stream.seek(max(0, size - count * _WIDTH))
                lines = stream.read().split(b"\n")[:-1]
        return [(number, Entry(*rest)) for number, *rest in ([int(word) for word in line.split()] for line in lines)]

    def close(self) -> None:
        """Bring everything to the disk."""
        with self._lock:
            self._flush()
            self._attempts.close()
            self._answers.close()


def paths(folder: Path, name: str) -> tuple[Path, Path]:
    """The two files of a lane."""
    return folder / f"{name}.attempted", folder / f"{name}.acknowledged"


def read(folder: Path, name: str) -> Account:
    """Read a lane's ledger back.

    Raises
    ------
    ValueError
        A line is damaged, or an answer has no attempt: then the harness is wrong, not the platform.
    """
    attempts, answers = paths(folder, name)
    kinds = [("number", "S10"), ("time_us", "S18"), ("thing", "S9"), ("readings", "S2"), ("end", "S1")]
    lines = np.fromfile(attempts, np.dtype(kinds)) if attempts.stat().st_size else np.empty(0, np.dtype(kinds))
    if attempts.stat().st_size != len(lines) * _WIDTH:
        raise ValueError(f"{attempts} ends within a line")
    columns = {name: np.empty(len(lines), np.int64) for name in ("number", "time_us", "thing", "readings")}
    for first in range(0, len(lines), _CHUNK):
        part = lines[first : first + _CHUNK]
        for key, column in columns.items():
            column[first : first + _CHUNK] = part[key].astype(np.int64)
    order = np.argsort(columns["number"], kind="stable")
    if not np.array_equal(columns["number"][order], np.arange(len(lines))):
        raise ValueError(f"{attempts} leaves numbers out or has them twice")
    said = np.fromfile(answers, np.dtype([("number", "S10"), ("end", "S1")])) if answers.stat().st_size else None
    numbers = np.empty(0, np.int64) if said is None else said["number"].astype(np.int64)
    if len(numbers) and (numbers.min() < 0 or numbers.max() >= len(lines)):
        raise ValueError(f"{answers} has answers to messages that were never sent")
    acknowledged = np.zeros(len(lines), np.bool_)
    acknowledged[numbers] = True
    return Account(columns["time_us"][order], columns["thing"][order], columns["readings"][order], acknowledged)
