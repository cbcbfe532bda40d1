"""The audit log on every engine: a line with each action or neither, a chain that nobody else can write, and its proof."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hypervision import auditing
from hypervision.accounts import Role
from hypervision.auditing import Head, Line, Origin, Verdict
from hypervision.errors import PermanentStoreError
from hypervision.store import accounts, administration, alarms, audit
from hypervision.store.accounts import Visit
from hypervision.store.audit import Wanted
from hypervision.store.connection import Connection, connect
from tests.contract.verbs import Says

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("plain_tables")]
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PASSWORD = "quatre mots pour entrer"


@contextmanager
def asking(world: Any) -> Iterator[Connection]:
    world.close()
    with connect(world.url, application="test") as connection:
        yield connection
        connection.rollback()


def acted(world: Any, *numbers: int) -> None:
    with asking(world) as connection:
        for number in numbers:
            audit.note(connection, "test.act", kind="thing", ident=f"t{number}", after={"n": number, "é": 1.50})
            connection.commit()


def lines(world: Any) -> list[Line]:
    with asking(world) as connection:
        return list(reversed(audit.page(connection, Wanted(), limit=1000)))


def proof(world: Any, *heads: Head) -> Verdict:
    with asking(world) as connection:
        return audit.verify(connection, heads=heads)


def test_line_has_who_when_what_and_from_where_and_the_hash_that_python_computes(world: Any) -> None:
    token = auditing.ORIGIN.set(Origin("anna", "192.0.2.7"))
    try:
        with asking(world) as connection:
            audit.note(connection, "account.add", kind="account", ident="bob", reason="neu, é ␀ 😀",
                       before={"role": "viewer"}, after={"role": "engineer", "x": [1, 2.50, None], "token": "geheim"})  # fmt: skip
            connection.commit()
    finally:
        auditing.ORIGIN.reset(token)
    acted(world, 2)
    first, second = lines(world)
    assert (first.number, first.actor, first.action, first.object_kind, first.object_id, first.address, first.reason) == (
        1, "anna", "account.add", "account", "bob", "192.0.2.7", "neu, é ␀ 😀",
    )  # fmt: skip
    assert (first.before, first.after) == (
        '{"role": "viewer"}',
        '{"x": [1, 2.5, null], "role": "engineer", "token": "…"}',
    )
    assert (first.previous, second.previous) == (auditing.BEGINNING, first.hash)
    assert [auditing.hash_of(line) for line in (first, second)] == [first.hash, second.hash]
    assert abs((first.at - datetime.now(UTC)).total_seconds()) < 600
    assert first.role == world.rows("SELECT session_user::text")[0][0]
    assert proof(world) == Verdict(2, 1, Head(2, second.hash))


def test_action_and_line_are_committed_together_or_not_at_all(world: Any) -> None:
    with asking(world) as connection:
        administration.add_account(connection, name="bob", password=PASSWORD, role=Role.VIEWER, now=NOW)
        with pytest.raises(RuntimeError), connection.transaction():  # noqa: PT012
            audit.note(connection, "account.disable", kind="account", ident="bob")
            connection.execute("UPDATE hv.account SET disabled_at = now()")
            raise RuntimeError("something failed")
        connection.commit()
    assert world.rows("SELECT disabled_at FROM hv.account") == [(None,)]
    assert [line.action for line in lines(world)] == ["account.add"]
    # No number was used up by what was undone.
    acted(world, 1)
    assert [line.number for line in lines(world)] == [1, 2]
    assert world.rows("SELECT count(*) FROM hv.audit_due") == [(0,)]


def test_action_whose_line_cannot_be_written_does_not_happen(world: Any) -> None:
    with asking(world) as connection:
        connection.execute("INSERT INTO hv.organisation (code, name) VALUES ('x', 'x')")
        with pytest.raises(PermanentStoreError, match="check constraint"):
            audit.note(connection, "Not an action", kind="thing", ident="t")
        connection.commit()
    assert world.rows("SELECT count(*) FROM hv.organisation") == [(0,)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO hv.audit SELECT number + 1, at, actor, action, object_kind, object_id, address, reason, before, after, role, hash, hash FROM hv.audit",
        "UPDATE hv.audit SET actor = 'bob'",
        "UPDATE hv.audit SET actor = 'bob' WHERE false",
        "DELETE FROM hv.audit",
        "TRUNCATE hv.audit",
        "UPDATE hv.audit_head SET number = 0",
        "DELETE FROM hv.audit_head",
        "INSERT INTO hv.audit_head (one, number, hash) VALUES (true, 1, 'x') ON CONFLICT DO NOTHING",
        "TRUNCATE hv.audit_head",
        "DELETE FROM hv.audit_due",
        "TRUNCATE hv.audit_due",
        "SELECT hv.audit_note('a', 'audit_log.seal', '', '', '', '', NULL, NULL)",
    ],
)
def test_log_refuses_whatever_is_not_appended_by_itself_also_to_its_owner(world: Any, statement: str) -> None:
    acted(world, 1)
    with asking(world) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege, match="audit"):  # noqa: PT012
        connection.execute(statement)
        connection.commit()
    assert proof(world).lines == 1


def test_line_that_is_due_cannot_be_taken_back_by_the_transaction_itself(world: Any) -> None:
    with asking(world) as connection:
        audit.note(connection, "test.act", kind="thing", ident="t1")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute("DELETE FROM hv.audit_due")
        connection.commit()
    assert len(lines(world)) == 1


SWAPPED = (
    "UPDATE hv.audit SET number = CASE number WHEN 3 THEN -4 ELSE -3 END WHERE number IN (3, 4);"
    "UPDATE hv.audit SET number = -number WHERE number < 0"
)
FORGERIES = {
    "changed": ("UPDATE hv.audit SET actor = 'bob' WHERE number = 3", 3),
    "removed": ("DELETE FROM hv.audit WHERE number = 3", 4),
    "unlinked": (SWAPPED, 3),
    "beginning": ("DELETE FROM hv.audit WHERE number <= 2", 3),
    "cut": ("DELETE FROM hv.audit WHERE number >= 5", 5),
}  # fmt: skip


@pytest.mark.parametrize("fault", FORGERIES)
def test_what_somebody_does_to_the_table_past_its_triggers_is_found(world: Any, fault: str) -> None:
    acted(world, *range(6))
    statement, broken = FORGERIES[fault]
    tamper(world, statement)
    found = proof(world)
    assert (found.broken, found.fault) == (broken, fault)


def tamper(world: Any, statement: str) -> None:
    """What the owner of a database can do, or who has its files."""
    with asking(world) as connection:
        for table in ("audit", "audit_head"):
            connection.execute(f"ALTER TABLE hv.{table} DISABLE TRIGGER USER")
        for part in statement.split(";"):
            connection.execute(part)
        for table in ("audit", "audit_head"):
            connection.execute(f"ALTER TABLE hv.{table} ENABLE TRIGGER USER")
        connection.commit()


def test_end_that_was_cut_off_with_its_head_is_found_by_a_head_kept_elsewhere(world: Any) -> None:
    acted(world, *range(6))
    kept = proof(world).head
    tamper(
        world,
        "DELETE FROM hv.audit WHERE number >= 5;"
        "UPDATE hv.audit_head SET number = 4, hash = (SELECT hash FROM hv.audit WHERE number = 4)",
    )
    assert proof(world).broken is None
    found = proof(world, kept)
    assert (found.broken, found.fault) == (5, "cut")
    # Lines that fill it up again are others.
    acted(world, 7, 8, 9)
    found = proof(world, kept)
    assert (found.broken, found.fault) == (6, "other")


def test_twenty_writers_at_once_make_one_chain_without_a_gap(world: Any, several: None) -> None:
    world.close()
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            with connect(world.url, application=f"test {number}") as connection:
                for turn in range(10):
                    # Other locks in any order: the log is always the last.
                    for lock in (number, number + turn) if turn % 2 else (number + turn, number):
                        connection.execute("SELECT pg_advisory_xact_lock_shared(815, %s)", (lock,))
                        audit.note(connection, "test.act", kind="thing", ident=f"{number}-{turn}-{lock}")
                    if turn == 5:
                        connection.rollback()
                    else:
                        connection.commit()
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    found = proof(world)
    assert (found.broken, found.lines, found.head.number) == (None, 20 * 9 * 2, 20 * 9 * 2)


def test_nobody_waits_for_a_transaction_that_takes_long_after_its_line(world: Any, several: None) -> None:
    with asking(world) as slow, connect(world.url, application="quick") as quick:
        audit.note(slow, "test.slow", kind="thing", ident="t1")
        slow.execute("SELECT 1")
        quick.execute("SELECT set_config('lock_timeout', '2s', false)")
        audit.note(quick, "test.quick", kind="thing", ident="t2")
        quick.commit()
        slow.commit()
    assert [line.action for line in lines(world)] == ["test.quick", "test.slow"]
    assert proof(world).broken is None


def test_process_that_dies_before_its_commit_leaves_neither_action_nor_line(world: Any, several: None) -> None:
    acted(world, 1)
    with pytest.raises(psycopg.OperationalError), asking(world) as connection:  # noqa: PT012
        connection.execute("INSERT INTO hv.organisation (code, name) VALUES ('x', 'x')")
        audit.note(connection, "test.act", kind="organisation", ident="x")
        world.server.kick(world.url)
        connection.commit()
    assert world.rows("SELECT count(*) FROM hv.organisation") == [(0,)]
    acted(world, 2)
    assert [line.number for line in lines(world)] == [1, 2]
    assert proof(world).broken is None


def test_log_ins_and_accounts_are_told_without_their_secrets(world: Any) -> None:
    lasting = timedelta(hours=1)
    with asking(world) as connection:
        administration.add_account(connection, name="bob", password=PASSWORD, role=Role.VIEWER, now=NOW)
        for name, password in (
            ("bob", "a wrong password"),
            (PASSWORD, "typed into the wrong field"),
            ("bob", PASSWORD),
        ):
            done = accounts.log_in(
                connection, name=name, password=password, visit=Visit(now=NOW, lasting=lasting, address="::1")
            )
        accounts.log_out(connection, done.token)
        accounts.log_out(connection, done.token)
        administration.set_password(connection, name="bob", password="fuenf andere worte hier", now=NOW)
        for disabled in (True, False):
            administration.change_account(connection, name="bob", given={"disabled": disabled}, now=NOW)
        administration.end_sessions(connection, name="bob", now=NOW)
    told = [(line.action, line.actor, line.object_id) for line in lines(world)]
    assert told == [
        ("account.add", "system", "bob"), ("session.refuse", "bob", "bob"), ("session.refuse", "unknown", ""),
        ("session.log_in", "bob", "bob"), ("session.log_out", "bob", "bob"), ("account.change_password", "system", "bob"),
        ("account.change", "system", "bob"), ("account.change", "system", "bob"), ("account.log_out", "system", "bob"),
    ]  # fmt: skip
    assert "quatre mots" not in str(lines(world))
    assert done.token not in str(lines(world))
    assert proof(world).broken is None


def test_acknowledgement_is_told_once(world: Any) -> None:
    world.send(world.intake(), ("waste", "t1", "temperature", world.now, 90.0))
    world.close()
    [(number,)] = world.rows("SELECT id FROM alarms")
    with asking(world) as connection:
        for _ in range(2):
            alarms.acknowledge(connection, number, actor="anna", comment="vu", now=NOW + timedelta(minutes=1))
        alarms.acknowledge(connection, number + 99, actor="anna", comment="vu", now=NOW)
    [line] = lines(world)
    assert (line.action, line.actor, line.object_id, line.reason) == ("alarm.acknowledge", "anna", str(number), "vu")
    assert (line.before, line.after) == ('{"state": "UNACK"}', '{"state": "ACKED"}')


def test_old_lines_go_under_a_seal_and_the_rest_is_proved_as_before(world: Any) -> None:
    acted(world, *range(6))
    kept = [proof(world).head]
    middle = lines(world)[3].at
    with asking(world) as connection:
        gone = audit.seal(connection, until=middle, actor="anna", address="here", reason="after three years")
        assert gone == 3
        assert audit.seal(connection, until=middle, actor="anna", address="here", reason="again") == 0
    found = lines(world)
    assert [line.number for line in found] == [4, 5, 6, 7]
    assert (found[-1].action, found[-1].actor, found[-1].object_id) == ("audit_log.seal", "anna", "3")
    assert proof(world, *kept) == Verdict(4, 4, Head(7, found[-1].hash))
    # The newest line stays whatever its age.
    with asking(world) as connection:
        later = found[-1].at + timedelta(days=1)
        audit.seal(connection, until=later, actor="anna", address="here", reason="all")
    assert [line.action for line in lines(world)][-1] == "audit_log.seal"
    assert proof(world).broken is None
    acted(world, 9)
    assert proof(world).broken is None


def test_chosen_lines_are_those_of_who_what_and_when(world: Any) -> None:
    acted(world, 1, 2)
    with asking(world) as connection:
        audit.note(connection, "session.log_in", kind="account", ident="bob", actor="bob")
        audit.note(connection, "session.log_out", kind="account", ident="bob", actor="bob")
        connection.commit()

        def numbers(**chosen: Any) -> list[int]:
            return [line.number for line in audit.page(connection, Wanted(**chosen), limit=10)]

        assert numbers(actor="bob") == [4, 3]
        assert numbers(action="session") == [4, 3]
        assert numbers(action="session.log_in") == [3]
        assert numbers(action="sess") == []
        assert numbers(object_kind="thing", object_id="t2") == [2]
        assert numbers(until=NOW) == []
        assert [line.number for line in audit.lines(connection, Wanted(actor="system"))] == [1, 2]
        assert audit.actions(connection) == ["session.log_in", "session.log_out", "test.act"]


def test_verbs_list_prove_export_and_seal(world: Any, verb: Says, tmp_path: Path, newest_only: None) -> None:
    acted(world, 1, 2, 3)
    assert "test.act  thing t3" in verb(world.url, "audit", "list", "--limit", "1")
    said = verb(world.url, "audit", "verify")
    assert said.startswith("3 lines are whole, from 1 to 3\nhead 3:")
    head = said.split("head ")[1].strip()
    file = tmp_path / "lines.jsonl"
    assert "(3 lines)" in verb(world.url, "audit", "export", str(file))
    assert lines(world)[-1].action == "audit.export"
    assert "3 lines are whole" in verb(world.url, "audit", "verify", "--file", str(file), "--head", head)
    file.write_text(file.read_text().replace('"t2"', '"t9"'))
    assert "line 2 is broken" in verb(world.url, "audit", "verify", "--file", str(file), expect=1)
    backup = tmp_path / "backup"
    verb(world.url, "db", "backup", str(backup))
    assert "4 lines are whole" in verb(world.url, "audit", "verify", "--backup", str(backup), "--head", head)
    assert "0 lines from before" in verb(
        world.url, "audit", "seal", "--older-than", "180", "--reason", "age", "--author", "anna"
    )
    tamper(world, "DELETE FROM hv.audit WHERE number = 2")
    assert "line 3 is broken: a line before it is missing" in verb(world.url, "audit", "verify", expect=1)
    assert "no head of an audit log" in verb(world.url, "audit", "verify", "--head", "x", expect=2)
