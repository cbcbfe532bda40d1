"""Series of datastreams as columns, for those who learn from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
from psycopg import Connection

from hypervision import quality
from hypervision.batch import Float64, Int64
from hypervision.clock import from_us
from hypervision.store.connection import mapped
from hypervision.store.sql import query

# What a model may learn from: readings that a person or a range check doubted are left out.
USABLE: Final = (quality.GOOD, quality.TIME_ASSUMED, quality.CORRECTED)


@dataclass(frozen=True, slots=True)
class Source:
    """A datastream that a model reads."""

    datastream_id: int
    thing: str


@dataclass(frozen=True, slots=True)
class Series:
    """Readings of one datastream.

    Attributes
    ----------
    times_us : ndarray of int64, shape (n,)
        Phenomenon times, rising [us].
    values : ndarray of float64, shape (n,)
        Results in the unit of the datastream.
    """

    times_us: Int64
    values: Float64

    def __len__(self) -> int:
        return len(self.times_us)


EMPTY: Final = Series(np.empty(0, np.int64), np.empty(0, np.float64))


def sources(connection: Connection, *, domain: str, name: str, kinds: Sequence[str]) -> list[Source]:
    """Datastreams of one property on Things of some kinds, by the Thing's code."""
    with mapped(), connection.transaction():
        rows = connection.execute(
            query("series_sources"), {"domain": domain, "property": name, "kinds": list(kinds)}
        ).fetchall()
    return [Source(row[0], row[1]) for row in rows]


def readings(
    connection: Connection,
    datastream_ids: Sequence[int],
    *,
    after_us: int,
    until_us: int,
    every: timedelta | None = None,
) -> dict[int, Series]:
    """Readings of usable quality.

    Parameters
    ----------
    datastream_ids : sequence of int
        Datastreams.
    after_us, until_us : int
        After the first instant and up to the second [us].
    every : timedelta, optional
        One mean per such interval, at the time of its last reading, instead of each reading.

    Returns
    -------
    dict
        A series for every datastream asked for, empty where there is nothing.
    """
    with mapped(), connection.transaction(), connection.cursor(binary=True) as cursor:
        rows = cursor.execute(
            query("series_readings" if every is None else "series_thinned"),
            {
                "datastreams": list(datastream_ids),
                "after": from_us(after_us),
                "until": from_us(until_us),
                "qualities": list(USABLE),
            }
            | ({} if every is None else {"every": every}),
        ).fetchall()
    found = dict.fromkeys(datastream_ids, EMPTY)
    if not rows:
        return found
    ids, times, results = zip(*rows, strict=True)
    id_column = np.array(ids, np.int64)
    time_column, result_column = np.array(times, np.int64), np.array(results, np.float64)
    starts = np.flatnonzero(np.append(True, np.diff(id_column) != 0))
    for start, stop in zip(starts, np.append(starts[1:], len(id_column)), strict=True):
        found[int(id_column[start])] = Series(time_column[start:stop], result_column[start:stop])
    return found


def newest(connection: Connection, *, domain: str, name: str) -> dict[str, int]:
    """Newest phenomenon time of one property by Thing [us]."""
    with mapped(), connection.transaction():
        rows = connection.execute(query("series_newest"), {"domain": domain, "property": name}).fetchall()
    return {row[0]: row[1] for row in rows}
