"""Fetches what the database holds and lets the verdict compare it with the ledger."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Final

import numpy as np

from hypervision.errors import StoreError
from hypervision.store.bench import Gauge, Rows
from ingest.bench.faults import lanes, ledger, verdict
from ingest.bench.faults.ledger import Lane
from ingest.bench.faults.scene import Scene
from ingest.bench.faults.verdict import Findings, Stored

_DIGITS: Final = re.compile(r"(\d+)$")


def settle(scene: Scene, *, seconds: float) -> str:
    """Wait until nothing is under way and every part is ready; empty, or what is not."""
    deadline = time.monotonic() + seconds
    while True:
        quiet = scene.quiet()
        said = scene.town.health()
        if quiet and said.get("status") == "ready":
            return ""
        if time.monotonic() > deadline:
            return f"not settled after {seconds:.0f} s: {said.get('failing')}, {said.get('messages')}"
        time.sleep(0.5)


def judge(scene: Scene, *, seconds: float = 180.0) -> list[Findings]:
    """Compare every lane; looks again for a while as long as something is missing."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with Gauge(scene.town.database_url) as gauge:
                found = [_lane(scene, gauge, book.lane) for book in scene.books.values()]
                found.append(_alarms(scene, gauge))
        except StoreError:
            if time.monotonic() > deadline:
                raise
        else:
            if not any(each.lost for each in found) or time.monotonic() > deadline:
                return found
        time.sleep(5)


def _lane(scene: Scene, gauge: Gauge, lane: Lane) -> Findings:
    account = ledger.read(scene.folder, lane.name)
    parts = [_numbered(gauge, lane, name, slot) for slot, name in enumerate(lane.properties)]
    if lane.name == "main":
        # One without a time is a volume; a lamp's number is in its code.
        parts += [_numbered(gauge, lane, "volume", 0), _lamps(gauge)]
    stored = Stored(*(np.concatenate(columns) for columns in zip(*parts, strict=True))) if parts else _nothing()
    refused = None
    if lane.name == "poison":
        refused = np.array([_number(topic.split("/")[3]) for topic in gauge.refused(lane.prefix)], np.int64)
    found = verdict.compare(lane.name, account, stored, refused=refused)
    if not lane.once:
        # Only its content tells a redelivery: the promise leaves a kill between commit and acknowledgement out.
        found = Findings(found.lane, found.attempted, found.acknowledged, found.stored, found.lost, 0, found.invented,
                         found.misfiled, (*found.examples, f"{found.doubled} delivered twice"))  # fmt: skip
    return found


def _nothing() -> Stored:
    empty = np.empty(0, np.int64)
    return Stored(empty, empty, empty, empty)


def _numbered(gauge: Gauge, lane: Lane, name: str, slot: int) -> tuple[np.ndarray, ...]:
    rows = gauge.rows(lane.prefix, name)
    number = rows.result.astype(np.int64)
    return number, np.full(len(number), slot, np.int64), _things(gauge, lane.prefix, name, rows), rows.time_us


def _lamps(gauge: Gauge) -> tuple[np.ndarray, ...]:
    rows = gauge.rows("lamp", "lamp_state")
    number = _things(gauge, "lamp", "lamp_state", rows)
    return number, np.zeros(len(number), np.int64), number, rows.time_us


def _things(gauge: Gauge, prefix: str, name: str, rows: Rows) -> np.ndarray:
    """The number in the code of each row's Thing."""
    streams = gauge.streams(prefix, name)
    numbers = np.full(max(streams, default=0) + 1, -1, np.int64)
    for stream, code in streams.items():
        numbers[stream] = _number(code)
    return numbers[rows.datastream_id]


def _number(code: str) -> int:
    found = _DIGITS.search(code)
    return int(found[1]) if found else -1


def _alarms(scene: Scene, gauge: Gauge) -> Findings:
    account = ledger.read(scene.folder, "main")
    numbers = map(int, np.flatnonzero(account.acknowledged))
    wanted = {number for number in numbers if lanes.lamps(number, lamp_every=scene.lamp_every)}
    raised: Counter[int] = Counter()
    for alarm in gauge.alarms("lamp"):
        raised[_number(alarm.thing)] += max(1, alarm.raised)
    return verdict.alarms(wanted, raised)
