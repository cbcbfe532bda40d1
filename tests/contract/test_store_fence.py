"""Clocks that are wrong, of watch or of a collector: no reading is lost, none is stored twice."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from hypervision import retention
from hypervision.errors import TemporaryStoreError
from hypervision.settings import StorageSettings
from hypervision.store import clocks, packing
from hypervision.store.connection import connect
from hypervision.store.engines import engine_of
from hypervision.store.writer import Writer
from tests.contract.test_store_late import STREAM, readings
from tests.contract.test_store_years import DAY, NOW, flow, parts, stored

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("newest_only")]
MINUTE = timedelta(minutes=1)
STORAGE = StorageSettings(keep_readings=31)


def pack_everything(world: Any) -> list[str]:
    """As with a clock that is far ahead."""
    with connect(world.url, application="test") as connection:
        return engine_of(connection).pack(connection, before=(NOW + 3 * DAY).date(), stop=threading.Event())


def keep(world: Any, *, now: datetime) -> tuple[list[str], list[Any]]:
    with connect(world.url, application="test") as connection:
        packed = retention.pack(connection, STORAGE, now=now, stop=threading.Event())
        return packed, retention.drop(connection, STORAGE, actor="test", now=now)


@pytest.mark.parametrize("ahead", ["watch", "collector too", "devices not", "server not"])
def test_clock_that_is_ahead_makes_nothing_old(world: Any, monkeypatch: pytest.MonkeyPatch, ahead: str) -> None:
    jump = NOW + 400 * DAY
    intake = world.intake()
    world.send(intake, flow(NOW, 1.0))
    if ahead == "collector too":
        world.send(intake, flow(NOW + MINUTE, 2.0), received=jump)
    if ahead == "server not":
        monkeypatch.setattr(clocks, "server_time", lambda _connection: NOW)
        world.send(intake, flow(jump, 2.0), received=jump)
    world.close()
    before = stored(world)
    assert keep(world, now=jump) == ([], [])
    assert stored(world) == before
    if ahead == "devices not":
        # All clocks agree: it is what they say.
        world.send(world.intake(), flow(jump, 2.0), received=jump)
        world.close()
        _, (dropped,) = keep(world, now=jump)
        assert dropped.what == "readings"
        assert [row[1] for row in stored(world)] == [jump]


def test_server_tells_the_time(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with connect(world.url, application="test") as connection:
        assert abs(clocks.server_time(connection) - datetime.now(UTC)) < 5 * MINUTE


def test_reading_of_a_day_that_was_packed_too_early_is_stored_once(world: Any) -> None:
    intake = world.intake()
    assert world.send(intake, flow(NOW, 1.0)).stored == 1
    assert pack_everything(world) != []
    for at_work in (intake, world.intake("collector-2")):
        assert world.send(at_work, flow(NOW, 1.0)).duplicate == 1
        assert world.send(at_work, flow(NOW, 2.0)).rejected == 1
    assert len(stored(world)) == 1
    assert world.send(intake, flow(NOW + MINUTE, 1.0)).stored == 1


def test_reading_by_a_collector_whose_clock_is_behind_is_stored_once(world: Any) -> None:
    past = NOW - 10 * DAY
    intake = world.intake()
    assert world.send(intake, flow(past, 1.0), received=past).stored == 1
    assert len(pack_everything(world)) == 1
    assert world.send(intake, flow(past, 1.0), received=past).duplicate == 1
    assert len(stored(world)) == 1


def test_reading_that_comes_while_its_day_is_packed_too_early_is_kept(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake = world.intake()
    world.send(intake, flow(NOW, 1.0))
    real = packing._exchange
    came = []

    def exchange(*given: Any) -> bool:
        # The collector has its day, and takes it for a recent one.
        came.append(world.send(intake, flow(NOW + len(came) * MINUTE + MINUTE, 2.0)).stored)
        return real(*given)

    monkeypatch.setattr(packing, "_exchange", exchange)
    assert pack_everything(world) == []
    assert (came, len(stored(world))) == ([1], 2)
    monkeypatch.undo()
    assert len(pack_everything(world)) == 1
    assert len(stored(world)) == 2


def test_batch_that_was_begun_before_its_day_is_packed_is_stored_with_care(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "_TRIES", 2)
    intake = world.intake()
    world.send(intake, flow(NOW - 20 * DAY, 1.0))
    assert len(pack_everything(world)) == 1
    world.send(intake, flow(NOW, 1.0))
    counts = {"stored": 1, "duplicate": 0, "rejected": 0, "alarms": 0, "notify": False}
    with connect(world.url, application="slow") as connection:
        writer = Writer(connection, "slow")
        columns = readings((world.rows(STREAM)[0][0], NOW + MINUTE, 2.0))
        writer.ensure_days(columns.time_us, now=NOW)
        connection.execute("SELECT")
        assert writer.write(columns)[0].all()
        # Who packs says so first, and waits for the writer then.
        assert pack_everything(world) == []
        with pytest.raises(TemporaryStoreError, match="being packed") as caught:
            writer.commit(commit_no=1, **counts)
        assert caught.value.sqlstate == "40001"
        connection.rollback()
        writer.forget_days()
        assert len(pack_everything(world)) == 1
        writer.ensure_days(columns.time_us, now=NOW)
        assert writer.write(columns)[0].all()
        writer.commit(commit_no=1, **counts)
    assert len(stored(world)) == 3
    assert all(part.packed for part in parts(world))
    assert world.rows("SELECT rows FROM hv.late_day") == [(1,)]


def test_packed_days_of_the_version_before_are_known_without_a_fence(world: Any) -> None:
    world.send(world.intake(), flow(NOW, 1.0))
    pack_everything(world)
    world.close()
    world.execute("DELETE FROM hv.installation WHERE key = 'packed before'")
    assert world.send(world.intake(), flow(NOW, 1.0)).duplicate == 1


def test_fence_never_moves_back(world: Any) -> None:
    intake = world.intake()
    for at in (NOW, NOW - 20 * DAY):
        world.send(intake, flow(at, 1.0))
        pack_everything(world)
    assert world.rows("SELECT value FROM hv.installation WHERE key = 'packed before'") == [("2026-11-23",)]


def test_every_reading_is_stored_once_while_clocks_jump(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of watch, of two collectors and of the packing of days that are not over, by years and both ways."""
    monkeypatch.setattr(packing, "_TRIES", 2)
    dice = Random(7)
    collectors = [world.intake(f"collector-{n}") for n in (1, 2)]
    jumps = [timedelta(days=days) for days in (-400, -9, -1, 0, 1, 9, 400)]
    accepted: set[datetime] = set()
    for step in range(10):
        at = NOW + dice.randrange(-4, 1) * DAY + step * MINUTE
        receipt = world.send(dice.choice(collectors), flow(at, 1.0), received=NOW + dice.choice(jumps))
        # A clock that is behind takes it for one of the future, and says so.
        assert receipt.stored + receipt.rejected == 1
        accepted |= {at} if receipt.stored else set()
        keep(world, now=NOW + dice.choice(jumps))
        if step % 3 == 0:
            pack_everything(world)
        for known in accepted:
            assert world.send(dice.choice(collectors), flow(known, 1.0), received=NOW + dice.choice(jumps)).stored == 0
    assert len(accepted) > 3
    assert [row[1] for row in stored(world)] == sorted(accepted)
