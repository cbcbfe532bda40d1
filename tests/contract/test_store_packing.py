"""Packing beside everybody else: who reads or writes for long is left alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hypervision.store import packing
from hypervision.store.connection import connect
from hypervision.store.writer import Writer
from tests.contract.test_store_late import STREAM, readings
from tests.contract.test_store_years import DAY, NOW, pack, parts, stored, town

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("newest_only")]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The copies that are made; nobody is asked often."""
    monkeypatch.setattr(packing, "_TRIES", 2)
    names: list[str] = []
    real = packing._bound

    def bound(connection: Any, name: str, *given: Any, **more: Any) -> None:
        real(connection, name, *given, **more)
        if name.startswith("packing_"):
            names.append(name)

    monkeypatch.setattr(packing, "_bound", bound)
    return names


def open_days(world: Any) -> int:
    return sum(not part.packed for part in parts(world))


def test_nothing_is_copied_while_somebody_reads_for_long(world: Any, made: list[str]) -> None:
    town(world, days=2)
    pack(world)
    town(world, days=1, since=NOW - 15 * DAY)
    before, left = stored(world), open_days(world)
    made.clear()
    with connect(world.url, application="reader") as reader:
        reader.execute("SELECT count(*) FROM hv.observation")
        assert pack(world) == []
        assert made == []
        # Who comes meanwhile is not held up by what packs.
        assert stored(world) == before
    assert len(pack(world)) == left == len(made) > 1
    assert stored(world) == before


def test_round_ends_with_the_first_partition_that_cannot_be_exchanged(
    world: Any, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    town(world, days=2)
    left = open_days(world)
    with connect(world.url, application="reader") as reader:
        real = packing._bound

        def read(connection: Any, name: str, *given: Any, **more: Any) -> None:
            real(connection, name, *given, **more)
            if name.startswith("packing_"):
                reader.execute("SELECT count(*) FROM hv.observation")

        monkeypatch.setattr(packing, "_bound", read)
        assert pack(world) == []
    assert len(made) == 1 < left == open_days(world)
    assert world.rows("SELECT count(*) FROM pg_class WHERE relname LIKE 'packing%%'", {}) == [(0,)]


def test_nothing_is_packed_while_a_late_reading_is_written(world: Any, made: list[str]) -> None:
    town(world, days=1, since=NOW.replace(hour=0) - 20 * DAY)
    pack(world)
    made.clear()
    town(world, days=1, since=NOW.replace(hour=0) - 15 * DAY)
    fresh = NOW - 15 * DAY + timedelta(minutes=1)
    with connect(world.url, application="collector") as connection:
        writer = Writer(connection, "collector")
        columns = readings((world.rows(STREAM)[0][0], fresh, 50.0))
        writer.ensure_days(columns.time_us, now=NOW)
        assert writer.write(columns)[0].all()
        assert pack(world) == made == []
        writer.count_late()
        connection.commit()
    assert len(pack(world)) == 1
    assert world.rows("SELECT count(*) FROM observations WHERE result = 50") == [(1,)]


def test_partition_in_hand_elsewhere_does_not_keep_others_from_being_packed(world: Any, made: list[str]) -> None:
    town(world, days=1, since=NOW.replace(hour=0) - 20 * DAY)
    town(world, days=1, since=NOW.replace(hour=0) - DAY)
    pack(world)
    town(world, days=1, since=NOW.replace(hour=0) - 15 * DAY)
    made.clear()
    with connect(world.url, application="vacuum") as other:
        # As VACUUM of today's does.
        other.execute(f"LOCK TABLE hv.observation_{NOW - DAY:%Y%m%d} IN SHARE UPDATE EXCLUSIVE MODE")
        assert len(pack(world)) == len(made) == 1


def test_month_is_packed_another_time_when_a_day_of_it_is_made_meanwhile(
    world: Any, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    town(world, days=2, since=NOW.replace(hour=0) - 40 * DAY)
    late = NOW - 35 * DAY
    real = packing._bound

    def bound(connection: Any, name: str, *given: Any, **more: Any) -> None:
        real(connection, name, *given, **more)
        if name.startswith("packing_") and len(made) == 1:
            with connect(world.url, application="collector") as other:
                Writer(other, "collector").ensure_days(readings((1, late, 50.0)).time_us, now=NOW)

    monkeypatch.setattr(packing, "_bound", bound)
    before = stored(world)
    assert pack(world) == []
    assert world.rows("SELECT count(*) FROM pg_class WHERE relname LIKE 'packing%%'", {}) == [(0,)]
    assert pack(world) == [f"observation_{late:%Y%m}"]
    assert stored(world) == before
