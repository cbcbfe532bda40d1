"""The database over years: old partitions packed, late rows into them, retention, sizes."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hypervision import retention
from hypervision.correction import Correction
from hypervision.corrections import perform
from hypervision.errors import PermanentStoreError
from hypervision.keeping import Keeper
from hypervision.settings import StorageSettings
from hypervision.store import clocks, packing, sizes
from hypervision.store import retention as retention_store
from hypervision.store.connection import Connection, connect, mapped
from hypervision.store.engines import engine_of
from tests.contract.test_store_rollups import bring_up_to_date

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _right(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every clock is right here; see `test_store_fence`."""
    monkeypatch.setattr(clocks, "known_time", lambda _connection, now: now)


def flow(at: datetime, result: float, thing: str = "p1") -> tuple[str, str, str, datetime, float]:
    return ("water", thing, "flow", at, result)


def town(world: Any, *, days: int = 3, since: datetime = NOW - 20 * DAY) -> None:
    """Two Things with a reading every six hours."""
    intake = world.intake()
    for number in range(days * 4):
        at = since + number * timedelta(hours=6)
        world.send(intake, flow(at, number + 1.0), flow(at, number + 2.0, "p2"), received=at)
    world.close()


def pack(world: Any) -> list[str]:
    with connect(world.url, application="test") as connection:
        return engine_of(connection).pack(connection, before=(NOW - 7 * DAY).date(), stop=threading.Event())


def parts(world: Any) -> list[Any]:
    with connect(world.url, application="test") as connection:
        return parts_of(connection)


def parts_of(connection: Connection) -> list[Any]:
    return engine_of(connection).partitions(connection)


def stored(world: Any) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = world.rows(
        "SELECT thing, phenomenon_time, result, quality, late FROM observations ORDER BY 1, 2"
    )
    return found


def test_packed_partitions_hold_what_they_held_and_take_late_rows_once(world: Any) -> None:
    town(world)
    before = stored(world)
    number = 2 if world.server.name == "timescaledb" else 4
    assert len(pack(world)) == number
    assert stored(world) == before
    assert [p.packed for p in parts(world)] == [True] * number
    # One reading that is there already, one of another value, one that is new.
    intake = world.intake()
    there, fresh = NOW - 20 * DAY, NOW - 20 * DAY + timedelta(minutes=7)
    receipt = world.send(intake, flow(there, 1.0), flow(there + timedelta(hours=6), 99.0), flow(fresh, 5.0))
    assert (receipt.stored, receipt.duplicate, receipt.rejected) == (1, 1, 1)
    again = world.send(intake, flow(fresh, 5.0), flow(NOW, 6.0))
    assert (again.stored, again.duplicate) == (1, 1)
    assert world.send(intake, flow(NOW, 6.0)).duplicate == 1
    found = sizes.read(intake.connection)
    assert (found.newest, len(found.partitions)) == (NOW, number + 1)
    assert found.due > 0
    assert sum(p.rows for p in found.partitions if p.packed) >= len(before)
    assert stored(world) == sorted(
        [*before, ("p1", fresh, 5.0, "good", True), ("p1", NOW, 6.0, "good", False)], key=lambda row: row[:2]
    )


def test_packed_readings_are_corrected_in_place_and_given_back(world: Any) -> None:
    town(world, days=1)
    before = stored(world)
    pack(world)
    order: dict[str, Any] = {
        "thing": "p1",
        "property": "flow",
        "since": NOW - 21 * DAY,
        "until": NOW,
        "reason": "r",
        "author": "a",
    }
    intake = world.intake("correct")
    done = perform(intake, Correction(kind="correct", add=0.5, **order), clock=lambda: NOW)
    world.close()
    assert [row[2:4] for row in stored(world) if row[0] == "p1"] == [
        (row[2] + 0.5, "corrected") for row in before if row[0] == "p1"
    ]
    intake = world.intake("correct")
    perform(intake, Correction(kind="restore", **order | {"correction_id": done.correction_id}), clock=lambda: NOW)
    world.close()
    assert stored(world) == before


