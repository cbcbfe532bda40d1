"""How much room the readings take, quickly: from the catalogue, not by counting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection

from hypervision.store.connection import mapped
from hypervision.store.engines import engine_of
from hypervision.store.partitions import Partition
from hypervision.store.sql import query


@dataclass(frozen=True, slots=True)
class Sizes:
    """What there is.

    Attributes
    ----------
    partitions : list of Partition
        In order of time; their rows are estimates.
    newest : datetime, optional
        Of the last reading.
    due : int
        Hours that wait for their roll-up; from a million on "at least".
    rollups, rollup_bytes, database : int
        Rows about; bytes of the roll-ups and of the whole database.
    """

    partitions: list[Partition]
    newest: datetime | None
    due: int
    rollups: int
    rollup_bytes: int
    database: int


def read(connection: Connection) -> Sizes:
    """Look."""
    with mapped():
        partitions = engine_of(connection).partitions(connection)
        (newest,) = connection.execute(query("newest_reading")).fetchone() or (None,)
        rest = connection.execute(query("storage_rest")).fetchone()
        connection.rollback()
    assert rest is not None
    return Sizes(partitions, newest, *rest)
