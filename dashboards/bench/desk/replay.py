"""Readings committed at a steady rate, as a collector would, beside what a measurement lets happen."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, Self

import numpy as np

from dashboards.bench.desk.town import SENT, Key, MadeTown
from hypervision import quality
from hypervision.batch import Batch
from hypervision.clock import to_us
from hypervision.errors import ServiceError
from hypervision.intake import Intake
from hypervision.settings import Settings

# As old as a collector lets a batch grow [s].
_TICK: Final = 0.2
_PATIENCE: Final = 60.0


class Committed(NamedTuple):
    """When a commit was begun and when it was there, by the clock of this machine [s]."""

    began: float
    ended: float


@dataclass(slots=True)
class _Order:
    values: Mapping[Key, float]
    done: Future[Committed]


class Replay:
    """A writer that never stops; a context manager.

    Parameters
    ----------
    settings : Settings
        With the database.
    rate : float
        Messages a second, of two readings each; may be changed at any time.

    Attributes
    ----------
    late : float
        By how much the last batch was behind its time [s].
    """

    def __init__(self, settings: Settings, town: MadeTown, *, rate: float) -> None:
        self.rate = rate
        self.late = 0.0
        self._town = town
        self._intake = Intake.open(settings, writer="collector-1/1", wait=30.0)
        self._codes = list(town.kinds)
        self._topics = [f"urban/v1/{town.domain(code)}/{code}/up" for code in self._codes]
        sent = [(code, SENT[town.kinds[code]]) for code in self._codes]
        self._slots = np.array([[self._slot(code, name) for name, *_ in each] for code, each in sent])
        self._usual = np.array([[value for _, value, _ in each] for _, each in sent])
        self._spread = np.array([[spread for *_, spread in each] for _, each in sent])
        self._numbers = {code: number for number, code in enumerate(self._codes)}
        self._held = np.full(self._usual.shape, np.nan)
        self._silent = np.zeros(len(self._codes), np.bool_)
        self._chance = np.random.default_rng(11)
        self._next = 0
        self._orders: list[_Order] = []
        self._wake = threading.Condition()
        self._ending = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="replay", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._wake:
            self._ending = True
            self._wake.notify()
        self._thread.join(_PATIENCE)
        self._intake.close()

    def put(self, values: Mapping[Key, float]) -> Committed:
        """Commit readings at once; those that a Thing sends anyway keep their value from then on.

        Raises
        ------
        ServiceError
            They are not committed within a minute.
        """
        if self._failure is not None:
            raise ServiceError("readings are not committed any more", remedy=str(self._failure))
        order = _Order(values, Future())
        with self._wake:
            self._orders.append(order)
            self._wake.notify()
        try:
            return order.done.result(_PATIENCE)
        except TimeoutError:
            raise ServiceError("readings are not committed within a minute", remedy=str(self._failure)) from None

    def usual(self, keys: Collection[Key]) -> Committed:
        """Let properties that are sent anyway be as they usually are again."""
        rows = {key: self._column(*key) for key in keys}
        values = {key: float(self._usual[found]) for key, found in rows.items() if found is not None}
        done = self.put(values)
        for found in rows.values():
            if found is not None:
                self._held[found] = np.nan
        return done

    def silence(self, codes: Collection[str], *, silent: bool = True) -> None:
        """Let Things send nothing any more, or again."""
        self._silent[[self._numbers[code] for code in codes]] = silent

    def history(self, *, hours: float, every: int) -> None:
        """Fill in the past of every so many Things, as an import: nothing rings. Before it is entered."""
        now = datetime.now(UTC)
        step = timedelta(minutes=10)
        steps = int(hours * 3600 / step.total_seconds())
        rows = np.arange(0, len(self._codes), every)
        time_us = to_us(now) - np.arange(steps, 0, -1)[:, None, None] * (step // timedelta(microseconds=1))
        shape = (steps, len(rows), 2)
        swing = 1 + 0.1 * np.sin(np.arange(steps) / steps * 2 * np.pi)[:, None, None]
        result = self._usual[rows][None] * swing
        batch = Batch.of_series(
            slot=np.broadcast_to(self._slots[rows][None], shape).ravel().astype(np.int32),
            time_us=np.broadcast_to(time_us, shape).ravel(),
            result=np.broadcast_to(result, shape).ravel(),
            received_us=to_us(now),
            source="bench",
            imported=True,
        )
        self._intake.commit(batch, now=now)

    def all_once(self) -> None:
        """Let every Thing send a message. Before it is entered."""
        self._send(np.arange(len(self._codes)), {})
        self._intake.beat(link="connected")

    def _slot(self, code: str, name: str) -> int:
        return self._intake.streams.slot(self._town.domain(code), code, name)

    def _column(self, code: str, name: str) -> tuple[int, int] | None:
        names = [sent for sent, *_ in SENT[self._town.kinds[code]]]
        return (self._numbers[code], names.index(name)) if name in names else None

    def _run(self) -> None:
        due, beaten = time.monotonic(), 0.0
        part = 0.0
        try:
            while not self._ending:
                with self._wake:
                    if not self._orders and not self._ending:
                        self._wake.wait(max(0.0, due - time.monotonic()))
                    orders, self._orders = self._orders, []
                messages = 0
                if (now := time.monotonic()) >= due:
                    self.late = now - due
                    part += self.rate * _TICK
                    messages, part = int(part), part - int(part)
                    # What could not be done in time is not made up for: the next second is as full as any other.
                    due = max(due + _TICK, now)
                self._step(messages, orders)
                if now - beaten >= 1.0:
                    self._intake.beat(link="connected")
                    beaten = now
        except BaseException as error:  # noqa: BLE001 -- whoever waits for a commit is told
            self._failure = error

    def _step(self, messages: int, orders: list[_Order]) -> None:
        values: dict[Key, float] = {}
        for order in orders:
            values |= order.values
        numbers = (self._next + np.arange(messages)) % len(self._codes)
        self._next = int(self._next + messages) % len(self._codes)
        numbers = numbers[~self._silent[numbers]]
        if not len(numbers) and not values:
            return
        try:
            told = self._send(np.unique(numbers), values)
        except BaseException as error:
            for order in orders:
                order.done.set_exception(error)
            raise
        for order in orders:
            order.done.set_result(told)

    def _send(self, numbers: np.ndarray[tuple[int], np.dtype[np.int64]], values: Mapping[Key, float]) -> Committed:
        for (code, name), value in values.items():
            if (found := self._column(code, name)) is not None:
                self._held[found] = value
        now = datetime.now(UTC)
        now_us = to_us(now)
        shape = (len(numbers), 2)
        usual = self._usual[numbers] + self._spread[numbers] * self._chance.uniform(-1, 1, shape)
        result = np.where(np.isnan(self._held[numbers]), usual, self._held[numbers]).ravel()
        slot = self._slots[numbers].ravel()
        extra = {(self._slot(*key)): value for key, value in values.items()}
        keep = ~np.isin(slot, list(extra))
        slots = np.concatenate([slot[keep], np.array(list(extra), np.int64)]).astype(np.int32)
        message = np.repeat(np.arange(len(numbers)), 2)[keep]
        topics = [self._topics[i] for i in numbers] + [self._topics[self._numbers[code]] for code, _ in values]
        extras = len(numbers) + np.arange(len(extra))
        batch = Batch(
            topics=topics,
            payloads=[b""] * len(topics),
            received_us=np.full(len(topics), now_us, np.int64),
            message=np.concatenate([message, extras]).astype(np.int32),
            slot=slots,
            time_us=np.full(len(slots), now_us, np.int64),
            result=np.round(np.concatenate([result[keep], np.array(list(extra.values()), np.float64)]), 3),
            quality=np.full(len(slots), quality.GOOD, np.int8),
        )
        began = time.time()
        self._intake.commit(batch, now=now)
        return Committed(began, time.time())
