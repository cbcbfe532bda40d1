"""Where stored readings are looked for: short spans of one datastream each, month by month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import numpy as np

from hypervision.batch import Int32, Int64
from hypervision.clock import DAY_US, from_us


class Spans(NamedTuple):
    """The spans of one calendar month, one place each in the lists; `first` and `last` are those of all of them."""

    datastreams: list[int]
    firsts: list[datetime]
    lasts: list[datetime]
    first: datetime
    last: datetime


def spans(datastream_id: Int32, time_us: Int64) -> Iterator[Spans]:
    """The spans that hold every key, and hardly more than is between its neighbours.

    No partition is longer than a month, so that those of the months in between are not even planned with. A span ends
    where a datastream says nothing for more than a day.

    Parameters
    ----------
    datastream_id, time_us : ndarray, shape (n,)
        Keys, sorted by both.
    """
    if not len(time_us):
        return
    month = time_us.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    begins = np.ones(len(time_us), np.bool_)
    begins[1:] = (np.diff(datastream_id) != 0) | (np.diff(month) != 0) | (np.diff(time_us) > DAY_US)
    start = np.flatnonzero(begins)
    end = np.append(start[1:], len(time_us)) - 1
    for each in np.unique(month[start]):
        here = month[start] == each
        first, last = time_us[start[here]], time_us[end[here]]
        yield Spans(
            datastream_id[start[here]].tolist(),
            [from_us(at) for at in first.tolist()],
            [from_us(at) for at in last.tolist()],
            from_us(int(first.min())),
            from_us(int(last.max())),
        )
