"""A made-up district, deterministic by its seed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hypervision.batch import Float64, Int64
from models.clock import MINUTE, SECOND, local_time

PARIS = ZoneInfo("Europe/Paris")

District = Callable[..., tuple[Int64, Float64]]


def inflow(
    days: float,
    *,
    seed: int = 0,
    start: datetime = datetime(2026, 5, 4, 12, tzinfo=UTC),
    step_minutes: int = 5,
    mean: float = 40.0,
    noise: float = 1.0,
) -> tuple[Int64, Float64]:
    """Households with a week of their own, chance by the day (1.5 %), over hours (3 %) and by the reading (3 %)."""
    rng = np.random.default_rng(seed)
    n = int(days * 1440 / step_minutes)
    times = int(start.timestamp()) * SECOND + np.arange(n, dtype=np.int64) * (step_minutes * MINUTE)
    local = local_time(times, PARIS)
    hour = local.minute / 60

    def peak(middle: float, width: float) -> Float64:
        distance = (hour - middle + 12) % 24 - 12
        return np.asarray(np.exp(-(distance**2) / (2 * width**2)), np.float64)

    work = 0.35 + peak(7.5, 1.2) + 0.7 * peak(12.5, 1.6) + peak(19.5, 1.8)
    rest = 0.37 + 0.9 * peak(10, 1.8) + 0.8 * peak(13, 2) + 0.9 * peak(19.5, 2)
    shape = np.where(local.weekday >= 5, rest, work)
    day = local.day - local.day[0]
    memory = float(np.exp(-step_minutes / 120))
    slow = np.empty(n)
    state = 0.0
    for i, kick in enumerate(rng.standard_normal(n) * np.sqrt(1 - memory**2)):
        state = memory * state + kick
        slow[i] = state
    chance = (1 + noise * 0.015 * rng.standard_normal(int(day.max()) + 1)[day]) * (1 + noise * 0.03 * slow)
    chance *= 1 + noise * 0.03 * rng.standard_normal(n)
    return times, np.asarray(mean * shape / shape.mean() * chance, np.float64)


@pytest.fixture
def district() -> District:
    return inflow
