"""What is no longer kept goes: each kind alone, in steps, and what was begun is finished."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from hypervision import retention
from hypervision.keeping import Keeper
from hypervision.settings import StorageSettings
from hypervision.store import clocks, packing
from hypervision.store import retention as retention_store
from hypervision.store.connection import connect
from hypervision.store.engines import engine_of
from tests.contract.test_store_years import DAY, NOW, flow, parts, stored, town

pytestmark = pytest.mark.integration
JOURNAL = "SELECT detail ->> 'what', (detail ->> 'rows')::int FROM hv.journal WHERE kind = 'retention' ORDER BY 1"
ROLLED = (
    "INSERT INTO hv.rollup SELECT d, level, %(now)s - ago * interval '1 day', 1, 1, 1, 1, NULL, 60"
    " FROM generate_series(1, 3) d, generate_series(0, 1) level, unnest(ARRAY[10, 40, 100]) ago"
)


@pytest.fixture(autouse=True)
def _right(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every clock is right here; see `test_store_fence`."""
    monkeypatch.setattr(clocks, "known_time", lambda _connection, now: now)


def test_roll_ups_and_gaps_go_by_age(world: Any) -> None:
    world.execute(
        "INSERT INTO hv.rollup SELECT d, level, %(now)s - ago * interval '1 day', 1, 1, 1, 1, NULL, 60"
        " FROM generate_series(1, 3) d, generate_series(0, 1) level, unnest(ARRAY[10, 40, 100]) ago",
        {"now": NOW},
    )
    world.execute(
        "INSERT INTO hv.outage VALUES ('x', 'broker', %(old)s, %(old)s), ('x', 'broker', %(now)s, %(now)s)",
        {"now": NOW, "old": NOW - 50 * DAY},
    )
    world.execute("INSERT INTO hv.organisation (code, name) VALUES ('o', 'o')")
    world.send(world.intake(), *[flow(NOW, 1.0, f"p{i}") for i in range(3)])
    world.close()
    storage = StorageSettings(keep_readings=31, keep_hours=35, keep_days=60, keep_gaps=45)
    with connect(world.url, application="test") as connection:
        retention.drop(connection, storage, actor="test", now=NOW)
    assert world.rows("SELECT level, count(*) FROM hv.rollup GROUP BY 1 ORDER BY 1") == [(0, 3), (1, 6)]
    assert world.rows("SELECT began FROM hv.outage") == [(NOW,)]
    assert world.rows("SELECT hv.kept_from('hours')") == [(NOW.replace(hour=0) - 35 * DAY,)]


@pytest.mark.usefixtures("days_apart")
def test_dropping_that_was_interrupted_goes_on(world: Any, several: None) -> None:
    town(world, days=3, since=NOW - 80 * DAY)
    name = parts(world)[0].name
    world.execute(f"ALTER TABLE hv.observation DETACH PARTITION hv.{name}")
    with connect(world.url, application="test") as connection:
        engine_of(connection).drop(connection, before=(NOW - 60 * DAY).date())
    assert parts(world) == []
    assert world.rows("SELECT count(*) FROM pg_class WHERE relname LIKE 'observation\\_2%%' AND relkind = 'r'", {}) == [
        (0,)
    ]


