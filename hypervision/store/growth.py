"""By how much a counter grew: the bars of its chart."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from hypervision.store import rollups
from hypervision.store.connection import Connection, mapped
from hypervision.store.sql import query

STEPS: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
"""What a bar stands for, by name; a local day may have an hour more or less."""
_LEVELS: Final = {"hour": rollups.HOUR, "day": rollups.DAY}


class Grown(NamedTuple):
    """The growth of a counter in one step of time; `register` is the highest it showed meanwhile, if it showed any."""

    at: datetime
    total: float
    register: float | None


def read_growth(
    connection: Connection, datastream_id: int, *, since: datetime, until: datetime, step: str
) -> list[Grown]:
    """By how much a counter grew in each hour or local day that begins in some time, as the roll-ups have it.

    Parameters
    ----------
    step : str
        Of `STEPS`.

    Returns
    -------
    list of Grown
        In order of time; steps of which nothing is known are left out.
    """
    values = {"datastream_id": datastream_id, "level": _LEVELS[step], "since": since, "until": until}
    with mapped():
        return [Grown(*row) for row in connection.execute(query("growth"), values).fetchall()]
