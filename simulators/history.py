"""The town in the database: its Things, its map, and the past that a living town has."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from hypervision import quality
from hypervision.batch import Batch
from hypervision.clock import from_us, to_us
from hypervision.intake import Intake
from hypervision.store import registry
from hypervision.store.registry import NewThing
from simulators.localtime import DAY_US, HOUR_US
from simulators.noise import Int64
from simulators.pace import Pace
from simulators.simulation import Simulation
from simulators.town import Town, map_geojson
from simulators.town.assets import ORGANISATIONS

log = logging.getLogger(__name__)

# A reading that comes once a day must not be missed when a hole is filled.
_LOOK_BACK_US = 26 * HOUR_US
_CHUNK_US = 12 * HOUR_US


def write_map(data_dir: Path) -> None:
    """Write the town's background map where the control room looks for it."""
    _replace(data_dir / "map.geojson", json.dumps(map_geojson(), ensure_ascii=False, separators=(",", ":")))


def register(intake: Intake, town: Town, *, now: datetime, prefix: str = "") -> None:
    """Register the town's Things, or bring them up to date."""
    things = [
        NewThing(
            code=prefix + a.code, name=a.name, domain=a.domain, kind=a.kind, longitude=a.longitude,
            parent=None if a.parent is None else prefix + a.parent,
            latitude=a.latitude, place=a.place, organisation=a.organisation, district=a.district,
        )
        for a in town.assets
    ]  # fmt: skip
    registry.register_things(intake.connection, things, now=now, organisations=ORGANISATIONS)


def newest(intake: Intake, simulation: Simulation, *, now: datetime) -> Int64:
    """When each datastream was last heard of [us], shape (n_streams,); far in the past where never."""
    streams = simulation.published_streams()
    found = registry.resolve(intake.connection, list(streams), intake.streams.catalogue, register=True, now=now)
    never = -(2**62)
    last = (found[stream].newest if stream in found else None for stream in streams)
    return np.array([never if at is None else to_us(at) for at in last], np.int64)


def fill(
    intake: Intake,
    simulation: Simulation,
    *,
    days: float,
    pace: Pace,
    clock: Callable[[], datetime],
    stop: threading.Event,
    progress: Callable[[float], None],
) -> int:
    """Make up the past: the last `days` of an empty database, or what a stop has left out.

    Parameters
    ----------
    intake : Intake
        The way in; its connection is used between batches.
    days : float
        How far back at most [d].
    pace : Pace
        How often devices reported in the past.
    progress : callable
        Told the share done, 0 to 1.

    Returns
    -------
    int
        The instant [us] from which live readings go on.
    """
    now_us = to_us(clock())
    last = newest(intake, simulation, now=clock())
    earliest = now_us - round(days * DAY_US)
    begin = earliest if (last < earliest).all() else max(earliest, int(last.max()) - _LOOK_BACK_US)
    slots = np.array([intake.streams.slot(*stream) for stream in simulation.published_streams()], np.int32)
    position, rows = begin, 0
    progress(0.0)
    while position < now_us and not stop.is_set():
        # The clock goes on while the past is written.
        now_us = to_us(clock())
        until = min(position + _CHUNK_US, now_us)
        found = simulation.arrived(position, until, pace)
        readings, assumed = found.where(found.readings.time_us > last[found.readings.stream])
        if len(readings):
            batch = Batch.of_series(
                slot=slots[readings.stream],
                time_us=readings.time_us,
                result=readings.result,
                received_us=now_us,
                source="simulate/history",
                imported=True,
            )
            batch = replace(batch, quality=np.where(assumed, quality.TIME_ASSUMED, batch.quality).astype(np.int8))
            rows += intake.commit(batch, now=clock()).rows
        position = until
        progress((position - begin) / max(now_us - begin, 1))
    log.info("history from %s to %s: %d rows", from_us(begin), from_us(position), rows)
    progress(1.0)
    return position


def write_progress(data_dir: Path, done: float) -> None:
    """Say in `DATA_DIR/run/progress.json` how much of the history is written."""
    _replace(data_dir / "run" / "progress.json", json.dumps({"step": "history", "done": round(done, 4)}))


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.new")
    draft.write_text(text, "utf-8")
    draft.replace(path)
