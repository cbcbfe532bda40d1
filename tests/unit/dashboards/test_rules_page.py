"""The page of rules: what its address chooses, what it says of a rule, who may decide what."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dash.development.base_component import Component

from dashboards.components.rule_texts import delay_text, limit_text
from dashboards.components.rules import Found, drawn
from dashboards.frame import frame
from dashboards.rule_choice import RuleChoice
from dashboards.town import Town
from dashboards.views import Scene
from dashboards.words import Language, Words
from hypervision.accounts import Account, Role
from hypervision.domains import load
from hypervision.scope import Scope
from hypervision.store.rulebook import Proposal, Standing, Version

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
HOSTILE = '<img src=x onerror="alert(1)">'
LOW: dict[str, Any] = {
    "code": "water.pressure.low", "domain": "water", "property": "pressure", "kind": "low", "priority": "high",
    "limit": 1.5, "deadband": 0.2, "on_delay": 120.0, "off_delay": 0.0, "enabled": True, "fr": "Pression basse",
    "en": "Low pressure", "action_fr": "", "action_en": "", "things": {}, "classes": {}, "schedule": [], "formula": None,
}  # fmt: skip


def scene(language: Language = "en") -> Scene:
    return Scene(Town(), Words(language, ZoneInfo("Europe/Paris")), load(), NOW)


def standing(**more: Any) -> Standing:
    given: dict[str, Any] = {
        "rule_id": 1, "code": "water.pressure.low", "version": 3, "document": LOW, "wrong": "", "wrong_since": None,
        "edited_by": "ada", "edited_at": NOW, "waiting": None, "waiting_state": "", "waiting_author": "",
    }  # fmt: skip
    return Standing(**(given | more))


def proposal(**more: Any) -> Proposal:
    given: dict[str, Any] = {
        "proposal_id": 7, "code": "water.pressure.low", "base": 3, "state": "proposed", "document": {**LOW, "limit": 1.2},
        "back_to": None, "reason": HOSTILE, "effective_from": None, "author": "ada", "at": NOW, "decided_by": None,
        "decided_at": None, "remark": "", "version": None, "in_force_at": None,
    }  # fmt: skip
    return Proposal(**(given | more))


def found(*rules: Standing, **more: Any) -> Found:
    given: dict[str, Any] = {"proposals": [], "versions": [], "reader": "ben", "one_person": False}
    return Found(read_at=NOW, rules=rules, **(given | more))


def texts(made: Component) -> str:
    told: list[str] = []
    for each in [made, *made._traverse()]:
        inner = each if isinstance(each, str) else getattr(each, "children", None)
        told += [inner] if isinstance(inner, str) else []
    return "\n".join(told)


def attributes(made: Component, name: str) -> list[str]:
    return [value for each in made._traverse() if (value := getattr(each, name, None)) is not None]


def asked(made: Component) -> list[dict[str, Any]]:
    return [json.loads(text) for text in attributes(made, "data-rules-ask")]


def test_choice_is_read_from_the_address_that_it_writes() -> None:
    choice = RuleChoice(rule="water.pressure.low", show="wrong", domain="water", q="é &=", draft="1")
    assert RuleChoice.of(choice.href().removeprefix("/rules")) == choice
    assert RuleChoice().href() == "/rules"
    assert RuleChoice.of("?show=nothing&q=%00") == RuleChoice()


@pytest.mark.parametrize(
    ("choice", "fits"),
    [
        (RuleChoice(), True),
        (RuleChoice(domain="waste"), False),
        (RuleChoice(q="PRESSION low"), True),
        (RuleChoice(q="fire"), False),
        (RuleChoice(show="active"), False),
        (RuleChoice(show="waiting"), False),
        (RuleChoice(show="off"), False),
    ],
)
def test_filter_finds_by_name_domain_and_state(choice: RuleChoice, *, fits: bool) -> None:
    assert choice.chooses(standing()) is fits
    assert RuleChoice(show="active").chooses(standing(active=1))
    assert RuleChoice(show="wrong").chooses(standing(wrong="x"))


def test_list_tells_limit_state_and_fault() -> None:
    made = texts(
        drawn(
            scene(), RuleChoice(), found(standing(wrong="no such Thing", active=2, waiting=7, waiting_state="proposed"))
        )
    )
    assert "Water · Low pressure" in made
    assert "Pressure < 1.5\u00a0bar" in made
    assert "Faulty" in made
    assert "2 in alarm" in made
    assert "Proposed" in made
    assert "No rule fits" in texts(drawn(scene(), RuleChoice(q="fire"), found(standing())))


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"kind": "high", "limit": 12.25}, "Pressure > 12.25\u00a0bar"),
        ({"kind": "rate_of_change", "limit": 240}, "Pressure ± 240\u00a0bar/h"),
        ({"kind": "state_equals", "property": "pump_state", "limit": 2}, "Pump state = fault"),
        ({"kind": "silence", "property": None, "limit": 2}, "silent for 2\u00a0expected periods"),
        (
            {"formula": {"expression": {"op": "-", "args": [{"of": "pressure"}, 1]}, "unit": "bar"}},
            "pressure - 1 < 1.5\u00a0bar",
        ),
    ],
)
def test_limit_is_told_with_what_it_is_of(fields: dict[str, Any], text: str) -> None:
    assert limit_text(scene(), {**LOW, **fields}) == text
    assert delay_text(scene(), LOW) == "after 120 s · returns after 0 s · deadband 0.2\u00a0bar"


def test_queue_lets_a_second_person_decide_and_shows_text_as_text() -> None:
    rule = standing(waiting=7, waiting_state="proposed", waiting_author="ada")
    made = drawn(scene(), RuleChoice(), found(rule, proposals=[proposal()]))
    assert [one["url"].rsplit("/", 1)[1] for one in asked(made)] == ["approve", "refuse"]
    assert HOSTILE in texts(made)
    assert "1.2\u00a0bar" in texts(made)
    mine = drawn(scene(), RuleChoice(), found(rule, proposals=[proposal()], reader="ada"))
    assert [one["url"].rsplit("/", 1)[1] for one in asked(mine)] == ["withdraw"]
    assert "A second person must approve it." in texts(mine)
    alone = drawn(scene(), RuleChoice(), found(rule, proposals=[proposal()], reader="ada", one_person=True))
    assert [one["url"].rsplit("/", 1)[1] for one in asked(alone)] == ["approve", "withdraw"]


def test_one_rule_has_its_form_and_a_way_back_to_each_version() -> None:
    versions = [
        Version(3, NOW, "ada", "ben", "storms", LOW, 5),
        Version(2, NOW - timedelta(days=1), "ada", "ben", "trial", {**LOW, "limit": 1.0}, 4),
        Version(1, NOW - timedelta(days=2), "default", None, "", LOW, None),
    ]
    choice = RuleChoice(rule="water.pressure.low")
    made = drawn(scene(), choice, found(standing(), versions=versions))
    (form,) = [each for each in made._traverse() if getattr(each, "id", None) == "rules-form"]
    assert (getattr(form, "data-code"), getattr(form, "data-base")) == ("water.pressure.low", "3")
    # The first version is what is in force; the one before can be given back from the head as well as from the list.
    assert [one["body"] for one in asked(made)] == [{"version": 2, "base": 3}] * 2
    assert "ada, approved by ben" in texts(made)
    waits = drawn(scene(), choice, found(standing(), versions=versions, proposals=[proposal()]))
    assert "A proposal waits already" in texts(waits)
    assert not [each for each in waits._traverse() if getattr(each, "id", None) == "rules-form"]


def test_draft_fills_the_form_when_it_is_opened() -> None:
    draft = proposal(state="draft", author="ben", reason="not yet")
    choice = RuleChoice(rule="water.pressure.low")

    def limit(made: Component) -> str:
        return next(each.value for each in made._traverse() if getattr(each, "id", None) == "rules-limit")

    assert limit(drawn(scene(), choice, found(standing(), proposals=[draft]))) == "1.5"
    assert limit(drawn(scene(), replace(choice, draft="1"), found(standing(), proposals=[draft]))) == "1.2"


def test_new_rule_has_a_form_with_code_and_property() -> None:
    made = drawn(scene("fr"), RuleChoice(rule="new"), found())
    idents = {getattr(each, "id", None) for each in made._traverse()}
    assert {"rules-code", "rules-property", "rules-kind", "rules-formula"} <= idents


def test_rail_leads_to_the_rules_for_engineers_only() -> None:
    words = Words("en", ZoneInfo("UTC"))
    for role, there in ((Role.OPERATOR, False), (Role.ENGINEER, True), (Role.ADMINISTRATOR, True)):
        assert ("/rules" in attributes(frame(words, Account(1, "x", role), accessibility=""), "href")) is there
    assert "/rules" not in attributes(frame(words, Account(1, "x", Role.ENGINEER, Scope(4)), accessibility=""), "href")
