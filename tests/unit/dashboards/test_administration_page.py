"""The page of administration, drawn: for who may change accounts, for who may read them, in both languages."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from dash.development.base_component import Component

from dashboards.administration import LanguageName, RoleName
from dashboards.components.accounts import Found, accounts, scope_text
from dashboards.frame import frame
from dashboards.town import Town
from dashboards.views import Scene
from dashboards.words import Words
from hypervision.accounts import Account, Role
from hypervision.administration import LANGUAGES, ListedAccount
from hypervision.domains import load
from hypervision.scope import Scope
from hypervision.store.administration import Choices

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
HOSTILE = "<img src=x onerror=alert(1)>"
ANA = ListedAccount(1, "ana", "administrator", None, None, None, None, "fr", NOW, None, sessions=2, logged_in_at=NOW)
OTTO = ListedAccount(
    2, "otto", "operator", 7, "eau", ("waste", "water"), ("Nord",), None, NOW, None, 5, NOW + timedelta(days=1), "ana"
)
GONE = replace(OTTO, account_id=3, name="gone", disabled_at=NOW, organisation="x")


def scene(language: Any = "en") -> Scene:
    return Scene(Town(), Words(language, ZoneInfo("Europe/Paris")), load(), NOW)


def found(**more: Any) -> Found:
    choices = Choices([("eau", "Eau"), ("x", HOSTILE)], ["Nord", "Sud"])
    return Found(**{
        "accounts": [ANA, OTTO, GONE], "choices": choices, "read_at": NOW, "caller": "ana", "may_manage": True,
    } | more)  # fmt: skip


def nodes(drawn: Component) -> list[Any]:
    return [drawn, *drawn._traverse()]


def texts(drawn: Component) -> str:
    inner = [getattr(each, "children", None) for each in nodes(drawn) if isinstance(each, Component)]
    flat = [one for each in inner for one in (each if isinstance(each, list) else [each])]
    return " ".join(one for one in flat if isinstance(one, str))


def with_id(drawn: Component, ident: str) -> Any:
    return next((each for each in nodes(drawn) if getattr(each, "id", None) == ident), None)


def with_attribute(drawn: Component, name: str) -> list[Any]:
    return [each for each in nodes(drawn) if isinstance(each, Component) and getattr(each, name, None) is not None]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_list_tells_role_scope_and_state_of_everybody(language: str) -> None:
    drawn = accounts(scene(language), found(), "", new=False)
    told = texts(drawn)
    whole = "Toute la ville" if language == "fr" else "The whole town"
    for word in ("ana", "otto", "gone", whole, "Eau · ", "Nord"):
        assert word in told, word
    assert with_id(drawn, "accounts-form") is None
    # What each role may is told to who is about to give one.
    assert Words(language, UTC).t("role_may.auditor") in told  # type: ignore[arg-type]


def test_form_holds_the_account_as_the_api_takes_it() -> None:
    drawn = accounts(scene(), found(), "otto", new=False)
    form = with_id(drawn, "accounts-form")
    values = {"role": "operator", "organisation": "eau", "domains": ["waste", "water"], "districts": ["Nord"],
              "language": None}  # fmt: skip
    assert json.loads(getattr(form, "data-before")) == values
    assert (getattr(form, "data-name"), getattr(form, "data-version")) == ("otto", "5")
    pressed = {getattr(each, "data-word"): getattr(each, "aria-pressed") for each in with_attribute(form, "data-word")}
    assert {word for word, on in pressed.items() if on == "true"} == {"waste", "water", "Nord"}
    assert set(pressed) == {*load(), "Nord", "Sud"}
    chosen = [each.value for each in nodes(form) if getattr(each, "selected", None)]
    assert chosen == ["operator", "eau", ""]
    assert "by ana" in texts(drawn)


def test_own_account_is_locked_where_others_decide() -> None:
    drawn = accounts(scene(), found(), "ana", new=False)
    form = with_id(drawn, "accounts-form")
    assert with_id(form, "accounts-role").disabled
    assert with_id(form, "accounts-organisation").disabled
    assert all(each.disabled for each in with_attribute(form, "data-word"))
    assert getattr(with_id(form, "accounts-language"), "disabled", None) is None
    assert with_attribute(drawn, "data-accounts-state") == []
    other = accounts(scene(), found(), "otto", new=False)
    assert len(with_attribute(other, "data-accounts-state")) == 1
    assert [getattr(each, "data-accounts-state") for each in with_attribute(
        accounts(scene(), found(), "gone", new=False), "data-accounts-state")] == ["enable"]  # fmt: skip


def test_auditor_reads_and_is_offered_no_change() -> None:
    for chosen, new in (("otto", False), ("", True), ("", False)):
        drawn = accounts(scene(), found(may_manage=False, caller="audra"), chosen, new=new)
        assert with_id(drawn, "accounts-form") is None
        assert with_id(drawn, "accounts-password-form") is None
        assert with_attribute(drawn, "data-accounts-state") == []
        assert "new=1" not in " ".join(each.href for each in with_attribute(drawn, "href"))


def test_unknown_account_and_hostile_names_are_text() -> None:
    drawn = accounts(scene(), found(), HOSTILE * 9, new=False)
    assert f"There is no account {(HOSTILE * 9)[:64]}" in texts(drawn)
    assert HOSTILE in scope_text(scene(), found().choices, GONE)
    assert not [each for each in nodes(drawn) if type(each).__name__ in ("Markdown", "DangerouslySetInnerHTML")]


def test_many_districts_are_told_by_their_number() -> None:
    many = replace(OTTO, districts=tuple(f"d{i}" for i in range(9)))
    assert scope_text(scene(), found().choices, many).endswith("d0, d1, d2 and 6 more")


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("scope", [Scope(), Scope.of(domains=["water"])])
def test_rail_leads_to_administration_who_may_see_it(role: Role, scope: Scope) -> None:
    drawn = frame(Words("en", UTC), Account(1, "x", role, scope), accessibility="")  # type: ignore[arg-type]
    places = [each.href for each in with_attribute(drawn, "href")]
    seen = role in (Role.ADMINISTRATOR, Role.AUDITOR) and scope.is_whole
    assert ("/administration" in places) is seen
    assert ("part of the town" in texts(drawn)) is not scope.is_whole


def test_api_takes_the_roles_and_languages_that_there_are() -> None:
    assert get_args(RoleName) == tuple(Role)
    assert get_args(LanguageName) == LANGUAGES
