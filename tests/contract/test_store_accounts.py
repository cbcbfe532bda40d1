"""Accounts as administrators handle them: whole changes, one at a time, and nobody is left without an administrator."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hypervision.accounts import Role
from hypervision.errors import AccessError, ConflictError
from hypervision.scope import Scope
from hypervision.store import accounts, administration
from hypervision.store.accounts import Visit
from hypervision.store.connection import connect
from hypervision.store.registry import NewThing, register_things
from tests.contract.verbs import Says

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("newest_only")]
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PASSWORD = "four words are enough"


@pytest.fixture
def connection(world: Any) -> Any:
    with connect(world.url, application="test", autocommit=True) as made:
        register_things(
            made, [NewThing("p1", "p1", "water", organisation="eau", district="Nord")], now=NOW,
            organisations={"eau": "Eau"},
        )  # fmt: skip
        yield made


def add(connection: Any, name: str, role: Role = Role.OPERATOR, **more: Any) -> None:
    administration.add_account(connection, name=name, password=PASSWORD, role=role, now=NOW, **more)


def change(connection: Any, name: str, actor: str | None = "ana", version: int | None = None, **given: Any) -> Any:
    return administration.change_account(
        connection,
        name=name,
        given=given,
        now=NOW,
        actor=actor,
        version=version,  # type: ignore[arg-type]
    )


def one(connection: Any, name: str) -> Any:
    return next(each for each in administration.list_accounts(connection, now=NOW) if each.name == name)


def log_in(connection: Any, name: str, password: str = PASSWORD) -> accounts.Login:
    return accounts.log_in(
        connection, name=name, password=password, visit=Visit(now=NOW, lasting=timedelta(hours=1), address="::1")
    )


def test_account_is_what_it_was_made_and_its_session_says_so(connection: Any) -> None:
    add(connection, "otto", organisation="eau", domains=["water", "waste"], districts=["Nord"], language="fr")
    found = one(connection, "otto")
    scope = Scope.of(found.organisation_id, ["waste", "water"], ["Nord"])
    assert (found.organisation, found.scope, found.sessions, found.version) == ("eau", scope, 0, 1)
    login = log_in(connection, "otto")
    assert login.account is not None
    assert login.account.scope == scope
    session = accounts.find_session(connection, login.token, now=NOW)
    assert session is not None
    assert (session[0].scope, session[0].role, session[0].language) == (scope, Role.OPERATOR, "fr")
    assert one(connection, "otto").sessions == 1
    assert change(connection, "otto", organisation=None, domains=None, districts=None).scope.is_whole
    session = accounts.find_session(connection, login.token, now=NOW)
    assert session is not None
    assert session[0].scope.is_whole


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"organisation": "gaz"}, "organisation"),
        ({"districts": ["Nord", "Lune"]}, "districts"),
        ({"districts": []}, "districts"),
        ({"domains": []}, "domains"),
    ],
)
def test_scope_of_unknown_words_is_refused_and_nothing_is_changed(
    connection: Any, given: dict[str, Any], field: str
) -> None:
    add(connection, "otto")
    with pytest.raises(AccessError) as refused:
        change(connection, "otto", role=Role.VIEWER, **given)
    assert refused.value.field == field
    assert (one(connection, "otto").role, one(connection, "otto").version) == ("operator", 1)
    with pytest.raises(AccessError):
        add(connection, "new", **given)
    assert [each.name for each in administration.list_accounts(connection, now=NOW)] == ["otto"]


def test_second_of_two_who_change_an_account_is_told_who_was_first(connection: Any) -> None:
    for name in ("ana", "bob"):
        add(connection, name, Role.ADMINISTRATOR)
    add(connection, "otto")
    seen = one(connection, "otto").version
    assert change(connection, "otto", "ana", seen, role=Role.ENGINEER).version == seen + 1
    with pytest.raises(ConflictError, match="otto was changed by ana meanwhile") as late:
        change(connection, "otto", "bob", seen, role=Role.VIEWER)
    assert late.value.by == "ana"
    with pytest.raises(ConflictError):
        administration.set_password(connection, name="otto", password=PASSWORD, now=NOW, actor="bob", version=seen)
    assert (one(connection, "otto").role, one(connection, "otto").changed_by) == ("engineer", "ana")
    # What changes nothing is no change, and nobody is in its way.
    assert change(connection, "otto", "bob", seen + 1, role=Role.ENGINEER).version == seen + 1


def test_of_the_last_two_administrators_one_stays_however_they_hurry(world: Any, connection: Any) -> None:
    for name in ("ana", "bob"):
        add(connection, name, Role.ADMINISTRATOR)
    for _ in range(5):
        told: list[str] = []
        together = threading.Barrier(2)

        def demote(name: str, actor: str, told: list[str] = told, together: threading.Barrier = together) -> None:
            with connect(world.url, application="test", autocommit=True) as own:
                together.wait()
                try:
                    change(own, name, actor, role=Role.VIEWER)
                except AccessError as error:
                    told.append(error.reason)

        threads = [threading.Thread(target=demote, args=pair) for pair in (("ana", "bob"), ("bob", "ana"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert told == ["last_administrator"]
        left = [each for each in administration.list_accounts(connection, now=NOW) if each.administers]
        assert len(left) == 1
        for name in ("ana", "bob"):
            change(connection, name, None, role=Role.ADMINISTRATOR)


def test_administrator_of_a_part_is_no_last_administrator(connection: Any) -> None:
    add(connection, "ana", Role.ADMINISTRATOR)
    add(connection, "part", Role.ADMINISTRATOR, organisation="eau")
    for given in ({"disabled": True}, {"role": Role.AUDITOR}, {"domains": ["water"]}):
        with pytest.raises(AccessError, match="last account that administers") as refused:
            change(connection, "ana", None, **given)
        assert refused.value.reason == "last_administrator"
    assert change(connection, "part", None, disabled=True).disabled_at is not None


def test_disabled_account_and_new_password_end_its_sessions(connection: Any) -> None:
    add(connection, "otto")
    for step in ("disable", "password", "log-out"):
        login = log_in(connection, "otto")
        assert login.account is not None
        if step == "disable":
            change(connection, "otto", disabled=True)
            assert log_in(connection, "otto").account is None
            change(connection, "otto", disabled=False)
        elif step == "password":
            administration.set_password(connection, name="otto", password="another four words", now=NOW)
            assert log_in(connection, "otto").account is None
            administration.set_password(connection, name="otto", password=PASSWORD, now=NOW)
        else:
            assert administration.end_sessions(connection, name="otto", now=NOW) == 1
        assert accounts.find_session(connection, login.token, now=NOW) is None


def test_audit_log_tells_who_changed_what_and_no_password(world: Any, connection: Any) -> None:
    add(connection, "otto", actor="ana")
    change(connection, "otto", "ana", role=Role.ENGINEER, domains=["water"])
    administration.set_password(connection, name="otto", password="another four words", now=NOW, actor="ana")
    administration.end_sessions(connection, name="otto", now=NOW, actor="ana")
    rows = world.rows("SELECT action, actor, object_id, before, after FROM hv.audit ORDER BY number")
    assert [row[:3] for row in rows] == [
        ("account.add", "ana", "otto"), ("account.change", "ana", "otto"), ("account.change_password", "ana", "otto"),
        ("account.log_out", "ana", "otto"),
    ]  # fmt: skip
    assert rows[1][3:] == (
        {"role": "operator", "domains": None}, {"role": "engineer", "domains": ["water"]},
    )  # fmt: skip
    assert "words" not in str(rows)


def test_verbs_change_role_scope_and_language(world: Any, connection: Any, verb: Says) -> None:
    add_it = ("accounts", "add", "otto", "--role", "viewer", "--domain", "water", "--district", "Nord")
    verb(world.url, *add_it, given=PASSWORD + "\n")
    assert verb(world.url, "accounts", "list").split() == ["otto", "viewer", "water;", "Nord"]
    change_it = ("accounts", "change", "otto")
    told = verb(world.url, *change_it, "--role", "auditor", "--whole", "--organisation", "eau")
    assert told == "otto is auditor of eau\n"
    assert "there is no domain 'gas'" in verb(world.url, *change_it, "--domain", "gas", expect=1)
    assert "no Thing stands in the district 'Lune'" in verb(world.url, *change_it, "--district", "Lune", expect=1)
    assert "nothing is to be changed" in verb(world.url, *change_it, expect=2)
    assert verb(world.url, *change_it, "--language", "fr", "--whole") == "otto is auditor of all\n"
    log_in(connection, "otto")
    assert verb(world.url, "accounts", "logout", "otto") == "the sessions of otto have ended: 1\n"
    assert verb(world.url, "things", "assign", "p1", "--district", "Sud") == "p1 is assigned to Sud\n"
    assert "there is no Thing p9" in verb(world.url, "things", "assign", "p1", "p9", "--district", "Est", expect=2)
    assert world.rows("SELECT district FROM things") == [("Sud",)]