@pytest.mark.usefixtures("several", "days_apart")
def test_partition_that_is_written_to_while_it_is_packed_stays_as_it_was(
    world: Any, several: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    town(world, days=1, since=NOW.replace(hour=0) - 20 * DAY)
    intake = world.intake()
    missed = NOW.replace(hour=3, minute=1) - 20 * DAY
    real = packing._bound

    def late(connection: Any, name: str, *given: Any, **more: Any) -> None:
        real(connection, name, *given, **more)
        if name.startswith("packing_"):
            world.send(intake, flow(missed, 7.0))

    monkeypatch.setattr(packing, "_bound", late)
    assert pack(world) == []
    assert [p.packed for p in parts(world)] == [False]
    monkeypatch.undo()
    assert len(pack(world)) == 1
    assert len(stored(world)) == 9
    assert world.rows("SELECT result FROM observations WHERE phenomenon_time = %(at)s", {"at": missed}) == [(7.0,)]
    assert world.rows("SELECT count(*) FROM pg_class WHERE relname LIKE 'packing%%'", {}) == [(0,)]


@pytest.mark.usefixtures("days_apart")
def test_nothing_is_packed_while_a_writer_of_an_older_version_lives(world: Any, several: None) -> None:
    with connect(world.url, application="older", autocommit=True) as older:
        day = (NOW - 20 * DAY).date()
        older.execute(f"CREATE TABLE hv.observation_{day:%Y%m%d} (LIKE hv.observation INCLUDING CONSTRAINTS)")
        older.execute(
            f"ALTER TABLE hv.observation ATTACH PARTITION hv.observation_{day:%Y%m%d}"
            f" FOR VALUES FROM ('{day} 00:00+00') TO ('{day + DAY} 00:00+00')"
        )
        town(world, days=1)
        before = stored(world)
        older.execute("SELECT pg_try_advisory_lock(720647, hashtext('collector-1'))")
        assert pack(world) == []
        # It still finds the key that its statements name.
        older.execute(
            "INSERT INTO hv.observation (datastream_id, phenomenon_time, result, quality, late, received_time)"
            " SELECT datastream_id, phenomenon_time, result, quality, late, received_time FROM hv.observation"
            " ON CONFLICT (datastream_id, phenomenon_time) DO NOTHING"
        )
    assert len(pack(world)) == 2
    assert stored(world) == before


def test_raw_readings_go_and_what_was_made_of_them_stays(world: Any) -> None:
    since = NOW.replace(hour=0) - 80 * DAY
    for ago in (80, 40, 3):
        town(world, days=1, since=NOW.replace(hour=0) - ago * DAY)
    bring_up_to_date(world)
    world.close()
    rolled = "SELECT thing, bucket, n, mean, covered_seconds FROM {} ORDER BY 1, 2"
    hours, days = (world.rows(rolled.format(f"observations_{level}")) for level in ("hourly", "daily"))
    holes = world.rows("SELECT * FROM hv.hole ORDER BY 1, 2")
    assert len(holes) > 2
    storage = StorageSettings(keep_readings=60)
    with connect(world.url, application="test") as connection:
        (found,) = retention_store.due(connection, retention.limits(storage, now=NOW))
        assert (found.what, len(found.parts)) == ("readings", 1)
        retention.drop(connection, storage, actor="test", now=NOW)
        assert retention.drop(connection, storage, actor="test", now=NOW) == []
    assert {row[1].date() for row in stored(world)} == {(NOW - ago * DAY).date() for ago in (40, 3)}
    assert world.rows("SELECT actor, detail ->> 'what' FROM hv.journal WHERE kind = 'retention'") == [
        ("test", "readings")
    ]
    # Every hour is due once more: what has no readings any more stays as it is.
    world.execute("INSERT INTO hv.rollup_mark SELECT datastream_id, bucket FROM hv.rollup WHERE level = 0")
    bring_up_to_date(world)
    world.close()
    assert world.rows(rolled.format("observations_hourly")) == hours
    assert world.rows(rolled.format("observations_daily")) == days
    assert world.rows("SELECT * FROM hv.hole ORDER BY 1, 2") == holes
    # A reading of the time that is gone is refused, from an import too, and makes no partition.
    intake = world.intake(storage={"keep_readings": 60})
    receipt = world.send(intake, flow(since, 1.0), flow(NOW, 2.0))
    assert (receipt.stored, receipt.rejected) == (1, 1)
    assert world.history(intake, flow(since, 1.0)).rejected == 1
    assert {row[0] for row in world.rows("SELECT reason FROM rejected_messages")} == {"time_too_old"}
    first = parts_of(intake.connection)[0]
    assert first.first <= (NOW - 40 * DAY).date() < first.last


def test_partition_that_went_is_made_again_for_the_batch_that_needs_it(world: Any, several: None) -> None:
    intake = world.intake()
    world.send(intake, flow(NOW, 1.0))
    with connect(world.url, application="test") as connection:
        engine_of(connection).drop(connection, before=(NOW + DAY).date())
    receipt = world.send(intake, flow(NOW + timedelta(minutes=5), 2.0))
    assert receipt.stored == 1


def test_readings_need_no_watch_for_their_partition_and_never_go_to_a_default_one(world: Any) -> None:
    world.watch()._tidy(NOW)
    world.close()
    if world.server.name != "timescaledb":
        assert [p.first for p in parts(world)] == [(NOW + ahead * DAY).date() for ahead in range(3)]
    # Ten days nobody made one ahead.
    world.now = NOW + 12 * DAY
    assert world.send(world.intake(), flow(world.now, 1.0)).stored == 1
    world.close()
    assert [p.packed for p in parts(world) if p.first <= world.now.date() < p.last] == [False]
    assert world.rows("SELECT count(*) FROM pg_partitioned_table WHERE partdefid <> 0") == [(0,)]
    if world.server.name != "timescaledb":
        with pytest.raises(PermanentStoreError, match="no partition"), mapped():
            world.execute("INSERT INTO hv.observation VALUES (1, '2031-01-01Z', 1, 5, false, '2031-01-01Z')")


def test_keeper_drops_once_a_day_and_packs_every_time(world: Any) -> None:
    for ago in (80, 20):
        town(world, days=1, since=NOW.replace(hour=0) - ago * DAY)
    keeper = Keeper(world.url, StorageSettings(keep_readings=60, pack_after=15), clock=lambda: NOW)
    with connect(world.url, application="test") as connection:
        keeper.round(connection, now=NOW)
        (left,) = parts_of(connection)
        assert left.packed
        assert left.first <= (NOW - 20 * DAY).date() < left.last
        connection.commit()
    town(world, days=1, since=NOW.replace(hour=0) - 75 * DAY)
    with connect(world.url, application="test") as connection:
        keeper.round(connection, now=NOW)
        assert len(parts_of(connection)) == 2
        keeper.round(connection, now=NOW + DAY)
        assert len(parts_of(connection)) == 1
