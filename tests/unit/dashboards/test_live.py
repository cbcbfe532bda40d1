from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboards import live
from dashboards.health import report
from dashboards.live import LiveReader
from dashboards.town import Course
from hypervision.errors import PermanentStoreError
from hypervision.scope import EVERYTHING, Scope
from hypervision.store.screens import ReadingRow, WriterRow

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
HELD = WriterRow(1, "collector-1/1", 1, 1, NOW, 0.5, 6, 3, 1, 1, 1, "connected", {})


class _Database:
    """Answers a reader's look with one writer and nothing else."""

    def __init__(self) -> None:
        self.writer = HELD

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        yield None


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> _Database:
    made = _Database()
    monkeypatch.setattr(live.screens, "read_writers", lambda _c: [made.writer])
    for name in ("read_alarms", "read_things", "read_streams", "read_limits"):
        monkeypatch.setattr(live.screens, name, lambda _c: [])
    monkeypatch.setattr(live.screens, "read_latest", lambda _c, _cursors: [])
    monkeypatch.setattr(live.inhibitions, "listed", lambda _c: [])
    monkeypatch.setattr(live.screens, "read_chattering", lambda _c, **_since: {})
    monkeypatch.setattr(live.screens, "read_activations", lambda _c, **_since: [])
    monkeypatch.setattr(live.screens, "read_rejected", lambda _c, **_scope: [])
    monkeypatch.setattr(live.screens, "read_newest_gaps", lambda _c, **_scope: [])
    monkeypatch.setattr(live.screens, "read_registry_version", lambda _c: (1,))
    monkeypatch.setattr(live.screens, "read_engine", lambda _c: None)
    return made


def _failing(reader: LiveReader, database: Any, monkeypatch: pytest.MonkeyPatch, seconds: float) -> list[str]:
    now = NOW + timedelta(seconds=seconds)
    monkeypatch.setattr(live, "utc_now", lambda: now)
    reader.look(database)
    return list(report(reader.town, now=now)["failing"])


def test_reader_remembers_since_when_a_collector_commits_nothing(
    database: _Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = LiveReader("", {})
    assert [_failing(reader, database, monkeypatch, s) for s in (0, 10, 29)] == [[], [], []]
    assert _failing(reader, database, monkeypatch, 31) == ["collector-1/1", "collectors"]
    database.writer = replace(HELD, stored=4, received=7)
    assert _failing(reader, database, monkeypatch, 32) == []
    assert _failing(reader, database, monkeypatch, 63) == ["collector-1/1", "collectors"]


def test_reader_that_breaks_says_so_and_keeps_why(database: _Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "Listener", lambda _url: nullcontext(database))
    ended = threading.Event()
    reader = LiveReader("", {})
    reader.ended = ended.set
    reader.check()
    monkeypatch.setattr(live.screens, "read_latest", lambda _c, _cursors: 1 // 0)
    reader.start()
    assert ended.wait(5.0)
    with pytest.raises(ZeroDivisionError):
        reader.check()


def test_reader_does_not_hold_an_outage_of_the_database_against_a_collector(
    database: _Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = LiveReader("", {})
    assert _failing(reader, database, monkeypatch, 0) == []
    reader.town = replace(reader.town, failure="the database is away")
    assert _failing(reader, database, monkeypatch, 100) == []
    assert _failing(reader, database, monkeypatch, 131) == ["collector-1/1", "collectors"]


def test_question_that_is_never_answered_costs_its_own_part_alone(
    database: _Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise PermanentStoreError("database: value out of range: overflow", sqlstate="22003")

    monkeypatch.setattr(live, "read_courses", refuse)
    monkeypatch.setattr(live.screens, "read_engine", refuse)
    readings = [ReadingRow(1, NOW, 1e308, 3)]
    monkeypatch.setattr(live.screens, "read_latest", lambda _c, _cursors: readings)
    reader = LiveReader("", {})
    reader.town = replace(reader.town, courses={"water": Course("level", (1.0,))})
    for second in range(2):
        assert _failing(reader, database, monkeypatch, second) == []
        reader._courses_due = reader._engine_due = 0.0
    assert (reader.town.failure, reader.town.latest[1].result, reader.town.courses) == ("", 1e308, {})
    assert [record.getMessage().count("overflow") for record in caplog.records] == [1]


def test_reader_reads_for_the_scopes_that_somebody_looks_with_and_forgets_the_others(
    database: _Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Scope] = []

    def rejected(_connection: Any, *, scope: Scope) -> list[Any]:
        asked.append(scope)
        return []

    monkeypatch.setattr(live.screens, "read_rejected", rejected)
    water, waste = Scope.of(domains=["water"]), Scope.of(domains=["waste"])
    reader = LiveReader("", {})
    _failing(reader, database, monkeypatch, 0)
    assert asked == [EVERYTHING]
    asked.clear()
    for scope in (water, EVERYTHING, water):
        reader.want(scope)
    _failing(reader, database, monkeypatch, 1)
    # At once, and nothing of what is known is read again for it.
    assert (asked, set(reader.town.own)) == ([water], {water})
    asked.clear()
    reader.want(waste)
    _failing(reader, database, monkeypatch, 2)
    _failing(reader, database, monkeypatch, 3)
    assert asked == [waste]
    reader._wanted[water] -= live._WANTED + 1
    asked.clear()
    reader._engine_due = 0.0
    _failing(reader, database, monkeypatch, 4)
    assert (set(asked), set(reader.town.own)) == ({EVERYTHING, waste}, {waste})
