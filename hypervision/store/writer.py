"""One writer's transaction: observations, newest values, identities, rejects, counters.

The caller (intake) keeps the order; nothing here commits but `commit`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from datetime import time as time_of_day
from typing import Final, NamedTuple

import numpy as np
import psycopg
from psycopg import Connection
from psycopg.types.json import Jsonb

from hypervision.batch import Bool, Float64, Identity, Int64
from hypervision.clock import DAY_US, from_us, to_us
from hypervision.errors import PermanentStoreError, TemporaryStoreError
from hypervision.store import lateness
from hypervision.store.columns import Columns
from hypervision.store.engines import Engine, engine_of
from hypervision.store.spans import spans
from hypervision.store.sql import query

# After a batch met a duplicate the next ones probably do too (a redelivery is under way).
STAGED_AFTER_DUPLICATE: Final = 20
PAYLOAD_KEPT: Final = 65_536
STATEMENT_BYTES: Final = 4_000_000


class Mark(NamedTuple):
    """How far a writer has committed."""

    commit_no: int
    alarm_no: int


class RejectedRow(NamedTuple):
    """One line of `rejected_messages`."""

    received_us: int
    topic: str
    thing: str
    payload: bytes
    payload_bytes: int
    reason: str
    detail: str
    partial: bool
    number: int = 1


class Writer:
    """The database side of one process that commits batches."""

    def __init__(self, connection: Connection, name: str) -> None:
        self.connection = connection
        self.name = name
        self.engine: Engine = engine_of(connection)
        if connection.execute(query("lock_writer"), {"name": name}).fetchone() != (True,):
            raise TemporaryStoreError(
                f"another process writes as {name!r}", remedy="stop it, or give this one a partition of its own"
            )
        row = connection.execute(query("open_writer"), {"name": name}).fetchone()
        assert row is not None
        self.writer_id: int = row[0]
        self.commit_no: int = row[1]
        self.committed: tuple[int, int, int] = (row[3], row[4], row[5])
        connection.execute(query("know_packing"))
        self._care = lateness.Care(self.engine.packed_before(connection))
        connection.execute(query("create_stage"))
        connection.execute(query("create_stage_latest"))
        connection.commit()
        self._days: set[int] = set()
        self._today = 0
        self._staged_left = 0
        self._late: list[Int64] = []

    def ensure_days(self, time_us: Int64, *, now: datetime) -> int:
        """Make room for the days of these instants; commits, so call it before the transaction.

        Returns
        -------
        int
            Before this there is no room for some of them, which is being dropped [us]; 0 where there is for all.
        """
        self._today = to_us(now) // DAY_US
        days = np.unique(time_us // DAY_US)
        missing = [int(day) for day in days if int(day) not in self._days]
        if not missing:
            return 0
        room = [lateness.day_of(day) for day in missing]
        gone = self.engine.ensure_days(self.connection, room, today=lateness.day_of(self._today))
        self.connection.commit()
        gone_us = 0 if gone is None else to_us(datetime.combine(gone, time_of_day(), UTC))
        self._days.update(day for day in missing if day * DAY_US >= gone_us)
        return gone_us

    def forget_days(self) -> None:
        """After a transaction was undone: look at the partitions anew, for somebody may have dropped one."""
        self._days.clear()
        self._late.clear()
        self._care.forget()

    def marks(self) -> dict[int, Mark]:
        """How far every other writer has committed, by writer id."""
        rows = self.connection.execute(query("writer_marks")).fetchall()
        return {r[0]: Mark(r[1], r[2]) for r in rows if r[0] != self.writer_id}

    def was_committed(self, transaction: str, commit_no: int) -> bool:
        """Whether a transaction whose commit was never answered went through.

        The number alone could be another transaction's: a database that was restored meanwhile counts from where it
        was, and its writers' commits do as well.

        Raises
        ------
        TemporaryStoreError
            The server has not settled it yet.
        """
        values = {"transaction": transaction, "writer_id": self.writer_id, "commit_no": commit_no}
        try:
            row = self.connection.execute(query("transaction_status"), values).fetchone()
        except psycopg.errors.InvalidParameterValue:
            # In this database's future: it was restored to a time before.
            self.connection.rollback()
            return False
        if row is None:
            return False
        if row[0] == "in progress":
            raise TemporaryStoreError("the database has not settled the last batch yet", sqlstate="57P03")
        return bool(row[0] == "committed" and row[1])

    def latest_since(self, writer_id: int, commit_no: int) -> list[tuple[int, int, float, int]]:
        """(datastream_id, time_us, result, quality) that another writer has made newest, or corrected, since."""
        rows = self.connection.execute(query("latest_since"), {"writer_id": writer_id, "commit_no": commit_no})
        return [(r[0], to_us(r[1]), r[2], r[3]) for r in rows.fetchall()]

    def claim(self, identities: Sequence[Identity]) -> set[int]:
        """Note messages without a time; return the indices of those that were seen before."""
        if not identities:
            return set()
        rows = self.connection.execute(
            query("claim_identities"),
            {
                "things": [i.thing for i in identities],
                "boots": [i.boot for i in identities],
                "seqs": [i.seq for i in identities],
                "hashes": [i.payload_hash for i in identities],
            },
        ).fetchall()
        fresh = set(rows)
        seen: set[int] = set()
        for identity in identities:
            key = (identity.thing, identity.boot, identity.seq, identity.payload_hash)
            if key in fresh:
                fresh.discard(key)  # the first message of this batch takes it, a second is a duplicate
            else:
                seen.add(identity.message)
        return seen

    def write(self, columns: Columns) -> tuple[Bool, Float64]:
        """Write observations; what is there already stays.

        Returns
        -------
        new : ndarray of bool, shape (n,)
            Rows that were written.
        existing : ndarray of float64, shape (n,)
            The stored result where a row was there already, NaN elsewhere.
        """
        new = np.ones(len(columns), np.bool_)
        existing = np.full(len(columns), np.nan)
        if not len(columns):
            return new, existing
        days = columns.time_us // DAY_US
        old = self._care.needed(days, today=self._today)
        self._care.without(days[~old])
        packed = lateness.hold(self.engine, self.connection, days, old)
        data = columns.binary()
        with lateness.room():
            if self._staged_left == 0 and not packed.any():
                try:
                    with self.connection.transaction():
                        self._copy("copy_observations", data)
                except psycopg.errors.UniqueViolation:
                    self._staged_left = STAGED_AFTER_DUPLICATE
                else:
                    self._late.append(days[old])
                    return new, existing
            self._staged_left = max(0, self._staged_left - 1)
            self._copy("copy_stage", data)
            found = self._take_stored(columns)
            inserted = self.connection.execute(query("insert_stage")).rowcount
        if inserted != len(columns) - len(found):
            raise TemporaryStoreError("another writer stored the same readings at the same moment", sqlstate="40001")
        if found:
            at = _find(columns, found)
            new[at] = False
            existing[at] = [row[2] for row in found]
        self._late.append(days[old & new])
        return new, existing

    def _take_stored(self, columns: Columns) -> list[tuple[int, datetime, float]]:
        """Take what is stored already out of the stage."""
        found: list[tuple[int, datetime, float]] = []
        for each in spans(columns.datastream_id, columns.time_us):
            found += self.connection.execute(query("take_stage_existing"), each._asdict()).fetchall()
        return found

    def _copy(self, name: str, data: bytes) -> None:
        with self.connection.cursor() as cursor, cursor.copy(query(name)) as target:
            target.write(data)

    def upsert_latest(self, columns: Columns, commit_no: int, *, live: bool) -> None:
        """Make these the newest values where they are; one row per datastream, in key order.

        Parameters
        ----------
        live : bool
            False for history, which no later look may take for a reason to ring.
        """
        if len(columns):
            self._copy("copy_stage_latest", columns.binary())
            values = {"writer_id": self.writer_id, "commit_no": commit_no, "live": live}
            self.connection.execute(query("upsert_latest"), values)

    def observations_from(self, datastream_id: int, first_us: int) -> list[tuple[int, float, int]]:
        """(time_us, result, quality) of one datastream from the last reading before an instant on."""
        rows = self.connection.execute(
            query("observations_from"), {"datastream_id": datastream_id, "first": from_us(first_us)}
        )
        return [(to_us(r[0]), r[1], r[2]) for r in rows.fetchall()]

    def reject(self, rows: Sequence[RejectedRow]) -> None:
        """Quarantine messages and refused values, in statements of a size that any server takes."""
        part: list[RejectedRow] = []
        size = 0
        for row in rows:
            part.append(row)
            size += min(len(row.payload), PAYLOAD_KEPT) + len(row.detail)
            if size >= STATEMENT_BYTES:
                self._reject(part)
                part, size = [], 0
        if part:
            self._reject(part)

    def _reject(self, rows: Sequence[RejectedRow]) -> None:
        self.connection.execute(
            query("put_rejected"),
            {
                "times": [from_us(r.received_us) for r in rows],
                "topics": [storable(r.topic) for r in rows],
                "things": [storable(r.thing) for r in rows],
                "payloads": [r.payload[:PAYLOAD_KEPT] for r in rows],
                "sizes": [r.payload_bytes for r in rows],
                "reasons": [r.reason for r in rows],
                "details": [storable(r.detail) for r in rows],
                "partials": [r.partial for r in rows],
                "counts": [r.number for r in rows],
            },
        )

    def journal(self, lines: Sequence[tuple[int, str, int, int, str]]) -> None:
        """Append (time_us, kind, thing_id, datastream_id, detail as JSON)."""
        if lines:
            self.connection.execute(
                query("put_journal"),
                {
                    "times": [from_us(line[0]) for line in lines],
                    "kinds": [line[1] for line in lines],
                    "things": [line[2] for line in lines],
                    "datastreams": [line[3] for line in lines],
                    "details": [line[4] for line in lines],
                },
            )

    def count_late(self) -> None:
        """Count the new rows of old days: last before a commit, for others who count the same day wait from here on."""
        late, self._late = self._late, []
        if late:
            lateness.note(self.connection, np.concatenate(late))

    def commit(self, *, commit_no: int, stored: int, duplicate: int, rejected: int, alarms: int, notify: bool) -> None:
        """Count the batch and commit.

        Raises
        ------
        TemporaryStoreError
            A day that was written to without care is being packed: nothing is committed, store the batch once more.
        """
        self.count_late()
        row = self.connection.execute(
            query("advance_writer"),
            {
                "writer_id": self.writer_id,
                "commit_no": commit_no,
                "alarms": alarms,
                "stored": stored,
                "duplicate": duplicate,
                "rejected": rejected,
            },
        ).fetchone()
        self._care.require(None if row is None else row[0])
        if notify:
            self.connection.execute(query("notify_writer"), {"name": self.name})
        self.connection.commit()
        self.commit_no = commit_no
        before = self.committed
        self.committed = (before[0] + stored, before[1] + duplicate, before[2] + rejected)


def open_writer(connection: Connection, name: str, *, patience: float) -> Writer:
    """Become a writer; on failure the connection is closed, for an open one would keep the name taken.

    Parameters
    ----------
    patience : float
        How long to wait for the name [s].

    Raises
    ------
    TemporaryStoreError
        Another process writes under this name.
    """
    deadline = time.monotonic() + patience
    try:
        while True:
            try:
                return Writer(connection, name)
            except TemporaryStoreError:
                connection.rollback()
                if time.monotonic() >= deadline:
                    raise
                time.sleep(0.25)
    except BaseException:
        connection.close()
        raise


def publish(
    connection: Connection,
    writer_id: int,
    *,
    age: float,
    received: int,
    stored: int,
    duplicate: int,
    rejected: int,
    in_flight: int,
    link: str,
    detail: dict[str, object],
) -> datetime:
    """Publish a writer's counters, on a connection of its own, in autocommit mode; what the database's clock says."""
    if received != stored + duplicate + rejected + in_flight:
        raise PermanentStoreError(
            f"counters do not add up: {received} received, {stored} stored, {duplicate} duplicate,"
            f" {rejected} rejected, {in_flight} in flight"
        )
    row = connection.execute(
        query("publish_counters"),
        {
            "writer_id": writer_id,
            "age": age,
            "received": received,
            "stored": stored,
            "duplicate": duplicate,
            "rejected": rejected,
            "in_flight": in_flight,
            "link": link,
            "detail": Jsonb(detail),
        },
    ).fetchone()
    assert row is not None
    at: datetime = row[0]
    return at


def _find(columns: Columns, found: list[tuple[int, datetime, float]]) -> Int64:
    """Row numbers of keys that are known to be among the sorted columns."""
    key = np.empty(len(columns), [("d", np.int32), ("t", np.int64)])
    key["d"], key["t"] = columns.datastream_id, columns.time_us
    wanted = np.array([(row[0], to_us(row[1])) for row in found], key.dtype)
    return np.searchsorted(key, wanted).astype(np.int64)


def storable(value: str) -> str:
    """Text as PostgreSQL takes it: no NUL, no lone surrogates."""
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
