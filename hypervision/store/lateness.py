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
"""Yesterday and later are never packed (see `storage.pack_after`): their readings are written without any care."""


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
    numbers = np.array([(day - date(1970, 1, 1)).days for day in packed], np.int64)
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
