from __future__ import annotations

from dataclasses import replace

import pytest

from hypervision import accounts
from hypervision.accounts import LOCAL, PUBLIC, RIGHTS, WHOLE, Account, Action, Role
from hypervision.errors import AccessError
from hypervision.scope import EVERYTHING, Scope


def test_every_action_is_public_or_in_the_rights_table() -> None:
    assert set(RIGHTS) | PUBLIC == set(Action)
    assert not set(RIGHTS) & PUBLIC


@pytest.mark.parametrize("role", list(Role))
def test_account_may_exactly_what_the_table_says(role: Role) -> None:
    account = Account(1, "x", role)
    assert {a for a in Action if accounts.may(account, a)} == PUBLIC | {
        a for a, roles in RIGHTS.items() if role in roles
    }


def test_nobody_may_only_what_is_public_and_health_from_loopback() -> None:
    assert {a for a in Action if accounts.may(None, a)} == PUBLIC
    assert {a for a in Action if accounts.may(None, a, loopback=True)} == PUBLIC | LOCAL


@pytest.mark.parametrize("loopback", [False, True])
@pytest.mark.parametrize("scope", [Scope(2), Scope.of(domains=["water"]), Scope.of(districts=["Nord"])])
def test_account_of_a_part_may_neither_count_the_things_of_everybody_nor_administer(
    scope: Scope, loopback: bool
) -> None:
    account = Account(1, "agency", Role.ADMINISTRATOR, scope)
    told = {a for a in Action if accounts.may(account, a, loopback=loopback)}
    assert told == {a for a in Action if accounts.may(replace(account, scope=EVERYTHING), a)} - WHOLE
    assert {
        Action.READ_METRICS, Action.SEE_ACCOUNTS, Action.MANAGE_ACCOUNTS, Action.SEE_AUDIT, Action.SEE_RULES,
        Action.PROPOSE_RULE, Action.APPROVE_RULE,
    } == WHOLE  # fmt: skip


CHANGES = {
    Action.ACKNOWLEDGE_ALARM, Action.WRITE_OBSERVATION, Action.CORRECT_OBSERVATION, Action.REPLAY_REJECTED,
    Action.MANAGE_ACCOUNTS, Action.SHELVE_ALARM, Action.PLACE_OUT_OF_SERVICE, Action.PROPOSE_RULE, Action.APPROVE_RULE,
    Action.WRITE_NOTE, Action.CHANGE_GROUP,
}  # fmt: skip


def test_auditor_reads_everything_and_changes_nothing() -> None:
    auditor = Account(1, "auditor", Role.AUDITOR)
    assert {a for a in RIGHTS if accounts.may(auditor, a)} == set(RIGHTS) - CHANGES
    reads = {a for a, roles in RIGHTS.items() if roles - {Role.AUDITOR}} - CHANGES
    assert reads <= {a for a in Action if accounts.may(auditor, a)}


def test_unknown_action_is_forbidden_to_everybody() -> None:
    assert not accounts.may(Account(1, "x", Role.ADMINISTRATOR), None, loopback=True)


def test_password_is_kept_as_argon2id_and_verified() -> None:
    hashed = accounts.hash_password("quatre mots pour entrer")
    assert hashed.startswith("$argon2id$")
    assert accounts.verify_password(hashed, "quatre mots pour entrer")
    assert not accounts.verify_password(hashed, "quatre mots pour sortir")
    assert not accounts.verify_password(None, "anything")
    assert not accounts.verify_password("not a hash", "anything")


def test_short_password_is_refused_with_a_remedy() -> None:
    with pytest.raises(AccessError, match="at least 10"):
        accounts.hash_password("short")


def test_back_off_grows_and_ends() -> None:
    waits = [accounts.back_off(n, free=4) for n in range(20)]
    assert waits[:5] == [0, 0, 0, 0, 1]
    assert waits == sorted(waits)
    assert max(waits) == 300


def test_token_is_new_each_time_and_only_its_hash_is_kept() -> None:
    first, second = accounts.new_token(), accounts.new_token()
    assert first != second
    assert len(first) >= 43
    assert first.encode() not in accounts.token_hash(first)
