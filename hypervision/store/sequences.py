"""Message counters in the store: how far each has come, and the numbers that are missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from psycopg import Connection

from hypervision.clock import from_us, to_us
from hypervision.errors import TemporaryStoreError
from hypervision.sequences import Gap, Run
from hypervision.store import copy
from hypervision.store.sql import query

Counter = tuple[str, str]
"""Domain and Thing: a device may count its messages of each domain apart."""


class Known(NamedTuple):
    """A counter of a registered Thing, its runs by the time of their newest number."""

    thing_id: int
    domain: str
    runs: tuple[Run, ...]


class Move(NamedTuple):
    """What a batch does to one run.

    Attributes
    ----------
    run : Run
        Without a key when it begins.
    dropped, added : tuple of Gap
        Its gaps that are gone, and those that are new.
    """

    thing_id: int
    domain: str
    run: Run
    dropped: tuple[Gap, ...] = ()
    added: tuple[Gap, ...] = ()


def load(connection: Connection, counters: Sequence[Counter]) -> dict[Counter, Known]:
    """The counters of those Things that are registered."""
    rows = connection.execute(
        query("load_sequences"), {"domains": [c[0] for c in counters], "things": [c[1] for c in counters]}
    )
    things: dict[Counter, int] = {}
    runs: dict[Counter, list[Run]] = defaultdict(list)
    for domain, thing, thing_id, key, boot, first, last, first_time, last_time, version in rows.fetchall():
        things[domain, thing] = thing_id
        if key is not None:
            runs[domain, thing].append(Run(boot, first, last, to_us(first_time), to_us(last_time), key, version))
    return {counter: Known(thing_id, counter[0], tuple(runs[counter])) for counter, thing_id in things.items()}


def gaps(connection: Connection, wanted: Sequence[tuple[int, int, int]]) -> dict[int, list[Gap]]:
    """The gaps of some runs.

    Parameters
    ----------
    wanted : sequence of (sequence_id, low, high)
        Those that touch the numbers from `low` to `high`.
    """
    found: dict[int, list[Gap]] = defaultdict(list)
    if wanted:
        rows = connection.execute(
            query("load_sequence_gaps"),
            {"ids": [w[0] for w in wanted], "lows": [w[1] for w in wanted], "highs": [w[2] for w in wanted]},
        )
        for key, first, last, began, ended in rows.fetchall():
            found[key].append(Gap(first, last, to_us(began), to_us(ended)))
    return found


def write(
    connection: Connection, straight: Sequence[Run], moves: Sequence[Move], *, over: Iterable[int] = ()
) -> list[Run]:
    """Store how far the runs have come; no commit.

    Parameters
    ----------
    straight : sequence of Run
        Those without anything else to tell; like all others of a version one above the stored one.
    over : iterable of int
        Keys of runs that are forgotten; their gaps stay.

    Returns
    -------
    list of Run
        The runs of the moves, as they are stored now.

    Raises
    ------
    TemporaryStoreError
        Another process has moved one of them meanwhile: load it anew and try again.
    """
    _advance(connection, [*straight, *[move.run for move in moves if move.run.sequence_id]])
    keys_of = _begin(connection, [move for move in moves if not move.run.sequence_id])
    stored = [
        run if run.sequence_id else run._replace(sequence_id=keys_of[_key(thing_id, domain, run)])
        for thing_id, domain, run, *_ in moves
    ]
    keys = [run.sequence_id for run in stored]
    dropped = [(key, gap) for key, move in zip(keys, moves, strict=True) for gap in move.dropped]
    added = [(key, gap) for key, move in zip(keys, moves, strict=True) for gap in move.added]
    if dropped:
        connection.execute(
            query("drop_sequence_gaps"),
            {"ids": [key for key, _ in dropped], "firsts": [gap.first_seq for _, gap in dropped]},
        )
    if added:
        connection.execute(
            query("put_sequence_gaps"),
            {
                "ids": [key for key, _ in added],
                "firsts": [gap.first_seq for _, gap in added],
                "lasts": [gap.last_seq for _, gap in added],
                "began": [from_us(gap.began_us) for _, gap in added],
                "ended": [from_us(gap.ended_us) for _, gap in added],
            },
        )
    gone = list(over)
    if gone:
        connection.execute(query("drop_sequences"), {"ids": gone})
    return stored


def _advance(connection: Connection, runs: Sequence[Run]) -> None:
    if not runs:
        return
    connection.execute(query("create_stage_sequence"))
    columns = np.array([run[1:] for run in runs], np.int64)
    with connection.cursor() as cursor, cursor.copy(query("copy_stage_sequence")) as target:
        target.write(copy.sequences(columns))
    if connection.execute(query("advance_sequences")).rowcount != len(runs):
        raise _overtaken()


_Key = tuple[int, str, str, int, datetime]


def _key(thing_id: int, domain: str, run: Run) -> _Key:
    return (thing_id, domain, run.boot, run.first_seq, from_us(run.first_us))


def _begin(connection: Connection, moves: Sequence[Move]) -> dict[_Key, int]:
    """The keys of new runs."""
    if not moves:
        return {}
    rows = connection.execute(
        query("add_sequences"),
        {
            "things": [move.thing_id for move in moves],
            "domains": [move.domain for move in moves],
            "boots": [move.run.boot for move in moves],
            "firsts": [move.run.first_seq for move in moves],
            "lasts": [move.run.last_seq for move in moves],
            "first_times": [from_us(move.run.first_us) for move in moves],
            "last_times": [from_us(move.run.last_us) for move in moves],
        },
    ).fetchall()
    if len(rows) != len(moves):
        raise _overtaken()
    return {tuple(row[1:]): row[0] for row in rows}


def _overtaken() -> TemporaryStoreError:
    return TemporaryStoreError("another process has taken messages of the same device meanwhile", sqlstate="40001")
