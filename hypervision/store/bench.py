"""What measuring programs ask the database, and the table of the bare path they compare with."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from hypervision.store.columns import Columns
from hypervision.store.connection import Connected, mapped
from hypervision.store.copy import PG_EPOCH_US
from hypervision.store.engines import engine_of
from hypervision.store.partitions import Partition
from hypervision.store.registry import require_no_things
from hypervision.store.sql import query
from hypervision.store.writer import Writer

# PostgreSQL's binary COPY: 11 bytes of signature, flags, length of an extension; then rows of fields with their length.
_HEAD: Final = 19
_ROW: Final = np.dtype(
    [("fields", ">i2"), ("l1", ">i4"), ("id", ">i4"), ("l2", ">i4"), ("ts", ">i8"), ("l3", ">i4"), ("v", ">f8")]
)


class Rows(NamedTuple):
    """Readings as columns, shape (n,) each."""

    datastream_id: npt.NDArray[np.int64]
    time_us: npt.NDArray[np.int64]
    result: npt.NDArray[np.float64]


class Reading(NamedTuple):
    """One stored reading of the ledger."""

    thing: str
    at: datetime
    result: float
    quality: int


class Raised(NamedTuple):
    """One alarm, and how often it went to UNACK."""

    thing: str
    alarm_id: int
    state: str
    raised: int


class Snapshot(NamedTuple):
    """Published counters of a writer."""

    received: int
    stored: int
    duplicate: int
    rejected: int
    in_flight: int
    link: str


class Gauge(Connected):
    """A connection for questions; a context manager."""

    def __init__(self, url: str) -> None:
        super().__init__(url, application="bench", autocommit=True)

    def require_no_things(self) -> None:
        """Refuse a database that is somebody's."""
        require_no_things(self._connection)

    def settled(self, writer: str) -> tuple[int, int]:
        """Messages committed by a writer, and how many of them stored."""
        with mapped():
            row = self._connection.execute(query("bench_settled"), {"writer": writer}).fetchone()
        assert row is not None
        return int(row[0]), int(row[1])

    def first_receipt(self, since: datetime) -> datetime | None:
        """When the first reading since an instant was received."""
        with mapped():
            row = self._connection.execute(query("bench_first_receipt"), {"since": since}).fetchone()
        return None if row is None else row[0]

    def results(self, thing: str, name: str, *, after: datetime) -> list[tuple[datetime, float]]:
        """Times and results of one datastream."""
        with mapped():
            return self._connection.execute(
                query("bench_results"), {"thing": thing, "property": name, "after": after}
            ).fetchall()

    def arrived(self, datastreams: Sequence[int], *, after: datetime) -> list[tuple[datetime, float]]:
        """Times and results of some datastreams since an instant, in order of time."""
        with mapped():
            return self._connection.execute(
                query("bench_arrived"), {"ids": list(datastreams), "after": after}
            ).fetchall()

    def server(self) -> str:
        """The version of the server."""
        with mapped():
            row = self._connection.execute(query("bench_server")).fetchone()
        return "" if row is None else str(row[0])

    def ledger(self, prefix: str, name: str) -> list[Reading]:
        """All readings of the Things with a prefix."""
        with mapped():
            rows = self._connection.execute(query("bench_ledger"), {"prefix": prefix, "property": name}).fetchall()
        return [Reading(*row) for row in rows]

    def rows(self, prefix: str, name: str) -> Rows:
        """All readings of one property of the Things with a prefix, as columns."""
        parts: list[bytes] = []
        with mapped(), self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.execute(query("bench_patience"))
            with cursor.copy(query("bench_rows"), {"prefix": prefix, "property": name}) as source:
                parts.extend(bytes(part) for part in source)
        data = b"".join(parts)
        rows = np.frombuffer(data, _ROW, count=(len(data) - _HEAD) // _ROW.itemsize, offset=_HEAD)
        return Rows(
            rows["id"].astype(np.int64), rows["ts"].astype(np.int64) + PG_EPOCH_US, rows["v"].astype(np.float64)
        )

    def streams(self, prefix: str, name: str) -> dict[int, str]:
        """Codes of the Things with a prefix, by the datastream of one property."""
        with mapped():
            values = {"prefix": prefix, "property": name}
            return dict(self._connection.execute(query("bench_streams"), values).fetchall())

    def refused(self, prefix: str) -> list[str]:
        """Topics of rejected messages of the Things with a prefix."""
        with mapped():
            return [row[0] for row in self._connection.execute(query("bench_refused"), {"prefix": prefix}).fetchall()]

    def reasons(self) -> list[tuple[str, bool, int]]:
        """Reason, whether parts of stored messages only, and number of what was rejected."""
        with mapped():
            return self._connection.execute(query("bench_reasons")).fetchall()

    def gaps(self) -> list[tuple[str, int, int]]:
        """Cause, number, and messages said to be missing, of the gaps."""
        with mapped():
            return self._connection.execute(query("bench_gaps")).fetchall()

    def alarms(self, prefix: str) -> list[Raised]:
        """All alarms of the Things with a prefix."""
        with mapped():
            rows = self._connection.execute(query("bench_alarms"), {"prefix": prefix}).fetchall()
        return [Raised(*row) for row in rows]

    def snapshot(self, writer: str) -> Snapshot | None:
        """The counters a writer published last."""
        with mapped():
            row = self._connection.execute(query("bench_snapshot"), {"writer": writer}).fetchone()
        return None if row is None else Snapshot(*row)

    def drop_bare(self) -> None:
        """Take the table of the bare path away."""
        with mapped():
            self._connection.execute(query("bench_bare_drop"))


class Room(Connected):
    """A database whose readings are weighed, over one connection; a context manager.

    Attributes
    ----------
    engine : str
        Its name and version.
    """

    def __init__(self, url: str, *, writer: str = "bench") -> None:
        super().__init__(url, application=writer)
        self._name = writer
        self._writer: Writer | None = None
        with mapped():
            engine = engine_of(self._connection)
            self._connection.commit()
        self.engine = f"{engine.name} {engine.version}"

    def require_no_things(self) -> None:
        """Refuse a database that is somebody's."""
        require_no_things(self._connection)

    def write(self, columns: Columns, *, now: datetime) -> None:
        """Store a batch as a collector does, without its alarms."""
        with mapped():
            self._ours().ensure_days(columns.time_us, now=now)
            self._ours().write(columns)
            self._ours().count_late()
            self._connection.commit()

    def try_late(self, columns: Columns, *, now: datetime) -> None:
        """Store a batch of old readings, and undo it."""
        with mapped():
            self._ours().ensure_days(columns.time_us, now=now)
            self._ours().write(columns)
            self._connection.rollback()
            self._ours().forget_days()

    def readings(self, datastream_id: int, since: datetime, until: datetime) -> int:
        """How many readings of a datastream there are; all of them are fetched."""
        values = {"datastream_id": datastream_id, "since": since, "until": until}
        with mapped():
            found = len(self._connection.execute(query("bench_readings"), values).fetchall())
            self._connection.commit()
        return found

    def bare_bytes(self) -> float:
        """Bytes of a reading that is datastream, time and result under a unique index only."""
        with mapped():
            self._connection.execute(query("bench_patience"))
            self._connection.execute(query("bench_least"))
            self._connection.execute(query("bench_least_key"))
            row = self._connection.execute(query("bench_least_bytes")).fetchone()
            self._connection.rollback()
        assert row is not None
        return float(row[0])

    def settle(self) -> None:
        """Let the server look at what is stored, as it does by itself in time."""
        with mapped():
            self._connection.execute(query("bench_patience"))
            self._connection.execute(query("bench_analyze"))
            self._connection.commit()

    def pack(self, *, before: date, stop: threading.Event) -> None:
        """Pack what ended by a day."""
        with mapped():
            self._ours().engine.pack(self._connection, before=before, stop=stop)

    def partitions(self) -> list[Partition]:
        """What the readings are kept in."""
        with mapped():
            found = self._ours().engine.partitions(self._connection)
            self._connection.commit()
        return found

    def _ours(self) -> Writer:
        if self._writer is None:
            self._writer = Writer(self._connection, self._name)
        return self._writer


class BareTable(Connected):
    """The database side of the bare path: binary COPY into a stage, then what is new into one table."""

    def __init__(self, url: str) -> None:
        super().__init__(url, application="bench bare")
        with mapped():
            self._connection.execute(query("bench_bare_table"))
            self._connection.execute(query("bench_bare_stage"))
            self._connection.commit()

    def write(self, data: bytes) -> None:
        """Write the bytes of a binary COPY, and commit."""
        with mapped():
            with self._connection.cursor() as cursor:
                with cursor.copy(query("bench_bare_copy")) as target:
                    target.write(data)
                cursor.execute(query("bench_bare_insert"))
            self._connection.commit()

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()
