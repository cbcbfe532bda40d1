"""API tokens: their form, their scopes, and what they may never do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hypervision import tokens
from hypervision.accounts import ENROLLING, PUBLIC, RIGHTS, Account, Action, Role, may
from hypervision.errors import AccessError

OPERATOR = Account(1, "ana", Role.OPERATOR)


def test_token_is_known_by_its_prefix_and_its_check() -> None:
    token = tokens.new_api_token()
    assert token.startswith("hvpat_")
    assert token != tokens.new_api_token()
    assert tokens.is_api_token(token)
    for wrong in (
        token[:-1],
        token + "0",
        "x" + token[1:],
        token[:10] + ("a" if token[10] != "a" else "b") + token[11:],
    ):
        assert not tokens.is_api_token(wrong)
    assert not tokens.is_api_token("hvpat_" + "é" * 46)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", None),
        ("Basic dXNlcjpwYXNz", None),
        ("Bearer", ""),
        ("Bearer x", ""),
        ("bearer  x y", ""),
        ("Bearer=x", None),
    ],
)
def test_header_without_a_token_of_ours(header: str, found: str | None) -> None:
    assert tokens.bearer_of(header) == found


def test_header_with_a_token_of_ours() -> None:
    token = tokens.new_api_token()
    assert tokens.bearer_of(f"Bearer {token}") == tokens.bearer_of(f"bEARER   {token} ") == token


@pytest.mark.parametrize("role", list(Role))
def test_token_may_never_do_more_than_its_scopes_nor_than_its_owner(role: Role) -> None:
    owner = Account(1, "x", role)
    for name, actions in tokens.SCOPES.items():
        bearer = replace(owner, granted=tokens.granted([name]))
        allowed = {action for action in Action if may(bearer, action)} - PUBLIC
        assert allowed == {action for action in actions if may(owner, action)}


def test_no_scope_opens_the_account_the_screens_or_the_log_out() -> None:
    everything = tokens.granted(tokens.SCOPES)
    assert not everything & {Action.OWN_ACCOUNT, Action.SEE_SCREENS, Action.LOG_OUT, Action.SEE_SYSTEM, *PUBLIC}
    assert everything <= set(RIGHTS)


def test_scope_that_is_not_known_any_more_gives_nothing() -> None:
    assert tokens.granted(["of_yesterday"]) == frozenset()
    assert not may(replace(OPERATOR, granted=tokens.granted([])), Action.READ_DATA)


def test_scopes_beyond_the_rights_of_the_owner_are_refused() -> None:
    assert tokens.check_scopes(OPERATOR, ["acknowledge", "read", "read"]) == ["read", "acknowledge"]
    for wrong in (["write"], ["read", "correct"], ["everything"], [], ["<img>"]):
        with pytest.raises(AccessError) as caught:
            tokens.check_scopes(OPERATOR, wrong)
        assert "choose among read, acknowledge" in caught.value.remedy


def test_log_in_without_its_second_factor_can_make_no_token() -> None:
    assert tokens.scopes_of(replace(OPERATOR, role=Role.ADMINISTRATOR, granted=ENROLLING)) == []


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "a\u202eb", "a\x00b", "a\u200b"])
def test_token_without_a_fitting_name_is_refused(name: str) -> None:
    with pytest.raises(AccessError, match="the token's name h"):
        tokens.check_token_name(name)


def test_log_in_without_its_second_factor_may_set_it_up_and_leave() -> None:
    for role in Role:
        account = Account(1, "x", role, granted=ENROLLING)
        assert {action for action in Action if may(account, action)} == PUBLIC | ENROLLING
