"""Intake: the one way in for every reading, Batch -> evaluate -> commit.

One transaction, always in this order: the versions of the rules and of the roll-ups' epoch are held, identities
of messages without a time are claimed, observations are written, touched alarm conditions are locked and stepped,
newest values are brought up to date, touched hours are marked for the roll-ups, rejects are quarantined, counters
advance. Readings and the alarms they raise appear together or not at all, and since every writer keeps the order
nobody deadlocks.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Self

from hypervision import quality
from hypervision.batch import DUPLICATE, REJECTED, STORED, Batch, Int64, Receipt
from hypervision.beat import Beat, Counters, Hints
from hypervision.datastreams import StreamTable
from hypervision.decoding import bounds_of
from hypervision.domains import catalogue_of
from hypervision.doubt import Doubt
from hypervision.errors import TemporaryStoreError
from hypervision.evaluation import Evaluator
from hypervision.following import Follower
from hypervision.holidays import calendar_of
from hypervision.limiting import Limiter
from hypervision.metrics import KEY, Metrics
from hypervision.numbering import Numbering
from hypervision.observing import Observing
from hypervision.outcome import outcomes, rejected_rows, senders, strangers, unknown_things
from hypervision.plan import newest_rows, plan, stored_conflicts, times_to_store
from hypervision.pulse import Pulse
from hypervision.repeats import Repeats
from hypervision.resolver import Resolver
from hypervision.retention import kept_from_us
from hypervision.rollups import Touched
from hypervision.settings import Settings
from hypervision.stepping import Stepper, moved
from hypervision.store import clocks, proposing, registry, rollups
from hypervision.store.alarms import Case
from hypervision.store.columns import Columns
from hypervision.store.connection import Connection, mapped, roll_back, url_of
from hypervision.store.versions import reconnect, wait_for_schema
from hypervision.store.writer import Writer, open_writer
from hypervision.timekeeping import Clock

_log = logging.getLogger(__name__)

# A batch that another writer overtook is tried again at once, this often.
_RACES = 5


class Intake:
    """The way in, for one process.

    Attributes
    ----------
    streams : StreamTable
        What decoders ask for slots.
    metrics : Metrics
        The figures of this process; they travel with its beat.
    pulse : Pulse
        Told of every transaction that was finished.
    clock : Clock
        Tells this process the time; the database sets it.
    """

    def __init__(self, settings: Settings, *, name: str) -> None:
        self.settings = settings
        self.name = name
        self.metrics = Metrics()
        self.pulse = Pulse()
        self.clock = Clock()
        self._observing = Observing(self.metrics)
        self.streams = StreamTable(catalogue_of(settings))
        self.evaluator = Evaluator(self.streams, calendar_of(settings))
        self._stepper = Stepper(
            self.evaluator, language=settings.language, live_age_us=int(settings.ingest.live_age * 1e6)
        )
        self.excuse = self._stepper.excuse
        self._url = url_of(settings)
        self._writer: Writer | None = None
        self._resolver = Resolver(self.streams, self.evaluator, register=settings.registration == "open")
        self._touched = Touched()
        self._limiter = Limiter(settings.ingest)
        self._numbering = Numbering()
        self._follower = Follower(self.streams, self.evaluator)
        self._beat = Beat(self._url, name, self.clock)
        self._doubt = Doubt()
        self._repeats = Repeats()
        self._hints = Hints()
        self.metrics.gauge("things_rate_limited", lambda: self._limiter.things(int(self.clock.seconds() * 1e6)))
        self.metrics.gauge("clock_ahead_seconds", lambda: self.clock.ahead)

    @classmethod
    def open(cls, settings: Settings, *, writer: str, wait: float | None = None) -> Self:
        """Open the way in.

        Parameters
        ----------
        writer : str
            Name of this writer; two with one name refuse to start.
        wait : float, optional
            How long to wait for the database and its schema [s]; None waits for ever.

        Raises
        ------
        TemporaryStoreError
            The database did not come, or another process writes under this name.
        """
        intake = cls(settings, name=writer)
        with mapped():
            intake._attach(wait_for_schema(intake._url, application=writer, wait=wait), wait=wait)
        return intake

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back; what was not committed is not stored."""
        if self._writer is not None:
            self._writer.connection.close()
            self._writer = None
        self._beat.close()

    @property
    def committed(self) -> tuple[int, int, int]:
        """Messages stored, duplicate and rejected, as committed by this writer over all its life."""
        return (0, 0, 0) if self._writer is None else self._writer.committed

    @property
    def connection(self) -> Connection:
        """The writer's own connection, for statements of the same thread between two batches."""
        return self._attached().connection

    @contextmanager
    def between(self) -> Iterator[Connection]:
        """The writer's own connection for other statements between two batches; what is not committed is undone.

        Raises
        ------
        TemporaryStoreError
            The database is away; the next use connects anew.
        """
        try:
            with mapped():
                yield self._attached().connection
                self.pulse.here()
        finally:
            self._roll_back()

    def commit(self, batch: Batch, *, now: datetime) -> Receipt:
        """Store a batch and step the alarms it touches.

        Parameters
        ----------
        batch : Batch
            Each message ends as stored, duplicate or rejected.
        now : datetime
            Detection time.

        Raises
        ------
        TemporaryStoreError
            Nothing was stored; commit the same batch again later.
        """
        for _ in range(_RACES):
            writer = None
            try:
                with mapped():
                    writer = self._attached()
                    if (done := self._doubt.receipt_of(batch)) is not None:
                        self._repeats.noted()
                        return done
                    self._resolver.resolve(batch, writer.connection, now=now)
                    return self._transaction(batch, writer, now)
            except TemporaryStoreError as error:
                self._roll_back()
                error.midway = writer is not None and not self._doubt
                if not error.sqlstate.startswith("40"):
                    raise
                _log.info("batch tried again: %s", error)
            except BaseException as error:
                self._roll_back()
                if (done := self._doubt.after(error, batch, self._attached)) is None:
                    raise
                self._repeats.noted()
                return done
        raise TemporaryStoreError("the batch was overtaken by other writers again and again", sqlstate="40001")

    def transact(
        self, work: Callable[[Writer, Stepper], tuple[list[Case], int]], *, tell: bool = False, exclusive: bool = False
    ) -> int:
        """Step alarms without new readings (timers, silence, changed rules), in this writer's order.

        Parameters
        ----------
        work : callable
            Locks, feeds and writes cases; returns them and the number of steps written.
        tell : bool
            Other writers and screens must hear of it although no alarm moved.
        exclusive : bool
            Batches wait until it is committed: the rules change.

        Returns
        -------
        int
            Transitions written.
        """
        try:
            with mapped():
                writer = self._attached()
                if exclusive:
                    proposing.hold(writer.connection)
                self._follower.follow(writer)
                cases, steps = work(writer, self._stepper)
                count = moved(cases, steps)
                if count or tell:
                    writer.commit(
                        commit_no=writer.commit_no + 1, stored=0, duplicate=0, rejected=0, alarms=count, notify=True
                    )
                else:
                    writer.connection.commit()
                self._note(cases)
                self._observing.stepped(steps)
                self.pulse.here()
                return steps
        except BaseException:
            self._roll_back()
            raise

    def know_all(self) -> None:
        """Give every datastream of the database a slot, with its newest reading."""
        with mapped():
            self._resolver.resolve_all(self._attached().connection)

    def ensure_days(self, time_us: Int64, *, now: datetime) -> None:
        """Make room for the days of these instants ahead of their readings."""
        with mapped():
            self._attached().ensure_days(time_us, now=now)

    def publish_counters(
        self,
        *,
        received: int,
        stored: int,
        duplicate: int,
        rejected: int,
        in_flight: int,
        age: float = 0.0,
        link: str = "",
        detail: Mapping[str, object] | None = None,
    ) -> None:
        """Publish the five counters of one instant; also this writer's beat. Safe beside `commit`.

        Parameters
        ----------
        age : float
            Since the work last went on [s]; from there the database's clock tells when that was.
        """
        writer = self._writer
        if writer is None:
            raise TemporaryStoreError("database: not connected")
        counters = Counters(received, stored, duplicate, rejected, in_flight)
        told = {**(detail or {}), KEY: self.metrics.told()}
        self._beat.publish(writer.writer_id, counters, age=age, link=link, detail=told)

    def beat(self, *, age: float = 0.0, link: str = "", detail: Mapping[str, object] | None = None) -> None:
        """Publish the committed counters of a writer that holds nothing in flight."""
        stored, duplicate, rejected = self.committed
        self.publish_counters(
            received=stored + duplicate + rejected,
            stored=stored,
            duplicate=duplicate,
            rejected=rejected,
            in_flight=0,
            age=age,
            link=link,
            detail=detail,
        )

    def _attached(self) -> Writer:
        if self._writer is None or self._writer.connection.closed:
            self._attach(reconnect(self._url, application=self.name), wait=0.0)
            self.metrics.count("reconnects", label="database")
        assert self._writer is not None
        self._doubt.settle(self._writer)
        return self._writer

    def _attach(self, connection: Connection, *, wait: float | None) -> None:
        """Become this writer."""
        # A predecessor that was killed gives its name back within seconds.
        writer = open_writer(connection, self.name, patience=10.0 if wait is None or wait > 0 else 0.0)
        try:
            self._follower.start(writer)
            self._repeats.follow(connection, self.name)
            clocks.tell(connection, self.clock)
            connection.rollback()
        except BaseException:
            # An open connection would keep this writer's name taken.
            connection.close()
            raise
        self.streams.forget()
        self.evaluator.forget()
        self._touched.forget()
        self._writer = writer

    def _roll_back(self) -> None:
        if self._writer is None:
            return
        roll_back(self._writer.connection)
        if not self._writer.connection.closed:
            self._writer.forget_days()

    def _transaction(self, batch: Batch, writer: Writer, now: datetime) -> Receipt:
        began = time.monotonic()
        settings = self.settings.ingest
        bounds = bounds_of(self.settings)
        earliest_us, future_us = bounds.earliest_us, bounds.future_us
        kept_us = kept_from_us(self.settings.storage, now=now)
        times = times_to_store(batch, self.streams, earliest_us=earliest_us, future_us=future_us, kept_us=kept_us)
        kept_us = max(kept_us, writer.ensure_days(times, now=now))
        held = self._follower.follow(writer)
        paced = self._limiter.pace.judge(batch, self.streams)
        dropped = writer.claim(batch.identities)
        planned = plan(
            batch,
            self.streams,
            horizon_us=int(settings.horizon * 1e6),
            earliest_us=earliest_us,
            future_us=future_us,
            dropped=dropped | set(paced.limited.tolist()),
            kept_us=kept_us,
        )
        columns = Columns(
            planned.datastream_id, planned.time_us, planned.result, planned.quality, planned.late, planned.received_us
        )
        new, existing = writer.write(columns)
        refusals = planned.refusals + stored_conflicts(planned, self.streams, batch, new=new, existing=existing)
        cases, steps = ([], 0) if batch.imported else self._stepper.step(planned, new, writer, now=now)
        commit_no = writer.commit_no + 1
        newest = newest_rows(planned, self.streams, new=new)
        writer.upsert_latest(columns.take(newest), commit_no, live=not batch.imported)
        touched = self._touched.note(planned.slot[new], planned.time_us[new], held.epoch)
        rollups.mark(writer.connection, self.streams.datastream_id[touched.slot], touched.hour)
        self._numbering.take(writer.connection, batch, dropped)
        # Also beyond the pace: what the link of a Thing is, its last word says.
        links = registry.set_status(writer.connection, batch.statuses)
        refusals += unknown_things(batch, links.known, paced.limited)
        if self.settings.registration == "closed":
            known = registry.registered(writer.connection, senders(batch, refusals))
            refusals += strangers(batch, refusals, known)
        refusing = tuple({refusal.message for refusal in refusals})
        refusals = self._repeats.left(writer.connection, batch, refusals, now=now)
        limited = self._limiter.reject(writer.connection, batch, paced)
        outcome = outcomes(batch, planned, new=new, newer=links.newer, refusals=refusals, limited=paced.limited)
        refused = rejected_rows(batch, refusals, outcome)
        writer.reject(refused)
        stored, rejected, duplicate = (int((outcome == code).sum()) for code in (STORED, REJECTED, DUPLICATE))
        repeated = int((existing == planned.result).sum())
        receipt = Receipt(outcome, stored, rejected, duplicate, int(new.sum()), steps, repeated, refusing)
        self._doubt.begin(batch, held.transaction, commit_no, receipt)
        writer.commit(
            commit_no=commit_no,
            stored=stored,
            duplicate=duplicate,
            rejected=rejected,
            alarms=moved(cases, steps),
            notify=self._hints.due(now),
        )
        self._touched.noted(touched)
        self._limiter.noted(paced, limited)
        self._numbering.noted()
        self._repeats.noted()
        self.streams.newest_us[planned.slot[newest]] = planned.time_us[newest]
        sound = new & (planned.quality > quality.OUT_OF_RANGE)
        self.evaluator.remember(planned.slot[sound], planned.time_us[sound], planned.result[sound])
        self._note(cases)
        self._observing.committed(
            batch, planned, new, refused, receipt, limited=len(paced.limited), now=now, began=began
        )
        self._doubt.end()
        self.pulse.here()
        return receipt

    def _note(self, cases: list[Case]) -> None:
        for case in cases:
            if case.source.kind == "datastream":
                self.evaluator.note(case.source.source_id, case.source.rule_id, case.alarm.phase)
