"""How often readings of a datastream are expected, where a device keeps another time than its domain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection
from psycopg.types.json import Jsonb

from hypervision.store import audit
from hypervision.store.connection import mapped
from hypervision.store.sql import query


class Stream(NamedTuple):
    """A datastream of the Thing."""

    datastream_id: int
    thing_id: int
    domain: str
    property: str
    thing: str


def streams(connection: Connection, thing: str, *, domain: str | None = None) -> list[Stream]:
    """The datastreams of a Thing, or of one of its domains."""
    with mapped():
        values = {"thing": thing, "domain": domain}
        return [Stream(*row) for row in connection.execute(query("periods_of"), values).fetchall()]


def put(connection: Connection, periods: Mapping[Stream, float], *, actor: str, now: datetime) -> list[Stream]:
    """Expect readings so often. Commits.

    Parameters
    ----------
    periods : mapping of Stream to float
        Time between two readings [s].
    actor : str
        Who answers for it, for the journal.

    Returns
    -------
    list of Stream
        Those that were expected at another pace before.

    Notes
    -----
    Silences among the readings that are kept are looked for anew with the next roll-ups. The set of the rules gets a
    new version, by which screens and timers know that they must read again what they judge by.
    """
    with mapped():
        # First, as in every edit of a rule: it waits for the batches under way.
        connection.execute(query("advance_rule_set"))
        values = {"ids": [one.datastream_id for one in periods], "periods": list(periods.values())}
        changed: dict[int, float | None] = dict(connection.execute(query("put_periods"), values).fetchall())
        found = [one for one in periods if one.datastream_id in changed]
        if not found:
            connection.rollback()
            return found
        connection.execute(query("mark_hours_of"), {"ids": sorted(changed)})
        for one in found:
            told = {"domain": one.domain, "property": one.property, "value": periods[one]}
            connection.execute(
                query("journal_period"),
                {
                    "now": now, "thing_id": one.thing_id, "datastream_id": one.datastream_id, "actor": actor,
                    "detail": Jsonb(told),
                },
            )  # fmt: skip
            audit.note(connection, "datastream.expect", kind="datastream", ident=one.datastream_id, actor=actor,
                       before={"seconds": changed[one.datastream_id]},
                       after={"thing": one.thing, "domain": one.domain, "property": one.property,
                              "seconds": periods[one]})  # fmt: skip
        connection.commit()
        return found
