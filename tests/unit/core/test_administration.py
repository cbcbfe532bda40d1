"""What administrators may do to accounts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from hypervision.administration import ListedAccount, check_change, check_domains, check_name, words_of_scope
from hypervision.errors import AccessError

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ADMIN = ListedAccount(1, "ana", "administrator", None, None, None, None, "fr", NOW, None)
RAISING: list[dict[str, Any]] = [
    {"role": "engineer"},
    {"role": "auditor"},
    {"organisation": "o", "organisation_id": 4},
    {"domains": ("water",)},
    {"districts": ("Nord",)},
    {"disabled_at": NOW},
]


def refusal(before: ListedAccount, after: ListedAccount, **more: Any) -> str:
    try:
        check_change(before, after, **{"actor": "bob", "others": 1} | more)
    except AccessError as error:
        return error.reason
    return ""


@pytest.mark.parametrize("change", RAISING)
def test_last_account_that_administers_stays_one_whoever_asks(change: dict[str, Any]) -> None:
    after = replace(ADMIN, **change)
    assert refusal(ADMIN, after, others=0) == "last_administrator"
    assert refusal(ADMIN, after, others=0, actor=None) == "last_administrator"
    assert refusal(ADMIN, after, others=1) == ""
    # One of a part of the town, or one that is disabled, administers nothing.
    assert refusal(replace(ADMIN, organisation_id=4), replace(after, organisation_id=4), others=0) == ""
    assert refusal(replace(ADMIN, disabled_at=NOW), after, others=0) == ""


@pytest.mark.parametrize("change", RAISING)
@pytest.mark.parametrize("role", ["viewer", "administrator"])
def test_nobody_changes_his_own_role_scope_or_state_up_or_down(change: dict[str, Any], role: str) -> None:
    own = replace(ADMIN, role=role)
    after = replace(own, **change)
    assert refusal(own, after, actor="ana") == "own_account"
    assert refusal(after, own, actor="ana") == "own_account"
    assert refusal(own, after, actor="bob") == ""
    assert refusal(own, replace(own, language="en"), actor="ana", others=0) == ""


def test_empty_list_of_a_scope_is_refused_and_none_is_all() -> None:
    assert words_of_scope(None, "domains") is None
    assert words_of_scope(["b", "a", "b"], "domains") == ("a", "b")
    with pytest.raises(AccessError, match="nothing would be seen") as refused:
        words_of_scope([], "districts")
    assert (refused.value.field, refused.value.reason) == ("districts", "empty_scope")


def test_unknown_domain_is_named_with_those_that_there_are() -> None:
    check_domains(None, ["water"])
    check_domains(["water"], ["water"])
    with pytest.raises(AccessError, match="there is no domain 'gas': use water, waste") as refused:
        check_domains(["water", "gas"], ["water", "waste"])
    assert refused.value.field == "domains"


@pytest.mark.parametrize("name", ["", "-x", "é", "a" * 65, "a b", "a\n", "<b>"])
def test_name_that_no_account_may_have_is_refused(name: str) -> None:
    with pytest.raises(AccessError) as refused:
        check_name(name)
    assert (refused.value.field, refused.value.reason) == ("name", "bad_name")


def test_every_reason_has_words_on_the_page() -> None:
    from dashboards.pages.administration import WHY

    assert {"own_account", "last_administrator", "empty_scope", "unknown_domain", "bad_name"} <= set(WHY)
