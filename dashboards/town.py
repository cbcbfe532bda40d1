"""The town as one process knows it at one moment, and what follows from it: pure functions, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from dashboards.limits import Limits, Periods
from hypervision.collecting import Seen, Service, service
from hypervision.flood import Activation
from hypervision.progress import STUCK_AFTER, Progress
from hypervision.pulse import COLLECTOR_PATIENCE
from hypervision.scope import EVERYTHING, Scope
from hypervision.store.inhibitions import Inhibition
from hypervision.store.screens import (
    AlarmRow,
    NewGapRow,
    ReadingRow,
    RejectedRow,
    StreamRow,
    ThingRow,
    WriterRow,
)

PRIORITIES: Final = ("critical", "high", "medium", "low")
RANK: Final = {name: rank for rank, name in enumerate(PRIORITIES)}
NO_TIME: Final = datetime.fromtimestamp(0, UTC)


class Freshness(StrEnum):
    """How far a value can be trusted by its age and quality."""

    GOOD = "good"
    LATE = "late"
    STALE = "stale"
    BAD = "bad"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Course:
    """The last day of a domain's leading property: one mean per bucket, None where nothing was read."""

    property: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Own:
    """What the database filters for the accounts of one scope.

    Attributes
    ----------
    courses : mapping
        Over the scope's Things alone.
    rejected : tuple
        The newest rejected messages of its Things.
    gaps : tuple
        The newest gaps of its Things and of the platform.
    """

    courses: Mapping[str, Course] = field(default_factory=dict)
    rejected: tuple[RejectedRow, ...] = ()
    gaps: tuple[NewGapRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Town:
    """Everything the screens show, at one moment.

    Attributes
    ----------
    seq : int
        Grows with every change; deltas are told apart by it.
    proved_at : datetime
        When the database last answered.
    failure : str
        Why it does not answer now; empty when it does.
    back_at : datetime
        When it last answered after it had stood still, for `stood_still` [s].
    progress : mapping
        By writer, what was last seen of its work.
    activations : tuple
        What rang within the last hour, the first first.
    own : mapping
        By scope that somebody looks with.
    scope : Scope
        Which part of the town this is.
    """

    seq: int = 0
    proved_at: datetime = NO_TIME
    failure: str = ""
    back_at: datetime = NO_TIME
    stood_still: float = 0.0
    things: Mapping[int, ThingRow] = field(default_factory=dict)
    codes: Mapping[str, int] = field(default_factory=dict)
    streams: Mapping[int, StreamRow] = field(default_factory=dict)
    streams_of: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    latest: Mapping[int, ReadingRow] = field(default_factory=dict)
    alarms: Mapping[int, AlarmRow] = field(default_factory=dict)
    inhibitions: tuple[Inhibition, ...] = ()
    chattering: Mapping[int, int] = field(default_factory=dict)
    activations: tuple[Activation, ...] = ()
    writers: tuple[WriterRow, ...] = ()
    progress: Mapping[str, Progress] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    courses: Mapping[str, Course] = field(default_factory=dict)
    rejected: tuple[RejectedRow, ...] = ()
    gaps: tuple[NewGapRow, ...] = ()
    engine: tuple[str, int, int, str | None] | None = None
    own: Mapping[Scope, Own] = field(default_factory=dict)
    scope: Scope = EVERYTHING

    @property
    def whole(self) -> bool:
        """Whether this is everything there is."""
        return self.scope.is_whole

    def thing_of(self, alarm: AlarmRow) -> ThingRow | None:
        """The Thing an alarm is about; None for an alarm of the platform."""
        return None if alarm.thing_id is None else self.things.get(alarm.thing_id)

    def visible_things(self, scope: Scope) -> list[ThingRow]:
        """The Things an account of a scope may see; of the part that was made for it, all."""
        held = scope.is_whole or scope == self.scope
        return [t for t in self.things.values() if held or scope.holds(t)]

    def visible_alarms(self, scope: Scope) -> list[AlarmRow]:
        """The open alarms an account of a scope may see, worst first; `dashboards.hidden` has those that are hidden."""
        found = [a for a in self.alarms.values() if a.suppression == "none"]
        if not scope.is_whole:
            own = {t.thing_id for t in self.visible_things(scope)}
            found = [a for a in found if a.thing_id in own]
        return sorted(found, key=urgency)


def waits(state: str) -> bool:
    """Whether an alarm in this state waits for an acknowledgement."""
    return state in ("UNACK", "RTNUN")


def urgency(alarm: AlarmRow) -> tuple[int, int, int, int, float, int]:
    """The order of every list: what waits; in it the worst, told to others, still active before returned, newest.

    Priority first, as ISA-18.2 asks of what waits: the first is what an operator should look at now.
    """
    return (
        int(not waits(alarm.state)),
        RANK.get(alarm.priority, 9),
        int(alarm.escalated_to is None),
        int(alarm.state == "RTNUN"),
        -alarm.raised_at.timestamp(),
        -alarm.alarm_id,
    )


def worst_unacknowledged(alarms: Iterable[AlarmRow]) -> AlarmRow | None:
    """What the banner on every page shows."""
    waiting = [a for a in alarms if waits(a.state) and a.suppression == "none"]
    return min(waiting, key=urgency, default=None)


def freshness(reading: ReadingRow | None, period: float | None, *, now: datetime, periods: Periods) -> Freshness:
    """Judge a value by its age and quality.

    Parameters
    ----------
    reading : ReadingRow or None
        The newest reading; None: nothing was ever read.
    period : float or None
        Expected period [s]; None where readings come on change only and never grow old.
    """
    if reading is None:
        return Freshness.NEVER
    if period is not None:
        age = (now - reading.at).total_seconds()
        if age > periods.stale * period:
            return Freshness.STALE
        if age > periods.late * period:
            return Freshness.LATE
    return Freshness.BAD if reading.quality == 0 else Freshness.GOOD


def milliseconds(at: datetime) -> int:
    """A moment as the browser counts it [ms]."""
    return int(at.timestamp() * 1000)


def observes(town: Town, thing: ThingRow, domain: str) -> bool:
    """Whether a Thing is of a domain: by its registration or by a datastream (a smart pole has several)."""
    return thing.domain == domain or any(
        town.streams[i].domain == domain for i in town.streams_of.get(thing.thing_id, ())
    )


@dataclass(frozen=True, slots=True)
class Reporting:
    """How many Things report, of those that are expected to."""

    reporting: int
    expected: int


def is_reporting(
    town: Town, thing_id: int, *, now: datetime, periods: Periods, domain: str | None = None
) -> bool | None:
    """Whether a Thing is heard of; None for one of which nothing regular is expected.

    Parameters
    ----------
    domain : str, optional
        Only by its datastreams of this domain: the parking sensor of a lamp post may be silent alone.

    Notes
    -----
    The fastest regular datastream says how soon a reading of any kind is due: a battery read once a day does
    not keep a silent level sensor alive.
    """
    streams = [town.streams[i] for i in town.streams_of.get(thing_id, ())]
    if domain is not None:
        streams = [s for s in streams if s.domain == domain]
    regular = [s.period for s in streams if s.period is not None]
    if not regular:
        return None
    newest = max((town.latest[s.datastream_id].at for s in streams if s.datastream_id in town.latest), default=None)
    return newest is not None and (now - newest).total_seconds() <= periods.stale * min(regular)


def reporting(
    town: Town, things: Iterable[ThingRow], *, now: datetime, periods: Periods, domain: str | None = None
) -> Reporting:
    """Count the Things that report, in one domain or at all."""
    told = [is_reporting(town, t.thing_id, now=now, periods=periods, domain=domain) for t in things]
    known = [t for t in told if t is not None]
    return Reporting(sum(known), len(known))


def by_priority(alarms: Iterable[AlarmRow]) -> dict[str, tuple[int, int]]:
    """Open and unacknowledged alarms per priority."""
    counted = dict.fromkeys(PRIORITIES, (0, 0))
    for alarm in alarms:
        open_, waiting = counted.get(alarm.priority, (0, 0))
        counted[alarm.priority] = (open_ + 1, waiting + waits(alarm.state))
    return counted


# A beat comes each second and the reader looks each second: past this age a collector, or the database, has stopped.
BEAT_LIMIT: Final = COLLECTOR_PATIENCE

# The reader looks each second: a longer silence is the database's, and nobody else's age grows by it.
_LOOK: Final = timedelta(seconds=1)


def known_until(town: Town, *, now: datetime) -> datetime:
    """Until when something is known of the platform's other parts: a database that is silent tells nothing of them."""
    return min(now, town.proved_at + _LOOK)


def returned(before: Town, *, now: datetime) -> Town:
    """Note that the database answers again, when it has kept us waiting for longer than between two looks."""
    waited = (now - before.proved_at - _LOOK).total_seconds()
    if before.proved_at == NO_TIME or waited <= 1.0:
        return before
    return replace(before, back_at=now, stood_still=waited)


def beat_ages(town: Town, *, now: datetime) -> dict[str, float]:
    """The age of each writer's last beat, by name [s].

    Notes
    -----
    Nobody can beat while the database stands still: right after it, that time is taken off.
    """
    since_look = (known_until(town, now=now) - town.proved_at).total_seconds()
    back = (now - town.back_at).total_seconds() <= BEAT_LIMIT
    ages = {w.name: w.beat_age + since_look for w in town.writers if w.beat_age is not None}
    return {name: max(0.0, age - town.stood_still) for name, age in ages.items()} if back else ages


def stuck(town: Town, writer: WriterRow, *, now: datetime) -> float | None:
    """For how long a collector has held messages without committing any [s]; None while it works."""
    last = town.progress.get(writer.name)
    if last is None or not writer.in_flight or not writer.name.startswith("collector"):
        return None
    silent = (known_until(town, now=now) - last.since).total_seconds()
    return silent if silent >= STUCK_AFTER else None


def in_service(town: Town, *, now: datetime) -> Service:
    """The collectors in service, those that stopped, and parts of the messages that nobody takes."""
    ages = beat_ages(town, now=now)
    seen = (Seen(w.name, ages[w.name], w.retired) for w in town.writers if w.name in ages)
    return service(seen, patience=BEAT_LIMIT)


@dataclass(frozen=True, slots=True)
class Feed:
    """Whether what is on the screen is alive.

    Attributes
    ----------
    state : str
        `live`, `database` (it does not answer), `collector` (one stopped or is stuck) or `none` (no collector yet).
    name : str
        Of the collector that stopped.
    since : datetime or None
        Last sign of life of what failed.
    """

    state: str
    name: str = ""
    since: datetime | None = None


def is_away(town: Town, *, now: datetime) -> bool:
    """Whether the database does not answer: it refuses, or it answered once and hangs now."""
    return town.failure != "" or NO_TIME < town.proved_at < now - timedelta(seconds=BEAT_LIMIT)


def feed(town: Town, *, now: datetime) -> Feed:
    """Judge the chain behind the screen: database first, then every collector."""
    silent = (now - town.proved_at).total_seconds()
    if town.proved_at == NO_TIME:
        return Feed("database")
    if silent > BEAT_LIMIT:
        return Feed("database", since=town.proved_at)
    known = in_service(town, now=now)
    writers = {w.name: w for w in town.writers}
    if known.stopped:
        return Feed("collector", known.stopped[0], writers[known.stopped[0]].beat_at)
    if not known.at_work:
        return Feed("none")
    for part in known.untaken:
        return Feed("collector", part.writer)
    for name in known.at_work:
        if stuck(town, writers[name], now=now) is not None:
            return Feed("collector", name, town.progress[name].since)
    return Feed("live")
