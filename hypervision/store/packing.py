"""Packing on plain PostgreSQL: an old partition is written anew, sorted by its key, under an index of page ranges.

The unique key is as large as half the readings and guards against what no longer comes. Late rows are few: they are
looked up before they are written (`Writer.write`), while the lock `lock_packing` keeps two from being written at once.
See docs/decisions/0013-sealing.md.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from typing import Final

import psycopg
from psycopg import Connection, sql

from hypervision.store.partitions import Job, Partition, extent_of, jobs
from hypervision.store.sql import query

_log = logging.getLogger(__name__)

# Measured with 8 to 128: below, the index is larger than it need be, above, more pages are read in vain.
_RANGE: Final = 32
# How often the observations are asked for without waiting, and how long it rests in between [s].
_TRIES: Final = 40
_REST: Final = 0.05

# Detaching waits for everybody who still reads; interrupted, it is finished by the next round.
_DETACHING: Final = "60s"


def table(name: str) -> sql.Identifier:
    """A table of the platform."""
    return sql.Identifier("hv", name)


def create(connection: Connection, name: str) -> None:
    """Make a table that can become a packed partition; hv.make_room makes the others."""
    columns: list[sql.Composable] = [
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in _columns(connection).items()
    ]
    connection.execute(
        sql.SQL("CREATE TABLE {} ({}) WITH (fillfactor = 100)").format(table(name), sql.SQL(", ").join(columns))
    )
    row = connection.execute(query("observation_owner")).fetchone()
    if row is not None:
        # Whoever packs it once more or drops it may be another process, and another role.
        connection.execute(sql.SQL("ALTER TABLE {} OWNER TO {}").format(table(name), sql.Identifier(row[0])))


def attach(connection: Connection, name: str, first: date, last: date) -> None:
    """Make a table a partition."""
    connection.execute(
        sql.SQL("ALTER TABLE hv.observation ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
            table(name), _instant(first), _instant(last)
        )
    )


def pack(connection: Connection, partitions: Sequence[Partition], *, before: date, stop: threading.Event) -> list[str]:
    """Pack what ended by a day.

    Parameters
    ----------
    connection : Connection
        Of its own, not in autocommit mode.
    before : date
        Whatever day it is, nothing is lost or doubled; but readings of packed days take longer to store.

    Returns
    -------
    list of str
        The partitions packed now. What somebody wrote to meanwhile waits for the next time, and so does everything
        where somebody uses the observations for long: whoever comes after us would stand behind us.
    """
    if connection.execute(query("lock_packer")).fetchone() != (True,):
        connection.rollback()
        return []
    done: list[str] = []
    try:
        _clear(connection)
        late: dict[date, int] = dict(connection.execute(query("late_days")).fetchall())
        connection.commit()
        waiting = jobs(partitions, late, before=before)
        if waiting and not (_all_know(connection) and _free_the_key(connection, partitions)):
            return done
        if waiting:
            # Before the first of them is seized: whoever writes to it later sees the fence.
            connection.execute(query("move_fence"), {"day": max(job.last for job in waiting)})
            connection.commit()
        for job in waiting:
            if stop.is_set():
                break
            if _pack(connection, job):
                done.append(job.target)
                _log.info("packed %s", job.target)
    except psycopg.errors.LockNotAvailable:
        connection.rollback()
        _log.info("what is old is packed another time: the observations are in use")
    finally:
        connection.rollback()
        connection.execute(query("unlock_packer"))
        connection.commit()
    return done


def drop(connection: Connection, partitions: Sequence[Partition], *, before: date) -> list[Partition]:
    """Take partitions that ended by a day out, without a lock that holds readers or writers up, and drop them.

    Returns
    -------
    list of Partition
        What is dropped with the commit of the caller: what an earlier round detached too, and not what still waits for
        somebody who reads it.
    """
    # The server lets only one at a time be begun.
    for partition in sorted(partitions, key=lambda p: not p.pending):
        if partition.last > before:
            continue
        way = "FINALIZE" if partition.pending else "CONCURRENTLY"
        try:
            with _alone(connection, patience=_DETACHING):
                connection.execute(
                    sql.SQL("ALTER TABLE hv.observation DETACH PARTITION {} {}").format(
                        table(partition.name), sql.SQL(way)
                    )
                )
        except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable) as error:
            # The next ones would wait for the same reader.
            _log.warning("%s is dropped another time, it is still read: %s", partition.name, error)
            break
    done: list[Partition] = []
    for name, keyed, *sizes in connection.execute(query("loose_partitions")).fetchall():
        if name.startswith("observation_") and extent_of(name)[1] <= before:
            connection.execute(sql.SQL("DROP TABLE {}").format(table(name)))
            done.append(Partition(name, *extent_of(name), not keyed, *sizes))
    return sorted(done, key=lambda p: p.first)


def _columns(connection: Connection) -> dict[str, str]:
    """The columns of the observations with their types, those of a newer version of the schema too, widest first."""
    return dict(connection.execute(query("observation_columns")).fetchall())


def _clear(connection: Connection) -> None:
    """Drop the copies of a packing that was interrupted."""
    for name, *_ in connection.execute(query("loose_partitions")).fetchall():
        if name.startswith("packing_"):
            connection.execute(sql.SQL("DROP TABLE {}").format(table(name)))
    connection.commit()


def _pack(connection: Connection, job: Job) -> bool:
    # Before the work of the copy, which would be for nothing.
    _seize(connection, job.sources)
    connection.rollback()
    copy = job.target.replace("observation_", "packing_")
    days = {"first": job.first, "last": job.last}
    connection.execute(query("patience_of_packing"))
    before = connection.execute(query("late_rows"), days).fetchone()
    connection.commit()
    connection.execute(query("patience_of_packing"))
    create(connection, copy)
    columns = sql.SQL(", ").join(map(sql.Identifier, _columns(connection)))
    parts = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {} FROM {}").format(columns, table(name)) for name in job.sources
    )
    connection.execute(
        sql.SQL("INSERT INTO {} SELECT * FROM ({}) AS x ORDER BY datastream_id, phenomenon_time").format(
            table(copy), parts
        )
    )
    connection.execute(
        sql.SQL(
            "CREATE INDEX {} ON {} USING brin (datastream_id, phenomenon_time)"
            " WITH (pages_per_range = {}, autosummarize = on)"
        ).format(sql.Identifier(f"{copy}_ranges"), table(copy), sql.Literal(_RANGE))
    )
    _bound(connection, copy, job.first, job.last)
    connection.commit()
    with _alone(connection, patience="0"):
        # The pages are never written again: what they say of their rows' age, and their statistics, are settled now.
        connection.execute(sql.SQL("VACUUM (FREEZE, ANALYZE) {}").format(table(copy)))
    try:
        if _exchange(connection, job, copy, before):
            return True
    except psycopg.errors.LockNotAvailable:
        _discard(connection, copy)
        raise
    _discard(connection, copy)
    _log.info("%s is packed another time: readings came to it", job.target)
    return False


def _discard(connection: Connection, copy: str) -> None:
    connection.rollback()
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table(copy)))
    connection.commit()


def _seize(connection: Connection, names: Sequence[str]) -> None:
    """Be alone with the observations and some partitions until the transaction ends, and with what creates partitions.

    Everybody who comes after a lock that is waited for stands behind it. So it is asked for without waiting, again and
    again between the transactions of others, and waited for half a second only at last.

    Raises
    ------
    psycopg.errors.LockNotAvailable
        Somebody else holds them for long.
    """
    # Of the other partitions nothing is needed, and whoever looks after one of them (VACUUM) is not in the way.
    lock = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(
        sql.SQL(", ").join(sql.SQL("ONLY {}").format(table(name)) for name in ("observation", *names))
    )
    for _ in range(_TRIES):
        connection.execute(query("patience_of_exchange"))
        with suppress(psycopg.errors.LockNotAvailable):
            if connection.execute(query("try_packing")).fetchone() == (True,):
                connection.execute(lock + sql.SQL(" NOWAIT"))
                return
        connection.rollback()
        time.sleep(_REST)
    connection.execute(query("patience_of_exchange"))
    connection.execute(query("lock_packing"))
    connection.execute(query("lock_partitions"))
    connection.execute(lock)


def _exchange(connection: Connection, job: Job, copy: str, before: object) -> bool:
    """Put the copy in the place of its sources, in one transaction; False when something came to them meanwhile."""
    days = {"first": job.first, "last": job.last}
    _seize(connection, job.sources)
    if connection.execute(query("late_rows"), days).fetchone() != before:
        return False
    there = [row[0] for row in connection.execute(query("attached_partitions")).fetchall()]
    if {name for name in there if job.first <= extent_of(name)[0] < job.last} != set(job.sources):
        # A day that the month had no partition of: one was made for what is about to come to it.
        return False
    for name in job.sources:
        connection.execute(sql.SQL("ALTER TABLE hv.observation DETACH PARTITION {}").format(table(name)))
        connection.execute(sql.SQL("DROP TABLE {}").format(table(name)))
    connection.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(table(copy), sql.Identifier(job.target)))
    connection.execute(
        sql.SQL("ALTER INDEX {} RENAME TO {}").format(table(f"{copy}_ranges"), sql.Identifier(f"{job.target}_ranges"))
    )
    attach(connection, job.target, job.first, job.last)
    _unbound(connection, job.target)
    connection.execute(query("forget_late"), days)
    connection.commit()
    return True


def _all_know(connection: Connection) -> bool:
    """Whether every writer knows what packed partitions ask of it."""
    (others,) = connection.execute(query("writers_of_old")).fetchone() or (0,)
    connection.rollback()
    if others:
        _log.warning(
            "%d processes of an older version write to the database; nothing is packed until they are gone", others
        )
    return not others


def _free_the_key(connection: Connection, partitions: Sequence[Partition]) -> bool:
    """Leave each partition its own unique key, and the observations none in common; False when it is not time yet.

    A partition of a table with a key must have that key. Its bounds are proved beforehand, while others go on
    writing, so that the exchange of a few entries of the catalogue is all that holds them up.
    """
    key = connection.execute(query("parent_key")).fetchone()
    if key is None:
        connection.rollback()
        return True
    if any(partition.pending for partition in partitions):
        _log.info("nothing is packed until the dropping of partitions that was begun is finished")
        connection.rollback()
        return False
    bounded = {row[0] for row in connection.execute(query("bounded_partitions")).fetchall()}
    connection.rollback()
    for partition in partitions:
        if partition.name not in bounded:
            connection.execute(query("patience_of_packing"))
            _unbound(connection, partition.name)
            _bound(connection, partition.name, partition.first, partition.last, proved=False)
            connection.commit()
            connection.execute(query("patience_of_packing"))
            connection.execute(sql.SQL("ALTER TABLE {} VALIDATE CONSTRAINT in_bounds").format(table(partition.name)))
            connection.commit()
    _seize(connection, [partition.name for partition in partitions])
    names = [row[0] for row in connection.execute(query("attached_partitions")).fetchall()]
    for name in names:
        connection.execute(sql.SQL("ALTER TABLE hv.observation DETACH PARTITION {}").format(table(name)))
    connection.execute(sql.SQL("ALTER TABLE hv.observation DROP CONSTRAINT {}").format(sql.Identifier(key[0])))
    for name in names:
        attach(connection, name, *extent_of(name))
        _unbound(connection, name)
    connection.commit()
    return True


def _bound(connection: Connection, name: str, first: date, last: date, *, proved: bool = True) -> None:
    """Say the bounds of a table as its own constraint: attached, it is not read through once more."""
    connection.execute(
        sql.SQL(
            "ALTER TABLE {} ADD CONSTRAINT in_bounds CHECK (phenomenon_time >= {} AND phenomenon_time < {})"
            + ("" if proved else " NOT VALID")
        ).format(table(name), _instant(first), _instant(last))
    )


def _unbound(connection: Connection, name: str) -> None:
    connection.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT IF EXISTS in_bounds").format(table(name)))


@contextmanager
def _alone(connection: Connection, *, patience: str) -> Iterator[None]:
    """Statements that no transaction may surround, and how long each may take (0: for ever)."""
    connection.commit()
    connection.autocommit = True
    try:
        connection.execute(query("patience_alone"), {"patience": patience})
        yield
    finally:
        if not connection.closed:
            connection.execute(query("patience_alone"), {"patience": "60s"})
            connection.autocommit = False


def _instant(day: date) -> sql.Literal:
    return sql.Literal(f"{day.isoformat()} 00:00:00+00")
