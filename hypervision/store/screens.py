"""What the control room reads: writers, Things, newest readings, alarms, trends; every query is bounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from psycopg import Connection

from hypervision.flood import Activation
from hypervision.scope import Scope
from hypervision.store import rules as rule_store
from hypervision.store.connection import mapped
from hypervision.store.sql import query

Database: TypeAlias = Connection
"""What the functions below read from."""


@dataclass(frozen=True, slots=True)
class WriterRow:
    """A writer, its cursors and its last beat; counters are None before its first beat; or it is out of service."""

    writer_id: int
    name: str
    commit_no: int
    alarm_no: int
    beat_at: datetime | None
    beat_age: float | None
    received: int | None
    stored: int | None
    duplicate: int | None
    rejected: int | None
    in_flight: int | None
    link: str | None
    detail: dict[str, Any] | None
    retired: bool = False


@dataclass(frozen=True, slots=True)
class ThingRow:
    """A Thing as screens show it."""

    thing_id: int
    code: str
    name: str
    domain: str
    kind: str
    parent: str | None
    longitude: float | None
    latitude: float | None
    place: str
    organisation_id: int | None
    organisation: str | None
    status: str | None
    status_at: datetime | None
    district: str = ""


@dataclass(frozen=True, slots=True)
class StreamRow:
    """A datastream; `period` is its expected period [s]."""

    datastream_id: int
    thing_id: int
    domain: str
    property: str
    unit: str
    kind: str
    period: float | None


class ReadingRow(NamedTuple):
    """The newest reading of a datastream; a tuple, because a server reads 20,000 of them at its first look."""

    datastream_id: int
    at: datetime
    result: float
    quality: int


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm with its rule's words, and what hides it.

    Attributes
    ----------
    inhibition_id : int or None
        The shelf, the placing out of service or the window that hides it, until `hidden_until`, by `hidden_by`.
    explained_by : int or None
        The alarm that explains it, where it is suppressed by design.
    escalated_to : str or None
        The role that it is told to, because nobody acknowledged it in time.
    part : str
        Of the platform itself, where it is about that; or the name of the group that it is about.
    """

    alarm_id: int
    priority: str
    state: str
    suppression: str
    source_kind: str
    thing_id: int | None
    datastream_id: int | None
    raised_at: datetime
    detected_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    returned_at: datetime | None
    value: float | None
    limit: float | None
    message: str
    rule: str
    domain: str
    property: str | None
    rule_kind: str
    label_fr: str
    label_en: str
    action_fr: str
    action_en: str
    consequence_fr: str = ""
    consequence_en: str = ""
    inhibition_id: int | None = None
    explained_by: int | None = None
    hidden_since: datetime | None = None
    hidden_until: datetime | None = None
    once: bool = False
    hidden_by: str | None = None
    hidden_reason: str | None = None
    rang_at: datetime | None = None
    escalated_to: str | None = None
    part: str = ""


@dataclass(frozen=True, slots=True)
class LimitRow:
    """A limit in force; `thing_id` None: of every Thing without an override."""

    domain: str
    property: str
    kind: str
    priority: str
    limit: float
    thing_id: int | None
    enabled: bool


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """A point of a trend; no line may be drawn to it from the one before when a hole lies between."""

    at: datetime
    result: float
    quality: int
    after_hole: bool


@dataclass(frozen=True, slots=True)
class GapRow:
    """A gap: of one datastream (`silence`), of a Thing's messages of a domain (`sequence`), or of the platform.

    Attributes
    ----------
    ended : datetime or None
        None while it lasts.
    missing : int or None
        Readings or messages that did not come.
    """

    datastream_id: int | None
    domain: str | None
    began: datetime
    ended: datetime | None
    cause: str
    missing: int | None


@dataclass(frozen=True, slots=True)
class NewGapRow:
    """A gap that is over; without a Thing one of the platform, without a property one of a Thing's messages."""

    thing: str | None
    domain: str | None
    property: str | None
    began: datetime
    ended: datetime
    cause: str
    missing: int | None


