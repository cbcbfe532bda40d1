"""A small world to tell stories in: a migrated database and everything that writes to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from hypervision import flowing
from hypervision import settings as settings_module
from hypervision.batch import Batch, Draft, Identity, Receipt
from hypervision.clock import to_us
from hypervision.intake import Intake
from hypervision.settings import Settings
from hypervision.store.connection import connect
from hypervision.store.writer import publish
from hypervision.watch import Watch
from tests.contract.servers import NOW, Server

# A collector whose last beat is so old has stopped [s].
STOPPED = 90.0

Reading = tuple[str, str, str, datetime, float]


class World:
    """A migrated database and everything that writes to it; times are given, nothing waits."""

    def __init__(self, server: Server, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = server
        self.url = url
        self.now = NOW
        self._open: list[Intake] = []
        self._monkeypatch = monkeypatch
        # A slow machine is no dead collector.
        monkeypatch.setattr(flowing, "PATIENCE", 60.0)

    def settings(self, **overrides: Any) -> Settings:
        given = {"data_dir": "/nowhere", "database_url": self.url, "registration": "open", "language": "en"}
        return settings_module.load({}, overrides=given | overrides)

    def intake(self, writer: str = "collector-1", **overrides: Any) -> Intake:
        """Open a writer; where the server takes one connection only, the one before is closed."""
        if not self.server.many:
            self.close()
        intake = Intake.open(self.settings(**overrides), writer=writer, wait=5.0)
        self._open.append(intake)
        if not self.server.many:
            self._monkeypatch.setattr(intake, "_beat", _SameConnection(intake))
        return intake

    def watch(self, **overrides: Any) -> Watch:
        intake = self.intake("watch", **overrides)
        return Watch(intake, intake.settings)

    def close(self, intake: Intake | None = None) -> None:
        for one in list(self._open):
            if intake is None or one is intake:
                one.close()
                self._open.remove(one)

    def rows(self, text: str, values: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """Ask the database, as an outsider does."""
        return self._run(text, values, fetch=True)

    def execute(self, text: str, values: Mapping[str, object] | None = None) -> None:
        self._run(text, values, fetch=False)

    def _run(self, text: str, values: Mapping[str, object] | None, *, fetch: bool) -> list[tuple[Any, ...]]:
        if self._open and not self.server.many:
            connection = self._open[-1].connection
            cursor = connection.execute(text, values)
            found = cursor.fetchall() if fetch else []
            connection.commit()
            return found
        with connect(self.url, application="test", autocommit=True) as connection:
            cursor = connection.execute(text, values)
            return cursor.fetchall() if fetch else []

    def batch(self, intake: Intake, *messages: Reading | list[Reading], received: datetime | None = None) -> Batch:
        """One message per reading, or per list of readings."""
        draft = Draft()
        at = to_us(received or self.now)
        for given in messages:
            readings = given if isinstance(given, list) else [given]
            domain, thing, *_ = readings[0]
            message = draft.message_of(f"urban/v1/{domain}/{thing}/up", b"{}", received_us=at)
            for reading in readings:
                slot = intake.streams.slot(*reading[:3])
                draft.reading(message, slot=slot, time_us=to_us(reading[3]), result=reading[4])
        return draft.close()

    def send(self, intake: Intake, *messages: Reading | list[Reading], received: datetime | None = None) -> Receipt:
        return intake.commit(self.batch(intake, *messages, received=received), now=received or self.now)

    def with_seq(self, intake: Intake, reading: Reading, seq: int) -> Batch:
        """A message without a time of its own."""
        batch = self.batch(intake, reading)
        batch.identities.append(Identity(0, reading[1], "", seq, 4711))
        return batch

    def history(self, intake: Intake, *readings: Reading) -> Receipt:
        return intake.commit(replace(self.batch(intake, list(readings)), imported=True), now=self.now)

    def alarms(self) -> list[tuple[Any, ...]]:
        """Of the town: what the platform says of itself is a story of its own."""
        return self.rows("SELECT rule, thing, state FROM public.alarms WHERE source_kind <> 'system' ORDER BY id")

    def journal(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT from_state, to_state, cause FROM hv.alarm_transition ORDER BY transition_id")

    def edit(self, code: str, change: str) -> None:
        """Edit a rule as every edit is made: a new version of the rule and of the set."""
        self.execute(f"UPDATE hv.rule SET {change}, version = version + 1 WHERE code = %(code)s", {"code": code})
        self.execute("UPDATE hv.rule_set SET version = version + 1")

    def beat(self, writer: str = "collector-1", *, age: float = 0.0, link: str = "connected",
             in_flight: int = 0) -> None:  # fmt: skip
        """What a collector publishes each second; its age [s] is by the clock of the database."""
        self.execute("INSERT INTO hv.writer (name) VALUES (%(name)s) ON CONFLICT DO NOTHING", {"name": writer})
        self.execute(
            "INSERT INTO hv.writer_snapshot (writer_id, beat_at, received, stored, duplicate, rejected, in_flight, link)"
            " SELECT writer_id, clock_timestamp() - %(age)s * interval '1 s', %(held)s, 0, 0, 0, %(held)s, %(link)s FROM hv.writer WHERE name = %(name)s"
            " ON CONFLICT (writer_id) DO UPDATE SET beat_at = excluded.beat_at, received = excluded.received,"
            " stored = 0, duplicate = 0, rejected = 0, in_flight = excluded.in_flight, link = excluded.link",
            {"name": writer, "age": age, "held": in_flight, "link": link},
        )

    def ticks(self, watch: Watch, *, until: datetime, beats: bool = True) -> int:
        """Let the timers run once a second up to an instant, with collectors alive or not."""
        steps = 0
        if not beats:
            self.beat(age=STOPPED)
        while self.now < until:
            self.now = min(self.now + timedelta(seconds=1), until)
            if beats:
                self.beat()
            steps += watch.tick(self.now)
        return steps


class _SameConnection:
    """A beat on the writer's own connection, for a server that takes only one."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def publish(self, writer_id: int, counters: Any, *, age: float, link: str, detail: Mapping[str, object]) -> None:
        connection = self._intake.connection
        publish(
            connection, writer_id, age=age, received=counters.received, stored=counters.stored,
            duplicate=counters.duplicate, rejected=counters.rejected, in_flight=counters.in_flight, link=link,
            detail=dict(detail),
        )  # fmt: skip
        connection.commit()

    def close(self) -> None:
        """The connection is the writer's."""
