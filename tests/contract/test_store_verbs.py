"""The verbs that look after the database, run as a person runs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hypervision.services import alone
from tests.contract.verbs import Says

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("newest_only")]
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def fill(world: Any) -> None:
    world.send(
        world.intake(),
        ("waste", "bin", "temperature", NOW - timedelta(days=1), 20.0),
        ("waste", "bin", "temperature", NOW, 70.0),
        ("lighting", "lamp", "lamp_state", NOW, 2.0),
    )
    world.close()


def test_backup_and_restore_give_the_same_database(world: Any, empty: str, tmp_path: Path, verb: Says) -> None:
    fill(world)
    folder = tmp_path / "town"
    assert f"wrote {folder}" in verb(world.url, "db", "backup", str(folder))
    assert f"{folder} exists" in verb(world.url, "db", "backup", str(folder), expect=1)
    assert "not empty" in verb(world.url, "db", "restore", str(folder), expect=1)
    assert "there is no backup" in verb(empty, "db", "restore", str(tmp_path / "none"), expect=1)
    assert f"restored {folder}" in verb(empty, "db", "restore", str(folder))
    assert "missing    nothing" in verb(empty, "db", "status")
    asked = [
        "SELECT * FROM observations ORDER BY 1, 2, 3, 4", "SELECT * FROM latest_observations ORDER BY 1, 2, 3",
        "SELECT * FROM alarms ORDER BY id", "SELECT * FROM alarm_transitions ORDER BY alarm_id, at",
        "SELECT * FROM things ORDER BY code",
    ]  # fmt: skip
    before = [world.rows(text) for text in asked]
    assert all(before)
    world.url = empty
    assert [world.rows(text) for text in asked] == before
    # It is not only there, it works: the same alarm does not ring again, ids go on.
    intake = world.intake()
    world.send(intake, ("waste", "bin", "temperature", NOW + timedelta(seconds=1), 75.0))
    world.send(intake, ("waste", "new", "temperature", NOW, 75.0))
    assert len(world.alarms()) == 3


def test_backup_without_a_name_is_kept_in_its_folder(world: Any, tmp_path: Path, verb: Says) -> None:
    fill(world)
    folder = tmp_path / "backups"
    said = verb(world.url, "db", "backup")
    (made,) = folder.iterdir()
    assert f"wrote {made} (" in said
    assert "rows as of 20" in said
    status = verb(world.url, "db", "status")
    assert "backup     20" in status
    assert ", 0.0 h ago, 0." in status


def test_backup_is_restored_into_the_embedded_database_where_no_url_is_given(
    world: Any, empty: str, tmp_path: Path, verb: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(world)
    verb(world.url, "db", "backup", str(tmp_path / "town"))
    asked: list[Path] = []

    @contextmanager
    def embedded(data_dir: Path) -> Iterator[str]:
        asked.append(data_dir)
        yield empty

    monkeypatch.setattr(alone, "embedded", embedded)
    # What a platform that was killed has left; nobody listens there.
    (tmp_path / "endpoints.json").write_text('{"database": "postgresql://u:p@127.0.0.1:1/d"}')
    said = verb("", "db", "restore", str(tmp_path / "town"))
    assert f"restoring into the embedded database of {tmp_path}" in said
    assert asked == [tmp_path]
    world.url = empty
    assert len(world.rows("SELECT * FROM observations")) == 3
    # One that is damaged is refused before a cluster is made.
    (tmp_path / "town" / "dump" / "toc.dat").unlink()
    assert "toc.dat is missing" in verb("", "db", "restore", str(tmp_path / "town"), expect=1)
    assert asked == [tmp_path]


def test_migrate_and_status_say_what_they_found(empty: str, verb: Says, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "missing    0001_house" in verb(empty, "db", "status", expect=1)
    assert "applied 0001_house" in verb(empty, "db", "migrate")
    assert "the database is at this version" in verb(empty, "db", "migrate")
    told = verb(empty, "db", "status")
    assert told.startswith("engine     PostgreSQL 1")
    assert "missing    nothing" in told
    assert "readings   none" in told
    assert "packing    after 7 days" in told
    assert "nothing is older than is kept" in verb(empty, "db", "retain", "--dry-run")
    assert "nothing is to be packed" in verb(empty, "db", "pack")
    monkeypatch.setattr("hypervision.retention.pack", lambda *_, **__: ["observation_1", "observation_2"])
    # What was packed is in the log, as soon as it is.
    assert verb(empty, "db", "pack") == "packed 2 partitions\n"


def test_verb_without_its_schema_says_what_to_run(empty: str, verb: Says) -> None:
    assert "run `hypervision db migrate`" in verb(empty, "accounts", "list", expect=1)


def test_database_that_is_away_is_one_sentence(verb: Says) -> None:
    told = verb("postgresql://u:geheim@127.0.0.1:1/x", "db", "status", expect=1)
    assert told.count("\n") == 1
    assert "geheim" not in told


def test_accounts_are_added_once_and_listed(world: Any, tmp_path: Path, verb: Says) -> None:
    password = tmp_path / "password"
    password.write_text("four words are enough\n")
    add = ["accounts", "add", "operator", "--role", "operator", "--password-file", str(password)]
    assert "operator may log in as operator" in verb(world.url, *add)
    assert "the account 'operator' exists" in verb(world.url, *add, expect=1)
    assert verb(world.url, *add, "--if-missing") == ""
    assert "the password has 5 characters" in verb(
        world.url, "accounts", "add", "otto", "--role", "viewer", given="short\n", expect=1
    )
    assert verb(world.url, "accounts", "list").split() == ["operator", "operator", "all"]


def test_account_is_given_a_new_password_and_disabled(world: Any, verb: Says) -> None:
    verb(world.url, "accounts", "add", "ana", "--role", "operator", given="a first secret\n")
    before = world.rows("SELECT password_hash FROM hv.account")
    log_in = "INSERT INTO hv.session SELECT decode('00', 'hex'), account_id, now(), now(), now() FROM hv.account"
    for action, given in (("password", "a second secret\n"), ("disable", "")):
        world.execute(log_in)
        assert "its sessions have ended" in verb(world.url, "accounts", action, "ana", given=given)
        assert world.rows("SELECT count(*) FROM hv.session") == [(0,)]
    assert world.rows("SELECT password_hash FROM hv.account") != before
    assert "disabled 20" in verb(world.url, "accounts", "list")
    assert verb(world.url, "accounts", "enable", "ana") == "ana may log in\n"
    assert "disabled" not in verb(world.url, "accounts", "list")
    assert "there is no account 'bob'" in verb(world.url, "accounts", "disable", "bob", expect=1)


@pytest.mark.parametrize("name", ["", "<img>", "-x", "é", "a b", "x" * 65, "a\n"])
def test_name_that_no_account_may_have_is_one_sentence(world: Any, name: str, verb: Says) -> None:
    # Before the password is looked at.
    told = verb(world.url, "accounts", "add", "--role", "viewer", "--", name, given="short\n", expect=1)
    assert "is no name of an account: use 1 to 64 letters" in told
    assert told.count("\n") == 1
    assert verb(world.url, "accounts", "list") == ""


def test_accounts_that_differ_by_capitals_only_are_refused(world: Any, verb: Says) -> None:
    add, words = ("accounts", "add", "--role", "viewer"), "four words are enough\n"
    verb(world.url, *add, "viewer", given=words)
    told = verb(world.url, *add, "VIEWER", given=words, expect=1)
    assert "the account 'viewer' exists" in told
    assert verb(world.url, "accounts", "list").split() == ["viewer", "viewer", "all"]


@pytest.mark.parametrize("given", ["", "\n"])
def test_password_that_nobody_gave_is_asked_for_with_the_option(world: Any, given: str, verb: Says) -> None:
    told = verb(world.url, "accounts", "add", "x", "--role", "viewer", given=given, expect=1)
    assert "--password-file" in told
    assert told.count("\n") == 1


def test_code_that_no_thing_may_have_is_one_sentence_and_lets_nothing_in(world: Any, verb: Says) -> None:
    for code in ("../x", "", "x" * 65):
        told = verb(world.url, "things", "admit", "good", code, "--domain", "water", expect=2)
        assert "is no code of a Thing: use 1 to 64 letters" in told
        assert told.count("\n") == 1
    assert world.rows("SELECT code FROM things") == []


@pytest.mark.parametrize("name", ["x" * 100_000, "\x1b[31mred", "a\u202eb", "two\nlines", " "])
def test_name_that_no_screen_shows_is_refused_and_lets_nothing_in(world: Any, name: str, verb: Says) -> None:
    told = verb(world.url, "things", "admit", "p-9", "--domain", "water", "--name", name, expect=1)
    assert "of p-9 cannot be taken" in told
    assert told.endswith(": give 1 to 200 printable characters\n")
    assert told.count("\n") == 1
    assert len(told) < 300
    assert told.strip().isprintable()
    assert world.rows("SELECT code FROM things") == []


def test_thing_that_is_registered_is_said_to_be(world: Any, verb: Says) -> None:
    assert "p-9 is admitted to water" in verb(world.url, "things", "admit", "p-9", "--domain", "water")
    assert "p-9 was registered already" in verb(world.url, "things", "admit", "p-9")


def test_waiting_thing_is_admitted_and_its_messages_are_stored(world: Any, verb: Says) -> None:
    intake = world.intake(registration="closed")
    now = datetime.now(UTC)
    batch = world.batch(intake, ("water", "p-7", "flow", now, 4.5), received=now)
    batch.payloads[0] = b'{"time": "%s", "flow": 4.5}' % now.isoformat().encode()
    intake.commit(batch, now=now)
    world.close()
    assert "p-7" in verb(world.url, "things", "waiting")
    told = verb(world.url, "things", "admit", "p-7", "--name", "Pump 7")
    assert "p-7 is admitted to water" in told
    assert "1 of 1 waiting messages stored" in told
    assert world.rows("SELECT thing, result FROM observations") == [("p-7", 4.5)]
    assert world.rows("SELECT name FROM things") == [("Pump 7",)]
    assert verb(world.url, "things", "waiting") == "no Thing waits for its admission\n"
    assert "never sent anything" in verb(world.url, "things", "admit", "p-8", expect=1)
    assert "there is no domain" in verb(world.url, "things", "admit", "p-8", "--domain", "air", expect=2)
