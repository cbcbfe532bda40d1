"""The readings that are weighed, and how their weight is told."""

from __future__ import annotations

import numpy as np

from ingest.bench.load import DAY_US, SLICE_US, Load
from ingest.bench.storage import Figures, Side, lines

FIRST_US = 1_785_542_400_000_000  # 2026-08-01 00:00 UTC


def test_load_is_a_day_of_readings_each_key_once_and_no_constants() -> None:
    load = Load(streams=40, first_us=FIRST_US, seed=1)
    batches = list(load.batches(1))
    ids, times, results = (
        np.concatenate([getattr(b, name) for b in batches]) for name in ("datastream_id", "time_us", "result")
    )
    assert len(ids) == load.per_day() == 32 * 288 + 8 * 1440
    assert len(set(zip(ids.tolist(), times.tolist(), strict=True))) == len(ids)
    assert times.min() >= FIRST_US
    assert times.max() < FIRST_US + DAY_US
    assert all((np.diff(b.datastream_id) >= 0).all() and (b.received_us > b.time_us).all() for b in batches)
    # A flow moves all the time; what a device says has the decimals of its sensor.
    flow = results[ids == 1]
    assert len(np.unique(flow)) > 200
    assert (np.round(flow, 3) == flow).all()


def test_load_tells_the_same_instants_again() -> None:
    load = Load(streams=40, first_us=FIRST_US, seed=1)
    days = list(load.batches(2))
    again = next(load.again(1, number=1))
    there = days[DAY_US // SLICE_US]
    assert (again.time_us == there.time_us).all()
    assert (again.datastream_id == there.datastream_id).all()


def test_weight_is_told_open_beside_packed() -> None:
    found = Figures(
        "PostgreSQL 18", 1000, 20, 1, 5e4, 83.8, Side(60, 34.5, 1, 2, 3), Side(60, 0.25, 1, 2, 3), 9e4, 7, 0.5
    )
    told = lines(found)
    assert told[0] == "PostgreSQL 18: 1,000 readings of 20 datastreams, 1 days"
    assert any(line.split() == ["bytes", "per", "reading", "94.5", "60.2"] for line in told)
    assert told[-1] == "while packing: 7 live batches, the longest 0.50 s"
