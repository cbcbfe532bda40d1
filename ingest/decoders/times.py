"""Phenomenon times as devices write them: RFC 3339 with an offset, epoch seconds or milliseconds."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Final

from hypervision.clock import EPOCH, MICROSECOND
from ingest.decoders.wording import shown

# 1e11 s is the year 5138, 1e11 ms is 1973: nothing that is in bounds lies on the wrong side.
_MILLISECONDS_FROM: Final = 1e11
# Beyond this a float of seconds leaves the range of an int64 of microseconds; it is out of bounds anyway.
_FARTHEST: Final = 9e15


class BadTimeError(ValueError):
    """A time that is not taken.

    Attributes
    ----------
    reason : str
        `time_without_offset` or `bad_time`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def parse(value: object) -> int:
    """Read a time.

    Parameters
    ----------
    value : object
        What JSON gave.

    Returns
    -------
    int
        Microseconds since the Unix epoch.

    Raises
    ------
    BadTimeError
        It is no time, or has no offset.

    Examples
    --------
    >>> parse("1970-01-01T01:00:00.5+01:00"), parse(1.5), parse(1_700_000_000_000)
    (500000, 1500000, 1700000000000000)
    """
    kind = type(value)
    if kind is str:
        return _rfc3339(value)  # type: ignore[arg-type]
    if kind is int or kind is float:
        return _epoch(value)  # type: ignore[arg-type]
    raise BadTimeError("bad_time", f"time is {shown(value)}, not RFC 3339 text nor an epoch number.")


def _rfc3339(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = _unusual(text)
    # fromisoformat also takes dates, week dates and basic formats; RFC 3339 has 20 characters at least.
    if len(text) < 19 or text[10] not in "Tt " or text[4] != "-":
        raise BadTimeError("bad_time", f"time {shown(text)} is not RFC 3339, for example 2026-11-22T10:00:00Z.")
    if moment.tzinfo is None:
        raise BadTimeError(
            "time_without_offset", f"time {shown(text)} has no offset from UTC: end it with Z or +01:00."
        )
    return (moment - EPOCH) // MICROSECOND


def _unusual(text: str) -> datetime:
    """Lower-case letters and leap seconds, which RFC 3339 allows and Python does not read."""
    upper = text.upper()
    leap = upper[16:19] == ":60"
    try:
        moment = datetime.fromisoformat(upper[:16] + ":59" + upper[19:] if leap else upper)
        return moment + timedelta(seconds=1) if leap else moment
    except (ValueError, OverflowError):
        raise BadTimeError(
            "bad_time", f"time {shown(text)} is not RFC 3339, for example 2026-11-22T10:00:00Z."
        ) from None


def _epoch(value: float) -> int:
    if isinstance(value, float) and not math.isfinite(value):
        raise BadTimeError("bad_time", f"time is {shown(value)}, not an epoch number.")
    if abs(value) > _FARTHEST:
        # Not copysign: a whole number may be beyond what a float holds.
        value = _FARTHEST if value > 0 else -_FARTHEST
    milliseconds = abs(value) >= _MILLISECONDS_FROM
    if isinstance(value, int):
        return value * 1_000 if milliseconds else value * 1_000_000
    return round(value * (1e3 if milliseconds else 1e6))
