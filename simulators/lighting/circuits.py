"""A cabinet's circuit: when its lamps burn, how brightly, and what that adds up to."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from simulators.lighting.sun import night
from simulators.localtime import DAY_US, HOUR_US, local_midnight
from simulators.noise import Float64, Int64
from simulators.readings import Bool
from simulators.scenario import Fault

# Between these local hours lamps are dimmed; most French towns chose about these.
_DIM_FROM, _DIM_UNTIL, _DIM_LEVEL = 22.5, 29.5, 0.5


@dataclass(frozen=True, slots=True)
class Course:
    """Brightness of a circuit over time, constant between changes.

    Attributes
    ----------
    change_us : ndarray of int64, shape (n,)
        Instants of change [us].
    level : ndarray of float64, shape (n,)
        Brightness from each change on, 0 (dark) to 1.
    powered : ndarray of bool, shape (n,)
        Whether the cabinet has voltage from each change on.
    bright_hours, burnt_hours, live_hours : ndarray of float64, shape (n,)
        Brightness times hours, hours alight, and hours under voltage, up to each change [h].
    """

    change_us: Int64
    level: Float64
    powered: Bool
    bright_hours: Float64
    burnt_hours: Float64
    live_hours: Float64

    def _at(self, time_us: Int64) -> Int64:
        return np.clip(np.searchsorted(self.change_us, time_us, "right") - 1, 0, None)

    def brightness(self, time_us: Int64) -> Float64:
        """Brightness at instants, 0 to 1, shape (n,)."""
        levels: Float64 = self.level[self._at(time_us)]
        return levels

    def has_voltage(self, time_us: Int64) -> Bool:
        """Whether there is voltage at instants, shape (n,)."""
        held: Bool = self.powered[self._at(time_us)]
        return held

    def bright(self, time_us: Int64) -> Float64:
        """Brightness times hours since the first change [h], shape (n,)."""
        return np.interp(time_us, self.change_us, self.bright_hours)

    def burnt(self, time_us: Int64) -> Float64:
        """Hours alight since the first change [h], shape (n,)."""
        return np.interp(time_us, self.change_us, self.burnt_hours)

    def live(self, time_us: Int64) -> Float64:
        """Hours under voltage since the first change [h], shape (n,)."""
        return np.interp(time_us, self.change_us, self.live_hours)


def course(
    start_us: int,
    end_us: int,
    *,
    latitude: float,
    longitude: float,
    zone: ZoneInfo,
    delay_us: int = 0,
    faults: tuple[Fault, ...] = (),
) -> Course:
    """How a circuit burns between two instants.

    Parameters
    ----------
    start_us, end_us : int
        The period [us].
    latitude, longitude : float
        Of the cabinet [deg].
    delay_us : int
        How much later (or earlier) than the sun says its switch acts [us].
    faults : tuple of Fault
        `day_burner` and `cabinet_trip` of this cabinet.
    """
    lit: list[tuple[int, int]] = []
    dim: list[tuple[int, int]] = []
    for day in range(start_us // DAY_US - 2, end_us // DAY_US + 2):
        on, off = night(day, latitude, longitude)
        lit.append((on + delay_us, off + delay_us))
        midnight = local_midnight(day, zone)
        dim.append((midnight + round(_DIM_FROM * HOUR_US), midnight + round(_DIM_UNTIL * HOUR_US)))
    burning = [(f.start_us, f.end_us) for f in faults if f.kind == "day_burner"]
    tripped = [(f.start_us, f.end_us) for f in faults if f.kind == "cabinet_trip"]
    edges = {edge for spans in (lit, dim, burning, tripped) for span in spans for edge in span}
    inside = sorted(edge for edge in edges if start_us < edge < end_us)
    change = np.array([start_us, *inside, end_us], np.int64)
    powered = ~_within(change, tripped)
    dark = ~_within(change, lit)
    by_day = _within(change, burning)
    alight = (~dark | by_day) & powered
    level = np.where(alight, np.where(_within(change, dim) & ~dark, _DIM_LEVEL, 1.0), 0.0)
    hours = np.diff(change) / HOUR_US
    return Course(
        change,
        level,
        powered,
        np.append(0.0, np.cumsum(level[:-1] * hours)),
        np.append(0.0, np.cumsum(alight[:-1] * hours)),
        np.append(0.0, np.cumsum(powered[:-1] * hours)),
    )


def _within(time_us: Int64, spans: list[tuple[int, int]]) -> Bool:
    inside = np.zeros(len(time_us), np.bool_)
    for start, end in spans:
        inside |= (time_us >= start) & (time_us < end)
    return inside
