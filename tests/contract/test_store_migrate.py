"""Migrations that are interrupted, that meet writers at work, and processes that are older than their database."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from hypervision import rollups
from hypervision.batch import Status
from hypervision.clock import to_us
from hypervision.domains import load
from hypervision.errors import PermanentStoreError, TemporaryStoreError
from hypervision.intake import Intake
from hypervision.store import migrate as migrate_module
from hypervision.store import versions
from hypervision.store.connection import connect
from hypervision.store.migrate import ONLINE, alone, migrate
from hypervision.store.versions import applied, behind, migrations, wait_for_schema
from tests.test_schema import catalog

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("newest_only")]
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
KILLED = "SELECT pg_terminate_backend(pg_backend_pid())"


def cut(text: str) -> list[str]:
    """A migration killed after half of its statements, and after the last one."""
    parts: list[str] = [""]
    for line in text.splitlines(keepends=True):
        parts[-1] += line
        # A body between $$ has semicolons of its own.
        if line.rstrip().endswith(";") and parts[-1].count("$$") % 2 == 0:
            parts.append("")
    half = len(parts) // 2
    return ["".join(parts[:half]) + f"{KILLED};\n" + "".join(parts[half:]), f"{text}\n;{KILLED}"]


def knowing(monkeypatch: pytest.MonkeyPatch, more: Mapping[str, str], *, only: int | None = None) -> None:
    """A version of the platform with these migrations behind the real ones, or behind the first few of them."""
    known = dict(list(migrations().items())[:only]) | dict(more)
    monkeypatch.setattr(migrate_module, "migrations", lambda: known)


def test_every_migration_that_is_killed_leaves_nothing_and_runs_again_to_the_same_schema(
    world: Any, empty: str, migrate_now: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for n, (name, text) in enumerate(migrations().items()):
        for broken in cut(text):
            before = None
            with monkeypatch.context() as patched:
                knowing(patched, {name: broken}, only=n)
                # Those before it run through, this one dies: as seen from outside, nothing of it is there.
                with pytest.raises(TemporaryStoreError, match="terminating connection"):
                    migrate_now(empty)
            with connect(empty, application="test") as connection:
                assert applied(connection) == list(migrations())[:n]
                # An online one goes on after the statements that were done.
                if n and not text.startswith(ONLINE):
                    found = catalog(connection)
                    assert before in (None, found)
                    before = found
    assert migrate_now(empty) == list(migrations())[-1:]
    with connect(empty, application="test") as one, connect(world.url, application="test") as other:
        assert catalog(one) == catalog(other)


def test_online_migration_goes_on_after_the_statement_it_was_interrupted_in(
    world: Any, migrate_now: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "-- online: an index in two steps\n"
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS journal_kind ON hv.journal (kind);\n"
        "-- why\n"
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS journal_at ON hv.journal (at);\n"
    )
    world.execute("INSERT INTO hv.journal (at, kind) VALUES (now(), 'x'), (now(), 'x')")
    # Half an index of this name, as a killed run leaves it.
    with (
        connect(world.url, application="test", autocommit=True) as connection,
        pytest.raises(psycopg.errors.UniqueViolation),
    ):
        connection.execute("CREATE UNIQUE INDEX CONCURRENTLY journal_kind ON hv.journal (kind)")
    with monkeypatch.context() as patched:
        knowing(patched, {"9998_online": text.replace("ON hv.journal (at)", "ON hv.journal (nowhere)")})
        with pytest.raises(TemporaryStoreError, match="nowhere"):
            migrate_now(world.url)
    knowing(monkeypatch, {"9998_online": text})
    assert migrate_now(world.url) == ["9998_online"]
    assert world.rows(
        "SELECT c.relname::text, indisvalid, indisunique FROM pg_index JOIN pg_class c ON c.oid = indexrelid"
        " WHERE c.relname IN ('journal_kind', 'journal_at') ORDER BY 1"
    ) == [("journal_at", True, False), ("journal_kind", True, False)]


def test_rejected_messages_are_taken_while_their_indexes_are_made(
    world: Any, empty: str, migrate_now: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch,
    wait_until: Callable[..., None],
) -> None:  # fmt: skip
    number = [name[:4] for name in migrations()].index("0008")
    with monkeypatch.context() as patched:
        knowing(patched, {}, only=number)
        # Rules and rights of today need columns and functions of today; the last migration puts them in.
        patched.setattr(migrate_module, "install_defaults", lambda *_args, **_more: 0)
        patched.setattr(migrate_module.grants, "apply", lambda _connection: [])
        migrate_now(empty)
    put = (
        "INSERT INTO hv.rejected_message (received_time, topic, payload, payload_bytes, reason, detail, partial, count)"
        " VALUES (now(), 't', '', 0, 'malformed', '', false, 1)"
    )
    working = "SELECT count(*) FROM pg_stat_activity WHERE query ~ 'INDEX' AND wait_event_type = 'Lock'"
    done: list[str] = []
    with connect(empty, application="slow") as slow, connect(empty, application="other", autocommit=True) as other:
        slow.execute(put)
        thread = threading.Thread(target=lambda: done.extend(migrate_now(empty)))
        thread.start()
        wait_until(lambda: other.execute(f"{working} AND pid <> pg_backend_pid()").fetchone() == (1,))
        other.execute("SET lock_timeout = '100ms'")
        for _ in range(3):
            other.execute(put)
        assert done == []
        slow.commit()
        thread.join(20)
        assert done == list(migrations())[number:]
        # Killed just before it was noted, it is done once more.
        other.execute("DELETE FROM hv.installation WHERE key = 'migration 0008_rejected'")
    assert migrate_now(empty) == ["0008_rejected"]
    with connect(empty, application="test") as one, connect(world.url, application="test") as two:
        assert catalog(one) == catalog(two)


def test_migration_steps_aside_for_writers_and_goes_on_when_its_table_is_free(
    world: Any, migrate_now: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate_module, "_LOCK_MS", 100)
    monkeypatch.setattr(migrate_module, "_PAUSE", 0.2)
    knowing(monkeypatch, {"9998_more": "ALTER TABLE hv.latest ADD COLUMN more int"})
    intake: Intake = world.intake()
    done: list[str] = []
    with connect(world.url, application="a backup") as reader:
        reader.execute("SELECT * FROM hv.latest")
        with connect(world.url, application="migrate") as connection, pytest.raises(TemporaryStoreError) as caught:
            migrate(connection, load(), now=NOW, patience=0.1)
        assert "busy all the time" in str(caught.value)
        thread = threading.Thread(target=lambda: done.extend(migrate_now(world.url)))
        thread.start()
        for i in range(10):
            began = time.monotonic()
            assert world.send(intake, ("waste", "bin", "temperature", NOW + i * SECOND, 20.0)).stored == 1
            assert time.monotonic() - began < 5
        assert done == []
    thread.join(timeout=30)
    assert done == ["9998_more"]
    assert world.send(intake, ("waste", "bin", "temperature", NOW + 60 * SECOND, 20.0)).stored == 1


def test_migration_waits_for_another_one_and_says_so(world: Any) -> None:
    with (
        connect(world.url, application="restore") as other,
        alone(other, patience=0.0),
        connect(world.url, application="migrate") as connection,
        pytest.raises(TemporaryStoreError, match="another migration or restore of this database is running"),
    ):
        migrate(connection, load(), now=NOW, patience=0.2)
    with connect(world.url, application="migrate") as connection:
        assert migrate(connection, load(), now=NOW, patience=0.0) == []


def grow(world: Any, name: str) -> None:
    """What a version to come may do while this one works: columns, an index on each table, tables, all of it added."""
    tables = [
        row[0]
        for row in world.rows(
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'hv'::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT relispartition ORDER BY 1"
        )
    ]
    assert {"observation", "latest", "alarm", "writer", "rollup"} <= set(tables)
    for table in tables:
        world.execute(f"ALTER TABLE hv.{table} ADD COLUMN later_text text, ADD COLUMN later_number int DEFAULT 7")
        world.execute(f"CREATE INDEX ON hv.{table} (later_number)")
    world.execute("CREATE TABLE hv.later (one int PRIMARY KEY)")
    world.execute("INSERT INTO hv.installation VALUES (%(key)s, 'now')", {"key": f"migration {name}"})


def everything(world: Any, intake: Intake, i: int) -> None:
    """A batch with all that a batch can bring, and the timers after it."""
    thing, later = f"pole-{i}", NOW + i * SECOND
    batch = world.batch(
        intake, ("waste", thing, "temperature", later, 70.0), ("waste", thing, "temperature", later, 70.0),
        ("waste", thing, "temperature", later, 71.0),
    )  # fmt: skip
    batch.statuses.append(Status(0, "waste", thing, "online", to_us(later)))
    batch.numbers.append((0, "", 5, to_us(later), False))
    receipt = intake.commit(batch, now=later)
    assert (receipt.stored, receipt.duplicate, receipt.rejected) == (1, 1, 1)
    assert intake.commit(world.with_seq(intake, ("waste", thing, "fill", later, 1.0), i), now=later).stored == 1
    assert intake.commit(world.with_seq(intake, ("waste", thing, "fill", later, 1.0), i), now=later).duplicate == 1
    intake.beat()
    assert (thing, "UNACK") in [row[1:] for row in world.alarms()]
    with connect(world.url, application="test") as connection:
        rollups.bring_up_to_date(connection, zone="Europe/Paris")
    assert world.rows(f"SELECT sum(n) FROM observations_hourly WHERE thing = '{thing}'") == [(2,)]


def test_processes_of_this_version_work_on_a_database_of_a_newer_one(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    intake: Intake = world.intake()
    everything(world, intake, 0)
    grow(world, "9999_later")
    # At work, after its connection broke, and started anew: all the same.
    everything(world, intake, 1)
    world.server.kick(world.url)
    with pytest.raises(TemporaryStoreError):
        world.send(intake, ("waste", "bin", "temperature", NOW, 20.0))
    with pytest.raises(TemporaryStoreError):
        intake.beat()
    everything(world, intake, 2)
    world.close()
    with caplog.at_level(logging.WARNING, logger=versions.__name__):
        everything(world, world.intake(), 3)
        watch = world.watch()
    assert "9999_later" in caplog.text
    world.now = NOW + 60 * SECOND
    world.ticks(watch, until=NOW + 62 * SECOND)


def test_process_that_is_too_old_for_its_database_refuses_no_message(world: Any) -> None:
    intake: Intake = world.intake()
    world.send(intake, ("waste", "bin", "temperature", NOW, 20.0))
    later = world.batch(intake, ("waste", "bin", "temperature", NOW + SECOND, 20.0))
    world.execute("ALTER TABLE hv.latest RENAME COLUMN quality TO grade")
    # Before it knows why: a column that is not there is no fault of a message.
    with pytest.raises(TemporaryStoreError, match="quality"):
        intake.commit(later, now=NOW)
    world.execute("INSERT INTO hv.installation VALUES ('migration 9999_less', 'now'), ('oldest', '9999_less')")
    world.server.kick(world.url)
    for _ in range(2):
        with pytest.raises(TemporaryStoreError):
            intake.commit(later, now=NOW)
    with pytest.raises(TemporaryStoreError, match="9999_less, since which this version can no longer use it"):
        intake.commit(later, now=NOW)
    with pytest.raises(PermanentStoreError, match="9999_less") as caught:
        wait_for_schema(world.url, application="test", wait=0.0)
    assert caught.value.remedy == "install the version that brought it"
    with connect(world.url, application="test") as connection:
        assert behind(connection) == []
    assert world.rows("SELECT count(*) FROM rejected_messages") == [(0,)]


def test_cut_kills_within_the_migration() -> None:
    text = "CREATE TABLE a (b int);\nCREATE FUNCTION f() AS $$\nSELECT 1;\nSELECT 2;\n$$;\nSELECT 3;\n"
    first, last = cut(text)
    assert re.sub(r"\s+", " ", first).index("pg_terminate") > first.index("$$;")
    assert last.endswith(KILLED)


def test_database_that_cannot_hold_all_texts_is_refused_before_anything_is_made(
    world: Any, migrate_now: Callable[..., list[str]]
) -> None:
    made = "CREATE DATABASE contract_latin ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0"
    with psycopg.connect(**world.server.admin, autocommit=True) as admin:
        admin.execute(made)
        try:
            with pytest.raises(PermanentStoreError, match=r"encoding LATIN1.*UTF-8"):
                migrate_now(world.server.url("contract_latin"))
            with psycopg.connect(world.server.url("contract_latin")) as connection:
                assert connection.execute("SELECT to_regnamespace('hv')").fetchone() == (None,)
        finally:
            admin.execute("DROP DATABASE contract_latin WITH (FORCE)")
