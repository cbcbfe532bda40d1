"""`hypervision bench storage`: the room a reading takes, open and packed, and what packing costs."""

from __future__ import annotations

import argparse
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from hypervision import quality
from hypervision.cli import number, whole
from hypervision.clock import from_us, to_us
from hypervision.services.alone import migrated
from hypervision.store import address
from hypervision.store.bench import Room
from hypervision.store.columns import Columns
from hypervision.store.partitions import Partition
from ingest.bench.load import Load

_SEED: Final = 1
_QUESTIONS: Final = 11
_LATE: Final = 2000


@dataclass(frozen=True, slots=True)
class Side:
    """Open or packed.

    Attributes
    ----------
    heap, index : float
        Bytes of a reading.
    day_ms, all_ms : float
        The readings of one datastream over a day, and all of them; median.
    late_rate : float
        Late readings of 20 datastreams, half of them stored already [1/s].
    """

    heap: float
    index: float
    day_ms: float
    all_ms: float
    late_rate: float

    @property
    def bytes(self) -> float:
        """Bytes of a reading, all in all."""
        return self.heap + self.index


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run found.

    Attributes
    ----------
    rate, packing_rate : float
        Readings written and packed [1/s].
    bare : float
        Bytes of datastream, time and result only.
    batches, longest : int, float
        Live batches of 500 readings written by another writer meanwhile, and how long the longest took [s].
    """

    engine: str
    readings: int
    datastreams: int
    days: int
    rate: float
    bare: float
    open: Side
    packed: Side
    packing_rate: float
    batches: int
    longest: float


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--readings", type=whole(10_000, 1_000_000_000), default=5_000_000, metavar="N", help="at least (5,000,000)"
    )
    parser.add_argument(
        "--datastreams", type=whole(20, 1_000_000), default=2_000, metavar="N",
        help="four of five report every five minutes, the fifth each minute (2,000)",
    )  # fmt: skip
    parser.add_argument(
        "--delay", type=number(0.001, 60), default=0.2, metavar="S",
        help="between measurement and receipt, on the average [s] (0.2)",
    )  # fmt: skip
    parser.add_argument("--database-url", metavar="URL", help="an empty database of one's own, such as a TimescaleDB")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")


def run(options: argparse.Namespace) -> int:
    """Measure and print."""
    with _database(options.database_url) as url, Room(url) as room:
        # A server of one's own may take one connection only.
        beside = url if options.database_url is None else None
        found = measure(
            room, readings=options.readings, datastreams=options.datastreams, delay=options.delay, beside=beside
        )
    for text in lines(found):
        print(text)  # noqa: T201
    if options.json is not None:
        options.json.write_text(json.dumps(asdict(found), indent=2) + "\n", encoding="utf-8")
    return 0


@contextmanager
def _database(url: str | None) -> Iterator[str]:
    if url is not None:
        address.check(url)
    with migrated(url) as found:
        with Room(found) as room:
            room.require_no_things()
        yield found


def measure(room: Room, *, readings: int, datastreams: int, delay: float, beside: str | None = None) -> Figures:
    """Write readings of a month that is over, look, pack them, look again.

    Parameters
    ----------
    delay : float
        See `Load` [s].
    beside : str, optional
        URL of the database, where live readings are to be written while it packs.
    """
    today = datetime.now(UTC).date()
    first = (today.replace(day=1) - timedelta(days=62)).replace(day=1)
    first_us = to_us(datetime(first.year, first.month, first.day, tzinfo=UTC))
    load_of = Load(streams=datastreams, first_us=first_us, seed=_SEED, delay_s=delay)
    days = min(28, -(-readings // load_of.per_day()))
    began, stored = time.monotonic(), 0
    for batch in load_of.batches(days):
        # Each batch is written on its day, as a collector does.
        room.write(batch, now=from_us(int(batch.received_us.max())))
        stored += len(batch)
    rate = stored / (time.monotonic() - began)
    bare = room.bare_bytes()
    room.settle()
    opened = _side(room, stored, first, load_of)
    with _live(beside) as spent:
        began = time.monotonic()
        room.pack(before=today - timedelta(days=7), stop=threading.Event())
        packing = stored / (time.monotonic() - began)
    packed = _side(room, stored, first, load_of)
    longest = max(spent, default=0.0)
    return Figures(room.engine, stored, datastreams, days, rate, bare, opened, packed, packing, len(spent), longest)


@contextmanager
def _live(url: str | None) -> Iterator[list[float]]:
    """Another writer that commits batches of now for as long; how long each took [s]."""
    spent: list[float] = []
    done = threading.Event()

    def write() -> None:
        assert url is not None
        ids = np.arange(1, 501, dtype=np.int32)
        with Room(url, writer="bench live") as room:
            while not done.is_set():
                began = time.monotonic()
                now = datetime.now(UTC)
                at = np.full(500, to_us(now), np.int64)
                still = np.zeros(500, np.bool_)
                good = np.full(500, quality.GOOD, np.int8)
                room.write(Columns(ids, at, at.astype(np.float64), good, still, at), now=now)
                spent.append(time.monotonic() - began)

    thread = threading.Thread(target=write, daemon=True)
    if url is not None:
        thread.start()
    try:
        yield spent
    finally:
        done.set()
        if url is not None:
            thread.join()


def _side(room: Room, stored: int, first: date, load_of: Load) -> Side:
    parts: list[Partition] = [p for p in room.partitions() if p.first < first + timedelta(days=31)]
    begin = datetime(first.year, first.month, first.day, tzinfo=UTC)
    streams = [1 + 37 * i for i in range(_QUESTIONS)]
    day = _median(lambda i: room.readings(streams[i], begin + timedelta(days=1), begin + timedelta(days=2)))
    whole_of = _median(lambda i: room.readings(streams[i], begin, begin + timedelta(days=31)))
    late = _late(load_of)
    began = time.monotonic()
    # Nothing of it stays: what is measured next is as it was.
    room.try_late(late, now=datetime.now(UTC))
    rate = len(late) / (time.monotonic() - began)
    heap, index = sum(p.heap for p in parts), sum(p.indexes for p in parts)
    return Side(heap / stored, index / stored, day, whole_of, rate)


def _late(load_of: Load) -> Columns:
    """Readings that are stored already, and as many beside them that are not."""
    few = [batch.take(batch.datastream_id <= 20) for batch in load_of.again(1, number=_LATE // 40)]
    both = [*few, *(replace(batch, time_us=batch.time_us + 1_500_000) for batch in few)]
    datastream_id = np.concatenate([b.datastream_id for b in both])
    time_us = np.concatenate([b.time_us for b in both])
    order = np.lexsort((time_us, datastream_id))
    return Columns(
        datastream_id[order],
        time_us[order],
        np.concatenate([b.result for b in both])[order],
        np.concatenate([b.quality for b in both])[order],
        np.concatenate([b.late for b in both])[order],
        np.concatenate([b.received_us for b in both])[order],
    )


def _median(question: Callable[[int], object]) -> float:
    spent = []
    for i in range(_QUESTIONS):
        began = time.monotonic()
        question(i)
        spent.append(time.monotonic() - began)
    return 1000 * statistics.median(spent)


def lines(found: Figures) -> list[str]:
    """The figures as a table."""
    rows = [("", "open", "packed")]
    for name, field, digits in (
        ("bytes per reading", "bytes", 1), ("  heap", "heap", 1), ("  index", "index", 1),
        ("one datastream, a day [ms]", "day_ms", 2), ("one datastream, all of it [ms]", "all_ms", 2),
        ("late readings, half stored already [1/s]", "late_rate", 0),
    ):  # fmt: skip
        shown = [f"{getattr(side, field):,.{digits}f}" for side in (found.open, found.packed)]
        rows.append((name, shown[0], shown[1]))
    return [
        f"{found.engine}: {found.readings:,} readings of {found.datastreams:,} datastreams, {found.days} days",
        f"written at {found.rate:,.0f}/s, packed at {found.packing_rate:,.0f}/s",
        f"only datastream, time and result with a unique index: {found.bare:.1f} bytes per reading",
        *(f"{name:<42}{a:>10}{b:>10}" for name, a, b in rows),
        *(
            [f"while packing: {found.batches:,} live batches, the longest {found.longest:.2f} s"]
            if found.batches
            else []
        ),
    ]
