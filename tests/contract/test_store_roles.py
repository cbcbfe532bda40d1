"""The roles of the processes: each does its work with its own rights, and none of them can change the audit log."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from hypervision import retention, rollups
from hypervision.accounts import Role
from hypervision.settings import StorageSettings
from hypervision.store import accounts, administration, alarms, audit, clocks, grants
from hypervision.store.accounts import Visit
from hypervision.store.audit import Wanted
from hypervision.store.connection import Connection, connect
from hypervision.store.engines import engine_of
from hypervision.store.pool import ScreenPool
from hypervision.store.provision import PROCESSES, STORAGE, Process, role_of, roles_sql
from hypervision.verb.db import out_of_reach
from tests.contract.test_store_corrections import correct, wanted
from tests.contract.verbs import Says
from tests.contract.world import World

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PASSWORD = "quatre mots pour entrer"


@pytest.fixture
def roled(world: Any) -> Iterator[Any]:
    """A world on a server that has the roles of the processes."""
    if not world.server.many:
        names = dict.fromkeys(PROCESSES, "contract")
        with connect(world.url, application="test", autocommit=True) as connection:
            for statement in roles_sql(names, owner="postgres", database="postgres").splitlines():
                connection.execute(statement)  # type: ignore[call-overload]
            grants.apply(connection)
    yield world
    if not world.server.many:
        world.close()
        with connect(world.url, application="test", autocommit=True) as connection:
            for name in (*map(role_of, PROCESSES), STORAGE):
                for text in ("REASSIGN OWNED BY {} TO postgres", "DROP OWNED BY {}", "DROP ROLE {}"):
                    connection.execute(sql.SQL(text).format(sql.Identifier(name)))


@contextmanager
def acting(world: Any, role: str) -> Iterator[Connection]:
    """A connection with the rights of a role, on every engine."""
    world.close()
    admin = {**world.server.admin, "dbname": world.url.rsplit("/", 1)[1].split("?")[0]}
    with psycopg.connect(**admin) as connection:
        # The one session in WebAssembly does not come back from another authorization: there the role is only set.
        what = "SESSION AUTHORIZATION" if world.server.many else "ROLE"
        connection.execute(sql.SQL("SET {} {}").format(sql.SQL(what), sql.Identifier(role)))
        connection.commit()
        try:
            yield connection
        finally:
            connection.rollback()
            connection.execute(sql.SQL("RESET {}").format(sql.SQL(what)))
            connection.commit()


FORBIDDEN = (
    "INSERT INTO hv.audit SELECT * FROM hv.audit",
    "UPDATE hv.audit SET actor = 'bob'",
    "DELETE FROM hv.audit",
    "TRUNCATE hv.audit",
    "UPDATE hv.audit_head SET number = 0",
    "INSERT INTO hv.audit_due VALUES (DEFAULT, 'a', 'audit_log.seal', '', '', '', '', NULL, NULL, 1)",
    "SELECT hv.audit_seal('infinity', 9, 'a', '', '')",
    "ALTER TABLE hv.audit DISABLE TRIGGER USER",
    "ALTER TABLE hv.audit_due DISABLE TRIGGER ALL",
    "CREATE TRIGGER mine BEFORE INSERT ON hv.audit FOR EACH ROW EXECUTE FUNCTION hv.audit_refuse()",
    "DROP TRIGGER audit_refuse ON hv.audit",
    "CREATE RULE mine AS ON INSERT TO hv.audit DO INSTEAD NOTHING",
    "DROP TABLE hv.audit",
    "ALTER TABLE hv.audit OWNER TO CURRENT_USER",
    "CREATE OR REPLACE FUNCTION hv.audit_hash(line hv.audit) RETURNS bytea LANGUAGE sql AS 'SELECT NULL::bytea'",
    "ALTER FUNCTION hv.audit_chain() RESET ALL",
    "DROP FUNCTION hv.audit_refuse() CASCADE",
    "DROP SCHEMA hv CASCADE",
    "ALTER SCHEMA hv RENAME TO other",
    "SET session_replication_role = replica",
    "SET ROLE {owner}",
    "UPDATE hv.installation SET value = '' WHERE key LIKE 'migration%'",
)


@pytest.mark.parametrize("process", PROCESSES)
def test_no_process_can_change_the_audit_log(roled: Any, process: Process) -> None:
    with connect(roled.url, application="test") as connection:
        audit.note(connection, "test.act", kind="thing", ident="t1")
        connection.commit()
        owner = connection.execute("SELECT current_user::text").fetchone()
    assert owner is not None
    done = []
    with acting(roled, role_of(process)) as connection:
        for text in FORBIDDEN:
            if process in ("watch", "verbs") and "hv.installation" in text:
                # They note from when on readings are kept, and that the registry changed.
                continue
            if "SET ROLE" in text and not roled.server.many:
                continue
            try:
                connection.execute(sql.SQL(text).format(owner=sql.Identifier(owner[0])))  # type: ignore[arg-type]
                done.append(text)
            except psycopg.errors.InsufficientPrivilege:
                pass
            connection.rollback()
    assert done == []
    with connect(roled.url, application="test") as connection:
        found = audit.verify(connection)
    assert (found.lines, found.broken) == (1, None)


@pytest.mark.parametrize("process", PROCESSES)
def test_line_is_written_by_those_who_act_for_people_alone_and_says_by_whom(roled: Any, process: Process) -> None:
    with acting(roled, role_of(process)) as connection:
        if process in ("serve", "verbs"):
            audit.note(connection, "test.act", kind="thing", ident="t1")
            connection.commit()
            by = role_of(process) if roled.server.many else "postgres"
            assert [line.role for line in audit.page(connection, Wanted(), limit=9)] == [by]
        else:
            for text in ("SELECT * FROM hv.audit", "SELECT password_hash FROM hv.account", "SELECT * FROM hv.session"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(text)  # type: ignore[call-overload]
                connection.rollback()
            with pytest.raises(Exception, match="permission denied for function audit_note"):
                audit.note(connection, "test.act", kind="thing", ident="t1")


def test_status_says_whether_the_log_is_out_of_reach(roled: Any) -> None:
    with connect(roled.url, application="status") as connection:
        held = grants.held(connection)
        assert (held.missing, held.able) == ([], [])
        if roled.server.many:
            assert held.holds
            assert out_of_reach(held) == ["audit log  out of reach of every process: each has a role of its own"]
            # What a transaction sees of others stays as it was.
            connection.commit()
            with connect(roled.url, application="collect"):
                assert grants.held(connection).owners == ["hypervision collect"]
        connection.execute("GRANT UPDATE ON hv.audit TO hypervision_watch")
        held = grants.held(connection)
        assert held.able == ["hypervision_watch"]
        assert out_of_reach(held)[1] == "           the role hypervision_watch could change it"
        # The next migration takes it back.
        grants.apply(connection)
        assert grants.held(connection).able == []
        connection.rollback()


def test_rights_are_those_of_the_list_however_often_they_are_given(roled: Any) -> None:
    def rights() -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = roled.rows(
            "SELECT grantee::text, table_name::text, string_agg(privilege_type, ',' ORDER BY privilege_type)"
            " FROM information_schema.role_table_grants"
            " WHERE table_schema = 'hv' AND grantee LIKE 'hypervision\\_%' AND grantee <> 'hypervision_storage'"
            " AND table_name !~ '_[0-9]+$' GROUP BY 1, 2 ORDER BY 1, 2"
        )
        return found

    before = rights()
    assert before
    with connect(roled.url, application="test") as connection:
        grants.apply(connection)
        connection.commit()
    assert rights() == before
    given = {(role, table): set(text.split(",")) for role, table, text in before}
    for process in PROCESSES:
        for table, text in grants.WRITES[process].items():
            there = given[role_of(process), table] - {"SELECT"}
            assert there == set(text.split(", ")), (process, table)


class As(World):
    """The world of one process, which has its own role."""

    def __init__(self, world: World, process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(world.server, world.server.url_of(process, world.url), monkeypatch)


@pytest.mark.usefixtures("several")
def test_each_process_does_its_work_with_its_own_role(
    world: Any, monkeypatch: pytest.MonkeyPatch, verb: Says, tmp_path: Path
) -> None:
    monkeypatch.setattr(clocks, "known_time", lambda _connection, now: now)
    own = {process: As(world, process, monkeypatch) for process in PROCESSES}

    collect = own["collect"]
    intake = collect.intake()
    for number in range(40):
        at = NOW - 20 * DAY + number * timedelta(hours=12)
        collect.send(intake, ("water", "t1", "flow", at, 1.0 + number), received=at)
    collect.send(
        intake, ("waste", "t1", "temperature", NOW - 400 * DAY, 20.0), ("waste", "t2", "temperature", NOW, 90.0)
    )
    intake.commit(collect.with_seq(intake, ("water", "t3", "flow", NOW, 1.0), 7), now=NOW)
    intake.beat()
    collect.close()
    [(alarm,)] = world.rows("SELECT id FROM alarms")

    analyse = own["analyse"]
    analyse.send(analyse.intake("analyse"), ("water", "t1", "flow", NOW, 3.0))
    analyse.close()

    watch = own["watch"]
    timers = watch.watch()
    watch.ticks(timers, until=NOW + timedelta(seconds=70))
    timers._tidy(NOW + DAY)
    watch.close()
    with connect(watch.url, application="watch") as connection:
        rollups.bring_up_to_date(connection, zone="Europe/Paris")
        packed = engine_of(connection).pack(connection, before=(NOW - 7 * DAY).date(), stop=threading.Event())
        assert packed
        storage = StorageSettings(keep_readings=31, keep_hours=31, keep_days=31, keep_gaps=31)
        gone = retention.drop(connection, storage, actor="watch", now=NOW + 20 * DAY)
        assert [each.failure for each in gone if each.failure] == []
        assert {"readings", "hours"} <= {each.what for each in gone}

    serve = own["serve"]
    pool = ScreenPool(serve.url)
    pool.open()
    try:
        with connect(own["verbs"].url, application="test") as connection:
            administration.add_account(connection, name="anna", password=PASSWORD, role=Role.ENGINEER, now=NOW)
            connection.commit()
        with pool.connection() as connection:
            done = accounts.log_in(
                connection,
                name="anna",
                password=PASSWORD,
                visit=Visit(now=NOW, lasting=timedelta(hours=1), address="::1"),
            )
            assert accounts.find_session(connection, done.token, now=NOW) is not None
            told = alarms.acknowledge(connection, alarm, actor="anna", comment="vu", now=NOW)
            assert told.changed
            accounts.log_out(connection, done.token)
            assert audit.verify(connection).broken is None
    finally:
        pool.close()
    serve.now = NOW
    correct(serve, wanted("correct", since=NOW - 2 * DAY, until=NOW, value=2.0))
    correct(serve, wanted("restore", since=NOW - 2 * DAY, until=NOW))
    serve.close()
    serve.send(serve.intake("http"), ("water", "t1", "flow", NOW + timedelta(minutes=1), 3.0))
    serve.close()

    url = own["verbs"].url
    for words in (
        ("accounts", "list"), ("accounts", "disable", "anna"), ("things", "waiting"),
        ("things", "admit", "neu", "--domain", "water"), ("things", "period", "t1", "--seconds", "60", "--author", "anna"),
        ("rejected", "list"), ("rejected", "count"), ("rejected", "replay", "--author", "anna"),
        ("rejected", "purge", "--older-than", "90d", "--author", "anna"), ("observations", "changes"), ("audit", "list"),
        ("audit", "verify"),
    ):  # fmt: skip
        verb(url, *words)
    file = tmp_path / "past.csv"
    file.write_text("domain,thing,property,time,result\nwater,t1,flow,2026-11-20T00:00:00Z,4.5\n")
    assert "1 stored" in verb(url, "observations", "import", str(file))
    roles = {row[0] for row in world.rows("SELECT DISTINCT role FROM hv.audit")}
    assert roles == {"hypervision_serve", "hypervision_verbs"}
