"""Ways in, on every engine: second factors, tokens, sessions, identities of a provider, one-time links."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from hypervision import totp
from hypervision.accounts import ENROLLING, Account, Action, Role, may
from hypervision.claims import Identity
from hypervision.errors import AccessError
from hypervision.scope import Scope
from hypervision.store import accounts, administration, factors, identities, invitations, own, tokens
from hypervision.store.accounts import Login, Visit
from hypervision.store.connection import Connection, connect
from hypervision.store.own import Proof, TooSoonError
from tests.contract.servers import NOW

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("plain_tables")]
PASSWORD = "four words are enough"
HOURS = timedelta(hours=12)
ANA = Identity("https://id.example", "7f3a", "ana", Role.OPERATOR)


@pytest.fixture
def connection(world: Any) -> Iterator[Connection]:
    with connect(world.url, application="test") as made:
        administration.add_account(made, name="otto", password=PASSWORD, role=Role.ENGINEER, now=NOW)
        made.commit()
        yield made


def come(now: datetime = NOW, *, roles: frozenset[Role] = frozenset(), address: str = "10.0.0.1") -> Visit:
    return Visit(now=now, lasting=HOURS, address=address, agent="browser", factor_roles=roles)


def enter(
    connection: Connection, *, code: str = "", now: datetime = NOW, password: str = PASSWORD, **more: Any
) -> Login:
    return accounts.log_in(connection, name="otto", password=password, code=code, visit=come(now, **more))


def otto(connection: Connection) -> Account:
    return own.account_named(connection, "otto")


def enrolled(connection: Connection, *, now: datetime = NOW) -> tuple[bytes, list[str]]:
    """Otto's secret and recovery codes; the code of `now` is used."""
    secret = factors.enrol(connection, otto(connection).account_id, now=now)
    return secret, factors.confirm(connection, otto(connection).account_id, code_of(secret, now), now=now)


