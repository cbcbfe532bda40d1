"""What a replay on paper needs of the database: readings, versions, seams, and the transitions to compare with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, cast

import numpy as np
from psycopg import Connection

from hypervision.alarms import Acknowledgement, State, Transition
from hypervision.clock import from_us, to_us
from hypervision.domains.catalogue import GROUPS, PLATFORM
from hypervision.errors import UsageError
from hypervision.rehearsal import Course, Era, Stage, rehearse
from hypervision.ruling import understand
from hypervision.store import rulebook
from hypervision.store.connection import mapped
from hypervision.store.sql import query


class Step(NamedTuple):
    """A transition, as both sides tell it."""

    at: datetime
    from_state: str
    to_state: str
    cause: str


@dataclass(frozen=True, slots=True)
class Compared:
    """The transitions of one datastream: as they are stored, and as they must have been."""

    thing: str
    stored: list[Step]
    played: list[Step]


def compare(
    connection: Connection,
    code: str,
    stage: Stage,
    *,
    since: datetime,
    until: datetime,
    thing: str | None = None,
) -> Iterator[Compared]:
    """Play every datastream of a rule once more.

    Parameters
    ----------
    stage : Stage
        Catalogue and calendar; its Thing is filled in.
    thing : str, optional
        Only this one.

    Raises
    ------
    UsageError
        There is no such rule, or it is none that judges the readings of one datastream.
    """
    standing = rulebook.one(connection, code)
    wanted = understand(standing.document, stage.catalogue)
    if wanted.property is None or wanted.formula is not None or wanted.domain in (GROUPS, PLATFORM):
        raise UsageError(f"{code} does not judge the readings of one datastream", remedy="choose a rule with a limit")
    versions = sorted(rulebook.versions(connection, code, limit=100_000), key=lambda one: one.version)
    eras = [Era(one.version, to_us(one.at), understand(one.document, stage.catalogue)) for one in versions]
    values = {"domain": wanted.domain, "property": wanted.property, "thing": thing}
    with mapped():
        streams = connection.execute(query("rulebook_streams"), values).fetchall()
    for datastream_id, _, name, kind in streams:
        asked = {"datastream_id": datastream_id, "rule_id": standing.rule_id, "since": since, "until": until}
        yield _compare(connection, eras, asked, replace(stage, thing=name, kind=kind), until)


def _compare(
    connection: Connection, eras: list[Era], asked: dict[str, object], stage: Stage, until: datetime
) -> Compared:
    with mapped():
        rows = connection.execute(query("rulebook_readings"), asked).fetchall()
        seams: dict[int, datetime] = dict(connection.execute(query("rulebook_seams"), asked).fetchall())
        steps = connection.execute(query("rulebook_steps"), asked).fetchall()
        before = connection.execute(query("rulebook_state_before"), asked).fetchone()
    course = Course(
        np.array([to_us(row[0]) for row in rows], np.int64),
        np.array([row[1] for row in rows], np.float64),
        np.array([row[2] for row in rows], np.int8),
        np.array([row[3] for row in rows], np.bool_),
        np.array([to_us(row[4]) for row in rows], np.int64),
    )
    placed = [
        Era(era.version, era.at_us, era.definition, to_us(seams[era.version]) if era.version in seams else None)
        for era in eras
    ]
    acks = [Acknowledgement(to_us(row[0]), row[4]) for row in steps if row[3] == "acknowledge"]
    state = cast("State", before[0]) if before is not None else "NORM"
    played = rehearse(course, placed, acks, stage, until_us=to_us(until), state=state)
    return Compared(stage.thing, [Step(*row[:4]) for row in steps], [_step(one) for one in played])


def _step(one: Transition) -> Step:
    return Step(from_us(one.at_us), one.from_state, one.to_state, one.cause)
