"""What was really wrong: one line of JSON per fault and property, for whoever judges a detector."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson

from simulators.localtime import to_datetime


@dataclass(frozen=True, slots=True)
class Truth:
    """A fault as it was injected.

    Attributes
    ----------
    thing, property : str
        The datastream that shows it.
    fault : str
        Its kind.
    start_us : int
        When it began [us].
    end_us : int or None
        When it ended [us]; None when it lasts.
    size : float
        In the unit that the kind states.
    """

    thing: str
    property: str
    fault: str
    start_us: int
    end_us: int | None
    size: float

    def line(self) -> bytes:
        r"""The truth as one line of JSON.

        Examples
        --------
        >>> Truth("bin-104", "temperature", "bin_fire", 0, None, 300.0).line()
        b'{"thing":"bin-104","property":"temperature","fault":"bin_fire","start":"1970-01-01T00:00:00.000Z","end":null,"size":300.0}\n'
        """
        return orjson.dumps(
            {
                "thing": self.thing,
                "property": self.property,
                "fault": self.fault,
                "start": rfc3339(self.start_us),
                "end": None if self.end_us is None else rfc3339(self.end_us),
                "size": self.size,
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )


def rfc3339(time_us: int) -> str:
    """An instant as RFC 3339 in UTC with milliseconds.

    Examples
    --------
    >>> rfc3339(1_500_000)
    '1970-01-01T00:00:01.500Z'
    """
    when = to_datetime(time_us)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"


def write(path: Path, truths: Iterable[Truth]) -> None:
    """Write truths as JSON lines, replacing the file."""
    path.write_bytes(b"".join(truth.line() for truth in truths))
