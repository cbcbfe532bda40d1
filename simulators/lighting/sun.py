"""When it is dark: the only door to astral."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from functools import lru_cache

from astral import Observer, SunDirection
from astral.sun import time_at_elevation

from simulators.localtime import to_us

SWITCHING_ELEVATION = -3.0
"""Elevation of the sun at which lamps are switched [deg]: about 20 lx on a clear evening, between
sunset and the end of civil twilight."""


@lru_cache(maxsize=4096)
def night(day: int, latitude: float, longitude: float) -> tuple[int, int]:
    """Lamps on and off in the night that begins on a day.

    Parameters
    ----------
    day : int
        Days since 1970-01-01.
    latitude, longitude : float
        WGS 84 [deg].

    Returns
    -------
    (int, int)
        Dusk of this day and dawn of the next [us].

    Raises
    ------
    ValueError
        The sun does not reach the elevation there on that day (beyond the polar circles).
    """
    observer = Observer(latitude, longitude)
    evening = date(1970, 1, 1) + timedelta(days=day)
    on = time_at_elevation(observer, SWITCHING_ELEVATION, evening, SunDirection.SETTING, UTC)
    off = time_at_elevation(observer, SWITCHING_ELEVATION, evening + timedelta(days=1), SunDirection.RISING, UTC)
    return to_us(on), to_us(off)