def code_of(secret: bytes, at: datetime) -> str:
    return totp.code_at(secret, int(at.timestamp() // totp.STEP))


def test_second_factor_is_asked_for_once_it_is_confirmed_and_a_code_counts_once(connection: Connection) -> None:
    account_id = otto(connection).account_id
    secret = factors.enrol(connection, account_id, now=NOW)
    # Who began and left is not locked out.
    assert enter(connection).account is not None
    with pytest.raises(AccessError, match="the code is wrong"):
        factors.confirm(connection, account_id, "000000", now=NOW - timedelta(days=9))
    factors.confirm(connection, account_id, code_of(secret, NOW), now=NOW)
    assert (enter(connection).account, enter(connection).second) == (None, True)
    later = NOW + timedelta(minutes=20)
    assert enter(connection, code=code_of(secret, later), now=later).account is not None
    replayed = enter(connection, code=code_of(secret, later), now=later)
    assert (replayed.account, replayed.second) == (None, True)
    # The code with which it was set up has been used as well.
    assert enter(connection, code=code_of(secret, NOW), now=NOW).account is None
    with pytest.raises(AccessError, match="has a second factor"):
        factors.enrol(connection, account_id, now=NOW)


def test_wrong_password_tells_nothing_of_a_second_factor(connection: Connection) -> None:
    secret, _codes = enrolled(connection)
    later = NOW + timedelta(minutes=20)
    wrong = enter(connection, password="another one", code=code_of(secret, later), now=later)
    assert (wrong.account, wrong.second) == (None, False)


def test_recovery_code_lets_in_once(connection: Connection) -> None:
    _secret, codes = enrolled(connection)
    account_id = otto(connection).account_id
    assert factors.state(connection, account_id).recovery_codes == totp.RECOVERY_CODES
    assert enter(connection, code=codes[3].upper()).account is not None
    assert enter(connection, code=codes[3]).account is None
    assert factors.state(connection, account_id).recovery_codes == totp.RECOVERY_CODES - 1
    kept = connection.execute("SELECT code_hash FROM hv.recovery_code").fetchall()
    assert not [code for code in codes if any(code.encode() in bytes(row[0]) for row in kept)]


def test_codes_are_slowed_down_together_with_passwords(connection: Connection) -> None:
    secret, _codes = enrolled(connection)
    later = NOW + timedelta(minutes=20)
    told = [enter(connection, code="000000", now=later) for _ in range(10)]
    assert [login.second for login in told[:4]] == [True] * 4
    assert all(login.wait > 0 for login in told[4:])
    # The right one has to wait as well: else the back-off would be none.
    assert enter(connection, code=code_of(secret, later), now=later).wait > 0
    assert enter(connection, password="guess", now=later).wait > 0


def test_role_that_needs_a_second_factor_may_set_it_up_and_nothing_else(connection: Connection) -> None:
    login = enter(connection, roles=frozenset({Role.ENGINEER}))
    assert login.account is not None
    assert login.account.granted == ENROLLING
    found = accounts.find_session(connection, login.token, now=NOW)
    assert found is not None
    assert not may(found[0], Action.SEE_SCREENS)
    secret = factors.enrol(connection, found[0].account_id, now=NOW)
    other = enter(connection)
    own.confirm_factor(connection, found[0], token=login.token, code=code_of(secret, NOW), address="10.0.0.1", now=NOW)
    found = accounts.find_session(connection, login.token, now=NOW)
    assert found is not None
    assert may(found[0], Action.SEE_SCREENS)
    # A session that came in without it is over.
    assert accounts.find_session(connection, other.token, now=NOW) is None
    assert enter(connection, roles=frozenset({Role.ADMINISTRATOR}), code=code_of(secret, NOW)).account is None


def test_second_factor_is_removed_by_both_or_by_an_administrator(connection: Connection) -> None:
    secret, codes = enrolled(connection)
    account, later = otto(connection), NOW + timedelta(minutes=20)
    for password, code in (("wrong", code_of(secret, later)), (PASSWORD, "000000"), (PASSWORD, "")):
        with pytest.raises(AccessError):
            own.remove_factor(connection, account, proof=Proof(password, "10.0.0.2", code), now=later)
    assert own.remove_factor(connection, account, proof=Proof(PASSWORD, "10.0.0.2", codes[0]), now=later)
    login = enter(connection, now=later)
    assert login.account is not None
    enrolled(connection, now=later)
    assert own.reset_factor(connection, "otto")
    assert accounts.find_session(connection, login.token, now=later) is None
    assert not own.reset_factor(connection, "otto")


def test_new_password_ends_the_other_sessions_and_not_the_one_that_asks(connection: Connection) -> None:
    first, second = enter(connection), enter(connection, address="10.0.0.9")
    account = otto(connection)
    listed = own.sessions(connection, account.account_id, second.token, now=NOW)
    assert {(one.address, one.own) for one in listed} == {("10.0.0.1", False), ("10.0.0.9", True)}
    proof = Proof("wrong", "10.0.0.1")
    with pytest.raises(AccessError, match="the password is wrong"):
        own.change_password(connection, account, token=second.token, proof=proof, new="another password", now=NOW)
    proof = Proof(PASSWORD, "10.0.0.1")
    with pytest.raises(AccessError, match="at least 10"):
        own.change_password(connection, account, token=second.token, proof=proof, new="short", now=NOW)
    assert accounts.find_session(connection, first.token, now=NOW) is not None
    own.change_password(connection, account, token=second.token, proof=proof, new="another password", now=NOW)
    assert accounts.find_session(connection, first.token, now=NOW) is None
    assert accounts.find_session(connection, second.token, now=NOW) is not None
    assert enter(connection).account is None


def test_guesses_of_the_password_in_an_open_session_are_slowed_down(connection: Connection) -> None:
    account = otto(connection)
    for _ in range(4):
        with pytest.raises(AccessError, match="the password is wrong"):
            own.prove(connection, account, Proof("guess", "10.0.0.1"), now=NOW)
    with pytest.raises(TooSoonError):
        own.prove(connection, account, Proof(PASSWORD, "10.0.0.1"), now=NOW)


def test_session_is_ended_by_its_owner_alone(connection: Connection) -> None:
    administration.add_account(connection, name="eve", password=PASSWORD, role=Role.ADMINISTRATOR, now=NOW)
    mine, here = enter(connection), enter(connection)
    account = otto(connection)
    (other,) = [one for one in own.sessions(connection, account.account_id, here.token, now=NOW) if not one.own]
    eve = own.account_named(connection, "eve")
    assert own.end_session(connection, eve.account_id, "x", other.session_id) == 0
    assert accounts.find_session(connection, mine.token, now=NOW) is not None
    assert own.end_session(connection, account.account_id, here.token, other.session_id) == 1
    assert accounts.find_session(connection, mine.token, now=NOW) is None
    enter(connection)
    assert own.end_session(connection, account.account_id, here.token, None) == 1
    assert accounts.find_session(connection, here.token, now=NOW) is not None


def test_session_ends_with_the_role_of_its_account_and_follows_its_scope(connection: Connection) -> None:
    connection.execute("INSERT INTO hv.organisation (code, name) VALUES ('agency', 'Agency')")
    login = enter(connection)
    connection.execute("UPDATE hv.account SET organisation_id = 1 WHERE name = 'otto'")
    seen = accounts.find_session(connection, login.token, now=NOW)
    assert seen is not None
    assert seen[0].scope == Scope(1)
    connection.execute("UPDATE hv.account SET role = 'operator' WHERE name = 'otto'")
    assert accounts.find_session(connection, login.token, now=NOW) is None
    # One that a process of the version before has opened knows of neither.
    login = enter(connection)
    connection.execute("UPDATE hv.session SET role = NULL")
    connection.execute("UPDATE hv.account SET role = 'viewer' WHERE name = 'otto'")
    found = accounts.find_session(connection, login.token, now=NOW)
    assert found is not None
    assert found[0].role is Role.VIEWER


def test_use_of_a_session_is_noted_to_the_minute(connection: Connection) -> None:
    login = enter(connection)
    for minutes, seen in ((0.5, 0), (2, 2), (2.5, 2), (4, 4)):
        accounts.find_session(connection, login.token, now=NOW + timedelta(minutes=minutes))
        (one,) = own.sessions(connection, otto(connection).account_id, login.token, now=NOW)
        assert one.seen_at == NOW + timedelta(minutes=seen)


def test_token_acts_for_its_owner_within_its_scopes_until_it_ends(connection: Connection) -> None:
    account = otto(connection)
    day = timedelta(days=1)
    number, token = tokens.make(connection, account, name=" night  report ", scopes=["read"], now=NOW, lasting=day)
    found = tokens.find(connection, token, now=NOW + timedelta(minutes=5))
    assert found is not None
    assert found[0].name == "otto"
    assert may(found[0], Action.READ_DATA)
    assert not may(found[0], Action.ACKNOWLEDGE_ALARM)
    assert tokens.find(connection, token, now=NOW + day) is None
    (listed,) = tokens.listed(connection, account.account_id, now=NOW)
    assert (listed.name, list(listed.scopes), listed.used_at) == ("night report", ["read"], NOW + timedelta(minutes=5))
    assert token.encode() not in bytes(connection.execute("SELECT token_hash FROM hv.api_token").fetchone()[0])  # type: ignore[index]
    # Neither is taken for the other.
    assert accounts.find_session(connection, token, now=NOW) is None
    assert tokens.find(connection, enter(connection).token, now=NOW) is None
    assert tokens.revoke(connection, account.account_id + 1, number, now=NOW) is None
    assert tokens.revoke(connection, account.account_id, number, now=NOW) == "night report"
    assert tokens.revoke(connection, account.account_id, number, now=NOW) is None
    assert tokens.find(connection, token, now=NOW) is None
    assert tokens.listed(connection, account.account_id, now=NOW) == []


def test_token_loses_what_its_owner_loses(connection: Connection) -> None:
    account = otto(connection)
    made = tokens.make(connection, account, name="x", scopes=["read", "write"], now=NOW, lasting=timedelta(days=9))
    connection.execute("UPDATE hv.account SET role = 'viewer' WHERE name = 'otto'")
    found = tokens.find(connection, made[1], now=NOW)
    assert found is not None
    assert may(found[0], Action.READ_DATA)
    assert not may(found[0], Action.WRITE_OBSERVATION)
    administration.change_account(connection, name="otto", given={"disabled": True}, now=NOW)
    assert tokens.find(connection, made[1], now=NOW) is None


def test_token_beyond_rights_time_or_number_is_refused(connection: Connection) -> None:
    account = otto(connection)
    for scopes, days in ((["everything"], 9), ([], 9), (["read"], 0), (["read"], 367)):
        with pytest.raises(AccessError):
            tokens.make(connection, account, name="x", scopes=scopes, now=NOW, lasting=timedelta(days=days))
    administration.add_account(connection, name="vera", password=PASSWORD, role=Role.VIEWER, now=NOW)
    with pytest.raises(AccessError, match="cannot give a token the scope 'write'"):
        tokens.make(
            connection, own.account_named(connection, "vera"), name="x", scopes=["write"], now=NOW, lasting=HOURS * 9
        )
    for _ in range(tokens.MOST):
        tokens.make(connection, account, name="x", scopes=["read"], now=NOW, lasting=HOURS * 9)
    with pytest.raises(AccessError, match="revoke one"):
        tokens.make(connection, account, name="x", scopes=["read"], now=NOW, lasting=HOURS * 9)


def test_account_is_made_at_the_first_log_in_and_found_again_by_its_subject(connection: Connection) -> None:
    login = identities.log_in_by(connection, ANA, come(), make=True)
    assert login.account is not None
    assert (login.account.name, login.account.role, login.account.granted) == ("ana", Role.OPERATOR, None)
    again = Identity(ANA.issuer, ANA.subject, "renamed", Role.OPERATOR)
    found = identities.log_in_by(connection, again, come(), make=True)
    assert found.account is not None
    assert found.account.account_id == login.account.account_id
    # No password opens it.
    for password in ("", "!", PASSWORD):
        assert accounts.log_in(connection, name="ana", password=password, visit=come()).account is None


def test_nobody_takes_an_account_over_by_its_name(connection: Connection) -> None:
    for name in ("otto", "OTTO"):
        with pytest.raises(AccessError, match="another one's"):
            identities.log_in_by(
                connection, Identity("https://id.example", "evil", name, Role.VIEWER), come(), make=True
            )
    identities.log_in_by(connection, ANA, come(), make=True)
    for issuer, subject in (("https://id.example", "other"), ("https://other.example", ANA.subject)):
        with pytest.raises(AccessError, match="another one's"):
            identities.log_in_by(connection, Identity(issuer, subject, "ana", Role.VIEWER), come(), make=True)
    for name in ("a b", "<img>", "x" * 65, "é"):
        with pytest.raises(AccessError, match="no name of an account"):
            identities.log_in_by(connection, Identity("https://id.example", name, name, Role.VIEWER), come(), make=True)


def test_known_account_is_let_in_with_the_role_it_has_and_an_unknown_one_is_not(connection: Connection) -> None:
    nobody = Identity("https://id.example", "1", "vera", None)
    for make in (False, True):
        with pytest.raises(AccessError, match="there is no account 'vera'"):
            identities.log_in_by(connection, nobody, come(), make=make)
    administration.add_account(connection, name="vera", password=None, role=Role.VIEWER, now=NOW)
    login = identities.log_in_by(connection, nobody, come(), make=False)
    assert login.account is not None
    assert login.account.role is Role.VIEWER
    administration.change_account(connection, name="vera", given={"disabled": True}, now=NOW)
    with pytest.raises(AccessError, match="is disabled"):
        identities.log_in_by(connection, nobody, come(), make=False)


def test_role_follows_the_provider_and_ends_the_sessions_of_before(connection: Connection) -> None:
    first = identities.log_in_by(connection, ANA, come(), make=True)
    same = identities.log_in_by(connection, ANA, come(), make=True)
    assert accounts.find_session(connection, first.token, now=NOW) is not None
    lower = Identity(ANA.issuer, ANA.subject, "ana", Role.VIEWER)
    login = identities.log_in_by(connection, lower, come(), make=True)
    assert login.account is not None
    assert login.account.role is Role.VIEWER
    assert accounts.find_session(connection, login.token, now=NOW) is not None
    for before in (first, same):
        assert accounts.find_session(connection, before.token, now=NOW) is None


def test_first_administrator_comes_in_by_a_link_that_works_once(connection: Connection) -> None:
    old, token = invitations.invite(connection, now=NOW), invitations.invite(connection, now=NOW)
    assert token.encode() not in bytes(connection.execute("SELECT token_hash FROM hv.invitation").fetchone()[0])  # type: ignore[index]

    def redeem(token: str, *, name: str = "root", password: str = PASSWORD, hours: float = 1) -> Role:
        now = NOW + timedelta(hours=hours)
        return invitations.redeem(connection, token, name=name, password=password, now=now)

    for wrong in (old, "guess", "", token[:-1]):
        with pytest.raises(AccessError, match="used, is too old or is none"):
            redeem(wrong)
    with pytest.raises(AccessError, match="used, is too old or is none"):
        redeem(token, hours=24)
    # What was mistyped costs nothing.
    for mistyped in ({"password": "short"}, {"name": "a b"}, {"name": "OTTO"}):
        with pytest.raises(AccessError):
            redeem(token, **mistyped)  # type: ignore[arg-type]
    assert not invitations.has_administrator(connection)
    assert redeem(token) is Role.ADMINISTRATOR
    assert own.account_named(connection, "root").role is Role.ADMINISTRATOR
    with pytest.raises(AccessError, match="used, is too old or is none"):
        redeem(token, name="second")
    with pytest.raises(AccessError, match="there is an administrator"):
        invitations.invite(connection, now=NOW)


def test_link_is_of_no_use_once_there_is_an_administrator(connection: Connection) -> None:
    token = invitations.invite(connection, now=NOW)
    administration.add_account(connection, name="admin", password=PASSWORD, role=Role.ADMINISTRATOR, now=NOW)
    assert not invitations.is_open(connection, token, now=NOW)
    with pytest.raises(AccessError, match="used, is too old or is none"):
        invitations.redeem(connection, token, name="evil", password=PASSWORD, now=NOW)