@pytest.mark.usefixtures("several", "days_apart")
def test_what_still_is_read_is_told_and_goes_with_the_next_round(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    town(world, days=2, since=NOW.replace(hour=0) - 80 * DAY)
    monkeypatch.setattr(packing, "_DETACHING", "200ms")
    storage = StorageSettings(keep_readings=60)
    with connect(world.url, application="reader") as reader, connect(world.url, application="test") as connection:
        reader.execute("SELECT count(*) FROM hv.observation")
        for _ in range(2):
            (done,) = retention.drop(connection, storage, actor="test", now=NOW)
            assert "2 partitions of readings" in done.failure
            # Nothing is gone yet, and the journal does not say that it is.
            assert world.rows(JOURNAL) == []
        # Whoever comes now sees the first day no more; who reads it may go on.
        assert {row[1].date() for row in stored(world)} == {(NOW - 79 * DAY).date()}
        assert [p.pending for p in parts(world)] == [True, False]
        reader.rollback()
        (done,) = retention.drop(connection, storage, actor="test", now=NOW)
        assert (done.failure, len(done.parts)) == ("", 2)
    assert parts(world) == []
    told = world.rows("SELECT detail -> 'partitions' FROM hv.journal WHERE kind = 'retention' ORDER BY journal_id")
    assert [name for (names,) in told for name in names] == [
        f"observation_{NOW - ago * DAY:%Y%m%d}" for ago in (80, 79)
    ]


@pytest.mark.usefixtures("several", "days_apart")
def test_reading_into_a_partition_that_is_being_dropped_is_too_old(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    since = NOW.replace(hour=0) - 80 * DAY
    town(world, days=1, since=since)
    intake = world.intake()
    # It has seen the partition.
    assert world.send(intake, flow(since, 1.0)).duplicate == 1
    monkeypatch.setattr(packing, "_DETACHING", "200ms")
    with connect(world.url, application="reader") as reader, connect(world.url, application="test") as connection:
        reader.execute("SELECT count(*) FROM hv.observation")
        retention.drop(connection, StorageSettings(keep_readings=60), actor="test", now=NOW)
        reader.rollback()
        receipt = world.send(intake, flow(since + timedelta(minutes=1), 1.0), flow(NOW, 2.0))
        assert (receipt.stored, receipt.rejected) == (1, 1)
        assert world.rows("SELECT reason FROM rejected_messages") == [("time_too_old",)]
        # Everything is to be kept now; what was begun is finished nevertheless, and makes room.
        retention.drop(connection, StorageSettings(), actor="test", now=NOW)
    assert not any(p.pending for p in parts(world))
    assert world.send(intake, flow(since + timedelta(minutes=1), 1.0)).stored == 1


@pytest.mark.usefixtures("several")
def test_failure_of_one_kind_keeps_neither_the_others_nor_packing(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.execute(ROLLED, {"now": NOW})
    world.execute("INSERT INTO hv.outage VALUES ('x', 'broker', %(old)s, %(old)s)", {"old": NOW - 50 * DAY})
    town(world, days=1, since=NOW.replace(hour=0) - 20 * DAY)
    storage = StorageSettings(keep_readings=31, keep_hours=35, keep_days=60, keep_gaps=45)
    keeper = Keeper(world.url, storage, clock=lambda: NOW)
    real = retention_store._steps

    def slow(connection: Any, what: str, before: Any) -> Any:
        if what == "hours":
            raise psycopg.errors.QueryCanceled("canceling statement due to statement timeout")
        return real(connection, what, before)

    with connect(world.url, application="test") as connection:
        with monkeypatch.context() as patched:
            patched.setattr(retention_store, "_steps", slow)
            keeper.round(connection, now=NOW)
        assert world.rows(JOURNAL) == [("days", 3), ("gaps", 1)]
        assert all(p.packed for p in engine_of(connection).partitions(connection))
        # The same day once more, since it failed.
        keeper.round(connection, now=NOW)
        assert world.rows(JOURNAL) == [("days", 3), ("gaps", 1), ("hours", 6)]


@pytest.mark.usefixtures("several")
def test_roll_ups_go_in_steps_and_nothing_is_counted(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.execute(ROLLED, {"now": NOW})
    town(world, days=1)
    storage = StorageSettings(keep_readings=31, keep_hours=35)
    monkeypatch.setattr(retention_store, "_ROWS", 2)
    monkeypatch.setattr(retention_store, "due", lambda *_: pytest.fail("counts"))
    with connect(world.url, application="test") as connection:
        taken = list(retention_store._steps(connection, "hours", NOW - 35 * DAY))
        assert (sum(taken), max(taken)) == (6, 2)
        connection.rollback()
        (told,) = retention.drop(connection, storage, actor="test", now=NOW)
        assert told.rows == 6
        assert retention.drop(connection, storage, actor="test", now=NOW) == []
    assert world.rows(JOURNAL) == [("hours", 6)]
