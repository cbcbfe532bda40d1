"""Wrong readings: taken out, put right, given back; by whom and why, and with every value as it was before.

A correction goes in steps, each one transaction of the writer `correct` in the order of every writer: versions held,
readings changed, alarm conditions stepped, newest value, hours of the roll-ups, audit line. How far it has come is
noted with each step, so that one that was interrupted goes on where it ended when it is asked for again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from hypervision import regrounding
from hypervision.clock import MICROSECOND
from hypervision.correction import Correction, change_of, check, check_results_of, operation_of, out_of_range, range_of
from hypervision.domains import ObservedProperty
from hypervision.errors import SettingError
from hypervision.intake import Intake
from hypervision.settings import Settings
from hypervision.stepping import Stepper
from hypervision.store import corrections as store
from hypervision.store.alarms import Case
from hypervision.store.connection import Connection
from hypervision.store.corrections import Stream
from hypervision.store.writer import Writer

WRITER: Final = "correct"
STEP: Final = 50_000
"""Readings of one transaction; below what TimescaleDB unpacks of compressed chunks in one statement (100,000)."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a correction did: its number, its datastream, readings changed by it, transitions of alarms."""

    correction_id: int
    thing: str
    property: str
    rows: int
    steps: int


@dataclass(slots=True)
class _Task:
    """A correction under way."""

    wanted: Correction
    stream: Stream
    slot: int
    since: datetime
    until: datetime
    operation: dict[str, object]
    change: str
    values: dict[str, Any]
    correction_id: int | None = None
    journal_id: int | None = None
    progress: datetime | None = None
    rows: int = 0
    finished: bool = False


def carry_out(settings: Settings, wanted: Correction, *, clock: Callable[[], datetime]) -> Corrected:
    """Carry a correction out as the writer `correct`; see `perform`."""
    check(wanted)
    with Intake.open(settings, writer=WRITER, wait=10.0) as intake:
        return perform(intake, wanted, clock=clock)


def perform(intake: Intake, wanted: Correction, *, clock: Callable[[], datetime], step: int = STEP) -> Corrected:
    """Carry a correction out, or go on with one that was interrupted.

    Parameters
    ----------
    intake : Intake
        Of the writer `correct`; that there is only one of its name keeps corrections apart.
    step : int
        Readings of one transaction.

    Raises
    ------
    SettingError
        It cannot be done, or there is nothing to do; nothing was changed then.
    TemporaryStoreError
        It ended midway; the same once more goes on from there.
    """
    check(wanted)
    with intake.between() as connection:
        task = _task(intake, connection, wanted)
    steps = 0
    while not task.finished:
        intake.beat()
        steps += intake.transact(partial(_step, task, limit=step, now=clock()), tell=True)
    with intake.between() as connection:
        store.release(connection)
    intake.beat()
    assert task.correction_id is not None
    return Corrected(task.correction_id, task.stream.thing, task.stream.property, task.rows, steps)


def _task(intake: Intake, connection: Connection, wanted: Correction) -> _Task:
    """Find the datastream, refuse what must not be, and take up what was interrupted."""
    found = None
    if wanted.kind == "restore" and wanted.correction_id is not None:
        found = store.earlier(connection, wanted.correction_id)
        if found is None or (wanted.thing and wanted.thing != found.stream.thing):
            raise SettingError(
                f"there is no correction {wanted.correction_id}", remedy="see `hypervision observations changes`"
            )
        if found.kind == "restore":
            raise SettingError(
                f"correction {wanted.correction_id} is a restore itself", remedy="correct the readings once more"
            )
        stream, since, until = found.stream, found.since, found.until
        above = store.covered(connection, wanted.correction_id, found)
        if above is not None:
            raise SettingError(
                f"correction {above[0]} has changed the reading of {above[1].isoformat()} again",
                remedy=f"restore correction {above[0]} first",
            )
    else:
        stream = _stream(connection, wanted)
        since, until = range_of(wanted)
    prop = intake.streams.catalogue.find(stream.domain, stream.property)
    if prop is None:
        raise SettingError(
            f"no domain file describes {stream.domain}/{stream.property}", remedy="put it back to correct its readings"
        )
    task = _Task(
        wanted, stream, _slot(intake, stream), since, until, operation_of(wanted),
        change_of(wanted), {"correction": wanted.correction_id, "low": prop.valid[0], "high": prop.valid[1]},
    )  # fmt: skip
    task.values |= {"factor": 1.0 if wanted.factor is None else wanted.factor, "add": wanted.add or 0.0}
    task.values |= {"value": wanted.value}
    check_results_of(prop, wanted)
    _take_up(task, connection)
    store.prepare(connection, wanted.results or ())
    nowhere = store.given_nowhere(connection, stream.datastream_id)
    if nowhere is not None:
        raise SettingError(f"nothing is stored at {nowhere.isoformat()}", remedy="import readings that are missing")
    if task.change == "line":
        _check_line(task, prop, connection)
    return task


