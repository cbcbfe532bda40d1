"""The receipt as a delay: what was stored before the migration, by old processes after it, and by new ones."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hypervision.domains import load
from hypervision.store import migrate as migrate_module
from hypervision.store.connection import connect
from hypervision.store.engines import engine_of
from hypervision.store.engines.plain import Plain
from hypervision.store.migrate import migrate
from hypervision.store.versions import migrations
from tests.contract.test_store_years import DAY, NOW, flow, pack, parts
from tests.contract.world import World

pytestmark = pytest.mark.integration
LONG_AGO, TODAY = NOW - 20 * DAY, NOW.replace(hour=8)
SECOND = timedelta(seconds=1)
VIEW = (
    "SELECT phenomenon_time, received_time - phenomenon_time, late, quality, result FROM observations"
    " WHERE thing = 'p1' ORDER BY 1"
)
FORMS = "SELECT received_time IS NULL, late, delay_ms FROM hv.observation ORDER BY phenomenon_time"
# As a process of the version before says it.
INSERT = (
    "INSERT INTO hv.observation (datastream_id, phenomenon_time, result, quality, late, received_time)"
    " VALUES (1, %(at)s, 1, 5, %(late)s, %(received)s)"
)
TOWN = (
    "INSERT INTO hv.thing (code, name, domain, registered_at) VALUES ('p1', 'p1', 'water', now());"
    "INSERT INTO hv.datastream (thing_id, domain, property, unit, kind, registered_at)"
    " VALUES (1, 'water', 'flow', 'm3/h', 'gauge', now())"
)


@pytest.fixture
def before(server: Any, empty: str, monkeypatch: pytest.MonkeyPatch) -> World:
    """A database of the version before, with a reading of long ago, packed, and one of today."""
    with monkeypatch.context() as patched, connect(empty, application="test") as connection:
        known = {name: text for name, text in migrations().items() if name < "0010"}
        patched.setattr(migrate_module, "migrations", lambda: known)
        # Rules and rights of today need columns and functions of today; the last migration puts them in.
        patched.setattr(migrate_module, "install_defaults", lambda *_args, **_more: 0)
        patched.setattr(migrate_module.grants, "apply", lambda _connection: [])
        assert migrate(connection, load(), now=NOW)[-1] == "0009_years"
        connection.execute(TOWN)
        engine = engine_of(connection)
        if isinstance(engine, Plain):
            # Days are made by a function of today, which the version before had not.
            room = "CREATE FUNCTION hv.make_room" + migrations()["0012_audit"].split("CREATE FUNCTION hv.make_room")[1]
            connection.execute(room.split("END $$;")[0].encode() + b"END $$;")
        engine.ensure_days(connection, [LONG_AGO.date(), TODAY.date()], today=NOW.date())
        connection.execute("DROP FUNCTION IF EXISTS hv.make_room")
        connection.commit()
    world = World(server, empty, monkeypatch)
    for at in (LONG_AGO, TODAY):
        world.execute(INSERT, {"at": at, "late": False, "received": at + timedelta(microseconds=1_234_567)})
    assert len(pack(world)) == 1
    return world


def test_receipts_stay_what_they_are_over_the_migration_and_beside_old_processes(before: World, several: None) -> None:
    world = before
    with connect(world.url, application="test") as connection:
        assert migrate(connection, load(), now=NOW)[0] == "0010_delay"
    exact = timedelta(microseconds=1_234_567)
    first = [(LONG_AGO, exact, False, "good", 1.0), (TODAY, exact, False, "good", 1.0)]
    assert world.rows(VIEW) == first
    # An old collector goes on, into the partition of today and into the packed one.
    for at in (LONG_AGO, TODAY):
        world.execute(INSERT, {"at": at + SECOND, "late": at < TODAY, "received": NOW})
    old = [(LONG_AGO + SECOND, NOW - LONG_AGO - SECOND, True, "good", 1.0)]
    old += [(TODAY + SECOND, NOW - TODAY - SECOND, False, "good", 1.0)]
    assert world.rows(VIEW) == [first[0], old[0], first[1], old[1]]
    # A new one beside it, first as it goes, then by the stage, for it meets what is stored.
    intake = world.intake()
    live = TODAY + timedelta(minutes=1)
    assert world.send(intake, flow(live, 2.0), received=live + timedelta(milliseconds=250)).stored == 1
    receipt = world.send(intake, flow(live, 2.0), flow(live + SECOND, 3.0), received=live + 2 * SECOND)
    assert (receipt.stored, receipt.duplicate) == (1, 1)
    slow = live + timedelta(minutes=1)
    assert world.send(intake, flow(slow, 4.0), received=slow + 33 * SECOND).stored == 1
    assert world.send(intake, flow(LONG_AGO + 2 * SECOND, 5.0), received=slow + 34 * SECOND).stored == 1
    world.close()
    late = (LONG_AGO + 2 * SECOND, slow + 34 * SECOND - LONG_AGO - 2 * SECOND, True, "good", 5.0)
    new = [
        (live, timedelta(milliseconds=250), False, "good", 2.0),
        (live + SECOND, SECOND, False, "good", 3.0),
        (slow, 33 * SECOND, False, "good", 4.0),
    ]
    every = [first[0], old[0], late, first[1], old[1], *new]
    assert world.rows(VIEW) == every
    forms = world.rows(FORMS)
    assert forms[-3:] == [(True, None, 250), (True, None, 1000), (False, False, None)]
    assert forms[:3] == [(False, False, None), (False, True, None), (False, True, None)]
    newest = "SELECT phenomenon_time, received_time, late FROM hv.latest"
    assert world.rows(newest) == [(slow, slow + 33 * SECOND, False)]
    # Packed, or compressed, both forms side by side.
    with connect(world.url, application="test") as connection:
        engine = engine_of(connection)
        assert len(engine.pack(connection, before=(NOW + 7 * DAY).date(), stop=threading.Event())) >= 1
    assert all(p.packed for p in parts(world) if p.first <= NOW.date())
    assert world.rows(VIEW) == every
    assert world.rows(FORMS) == forms


def test_newest_value_of_a_delayed_reading_has_its_receipt(world: Any) -> None:
    at = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    world.send(world.intake(), flow(at, 1.0), received=at + timedelta(microseconds=1_500_600))
    [found] = world.rows("SELECT received_time, late FROM latest_observations")
    assert found == (at + timedelta(milliseconds=1_501), False)
    assert world.rows("SELECT received_time, late FROM observations") == [found]
