"""Fill an empty database with much, quickly: for benchmarks and for tests of query plans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from hypervision.batch import Float64, Int64
from hypervision.clock import DAY_US, from_us
from hypervision.errors import SettingError
from hypervision.store import copy, rollups
from hypervision.store.connection import Connected, mapped
from hypervision.store.engines import engine_of
from hypervision.store.registry import require_no_things
from hypervision.store.sql import query

# Roll-ups of so many datastreams are computed in one transaction.
_PART: Final = 500


@dataclass(frozen=True, slots=True)
class Made:
    """A made-up datastream: of a Thing, by its code, with a property of the Thing's domain."""

    thing: str
    domain: str
    property: str
    unit: str
    kind: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """Readings of some datastreams, in the order in which a collector would have stored them; shape (n,) each.

    Attributes
    ----------
    slot : ndarray of int64
        Which of the datastreams, counted from 0.
    quality : ndarray of int64
        As in `hypervision.quality`.
    """

    slot: Int64
    time_us: Int64
    result: Float64
    quality: Int64


class Filler(Connected):
    """Fills a database that `migrate` has prepared and nobody uses; a context manager.

    Raises
    ------
    SettingError
        There are Things already.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, application="bench fill")
        with mapped():
            self._connection.execute("SELECT set_config('statement_timeout', '0', false)")
        try:
            require_no_things(self._connection)
        except SettingError:
            self._connection.close()
            raise
        self._engine = engine_of(self._connection)

    def streams(self, made: Sequence[Made], *, period: timedelta, now: datetime) -> list[int]:
        """Put in Things and datastreams; the numbers of the datastreams, in order."""
        things = {one.thing: one.domain for one in made}
        with mapped():
            row = self._connection.execute(query("fill_organisation"), {"now": now}).fetchone()
            assert row is not None
            self._connection.execute(
                query("fill_things"),
                {"codes": list(things), "domains": list(things.values()), "organisation": row[0], "now": now},
            )
            found = self._connection.execute(
                query("fill_streams"),
                {
                    "codes": [one.thing for one in made],
                    "properties": [one.property for one in made],
                    "units": [one.unit for one in made],
                    "kinds": [one.kind for one in made],
                    "period": period,
                    "now": now,
                },
            ).fetchall()
            self._connection.commit()
        return [int(row[0]) for row in found]

    def observations(self, streams: Sequence[int], stretches: Iterable[Stretch], *, now: datetime) -> int:
        """Store readings; how many."""
        number = np.array(streams, np.int32)
        stored = 0
        for stretch in stretches:
            days = np.unique(stretch.time_us // DAY_US)
            data = copy.observations(
                datastream_id=number[stretch.slot],
                time_us=stretch.time_us,
                result=stretch.result,
                quality=stretch.quality.astype(np.int8),
                late=np.zeros(len(stretch.slot), np.bool_),
                received_us=stretch.time_us + 2_000_000,
            )
            with mapped():
                dates = [from_us(int(day) * DAY_US).date() for day in days]
                self._engine.ensure_days(self._connection, dates, today=now.date())
                with self._connection.cursor() as cursor, cursor.copy(query("copy_observations")) as target:
                    target.write(data)
                self._connection.commit()
            stored += len(stretch.slot)
        return stored

    def roll_up(self, streams: Sequence[int], *, first: datetime, last: datetime, zone: str) -> None:
        """Compute hours, days and silences of datastreams whose readings lie between two instants."""
        for start in range(0, len(streams), _PART):
            values = {"streams": list(streams[start : start + _PART]), "first": first, "last": last}
            with mapped():
                rollups.open_pass(self._connection)
                self._connection.execute(query("fill_spans"), values)
                rollups.compute(self._connection, zone=zone)
                self._connection.commit()

    def rest(self, *, alarms: int, since: datetime, flood: datetime, now: datetime) -> None:
        """Newest readings, alarms with their transitions, rejected messages; then vacuum and analyse.

        Parameters
        ----------
        alarms : int
            Over all the time since `since`; a fiftieth of them on the day that begins with `flood`.
        """
        with mapped():
            row = self._connection.execute(query("fill_writer"), {"now": now}).fetchone()
            assert row is not None
            self._connection.execute(query("fill_latest"), {"writer": row[0]})
            values = {"alarms": alarms, "open": min(300, alarms // 10), "since": since, "until": now, "flood": flood}
            self._connection.execute(query("fill_alarms"), values)
            self._connection.execute(query("fill_transitions"))
            self._connection.execute(query("fill_refusals"), {"now": now, "number": min(40_000, alarms)})
            self._connection.commit()
            self._connection.autocommit = True
            self._connection.execute(query("fill_tidy"))
            self._connection.autocommit = False

    def commit(self) -> None:
        """Make every fortieth datastream's newest reading a newer one, as a collector would."""
        with mapped():
            self._connection.execute(query("fill_commit"))
            self._connection.commit()

    def told(self) -> tuple[str, str]:
        """The server with its settings, and the size of the database."""
        with mapped():
            server = self._connection.execute(query("fill_machine")).fetchone()
            size = self._connection.execute(query("fill_size")).fetchone()
            self._connection.commit()
        assert server is not None
        assert size is not None
        return f"{server[0].split(' on ')[0]}, shared_buffers {server[1]}, work_mem {server[2]}", str(size[0])
