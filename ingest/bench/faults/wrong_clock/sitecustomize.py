"""Imported by Python itself before anything else: the wall clock of this process is wrong by what a file says.

`time.time`, `time.time_ns`, `datetime.now` and `datetime.utcnow` are moved; monotonic clocks go on. The class
`datetime` stays the one it was, so that what the database's driver makes is of it: only its two methods are replaced,
in the dictionary behind the read-only view that the class shows.
"""

from __future__ import annotations

import ctypes
import datetime as dt
import gc
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

VARIABLE: Final = "WRONG_CLOCK_FILE"
"""Names the file with the seconds to be added; without it, or without the file, the clock is right."""
_LOOK_EVERY: Final = 0.005


def _reader(path: Path) -> Callable[[], float]:
    """What tells the offset [s]; it looks at the file again after some milliseconds."""
    looked, offset = -math.inf, 0.0

    def read() -> float:
        nonlocal looked, offset
        if time.monotonic() - looked >= _LOOK_EVERY:
            try:
                offset = float(path.read_text("ascii"))
            except (OSError, ValueError):
                offset = 0.0
            looked = time.monotonic()
        return offset

    return read


def _install(offset: Callable[[], float]) -> None:
    seconds, nanoseconds = time.time, time.time_ns
    time.time = lambda: seconds() + offset()
    time.time_ns = lambda: nanoseconds() + int(offset() * 1e9)
    members: Any = gc.get_referents(vars(dt.datetime))[0]
    now, utcnow = members["now"], members["utcnow"]

    def wrong_now(cls: type[dt.datetime], tz: dt.tzinfo | None = None) -> dt.datetime:
        found: dt.datetime = now.__get__(None, cls)(tz)
        return found + dt.timedelta(seconds=offset())

    def wrong_utcnow(cls: type[dt.datetime]) -> dt.datetime:
        found: dt.datetime = utcnow.__get__(None, cls)()
        return found + dt.timedelta(seconds=offset())

    members["now"], members["utcnow"] = classmethod(wrong_now), classmethod(wrong_utcnow)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(dt.datetime))


if VARIABLE in os.environ:
    _install(_reader(Path(os.environ[VARIABLE])))
