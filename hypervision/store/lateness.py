"""Readings of old days, which may be packed: what a writer does besides while it stores them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Final

import numpy as np
import psycopg
from psycopg import Connection

from hypervision.batch import Bool, Int64
from hypervision.errors import TemporaryStoreError
from hypervision.store.engines import Engine
from hypervision.store.sql import query

RECENT_DAYS: Final = 1
"""Yesterday and later are not packed (see `storage.pack_after`) unless the fence says so."""
_NOTHING: Final = np.iinfo(np.int64).max


class Care:
    """Which days need care: what is packed, or may be while it is written.

    No clock decides it but the fence, a fact of the database: what packs moves the fence first, then waits until
    nobody writes, then copies. Who wrote to a day without care reads the fence after that, within its transaction;
    where it has moved behind that day, the batch is undone and stored once more with care.

    Parameters
    ----------
    fence : date, optional
        Whatever is packed lies before this day; None where nothing is.
    """

    def __init__(self, fence: date | None) -> None:
        self._fence = _number(fence)
        self._without = _NOTHING

    def needed(self, days: Int64, *, today: int) -> Bool:
        """Whether to take care of each of these days.

        Parameters
        ----------
        today : int
            By the clock of the writer: a `watch` of the version before packs without moving the fence.
        """
        old: Bool = days < max(self._fence, today - RECENT_DAYS)
        return old

    def without(self, days: Int64) -> None:
        """These days were written to without care."""
        self._without = min(self._without, int(days.min(initial=_NOTHING)))

    def require(self, fence: date | None) -> None:
        """Make sure, before the commit, that nothing of what was written without care may be packed.

        Raises
        ------
        TemporaryStoreError
            It may; the batch is to be stored once more.
        """
        self._fence = max(self._fence, _number(fence))
        if self._without < self._fence:
            raise TemporaryStoreError("readings came to a day that is being packed", sqlstate="40001")
        self._without = _NOTHING

    def forget(self) -> None:
        """What was written was undone."""
        self._without = _NOTHING


def hold(engine: Engine, connection: Connection, days: Int64, old: Bool) -> Bool:
    """Keep the old days of a batch as they are until the transaction ends.

    Parameters
    ----------
    days : ndarray, shape (n,)
        UTC day of every row, counted since the Unix epoch.
    old : ndarray of bool, shape (n,)
        Which of them are old.

    Returns
    -------
    ndarray of bool, shape (n,)
        Rows whose partition is packed: no unique key guards it.
    """
    if not old.any():
        return old
    packed = engine.hold(connection, [day_of(int(day)) for day in np.unique(days[old])])
    numbers = np.array([_number(day) for day in packed], np.int64)
    found: Bool = np.isin(days, numbers)
    return found


def note(connection: Connection, days: Int64) -> None:
    """Count the new rows of old days, for what packs them."""
    if len(days):
        numbers, counts = np.unique(days, return_counts=True)
        connection.execute(
            query("note_late"), {"days": [day_of(int(day)) for day in numbers], "rows": [int(n) for n in counts]}
        )


@contextmanager
def room() -> Iterator[None]:
    """A partition that went while a batch was on its way to it is made again for the next try."""
    try:
        yield
    except psycopg.errors.CheckViolation as error:
        raise TemporaryStoreError("a partition went while readings came to it", sqlstate="40001") from error


def day_of(number: int) -> date:
    """A UTC day by its number since the Unix epoch."""
    return datetime.fromtimestamp(number * 86_400, UTC).date()


def _number(day: date | None) -> int:
    return 0 if day is None else (day - date(1970, 1, 1)).days
