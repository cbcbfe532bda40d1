"""What the quality of alarms is measured from: events as columns, and the words of the few that are named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from hypervision.alarm_quality import SOURCES, Actor, Events, Standing
from hypervision.clock import to_us
from hypervision.scope import Scope
from hypervision.store.arrays import arrays
from hypervision.store.connection import Connection, mapped
from hypervision.store.copy import PG_EPOCH_US
from hypervision.store.sql import query


class Named(NamedTuple):
    """An alarm in words; without a Thing it is one of the platform, and the name that of its part."""

    rule: str
    label_fr: str
    label_en: str
    priority: str
    thing: str | None
    name: str | None


def read_events(connection: Connection, *, since: datetime, until: datetime, scope: Scope) -> Events:
    """Activations and acknowledgements of some time, in any order.

    Parameters
    ----------
    until : datetime
        Not included.
    scope : Scope
        Of its Things alone; of the whole town, of the platform too.
    """
    values = {"since": since, "until": until, **scope.values()}
    columns = [column.astype(np.int64) for column in arrays(connection, "quality_events", values)]
    return Events(columns[0] + PG_EPOCH_US, *columns[1:])


def read_names(connection: Connection, actors: Sequence[Actor]) -> dict[Actor, Named]:
    """The words of some alarms; none for a rule that is gone."""
    values = {
        "kinds": [SOURCES[actor.kind] for actor in actors],
        "rules": [actor.rule_id for actor in actors],
        "sources": [actor.source_id for actor in actors],
    }
    with mapped():
        rows = connection.execute(query("quality_names"), values).fetchall()
    return {actors[row[0] - 1]: Named(*row[1:]) for row in rows}


def read_standing(connection: Connection, *, scope: Scope) -> list[tuple[Standing, Named]]:
    """Every open alarm, the longest first."""
    with mapped():
        rows = connection.execute(query("quality_standing"), {**scope.values()}).fetchall()
    return [(Standing(to_us(row[0]), row[1], row[2]), Named(*row[3:])) for row in rows]
