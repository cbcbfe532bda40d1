"""Backups taken while writers go on, what comes out of them, and what a collector meets when its database went back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from hypervision import rollups
from hypervision.batch import Batch
from hypervision.errors import PermanentStoreError, TemporaryStoreError
from hypervision.intake import Intake
from hypervision.services import backup, manifest, restore, tools
from hypervision.store import backup as store
from hypervision.store import packing
from hypervision.store.connection import connect
from hypervision.store.engines import engine_of
from hypervision.store.versions import behind, wait_for_schema

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("several")]
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def heat(thing: str, seconds: float, result: float) -> tuple[str, str, str, datetime, float]:
    return ("waste", thing, "temperature", NOW + seconds * SECOND, result)


class Load:
    """A writer that sends batch after batch, and keeps what it was promised."""

    def __init__(self, world: Any, name: str) -> None:
        self.name = name
        self.world = world
        self.intake: Intake = world.intake(name)
        # (readings, commit number) of every batch whose receipt has come.
        self.acknowledged: list[tuple[list[tuple[Any, ...]], int]] = []

    def step(self) -> None:
        i = len(self.acknowledged)
        # Every Thing is too hot in each third batch, so that alarms come and go.
        readings = [heat(f"{self.name}-{n}", i, (70.0 if i % 3 == n % 3 else 20.0) + i / 1000) for n in range(20)]
        receipt = self.intake.commit(self.world.batch(self.intake, *readings), now=NOW + i * SECOND)
        assert (receipt.stored, receipt.duplicate) == (20, 0)
        assert self.intake._writer is not None
        self.acknowledged.append((readings, self.intake._writer.commit_no))
        self.intake.beat()


@contextmanager
def working(*steps: Callable[[], None]) -> Iterator[Callable[[int], None]]:
    """Repeat each step in a thread; gives a way to wait until each was done so many times more."""
    done = [0] * len(steps)
    stop = threading.Event()
    failures: list[BaseException] = []

    def run(n: int) -> None:
        try:
            while not stop.is_set():
                steps[n]()
                done[n] += 1
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    def wait(more: int) -> None:
        before, deadline = list(done), time.monotonic() + 60
        while any(now - then < more for now, then in zip(done, before, strict=True)):
            assert not failures, failures
            assert time.monotonic() < deadline, f"{before} became only {done}"
            time.sleep(0.01)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(steps))]
    for thread in threads:
        thread.start()
    try:
        yield wait
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=60)
    assert not failures, failures


def stored(world: Any, name: str) -> set[tuple[str, datetime, float]]:
    return set(
        world.rows(
            "SELECT thing, phenomenon_time, result FROM observations WHERE thing LIKE %(name)s", {"name": f"{name}-%"}
        )
    )


def keys(readings: list[tuple[Any, ...]]) -> set[tuple[str, datetime, float]]:
    return {(r[1], r[3], r[4]) for r in readings}


def roll_up(world: Any) -> list[tuple[Any, ...]]:
    with connect(world.url, application="test") as connection:
        rollups.bring_up_to_date(connection, zone="Europe/Paris")
    found: list[tuple[Any, ...]] = world.rows(
        "SELECT datastream_id, level, bucket, n, minimum, maximum, round(mean::numeric, 9), total,"
        " round(covered_seconds::numeric, 9) FROM hv.rollup ORDER BY 1, 2, 3"
    )
    return found


def test_backup_under_load_is_a_whole_instant_from_which_everything_goes_on(
    world: Any, empty: str, tmp_path: Path
) -> None:
    loads = [Load(world, "collector-1"), Load(world, "collector-2")]
    roller = connect(world.url, application="test")
    target = tmp_path / "town"

    def roll() -> None:
        rollups.bring_up_to_date(roller, zone="Europe/Paris")

    with working(*(load.step for load in loads), roll) as wait:
        wait(4)
        before = [load.acknowledged[-1][1] for load in loads]
        written = backup.write(world.url, target)
        wait(2)
    roller.close()
    original, alarms, hours = {load.name: stored(world, load.name) for load in loads}, world.alarms(), roll_up(world)
    world.close()
    assert manifest.read(target) == written
    restore.restore(target, world.server.restorer(empty))
    world.url = empty

    counted = {name: numbers for name, *numbers in world.rows("SELECT name, commit_no, stored FROM hv.writer")}
    for load, least in zip(loads, before, strict=True):
        commit_no, messages = counted[load.name]
        held = [readings for readings, number in load.acknowledged if number <= commit_no]
        # What was acknowledged before the backup began is in it; of what came later, a beginning without a hole.
        assert least <= commit_no < load.acknowledged[-1][1]
        assert stored(world, load.name) == set().union(*map(keys, held))
        assert messages == sum(map(len, held))
    # What was published adds up, and is never ahead of what is there.
    assert world.rows(
        "SELECT s.received = s.stored + s.duplicate + s.rejected + s.in_flight, s.stored <= w.stored, s.stored > 0"
        " FROM hv.writer_snapshot s JOIN hv.writer w USING (writer_id)"
    ) == [(True, True, True)] * 2  # fmt: skip
    # Each alarm has its whole story, and each condition its alarm.
    assert len(world.alarms()) > 20
    assert world.rows(
        "SELECT a.id FROM alarms a LEFT JOIN LATERAL ("
        " SELECT to_state FROM hv.alarm_transition t WHERE t.alarm_id = a.id ORDER BY transition_id DESC LIMIT 1) s"
        " ON true WHERE s.to_state IS DISTINCT FROM a.state"
    ) == []  # fmt: skip
    assert world.rows(
        "SELECT a.alarm_id FROM hv.alarm a FULL JOIN (SELECT * FROM hv.alarm_condition WHERE phase IN"
        " ('active', 'returning')) c ON c.alarm_id = a.alarm_id AND a.state <> 'NORM'"
        " WHERE (c.alarm_id IS NULL AND a.state IN ('UNACK', 'ACKED')) OR a.alarm_id IS NULL"
    ) == []  # fmt: skip
    kept = roll_up(world)
    world.execute("INSERT INTO hv.rollup_due SELECT datastream_id, bucket FROM hv.rollup WHERE level = 0")
    world.execute("DELETE FROM hv.rollup")
    assert kept
    assert roll_up(world) == kept

    # The broker sends everything again: what is there is a duplicate, what is not is stored, alarms end the same.
    for load in loads:
        intake = world.intake(load.name)
        for i, (readings, number) in enumerate(load.acknowledged):
            receipt = intake.commit(world.batch(intake, *readings), now=NOW + i * SECOND)
            known = number <= counted[load.name][0]
            assert (receipt.stored, receipt.duplicate) == ((0, 20) if known else (20, 0))
        assert stored(world, load.name) == original[load.name]
    assert sorted(world.alarms()) == sorted(alarms)
    assert len(roll_up(world)) == len(hours)


def swap(world: Any, restored: str) -> None:
    """Put the restored database in the place of the one in use, as an operator does."""
    old, new = world.url.rsplit("/", 1)[1], restored.rsplit("/", 1)[1]
    with psycopg.connect(**world.server.admin, autocommit=True) as connection:
        for name, to in ((old, f"{old}_gone"), (new, old), (f"{old}_gone", new)):
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (name,)
            )
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(to))
            )
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(to)))


def test_collector_at_work_meets_a_database_that_went_back(
    world: Any, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake: Intake = world.intake()
    world.send(intake, heat("bin", 0, 20.0))
    backup.write(world.url, tmp_path / "town")
    world.send(intake, heat("bin", 1, 20.0), heat("new", 1, 20.0))
    restore.restore(tmp_path / "town", world.server.restorer(empty))
    # The last commit goes through, its answer is lost, and with it the database.
    batch: Batch = world.batch(intake, heat("bin", 2, 70.0), heat("new", 2, 20.0))
    real = psycopg.Connection.commit
    with monkeypatch.context() as patched:

        def lose(self: Any) -> None:
            done = self.execute("SELECT commit_no FROM hv.writer WHERE name = 'collector-1'").fetchone() == (3,)
            real(self)
            if done:
                self.close()
                raise psycopg.OperationalError("server closed the connection unexpectedly")

        patched.setattr(psycopg.Connection, "commit", lose)
        with pytest.raises(TemporaryStoreError):
            intake.commit(batch, now=NOW)
    swap(world, empty)
    # It was committed, but not here: it is stored once more, and not taken for done.
    assert intake.commit(batch, now=NOW).stored == 2
    assert world.rows("SELECT thing, phenomenon_time FROM observations ORDER BY 1, 2") == [
        ("bin", NOW), ("bin", NOW + 2 * SECOND), ("new", NOW + 2 * SECOND)
    ]  # fmt: skip
    # What was acknowledged between the backup and the loss is gone; when a device sends it again, it comes back.
    assert world.send(intake, heat("bin", 1, 20.0)).stored == 1
    assert intake.committed == (4, 0, 0)


def test_partitions_are_not_exchanged_while_a_snapshot_is_held(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot that is older than a partition sees none of its rows: the manifest would say too few."""
    intake = world.intake()
    world.send(intake, *[heat("bin", -20 * 86_400 + i, 20.0 + i) for i in range(50)])
    world.close()
    monkeypatch.setattr(packing, "_TRIES", 1)

    def pack() -> list[str]:
        with connect(world.url, application="test") as connection:
            before = (NOW - timedelta(days=7)).date()
            return engine_of(connection).pack(connection, before=before, stop=threading.Event())

    with store.snapshot(world.url) as held:
        with suppress(psycopg.errors.LockNotAvailable):
            assert pack() == []
        assert held.tables()["observation"].rows == 50
    assert len(pack()) == 1


