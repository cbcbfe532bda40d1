"""Where a hydraulic course comes from: EPANET in a child process, or the result that ships with the package."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from hypervision.errors import HypervisionError
from simulators.localtime import DAY_US, HOUR_US, WEEK_US, week_hours
from simulators.noise import key_of, smooth
from simulators.water import network
from simulators.water.hydraulics import STEP_US, Course, Order, available, leak_flow, simulate, wear_loss
from simulators.water.network import Leak, Wear, district_of

log = logging.getLogger(__name__)

SHIPPED = Path(__file__).with_name("shipped.npz")
_KEEP_AHEAD_US = 14 * DAY_US
REFERENCE_LEAK = 10.0
"""Size of the leaks whose responses are shipped [m3/h]."""


def order_to_json(order: Order) -> str:
    """An order as JSON."""
    return json.dumps(asdict(order), sort_keys=True)


def order_from_json(text: str) -> Order:
    """The order of `order_to_json`."""
    fields = json.loads(text)
    fields["leaks"] = tuple(Leak(**leak) for leak in fields["leaks"])
    fields["wears"] = tuple(Wear(**wear) for wear in fields["wears"])
    return Order(**fields)


def save(path: Path, course: Course, *, order: str = "") -> None:
    """Write a course as compressed npz, with what it was computed from."""
    np.savez_compressed(
        path,
        names=np.array(course.names),
        values=course.values,
        grid=np.array([course.origin_us, course.step_us], np.int64),
        order=np.array(order),
    )


def load(path: Path) -> Course:
    """Read the course of `save`."""
    with np.load(path) as data:
        return Course(
            int(data["grid"][0]),
            int(data["grid"][1]),
            tuple(str(name) for name in data["names"]),
            data["values"].astype(np.float32),
        )


def obtain(order: Order) -> Course:
    """Compute a course apart with EPANET, or take the shipped one where WNTR has no wheel.

    Raises
    ------
    HypervisionError
        The child process failed.
    """
    if not available():
        _say_shipped()
        return from_shipped(order)
    with tempfile.TemporaryDirectory() as folder:
        asked, answer = Path(folder, "order.json"), Path(folder, "course.npz")
        asked.write_text(order_to_json(order), "utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "simulators.water", str(asked), str(answer)],
            check=False,
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise HypervisionError(
                f"the hydraulic simulation failed ({last})", remedy="run python -m simulators.water to see why"
            )
        return load(answer)


@lru_cache(maxsize=1)
def _say_shipped() -> None:
    """Once is enough."""
    log.warning("WNTR is not on this machine: the water network follows its shipped hydraulic result")


def kept(order: Order, path: Path) -> Course:
    """The course of an earlier start when it is the same run and reaches as far, else `obtain` and keep it.

    Parameters
    ----------
    path : Path
        An npz file; one that cannot be read is replaced.
    """
    known = order_to_json(replace(order, until_us=0)) + f" {int(available())}"
    try:
        with np.load(path) as data:
            if str(data["order"]) == known:
                course = load(path)
                if course.end_us >= order.until_us:
                    return course
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        log.debug("no hydraulic course is kept in %s", path)
    # Days more than asked cost little, and spare the next starts the work.
    course = obtain(replace(order, until_us=order.until_us + _KEEP_AHEAD_US))
    draft = path.with_suffix(f".{os.getpid()}.new.npz")
    save(draft, course, order=known)
    draft.replace(path)
    return course


@lru_cache(maxsize=1)
def _shipped() -> dict[str, NDArray[np.float32]]:
    with np.load(SHIPPED) as data:
        return {name: data[name].astype(np.float32) for name in data.files if name != "names"}


@lru_cache(maxsize=1)
def _shipped_names() -> tuple[str, ...]:
    with np.load(SHIPPED) as data:
        return tuple(str(name) for name in data["names"])


def from_shipped(order: Order) -> Course:
    """A course put together from one computed week and its responses to one leak per district.

    Notes
    -----
    Leaks are superposed linearly, which keeps the balance of flows exact and the pressures nearly so;
    the districts' demand wanders as in `demand.multipliers`, tanks and pumps repeat their week.
    """
    names, data = _shipped_names(), _shipped()
    zone = ZoneInfo(order.zone)
    time_us = np.arange(order.origin_us, order.until_us + STEP_US, STEP_US, dtype=np.int64)
    week = data["week"]
    place = week_hours(time_us, zone) / 168.0 * week.shape[1]
    grid = np.arange(week.shape[1] + 1)

    def laid_out(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        closed = np.concatenate([rows, rows[:, :1]], axis=1)
        return np.array([np.interp(place, grid, row) for row in closed], np.float32)

    values = laid_out(week)
    for i, name in enumerate(names):
        kind, _, code = name.partition(":")
        if kind == "flow" and order.noise:
            wander = 0.010 * smooth(key_of(order.seed, "shipped", code, "hours"), time_us, 3 * HOUR_US)
            wander += 0.015 * smooth(key_of(order.seed, "shipped", code, "minutes"), time_us, HOUR_US // 6)
            values[i] *= (1.0 + order.noise * wander).astype(np.float32)
            values[names.index(f"demand:{code}")] = values[i]
    for leak in order.leaks:
        response = laid_out(data[f"leak:{district_of(leak.node).code}"])
        values += response * (leak_flow(leak, time_us) / REFERENCE_LEAK).astype(np.float32)
    for wear in order.wears:
        row = names.index(f"pump_power:{wear.pump}")
        values[row] /= (1.0 - wear_loss(wear, time_us)).astype(np.float32)
    return Course(order.origin_us, STEP_US, names, values)


def make_shipped(path: Path, *, zone: str = "Europe/Paris") -> None:
    """Compute what `from_shipped` needs: one settled week and, per district, its change under a leak.

    Needs WNTR. Every third step is kept, in half precision for the responses.
    """
    from datetime import UTC, datetime

    from simulators.localtime import to_us

    # A winter Monday at midnight in Paris, far from changes of the clock; the third week is settled.
    origin = to_us(datetime(2026, 1, 4, 23, tzinfo=UTC))
    until = origin + 3 * WEEK_US
    healthy = simulate(Order(origin, until, 0, zone, noise=0.0))
    settled = slice(2 * WEEK_US // STEP_US, 3 * WEEK_US // STEP_US, 3)
    arrays: dict[str, NDArray[np.float32] | NDArray[np.float16]] = {"week": healthy.values[:, settled]}
    for district in network.DISTRICTS:
        # The size holds at nominal pressure; the response is scaled to a leak of exactly that flow.
        leak = Leak(district.pressure, origin, until + WEEK_US, 0, REFERENCE_LEAK)
        leaking = simulate(Order(origin, until, 0, zone, leaks=(leak,), noise=0.0))
        change = leaking.values[:, settled] - healthy.values[:, settled]
        pumps = [i for i, name in enumerate(healthy.names) if name.startswith(("pump_", "level:"))]
        change[pumps] = 0.0  # stations switch at other times under a leak: their difference is no response
        arrays[f"leak:{district.code}"] = change.astype(np.float16)
    np.savez_compressed(path, names=np.array(healthy.names), **arrays)  # type: ignore[arg-type]
