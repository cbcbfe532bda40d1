"""Migrations, storage and the published views, on every engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hypervision.domains import load
from hypervision.errors import PermanentStoreError, TemporaryStoreError
from hypervision.intake import Intake
from hypervision.store import backup, sql
from hypervision.store import migrate as migrate_module
from hypervision.store.connection import connect
from hypervision.store.engines import engine_of
from hypervision.store.engines import timescale as timescale_module
from hypervision.store.migrate import migrate
from hypervision.store.versions import applied, behind, migrations, wait_for_schema

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)

# The published columns, in their order; more may follow.
VIEWS = {
    "things": "code name domain parent place organisation",
    "datastreams": "thing property unit kind expected_period",
    "observations": "domain thing property phenomenon_time result unit quality late received_time state",
    "latest_observations": "domain thing property phenomenon_time result unit quality late received_time state",
    "alarms": (
        "id domain source_kind source thing property rule rule_version priority state suppression raised_at detected_at"
        " acknowledged_at acknowledged_by returned_at value limit_value message"
    ),
    "alarm_transitions": "alarm_id at from_state to_state cause actor comment rule_version",
    "rejected_messages": (
        "id received_time topic payload payload_bytes reason detail count partial replayed_at"
    ),
}  # fmt: skip


def test_migrate_twice_changes_nothing(empty: str, migrate_now: Callable[..., list[str]]) -> None:
    assert migrate_now(empty) == list(migrations())
    assert migrate_now(empty) == []
    with connect(empty, application="test") as connection:
        assert applied(connection) == list(migrations())
        assert behind(connection) == []


def test_migrate_of_an_empty_database_lacks_everything(empty: str) -> None:
    with connect(empty, application="test") as connection:
        assert applied(connection) == []
        assert behind(connection) == list(migrations())
    with pytest.raises(TemporaryStoreError, match="run `hypervision db migrate`"):
        wait_for_schema(empty, application="test", wait=0.0)


def test_migrate_interrupted_leaves_nothing_and_runs_again(
    empty: str, migrate_now: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = dict(migrations())
    last = list(broken)[-1]
    broken[last] += ";\nCREATE TABLE hv.half (x int); SELECT 1 / 0"
    with monkeypatch.context() as patched:
        patched.setattr(migrate_module, "migrations", lambda: broken)
        with pytest.raises(PermanentStoreError, match="division by zero"):
            migrate_now(empty)
    with connect(empty, application="test") as connection:
        assert behind(connection) == [last] if len(broken) > 1 else list(broken)
        assert connection.execute("SELECT to_regclass('hv.half')").fetchone() == (None,)
    migrate_now(empty)
    with connect(empty, application="test") as connection:
        assert behind(connection) == []


def test_migrate_refuses_the_database_of_a_newer_version(empty: str, migrate_now: Callable[..., list[str]]) -> None:
    migrate_now(empty)
    with connect(empty, application="test") as connection:
        connection.execute("INSERT INTO hv.installation VALUES ('migration 9999_later', 'x')")
        connection.commit()
    with pytest.raises(PermanentStoreError, match="9999_later") as caught:
        migrate_now(empty)
    assert "newer version" in caught.value.remedy


def test_migrate_at_once_from_two_processes(empty: str, several: None) -> None:
    done: list[list[str]] = []

    def run() -> None:
        with connect(empty, application="migrate") as connection:
            done.append(migrate(connection, load(), now=NOW))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(map(len, done)) == [0, len(migrations())]


def test_migrate_keeps_rules_that_were_edited(world: Any, migrate_now: Callable[..., list[str]]) -> None:
    world.edit("water.pressure.low", "limit_value = 9")
    world.execute("DELETE FROM hv.rule WHERE code = 'waste.tilt.high'")
    world.close()
    migrate_now(world.url)
    assert world.rows("SELECT limit_value, version FROM hv.rule WHERE code = 'water.pressure.low'") == [(9.0, 2)]
    assert world.rows("SELECT limit_value FROM hv.rule WHERE code = 'waste.tilt.high'") == [(45.0,)]
    rules = sum(len(domain.rules) for domain in load().ruled.values())
    assert world.rows("SELECT count(*) FROM hv.rule") == [(rules,)]


def test_server_that_is_too_old_is_refused(world: Any) -> None:
    with connect(world.url, application="test") as connection:
        engine = engine_of(connection)
    engine.number = 140_012  # type: ignore[attr-defined]
    with pytest.raises(PermanentStoreError, match="PostgreSQL") as caught:
        engine.check()
    assert caught.value.remedy == "use PostgreSQL 15 to 18"


def test_engine_names_itself(world: Any) -> None:
    with connect(world.url, application="test") as connection:
        engine = engine_of(connection)
        (major,) = connection.execute("SELECT split_part(current_setting('server_version'), '.', 1)").fetchone()
    assert engine.name == ("TimescaleDB" if world.server.name == "timescaledb" else "PostgreSQL")
    assert f"PostgreSQL {major}." in f"{engine.name} {engine.version}"


@pytest.mark.parametrize("view", VIEWS)
def test_view_has_the_published_columns(world: Any, view: str) -> None:
    found = [
        row[0]
        for row in world.rows(
            "SELECT column_name::text FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = %(view)s ORDER BY ordinal_position",
            {"view": view},
        )
    ]
    wanted = VIEWS[view].split()
    assert [name for name in found if name in wanted] == wanted


def test_view_can_be_read_without_naming_its_schema(world: Any) -> None:
    for view in VIEWS:
        assert world.rows(f"SELECT * FROM {view}") == []


def test_observations_are_kept_by_day_or_by_week(world: Any) -> None:
    intake: Intake = world.intake()
    days = [NOW - timedelta(days=ago) for ago in (3, 1, 0)]
    world.send(intake, *[("water", "p1", "flow", day, 1.0) for day in days])
    if world.server.name == "timescaledb":
        found = world.rows(
            "SELECT range_start FROM timescaledb_information.chunks WHERE hypertable_name = 'observation' ORDER BY 1"
        )
        assert [row[0].weekday() for row in found] == [3]  # weeks from Thursday on, as the Unix epoch
        assert all(found[0][0] <= day < found[0][0] + timedelta(days=7) for day in days)
        assert world.rows("SELECT compression_enabled FROM timescaledb_information.hypertables") == [(True,)]
        return
    found = world.rows(
        "SELECT inhrelid::regclass::text FROM pg_inherits i WHERE inhparent = 'hv.observation'::regclass"
    )
    assert sorted(row[0].removeprefix("hv.") for row in found) == [f"observation_{day:%Y%m%d}" for day in days]


def test_older_observations_are_kept_by_month_and_one_message_makes_few_partitions(world: Any) -> None:
    intake: Intake = world.intake()
    recent = NOW - timedelta(days=40)
    ago = [NOW - timedelta(days=3 * n) for n in range(30, 300)]
    world.send(intake, ("water", "p1", "flow", recent, 1.0))
    for when in (ago[:100], ago[100:], ago):
        world.send(intake, [("water", "p1", "flow", day, 1.0) for day in when])
    assert world.rows("SELECT count(*) FROM observations") == [(271,)]
    if world.server.name != "timescaledb":
        found = {
            row[0].removeprefix("hv.").removeprefix("observation_")
            for row in world.rows(
                "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'hv.observation'::regclass"
            )
        }
        assert found == {f"{day:%Y%m}" for day in ago} | {f"{recent:%Y%m%d}"}


def test_month_that_has_some_of_its_days_goes_on_by_day(world: Any) -> None:
    if world.server.name == "timescaledb":
        return
    intake: Intake = world.intake()
    then = datetime(2026, 6, 10, tzinfo=UTC)
    world.now = then
    world.send(intake, ("water", "p1", "flow", then, 1.0))
    world.now = NOW
    world.send(intake, ("water", "p1", "flow", then - timedelta(days=3), 1.0))
    found = world.rows("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'hv.observation'::regclass")
    names = sorted(row[0].removeprefix("hv.") for row in found)
    assert names == ["observation_20260607", "observation_20260610"]


@pytest.mark.parametrize("server", ["timescaledb"], indirect=True)
def test_timescale_without_the_community_edition_works(
    server: Any, empty: str, migrate_now: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the Apache edition answers: the setting is refused with feature_not_supported.
    refused = (
        "DO $$ BEGIN RAISE feature_not_supported USING MESSAGE = 'functionality not supported under \"apache\"'; END $$"
    )
    real = sql.query
    monkeypatch.setattr(
        timescale_module, "query", lambda name: refused if name == "compress_hypertable" else real(name)
    )
    migrate_now(empty)
    with connect(empty, application="test") as connection:
        row = connection.execute("SELECT compression_enabled FROM timescaledb_information.hypertables").fetchone()
    assert row == (False,)


def test_what_a_backup_compares_is_the_same_on_every_engine(world: Any) -> None:
    """The digest of a table does not depend on the order of its rows, on their place, or on the engine."""
    readings = [("water", "p1", "flow", NOW - timedelta(days=days), float(days)) for days in (3, 1, 0)]
    intake: Intake = world.intake()
    world.send(intake, *readings)
    world.close()
    with connect(world.url, application="test") as connection:
        found = backup.contents(connection)
        assert found["observation"] == backup.Table(3, "43005a0d2808e027")
        assert found["writer"].rows == 1
        assert [state[:3] for state in backup.writers(connection)] == [("collector-1", 1, 3)]
        assert backup.state(connection) == "taken"
        assert backup.sequences_behind(connection) == []
        server = backup.server_of(connection)
        assert bool(server.extension) == (world.server.name == "timescaledb")
    with (
        connect(world.server.restorer(world.url), application="test") as connection,
        pytest.raises(PermanentStoreError, match=r"the backup is of TimescaleDB 0\.1, and the server has"),
    ):
        backup.prepare(connection, "0.1")


def test_timescale_is_made_ready_for_a_restore_and_set_to_work_again(
    server: Any, empty: str, migrate_now: Callable[..., list[str]]
) -> None:
    if server.name != "timescaledb":
        return
    if server.restorer(empty) != empty:
        with connect(empty, application="test") as connection:
            version = backup.server_of(connection).extension
            with pytest.raises(PermanentStoreError, match="hypervision is none"):
                backup.prepare(connection, version)
    migrate_now(empty)
    with connect(server.restorer(empty), application="test") as connection:
        version = backup.server_of(connection).extension
        backup.prepare(connection, version)
        assert connection.execute("SHOW timescaledb.restoring").fetchone() == ("on",)
        backup.finish(connection, version)
        assert connection.execute("SHOW timescaledb.restoring").fetchone() == ("off",)