@dataclass(frozen=True, slots=True)
class JournalRow:
    """A line of a Thing's journal; the last four are of an alarm's transition."""

    at: datetime
    kind: str
    actor: str
    detail: str
    from_state: str | None
    to_state: str | None
    cause: str | None
    rule: str | None


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A rejected message or a refused value."""

    rejected_id: int
    received_time: datetime
    topic: str
    payload_bytes: int
    reason: str
    detail: str
    count: int
    partial: bool
    replayed_at: datetime | None
    excerpt: str


def read_writers(connection: Database) -> list[WriterRow]:
    """Every writer with its beat."""
    with mapped():
        return [WriterRow(*row) for row in connection.execute(query("screen_writers"))]


def read_registry_version(connection: Database) -> tuple[Any, ...]:
    """A value that changes when Things, datastreams or rules do."""
    with mapped():
        row = connection.execute(query("screen_registry_version")).fetchone()
    return () if row is None else tuple(row)


def read_things(connection: Database) -> list[ThingRow]:
    """Every Thing."""
    with mapped():
        return [ThingRow(*row) for row in connection.execute(query("screen_things")).fetchall()]


def read_streams(connection: Database) -> list[StreamRow]:
    """Every datastream."""
    with mapped():
        return [StreamRow(*row) for row in connection.execute(query("screen_streams")).fetchall()]


def read_limits(connection: Database) -> list[LimitRow]:
    """Every limit in force, where no window of a schedule holds; those of formulas are of no property."""
    with mapped():
        rules = rule_store.load(connection)
    named = {rule.rule_id: rule for rule in rules.rules if rule.formula is None}
    found = [
        LimitRow(rule.domain, rule.property or "", rule.kind, rule.priority, rule.limit, None, rule.enabled)
        for rule in named.values()
    ]
    for one in rules.overrides:
        rule = named.get(one.rule_id)
        if rule is not None:
            held = rules.for_thing(rule, one.thing_id)
            found.append(
                LimitRow(
                    rule.domain, rule.property or "", rule.kind, rule.priority, held.limit, one.thing_id, held.enabled
                )
            )
    return found


def read_latest(connection: Database, cursors: Mapping[int, int]) -> list[ReadingRow]:
    """Newest readings committed after the cursors {writer id: commit number}."""
    values = {"writers": list(cursors), "commits": list(cursors.values())}
    with mapped(), connection.cursor(binary=True) as cursor:
        return list(map(ReadingRow._make, cursor.execute(query("screen_latest"), values).fetchall()))


def read_alarms(connection: Database) -> list[AlarmRow]:
    """Every open alarm."""
    with mapped():
        return [AlarmRow(*row) for row in connection.execute(query("screen_alarms"))]


def read_chattering(connection: Database, *, since: datetime, least: int) -> dict[int, int]:
    """How often the conditions of alarms rang since an instant, where that was `least` times or more, by alarm."""
    with mapped():
        rows = connection.execute(query("screen_chattering"), {"since": since, "least": least})
        return {int(row[0]): int(row[1]) for row in rows}


def read_activations(connection: Database, *, since: datetime, limit: int = 5_000) -> list[Activation]:
    """What rang since an instant, the newest `limit`; what was hidden from its first moment on did not ring."""
    with mapped():
        rows = connection.execute(query("screen_activations"), {"since": since, "limit": limit})
        return [Activation(*row) for row in rows]


def read_alarm_history(connection: Database, thing_id: int, *, since: datetime, limit: int = 100) -> list[AlarmRow]:
    """Alarms of a Thing that had not returned before `since`, newest first."""
    values = {"thing_id": thing_id, "since": since, "limit": limit}
    with mapped():
        return [AlarmRow(*row) for row in connection.execute(query("screen_alarm_history"), values)]


def read_course(
    connection: Database, streams: Sequence[int], *, since: datetime, until: datetime, width: float
) -> list[tuple[int, float]]:
    """Mean of the datastreams per bucket of `width` [s]: (bucket number, mean)."""
    values = {"streams": list(streams), "since": since, "until": until, "width": width}
    with mapped():
        return [(int(row[0]), float(row[1])) for row in connection.execute(query("screen_course"), values)]


def read_gaps(
    connection: Database, thing_id: int, *, since: datetime, until: datetime, limit: int = 2_000
) -> list[GapRow]:
    """The gaps that touch a stretch of time of one Thing, those of the platform among them, oldest first."""
    values = {"thing_id": thing_id, "since": since, "until": until, "limit": limit}
    with mapped():
        return [GapRow(*row) for row in connection.execute(query("screen_gaps"), values)]


def read_newest_gaps(connection: Database, *, scope: Scope, since: datetime, limit: int = 20) -> list[NewGapRow]:
    """The newest gaps that ended after an instant, of the Things of a scope and of the platform."""
    values = {**scope.values(), "since": since, "limit": limit}
    with mapped():
        return [NewGapRow(*row) for row in connection.execute(query("screen_newest_gaps"), values)]


def read_journal(connection: Database, thing_id: int, *, limit: int = 50) -> list[JournalRow]:
    """Journal lines and alarm transitions of a Thing, newest first."""
    with mapped():
        rows = connection.execute(query("screen_journal"), {"thing_id": thing_id, "limit": limit})
        return [JournalRow(*row) for row in rows]


def read_rejected(connection: Database, *, scope: Scope, limit: int = 50) -> list[RejectedRow]:
    """The newest rejected messages of a scope; what is of no Thing is the whole town's."""
    with mapped():
        name = "screen_rejected" if scope.is_whole else "screen_rejected_of"
        rows = connection.execute(query(name), {**scope.values(), "limit": limit})
        return [RejectedRow(*row) for row in rows]


def read_engine(connection: Database) -> tuple[str, int, int, str | None]:
    """Version, size [bytes], connections and engine of the database."""
    with mapped():
        row = connection.execute(query("screen_engine")).fetchone()
    assert row is not None
    return str(row[0]), int(row[1]), int(row[2]), row[3]


def read_writer_id(connection: Database, name: str) -> int | None:
    """The number of a writer, None before it first wrote."""
    with mapped():
        row = connection.execute(query("api_writer_id"), {"name": name}).fetchone()
    return None if row is None else int(row[0])


def read_refusals(connection: Database, *, topic: str, at: datetime) -> list[tuple[str, str]]:
    """Why a message received at one instant was not taken whole: (reason, detail)."""
    with mapped():
        rows = connection.execute(query("api_refusals"), {"topic": topic, "at": at}).fetchall()
    return [(row[0], row[1]) for row in rows]


def alarm_visible(connection: Database, alarm_id: int, *, scope: Scope) -> bool:
    """Whether an alarm exists for an account of a scope."""
    with mapped():
        values = {**scope.values(), "id": alarm_id}
        return connection.execute(query("api_alarm_visible"), values).fetchone() is not None


def scope_holds(connection: Database, thing: str, *, scope: Scope) -> bool:
    """Whether there is such a Thing in a scope."""
    with mapped():
        row = connection.execute(query("scope_holds"), {**scope.values(), "thing": thing}).fetchone()
    return row is not None and bool(row[0])
