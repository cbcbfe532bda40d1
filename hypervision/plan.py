"""What of a batch may be stored, decided on columns before the database is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from hypervision import quality
from hypervision.batch import Batch, Bool, Float64, Int8, Int32, Int64, Refusal
from hypervision.clock import from_us
from hypervision.datastreams import NEVER, UNKNOWN, StreamTable

# Imports bring the past: they may reach back further than a device's clock.
IMPORT_EARLIEST_US: Final = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """Readings in the store's order, each key once; shape (n,) each.

    Attributes
    ----------
    row : ndarray of int32
        Which reading of the batch.
    late : ndarray of bool
        Older than the newest of its datastream by more than the horizon.
    backward : ndarray of bool
        Older than the newest, within the horizon.
    refusals : list of Refusal
        The decoder's and those found here.
    """

    row: Int32
    message: Int32
    slot: Int32
    datastream_id: Int32
    time_us: Int64
    result: Float64
    quality: Int8
    received_us: Int64
    late: Bool
    backward: Bool
    refusals: list[Refusal]

    def __len__(self) -> int:
        return len(self.row)


def times_to_store(batch: Batch, streams: StreamTable, *, earliest_us: int, future_us: int, kept_us: int = 0) -> Int64:
    """Phenomenon times for which the store must have room [us]."""
    oldest = max(IMPORT_EARLIEST_US if batch.imported else earliest_us, kept_us)
    known = streams.datastream_id[batch.slot] >= 0
    latest = batch.received_us[batch.message] + future_us
    return batch.time_us[known & (batch.time_us >= oldest) & (batch.time_us <= latest)]


def plan(
    batch: Batch,
    streams: StreamTable,
    *,
    horizon_us: int,
    earliest_us: int,
    future_us: int,
    dropped: set[int],
    kept_us: int = 0,
) -> Plan:
    """Judge and sort the readings of a batch.

    Parameters
    ----------
    horizon_us : int
        See `Plan.late` [us].
    earliest_us : int
        Oldest phenomenon time of a reading that is no import [us].
    future_us : int
        How far ahead of its receipt a reading may be [us].
    dropped : set of int
        Messages that were stored before; their readings are duplicates.
    kept_us : int
        Readings from before are not kept any more, and not taken, not from an import either [us].
    """
    refusals = [refusal for refusal in batch.refusals if refusal.message not in dropped]
    ids = streams.datastream_id[batch.slot]
    received = batch.received_us[batch.message]
    oldest = max(IMPORT_EARLIEST_US if batch.imported else earliest_us, kept_us)
    unknown = ids == UNKNOWN
    not_finite = ~np.isfinite(batch.result)
    too_old = batch.time_us < oldest
    ahead = batch.time_us > received + future_us
    bad = unknown | not_finite | too_old | ahead
    keep = ~bad
    if dropped:
        ours = ~np.isin(batch.message, np.fromiter(dropped, np.int32))
        keep &= ours
        bad &= ours
    if bad.any():
        _explain(batch, streams, refusals, unknown=unknown, not_finite=not_finite, too_old=too_old, bad=bad)
    rows = np.nonzero(keep)[0].astype(np.int32)
    late, backward = _order(batch, streams, rows, horizon_us)
    # lexsort is stable, so that of two readings with one key the first received comes first.
    order = np.lexsort((batch.time_us[rows], ids[rows]))
    rows, late, backward = rows[order], late[order], backward[order]
    ids, times, results = ids[rows], batch.time_us[rows], batch.result[rows]
    again = np.zeros(len(rows), np.bool_)
    again[1:] = (ids[1:] == ids[:-1]) & (times[1:] == times[:-1])
    if again.any():
        _conflicts(batch, streams, rows, again, refusals)
        rows, late, backward = rows[~again], late[~again], backward[~again]
        ids, times, results = ids[~again], times[~again], results[~again]
    slots = batch.slot[rows]
    grade = batch.quality[rows].copy()
    outside = ~streams.in_range(slots, results)
    grade[outside] = np.minimum(grade[outside], quality.OUT_OF_RANGE)
    return Plan(
        row=rows,
        message=batch.message[rows],
        slot=slots,
        datastream_id=ids,
        time_us=times,
        result=results,
        quality=grade,
        received_us=received[rows],
        late=late,
        backward=backward,
        refusals=refusals,
    )


def _order(batch: Batch, streams: StreamTable, rows: Int32, horizon_us: int) -> tuple[Bool, Bool]:
    """Which rows are late, and which are older than the newest but inside the horizon."""
    slots, times = batch.slot[rows], batch.time_us[rows]
    newest = streams.newest_us[slots]
    order = np.argsort(slots, kind="stable")
    s, t = slots[order], times[order]
    same = s[1:] == s[:-1]
    if bool((same & (t[1:] < t[:-1])).any()):
        # Somewhere a datastream runs backwards inside the batch: what arrived before counts as newest too.
        running = newest[order].copy()
        for i in range(1, len(s)):
            if same[i - 1]:
                running[i] = max(running[i - 1], t[i - 1])
        newest = newest.copy()
        newest[order] = running
    before = (newest != NEVER) & (times < newest)
    # A single reading ahead of its time must not make all those of the right time late.
    late = before & (times < np.minimum(newest, batch.received_us[batch.message[rows]]) - horizon_us)
    return late, before & ~late


def _explain(
    batch: Batch,
    streams: StreamTable,
    refusals: list[Refusal],
    *,
    unknown: Bool,
    not_finite: Bool,
    too_old: Bool,
    bad: Bool,
) -> None:
    told: set[tuple[int, str]] = set()
    for i in np.nonzero(bad)[0]:
        message = int(batch.message[i])
        domain, thing, _ = streams.keys[int(batch.slot[i])]
        if unknown[i]:
            # A device's message speaks of one Thing, an import of many.
            if (message, thing) not in told:
                told.add((message, thing))
                detail = unknown_thing(thing, domain, sent=not batch.imported)
                refusals.append(_refusal(batch, streams, i, "unknown_thing", detail))
            continue
        name = _name(batch, streams, i)
        if not_finite[i]:
            reason, detail = "not_a_number", f"{name} is no finite number"
        elif too_old[i]:
            reason, detail = "time_too_old", f"the time of {name} is before the oldest one allowed"
        else:
            reason, detail = "time_in_future", f"the time of {name} is too far ahead of its receipt"
        value = f" (its result is {float(batch.result[i])!r})" if batch.imported else ""
        refusals.append(_refusal(batch, streams, i, reason, detail + value))


def _conflicts(batch: Batch, streams: StreamTable, rows: Int32, again: Bool, refusals: list[Refusal]) -> None:
    first = 0
    for i, repeated in enumerate(again):
        if not repeated:
            first = i
            continue
        kept, other = float(batch.result[rows[first]]), float(batch.result[rows[i]])
        if kept != other:
            detail = conflict(_name(batch, streams, rows[i]), kept, other)
            refusals.append(_refusal(batch, streams, rows[i], "conflict", detail))


def _refusal(batch: Batch, streams: StreamTable, row: np.integer[Any], reason: str, detail: str) -> Refusal:
    """The refusal of a reading; of one from a file with its line and Thing."""
    message = int(batch.message[row])
    if not batch.imported:
        return Refusal(message, reason, detail)
    line = "" if batch.line is None else f"line {batch.line[row]}: "
    return Refusal(message, reason, line + detail, streams.keys[int(batch.slot[row])][1])


def _name(batch: Batch, streams: StreamTable, row: np.integer[Any]) -> str:
    """A reading for a person: the message of a device names Thing and time, that of an import is a file of many."""
    _, thing, name = streams.keys[int(batch.slot[row])]
    if not batch.imported:
        return name
    try:
        return f"{thing}/{name} of {from_us(int(batch.time_us[row])).isoformat()}"
    except OverflowError:
        return f"{thing}/{name}"


def unknown_thing(thing: str, domain: str, *, sent: bool = True) -> str:
    """Why a message of a Thing that is not registered waits, and what lets it in; what never sent has no domain yet."""
    given = "" if sent else f" --domain {domain}"
    return f"{thing} ({domain}) is not registered; `hypervision things admit {thing}{given}` lets it in"


def conflict(name: str, stored: float, refused: float) -> str:
    """Why a second value for one instant is not taken, with both values."""
    return f"{name} has {stored!r} at this time already, {refused!r} was refused"


def stored_conflicts(
    planned: Plan, streams: StreamTable, batch: Batch, *, new: Bool, existing: Float64
) -> list[Refusal]:
    """Refusals of readings whose key is stored with another value.

    Parameters
    ----------
    new : ndarray of bool, shape (n,)
        Readings that were written.
    existing : ndarray of float64, shape (n,)
        The stored results of the others.
    """
    other = ~new & (existing != planned.result)
    found = []
    for i in np.nonzero(other)[0]:
        row = planned.row[i]
        detail = conflict(_name(batch, streams, row), float(existing[i]), float(planned.result[i]))
        found.append(_refusal(batch, streams, row, "conflict", detail))
    return found


def newest_rows(planned: Plan, streams: StreamTable, *, new: Bool) -> Bool:
    """One new row per datastream, the newest, where it is newer than what is known; shape (n,)."""
    found: Bool = new & (planned.time_us > streams.newest_us[planned.slot])
    rows = np.nonzero(found)[0]
    if len(rows) > 1:
        superseded = rows[:-1][planned.datastream_id[rows[:-1]] == planned.datastream_id[rows[1:]]]
        found[superseded] = False
    return found