@pytest.mark.usefixtures("newest_only")
def test_copy_of_a_packing_under_way_is_no_part_of_a_backup(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes when the packing ends, in the midst of the backup."""
    world.send(world.intake(), heat("bin", 0, 20.0))
    world.execute("CREATE TABLE hv.packing_20251101 (LIKE hv.observation)")
    real = tools.run

    def drop_and_run(*words: Any, **more: Any) -> None:
        world.execute("DROP TABLE hv.packing_20251101")
        real(*words, **more)

    monkeypatch.setattr(tools, "run", drop_and_run)
    found = backup.write(world.url, tmp_path / "town")
    assert found.tables["observation"].rows == 1
    assert not [name for name in found.tables if name.startswith("packing_")]


def test_transaction_of_another_databases_future_is_not_taken_for_committed(world: Any) -> None:
    intake: Intake = world.intake()
    world.send(intake, heat("bin", 0, 20.0))
    assert intake._writer is not None
    assert intake._writer.was_committed(str(2**40), 1) is False
    assert world.send(intake, heat("bin", 1, 20.0)).stored == 1


@pytest.mark.usefixtures("newest_only")
def test_restore_that_was_interrupted_is_used_by_nobody_and_starts_over(
    world: Any, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, migrate_now: Callable[..., list[str]]
) -> None:
    intake = world.intake()
    world.send(intake, heat("bin", 0, 70.0))
    backup.write(world.url, tmp_path / "town")
    with monkeypatch.context() as patched:
        patched.setattr(store, "settle", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            restore.restore(tmp_path / "town", world.server.restorer(empty))
    with connect(empty, application="test") as connection:
        assert store.state(connection) == "unfinished"
        assert behind(connection)
    with pytest.raises(TemporaryStoreError, match="lacks the migrations"):
        wait_for_schema(empty, application="test", wait=0.0)
    with pytest.raises(PermanentStoreError, match="half a restore") as caught:
        migrate_now(empty)
    assert "db restore" in caught.value.remedy
    # A collector that lost its database to it keeps what it has in hand.
    batch = world.batch(intake, heat("bin", 1, 71.0))
    world.url, whole = empty, world.url
    intake._url = empty
    intake._beat._url = empty
    world.server.kick(whole)
    for _ in range(2):
        with pytest.raises(TemporaryStoreError):
            intake.commit(batch, now=NOW)
        with pytest.raises(TemporaryStoreError):
            intake.beat()
    said: list[str] = []
    restore.restore(tmp_path / "town", world.server.restorer(empty), say=said.append)
    assert said[0] == "clearing away a restore that was interrupted"
    assert intake.commit(batch, now=NOW).stored == 1
    assert len(world.rows("SELECT * FROM observations")) == 2
    assert len(world.alarms()) == 1


@pytest.mark.usefixtures("newest_only")
def test_restored_database_forgets_log_ins_and_goes_on_with_new_numbers(world: Any, empty: str, tmp_path: Path) -> None:
    world.send(world.intake(), heat("bin", 0, 70.0))
    world.execute("INSERT INTO hv.account (name, password_hash, role, created_at) VALUES ('a', 'x', 'viewer', now())")
    world.execute("INSERT INTO hv.session SELECT 't', account_id, now(), now(), 'infinity' FROM hv.account")
    backup.write(world.url, tmp_path / "town")
    restore.restore(tmp_path / "town", world.server.restorer(empty))
    world.url = empty
    assert world.rows("SELECT count(*) FROM hv.session") == [(0,)]
    assert world.rows("SELECT name FROM hv.account") == [("a",)]
    with connect(empty, application="test") as connection:
        assert store.sequences_behind(connection) == []
        connection.execute("INSERT INTO hv.organisation OVERRIDING SYSTEM VALUE VALUES (7, 'y', 'y')")
        assert store.sequences_behind(connection) == ["organisation.organisation_id"]
