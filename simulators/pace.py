"""How often each kind of device reports, and at which instants."""

from __future__ import annotations

from dataclasses import dataclass, fields

from simulators.localtime import DAY_US, HOUR_US, SECOND_US, ticks
from simulators.noise import Int64, key_of
from simulators.readings import Bool


@dataclass(frozen=True, slots=True)
class Pace:
    """Reporting periods by kind of device [s].

    Attributes
    ----------
    water : int
        District meters, loggers, tanks, pumps, valves.
    quality : int
        Water quality stations.
    cabinet, lamp : int
        Lighting cabinets; lamps.
    bay, car_park : int
        Parking bays beside every change; car parks.
    bin : int
        Waste bins.
    """

    water: int = 300
    quality: int = 900
    cabinet: int = 900
    lamp: int = 900
    bay: int = 900
    car_park: int = 600
    bin: int = 3600

    def __post_init__(self) -> None:
        for field in fields(self):
            period = getattr(self, field.name)
            if not isinstance(period, int) or period < 1 or 86_400 % period:
                raise ValueError(f"{field.name} = {period!r} must divide a day into whole seconds")


HISTORY = Pace()
LIVE = Pace(water=10, quality=60, cabinet=15, lamp=60, bay=120, car_park=60, bin=120)


def phase_us(thing: str, period: int) -> int:
    """A device's own offset within its period [us]: whole seconds, so that reports spread out."""
    return key_of(0, thing, "phase") % period * SECOND_US


def report_times(thing: str, period: int, start_us: int, end_us: int) -> Int64:
    """When a device reports within [start, end) [us], shape (n,)."""
    return ticks(start_us, end_us, period * SECOND_US, phase_us(thing, period))


def hourly(thing: str, period: int, time_us: Int64) -> Bool:
    """Which of the device's reports are the first of an hour, shape (n,)."""
    first: Bool = (time_us - phase_us(thing, period)) % max(HOUR_US, period * SECOND_US) == 0
    return first


def quarterly(thing: str, period: int, time_us: Int64) -> Bool:
    """Which of the device's reports are the first of a quarter of an hour, shape (n,)."""
    first: Bool = (time_us - phase_us(thing, period)) % max(HOUR_US // 4, period * SECOND_US) == 0
    return first


def daily(thing: str, period: int, time_us: Int64) -> Bool:
    """Which of the device's reports are the first of a day, shape (n,)."""
    first: Bool = (time_us - phase_us(thing, period)) % DAY_US == 0
    return first