def _stream(connection: Connection, wanted: Correction) -> Stream:
    streams = store.streams_of(connection, thing=wanted.thing, name=wanted.property, domain=wanted.domain)
    if not streams:
        raise SettingError(
            f"there is no datastream {wanted.property[:64]!r} of {wanted.thing[:64]!r}",
            remedy="see the names in the control room or in the view datastreams",
        )
    if len(streams) > 1:
        raise SettingError(
            f"{wanted.thing} has {wanted.property} in the domains {', '.join(s.domain for s in streams)}",
            remedy="name the domain",
        )
    return streams[0]


def _slot(intake: Intake, stream: Stream) -> int:
    """Let the rules of this process know the datastream."""
    streams = intake.streams
    slot = streams.slot(stream.domain, stream.thing, stream.property)
    streams.extend()
    streams.datastream_id[slot], streams.thing_id[slot] = stream.datastream_id, stream.thing_id
    intake.evaluator.use_rules(intake.evaluator.rules)
    return slot


def _check_line(task: _Task, prop: ObservedProperty, connection: Connection) -> None:
    worst = store.outside(connection, _values(task))
    if worst is not None:
        raise out_of_range(f"the reading of {worst[0].isoformat()}, corrected,", worst[1], prop)


def _take_up(task: _Task, connection: Connection) -> None:
    """Go on with the same correction where it was interrupted; refuse another one until then."""
    wanted = task.wanted
    same = {"kind": wanted.kind, "since": task.since, "until": task.until, "operation": task.operation}
    left = store.interrupted(connection, task.stream.datastream_id)
    if left is not None:
        mine = {name: getattr(left, name) for name in same}
        if mine == same:
            task.correction_id, task.journal_id = left.correction_id, left.journal_id
            task.progress, task.rows = left.progress, left.rows
            return
        if left.correction_id != wanted.correction_id:
            raise SettingError(
                f"correction {left.correction_id} ({left.kind}) of this datastream was interrupted",
                remedy="give the same once more to finish it, or restore it",
            )
    if wanted.kind != "correct":
        return
    done = store.done_already(
        connection, task.stream.datastream_id, kind=wanted.kind, since=task.since, until=task.until,
        operation=task.operation,
    )  # fmt: skip
    if done is not None:
        raise SettingError(
            f"correction {done[0]} did the same on {done[1]:%Y-%m-%d %H:%M:%S} UTC", remedy="restore it to do it anew"
        )


def _values(task: _Task) -> dict[str, Any]:
    return task.values | {
        "datastream_id": task.stream.datastream_id,
        "since": task.since,
        "until": task.until,
        "progress": task.since - MICROSECOND if task.progress is None else task.progress,
    }


def _step(task: _Task, writer: Writer, stepper: Stepper, *, limit: int, now: datetime) -> tuple[list[Case], int]:
    """One transaction of a correction, but for its commit."""
    store.hold(writer)
    extent = store.choose(writer.connection, task.change, _values(task) | {"limit": limit})
    wanted, stream = task.wanted, task.stream
    if task.correction_id is None:
        if extent is None:
            raise SettingError(
                f"no reading of {stream.thing}/{stream.property} between {task.since.isoformat()} and"
                f" {task.until.isoformat()} is to be changed",
                remedy="look at the readings of that time and at the corrections made before",
            )
        task.correction_id, task.journal_id = store.begin(
            writer.connection, stream, kind=wanted.kind, since=task.since, until=task.until,
            operation=task.operation, reason=wanted.reason, author=wanted.author, now=now,
        )  # fmt: skip
        if wanted.correction_id is not None:
            store.abandon(writer.connection, stream, wanted.correction_id, now=now)
    rows, steps = 0, 0
    cases: list[Case] = []
    if extent is not None:
        rows = store.change(
            writer, stream, extent, correction_id=task.correction_id, restores=wanted.kind == "restore",
            correction=wanted.correction_id,
        )  # fmt: skip
        cases, steps = regrounding.step(
            stream, task.slot, extent, writer, stepper, correction_id=task.correction_id, now=now
        )
        store.renew_latest(writer, stream, extent)
        task.progress = extent.last
    finished = extent is None or extent.rows < limit
    store.advance(
        writer.connection, stream, correction_id=task.correction_id, journal_id=task.journal_id, rows=rows,
        progress=task.progress, finished_at=now if finished else None,
    )  # fmt: skip
    task.rows, task.finished = task.rows + rows, finished
    return cases, steps
