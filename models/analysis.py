"""The loop of `analyse`: read series, learn, score, commit through intake."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from hypervision.batch import Batch
from hypervision.clock import to_us
from hypervision.errors import StoreError, TemporaryStoreError
from hypervision.intake import Intake
from hypervision.parts import COMPUTED, FAILING
from hypervision.pulse import Heart
from hypervision.settings import Settings
from hypervision.store import series
from hypervision.store.series import Series, Source
from models.clock import DAY, HOUR, MINUTE
from models.detector import Column, Detector, Scores, discover
from models.tracking import Track

_log = logging.getLogger(__name__)

WRITER: Final = "analyse"
# Readings that came late by up to this are still taken up; later ones at the next learning.
_OVERLAP: Final = 2 * HOUR
# The past is read as means of this interval, the last hours reading by reading.
THINNED: Final = timedelta(minutes=5)
# A series whose model failed is left alone for so long.
_REST: Final = 15 * MINUTE
# The longest wait between two tries while the database is away [s].
_PATIENCE: Final = 30.0
# So many series are read at once: the pulse shows between them that the work goes on.
_AT_ONCE: Final = 25


@dataclass(slots=True)
class _Stream:
    """A datastream that is read, its recent readings and the detectors on it."""

    source: Source
    tracks: list[Track]
    past: Series = series.EMPTY
    rest_until_us: int = 0


@dataclass(slots=True)
class Analysis:
    """All detectors on all their datastreams.

    Parameters
    ----------
    intake : Intake
        The way in; its connection also serves to read.
    fresh : callable
        Makes one new detector of each kind.
    """

    intake: Intake
    fresh: Callable[[], list[Detector]]
    streams: dict[int, _Stream] = field(default_factory=dict)
    pending: deque[Batch] = field(default_factory=deque)
    status: dict[str, object] = field(default_factory=dict)
    lag: float = 0.0
    computed_at: float = field(default_factory=time.monotonic)

    def step(self, now: datetime) -> int:
        """Score what is new and store it.

        Returns
        -------
        int
            How many scores were stored.

        Raises
        ------
        StoreError
            Reading or storing failed; what was scored already is stored first by the next step.
        """
        now_us = to_us(now)
        stored = self._flush(now)
        self._find_streams()
        self._read(now_us)
        written: list[tuple[Track, Scores]] = []
        for stream in self.streams.values():
            if stream.rest_until_us <= now_us:
                written += self._score(stream, now_us)
        self.status = self._describe(now_us)
        self.lag = max((self._lag(stream) for stream in self.streams.values()), default=0.0)
        self._queue(written, now)
        stored += self._flush(now)
        self.computed_at = time.monotonic()
        return stored

    def beat(self, age: float = 0.0) -> None:
        """Publish that the models are at work, and how long ago they finished a computation."""
        computed = round(time.monotonic() - self.computed_at, 1)
        self.intake.beat(age=age, detail={**self.status, COMPUTED: computed})

    @staticmethod
    def _lag(stream: _Stream) -> float:
        """From the newest score to the newest reading of a series [s], at most; of models that have learnt."""
        scored = [t.scored_us for t in stream.tracks if t.scored_us is not None and not t.problem]
        return max((int(stream.past.times_us[-1]) - min(scored)) / 1e6, 0.0) if scored and len(stream.past) else 0.0

    def _describe(self, now_us: int) -> dict[str, object]:
        """What health shows of it; made here, shown by the thread of the beat."""
        tracks = [track for stream in self.streams.values() for track in stream.tracks]
        return {
            "series": len(self.streams),
            "detectors": len(tracks),
            FAILING: sum(stream.rest_until_us > now_us for stream in self.streams.values()),
            "waiting": {f"{t.thing}/{t.detector.writes}": t.problem for t in tracks if t.problem},
        }

    def _find_streams(self) -> None:
        kinds = self.fresh()
        connection = self.intake.connection
        found: dict[int, tuple[Source, list[Detector]]] = {}
        for wanted in kinds:
            for source in series.sources(connection, domain=wanted.domain, name=wanted.reads, kinds=wanted.thing_kinds):
                found.setdefault(source.datastream_id, (source, []))[1].append(wanted)
        if found.keys() == self.streams.keys():
            return
        written = {k.writes: series.newest(connection, domain=k.domain, name=k.writes) for k in kinds}
        for datastream_id, (source, wanted_here) in found.items():
            if datastream_id not in self.streams:
                names = {detector.writes for detector in wanted_here}
                self.streams[datastream_id] = _Stream(
                    source,
                    [
                        Track(source.thing, detector, written[detector.writes].get(source.thing))
                        for detector in self.fresh()
                        if detector.writes in names
                    ],
                )

    def _read(self, now_us: int) -> None:
        connection = self.intake.connection
        whole = [i for i, s in self.streams.items() if not len(s.past) or any(t.due(now_us) for t in s.tracks)]
        if whole:
            longest = max(t.detector.history_us + t.detector.context_us for i in whole for t in self.streams[i].tracks)
            recent = now_us - _OVERLAP
            for part in _parts(whole):
                old = series.readings(connection, part, after_us=now_us - longest, until_us=recent, every=THINNED)
                new = series.readings(connection, part, after_us=recent, until_us=now_us)
                for i in part:
                    self.streams[i].past = _join(old[i], new[i])
                self.intake.pulse.here()
        rest = [i for i in self.streams if i not in set(whole)]
        if rest:
            newest = min(int(self.streams[i].past.times_us[-1]) for i in rest)
            after = max(newest, now_us - DAY) - _OVERLAP
            for part in _parts(rest):
                for i, found in series.readings(connection, part, after_us=after, until_us=now_us).items():
                    self.streams[i].past = _join(self.streams[i].past, found)
                self.intake.pulse.here()

    def _score(self, stream: _Stream, now_us: int) -> list[tuple[Track, Scores]]:
        scored: list[tuple[Track, Scores]] = []
        for track in stream.tracks:
            self.intake.pulse.here()
            before = track.problem
            try:
                scores = track.advance(
                    stream.past.times_us, stream.past.values, now_us=now_us, here=self.intake.pulse.here
                )
            except Exception:  # noqa: BLE001 - whatever a model does, the other series go on
                _log.exception("%s of %s failed, it rests a while", track.detector.writes, track.thing)
                stream.rest_until_us = now_us + _REST
                continue
            if track.problem and not before:
                _log.info("%s of %s waits: %s", track.detector.writes, track.thing, track.problem)
            elif len(scores.times_us):
                scored.append((track, scores))
        return scored

    def _queue(self, written: Sequence[tuple[Track, Scores]], now: datetime) -> None:
        """Make batches: history first, which never rings, then what is live."""
        if not written:
            return
        now_us = to_us(now)
        slots = [self.intake.streams.slot(t.detector.domain, t.thing, t.detector.writes) for t, _ in written]
        slot = np.repeat(np.array(slots, np.int32), [len(s.times_us) for _, s in written])
        times = np.concatenate([s.times_us for _, s in written])
        result = np.concatenate([s.excess for _, s in written])
        live = times > now_us - int(self.intake.settings.ingest.live_age * 1e6)
        for which, imported in ((~live, True), (live, False)):
            if which.any():
                self.pending.append(
                    Batch.of_series(
                        slot=slot[which],
                        time_us=times[which],
                        result=result[which],
                        received_us=now_us,
                        source=WRITER,
                        imported=imported,
                    )
                )
        for track, scores in written:
            track.wrote(scores)

    def _flush(self, now: datetime) -> int:
        """Commit what waits, in order; a batch that the database did not take stays the first."""
        stored = 0
        while self.pending:
            stored += self.intake.commit(self.pending[0], now=now).rows
            self.pending.popleft()
        return stored


def _parts(ids: list[int]) -> Iterator[list[int]]:
    return (ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE))


def _join(old: Series, new: Series) -> Series:
    """Both in order of time; of two readings at one instant the new one stays."""
    if not len(new):
        return old
    joined = Column.of(np.append(old.times_us, new.times_us), np.append(old.values, new.values))
    return Series(joined.times_us, joined.values)


def run(settings: Settings, stop: threading.Event, *, every: float = 60.0) -> None:
    """Analyse until `stop` is set.

    Parameters
    ----------
    settings : Settings
        Database and zone of the installation.
    stop : Event
        Set from a signal handler or a test.
    every : float
        Time between two steps [s].
    """
    with Intake.open(settings, writer=WRITER) as intake:
        analysis = Analysis(intake, lambda: discover(settings.zone))
        metrics = intake.metrics
        metrics.gauge("detector_lag_seconds", lambda: analysis.lag)
        metrics.gauge("queue_length", lambda: len(analysis.pending), label="batches")
        pause = 0.0
        with Heart(analysis.beat, intake.pulse):
            while not intake.pulse.rest(stop, pause):
                began = time.monotonic()
                try:
                    count = analysis.step(datetime.now(UTC))
                except StoreError as error:
                    pause = min(_PATIENCE, max(1.0, 2 * pause if pause < every else 1.0))
                    level = logging.WARNING if isinstance(error, TemporaryStoreError) else logging.ERROR
                    _log.log(level, "tries again in %.0f s: %s", pause, error)
                    continue
                took = time.monotonic() - began
                metrics.count("detector_runs")
                metrics.count("detector_scores", count)
                metrics.observe("detector_run_seconds", [took])
                if count:
                    _log.info("%d scores in %.1f s", count, took)
                pause = max(1.0, every - took)
