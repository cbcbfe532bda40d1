"""What simulated sensors measure: one column each for datastream, time and result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.noise import Float64, Int64

Int32 = NDArray[np.int32]
Bool = NDArray[np.bool_]
# What numpy gives back after rounding; stored as float64.
Results = NDArray[np.floating[Any]]


class Stream(NamedTuple):
    """A datastream of the simulated town."""

    domain: str
    thing: str
    name: str


class Series(NamedTuple):
    """Readings of one datastream, in order of time.

    Attributes
    ----------
    time_us : ndarray of int64, shape (n,)
        Phenomenon times [us].
    result : ndarray of float64, shape (n,)
        In the unit that the domain states.
    """

    stream: Stream
    time_us: Int64
    result: Results


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of many datastreams, sorted by time, Thing and datastream.

    Attributes
    ----------
    streams : tuple of Stream
        What the indices mean; sorted, so that datastreams of a Thing are neighbours.
    stream : ndarray of int32, shape (n,)
        Index into `streams`.
    time_us : ndarray of int64, shape (n,)
        Phenomenon times [us].
    result : ndarray of float64, shape (n,)
        In the unit that the domain states.
    """

    streams: tuple[Stream, ...]
    stream: Int32
    time_us: Int64
    result: Float64

    def __len__(self) -> int:
        return len(self.stream)

    def where(self, keep: Bool) -> Readings:
        """The readings for which `keep` holds."""
        return replace(self, stream=self.stream[keep], time_us=self.time_us[keep], result=self.result[keep])


def collect(series: Iterable[Series], streams: tuple[Stream, ...]) -> Readings:
    """Put series together in one sorted set of columns.

    Parameters
    ----------
    series : iterable of Series
        At most one per datastream and instant.
    streams : tuple of Stream
        Sorted; holds every datastream of `series`.
    """
    index = {stream: i for i, stream in enumerate(streams)}
    parts = [part for part in series if len(part.time_us)]
    if not parts:
        return Readings(streams, np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.float64))
    stream = np.concatenate([np.full(len(p.time_us), index[p.stream], np.int32) for p in parts])
    time_us = np.concatenate([p.time_us for p in parts])
    result = np.concatenate([p.result for p in parts]).astype(np.float64)
    order = np.lexsort((stream, time_us))
    return Readings(streams, stream[order], time_us[order], result[order])
