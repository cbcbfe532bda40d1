"""The one reader of a server process: it looks at the database each second and keeps the town in memory.

The poll is the truth; a notification only shortens the wait for the next one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from dashboards.courses import read_courses
from dashboards.hidden import CHATTERS_FROM, CHATTERS_WITHIN
from dashboards.limits import Limits
from dashboards.scoped import seen_by
from dashboards.town import Course, Own, Town, returned
from hypervision.domains import Catalogue
from hypervision.errors import PermanentStoreError, StoreError
from hypervision.flood import LOOKED_BACK
from hypervision.progress import progressed
from hypervision.scope import EVERYTHING, Scope
from hypervision.store import inhibitions, screens
from hypervision.store.pool import Listener

log = logging.getLogger(__name__)

# Notifications may hurry the poll, at most to this [s].
_SHORTEST: Final = 0.2
_POLL: Final = 1.0
_COURSES_EVERY: Final = 300.0
# A demo's history or an import arrives while the first screen is open: young readers look more often [s].
_COURSES_YOUNG: Final = 10.0
_YOUNG: Final = 180.0
_ENGINE_EVERY: Final = 10.0
_GAPS_OF: Final = timedelta(days=1)
# What rang is asked for once more for so long: a writer tells its instant before it commits.
_COMMITTED: Final = timedelta(seconds=60)
# A scope that no screen asked for in this time is read no more [s].
_WANTED: Final = 120.0


def utc_now() -> datetime:
    """The one place where the control room reads the clock."""
    return datetime.now(UTC)


class LiveReader:
    """Reads the town in a thread of its own.

    Parameters
    ----------
    url : str
        libpq URI.
    catalogue : Catalogue
        The domains.
    changed : callable
        Called in the reader's thread after each look, whether it found something or failed.

    Attributes
    ----------
    town : Town
        Replaced as a whole; take it once and work on it.
    ended : callable
        Called in the reader's thread when it ends before its time; `check` says why.
    """

    def __init__(self, url: str, catalogue: Catalogue, *, changed: Callable[[], None] = lambda: None) -> None:
        self.town = Town()
        self._url = url
        self._catalogue = catalogue
        self.changed = changed
        self.ended: Callable[[], None] = lambda: None
        self._failure: BaseException | None = None
        self._born = time.monotonic()
        self._unanswered: set[str] = set()
        self._wanted: dict[Scope, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-reader", daemon=True)
        self._forget()

    def _forget(self) -> None:
        self._cursors: dict[int, int] = {}
        self._alarm_numbers: dict[int, int] = {}
        self._registry: tuple[Any, ...] = ()
        self._courses_due = 0.0
        self._engine_due = 0.0
        self._rejected_seen = -1
        self._rang_until: datetime | None = None

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join(timeout=5.0)

    def want(self, scope: Scope) -> None:
        """Note that somebody looks at a part of the town: from the next look on it has its own courses and lists."""
        if not scope.is_whole:
            self._wanted[scope] = time.monotonic()

    def _in_use(self) -> list[Scope]:
        limit = time.monotonic() - _WANTED
        for scope, asked in list(self._wanted.items()):
            if asked < limit:
                self._wanted.pop(scope, None)
        return list(self._wanted)

    def check(self) -> None:
        """Raise what ended the thread before its time."""
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._follow()
        except BaseException as error:  # noqa: BLE001  (the process raises it: nobody else would look again)
            self._failure = error
            self.ended()

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                with Listener(self._url) as listener:
                    self._forget()
                    while not self._stop.is_set():
                        started = time.monotonic()
                        self.look(listener)
                        self.changed()
                        self._rest(listener, started)
            except StoreError as error:
                if self.town.failure != str(error):
                    log.warning("the screens stand still: %s", error)
                self.town = replace(self.town, seq=self.town.seq + 1, failure=str(error))
                self.changed()
                self._stop.wait(_POLL)

    def _rest(self, listener: Listener, started: float) -> None:
        self._stop.wait(max(_SHORTEST - (time.monotonic() - started), 0.0))
        remaining = _POLL - (time.monotonic() - started)
        if remaining > 0 and not self._stop.is_set():
            listener.wait(remaining)

    def look(self, listener: Listener) -> None:
        """Read what changed since the last look."""
        # Writers, readings and alarms of one snapshot: a cursor never runs ahead of the rows it stands for.
        with listener.snapshot() as connection:
            before = self.town
            writers = tuple(screens.read_writers(connection))
            # Only now: it may have kept us waiting.
            now = utc_now()
            # What stood still while the database was away is not held against a collector.
            seen = {} if before.failure else before.progress
            town = replace(
                returned(before, now=now),
                proved_at=now,
                failure="",
                writers=writers,
                progress=progressed(seen, writers, now=now),
                own={scope: before.own.get(scope, Own()) for scope in self._in_use()},
            )
            registry = screens.read_registry_version(connection)
            if registry != self._registry:
                town = self._with_registry(town, connection)
            town = self._with_latest(town, connection)
            numbers = {w.writer_id: w.alarm_no for w in town.writers}
            if numbers != self._alarm_numbers:
                alarms = {a.alarm_id: a for a in screens.read_alarms(connection)}
                town = replace(town, inhibitions=tuple(inhibitions.listed(connection)))
                if alarms != town.alarms:
                    town = replace(town, alarms=alarms)
        if numbers != self._alarm_numbers or self._rang_until is None:
            town = self._beside(listener, self._with_activations, town, now=now)
        new = [scope for scope in town.own if scope not in before.own]
        rejected = sum(w.rejected or 0 for w in town.writers)
        if time.monotonic() >= self._engine_due:
            town = self._beside(listener, self._with_rejected, town, now=now)
            town = self._beside(listener, self._with_chattering, town, now=now)
            self._engine_due = time.monotonic() + _ENGINE_EVERY
        elif rejected != self._rejected_seen:
            town = self._beside(listener, self._with_newest_rejected, town, now=now)
        if new:
            town = self._beside(listener, partial(self._with_own, new), town, now=now)
        if time.monotonic() >= self._courses_due and town.latest:
            town = self._beside(listener, self._with_courses, replace(town, courses={}), now=now)
            young = time.monotonic() - self._born < _YOUNG
            self._courses_due = time.monotonic() + (_COURSES_YOUNG if young else _COURSES_EVERY)
        self._rejected_seen = rejected
        self._registry = registry
        self._alarm_numbers = numbers
        self._cursors = {w.writer_id: w.commit_no for w in town.writers}
        self.town = replace(town, seq=before.seq + 1)

    def _beside(self, listener: Listener, read: Callable[..., Town], town: Town, *, now: datetime) -> Town:
        """Read what alarms and readings do without: a question that can never be answered costs its own part alone."""
        try:
            with listener.snapshot() as connection:
                return read(town, connection, now=now)
        except PermanentStoreError as error:
            if str(error) not in self._unanswered:
                log.warning("a part of the screens stays empty: %s", error)
            self._unanswered.add(str(error))
            return town

    def _with_registry(self, town: Town, connection: screens.Database) -> Town:
        things = {t.thing_id: t for t in screens.read_things(connection)}
        streams = {s.datastream_id: s for s in screens.read_streams(connection)}
        of_thing: dict[int, list[int]] = {}
        for stream in streams.values():
            of_thing.setdefault(stream.thing_id, []).append(stream.datastream_id)
        return replace(
            town,
            things=things,
            codes={t.code: t.thing_id for t in things.values()},
            streams=streams,
            streams_of={thing: tuple(ids) for thing, ids in of_thing.items()},
            limits=Limits.of(screens.read_limits(connection)),
        )

    def _with_rejected(self, town: Town, connection: screens.Database, *, now: datetime) -> Town:
        # A scope's few are looked for among all: not at every new one.
        return replace(
            town,
            rejected=tuple(screens.read_rejected(connection, scope=EVERYTHING)),
            gaps=_gaps(connection, EVERYTHING, now=now),
            own={scope: _lists(own, connection, scope, now=now) for scope, own in town.own.items()},
            engine=screens.read_engine(connection),
        )

    def _with_own(self, new: Sequence[Scope], town: Town, connection: screens.Database, *, now: datetime) -> Town:
        """Read what a screen of a new scope waits for, and nothing of the others."""
        own = dict(town.own)
        for scope in new:
            made = _lists(own[scope], connection, scope, now=now)
            part = seen_by(town, scope)
            courses = read_courses(connection, part, self._catalogue, now=now) if part.latest else {}
            own[scope] = replace(made, courses=courses)
        return replace(town, own=own)

    def _with_chattering(self, town: Town, connection: screens.Database, *, now: datetime) -> Town:
        found = screens.read_chattering(connection, since=now - CHATTERS_WITHIN, least=CHATTERS_FROM)
        return replace(town, chattering=found)

    def _with_activations(self, town: Town, connection: screens.Database, *, now: datetime) -> Town:
        oldest = now - LOOKED_BACK
        since = oldest if self._rang_until is None else max(oldest, self._rang_until - _COMMITTED)
        kept = {each for each in town.activations if each.at > oldest} if self._rang_until is not None else set()
        found = kept.union(screens.read_activations(connection, since=since))
        self._rang_until = now
        return replace(town, activations=tuple(sorted(found, key=lambda each: (each.at, each.alarm_id))))

    def _with_newest_rejected(self, town: Town, connection: screens.Database, *, now: datetime) -> Town:  # noqa: ARG002
        return replace(town, rejected=tuple(screens.read_rejected(connection, scope=EVERYTHING)))

    def _with_courses(self, town: Town, connection: screens.Database, *, now: datetime) -> Town:
        def read(part: Town) -> dict[str, Course]:
            return read_courses(connection, part, self._catalogue, now=now)

        own = {scope: replace(own, courses=read(seen_by(town, scope))) for scope, own in town.own.items()}
        return replace(town, courses=read(town), own=own)

    def _with_latest(self, town: Town, connection: screens.Database) -> Town:
        fresh = screens.read_latest(connection, self._cursors)
        if not fresh:
            return town
        return replace(town, latest={**town.latest, **{r.datastream_id: r for r in fresh}})


def _lists(own: Own, connection: screens.Database, scope: Scope, *, now: datetime) -> Own:
    """The lists of one scope read anew."""
    return replace(
        own,
        rejected=tuple(screens.read_rejected(connection, scope=scope)),
        gaps=_gaps(connection, scope, now=now),
    )


def _gaps(connection: screens.Database, scope: Scope, *, now: datetime) -> tuple[screens.NewGapRow, ...]:
    return tuple(screens.read_newest_gaps(connection, scope=scope, since=now - _GAPS_OF))
