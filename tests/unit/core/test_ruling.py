"""The document of a rule: read back as it was written, refused with the field that is wrong, compared."""

from __future__ import annotations

from typing import Any

import pytest

from hypervision.domains import load
from hypervision.errors import RuleError
from hypervision.ruling import Change, changes, edited, understand

LOW: dict[str, Any] = {
    "code": "water.pressure.low", "domain": "water", "property": "pressure", "kind": "low", "priority": "high",
    "limit": 1.5, "deadband": 0.2, "on_delay": 120, "off_delay": 120, "fr": "Pression basse", "en": "Low pressure",
}  # fmt: skip


def wrong(**fields: Any) -> RuleError:
    with pytest.raises(RuleError) as caught:
        understand({**LOW, **fields}, load())
    assert caught.value.remedy
    assert "\n" not in str(caught.value)
    return caught.value


def test_document_is_read_back_as_it_was_written() -> None:
    given = {
        **LOW,
        "things": {"p-2": {"limit": 2}, "p:1": {"enabled": False}},
        "classes": {"pump station": {"limit": 1, "deadband": 0.1}},
        "schedule": [{"from": "22:00", "to": "06:00", "limit": 1.2}],
    }
    made = understand(given, load())
    assert understand(made.document(), load()).document() == made.document()
    assert made.document()["things"] == {"p-2": {"limit": 2.0}, "p:1": {"enabled": False}}
    assert set(made.extra()) == {"classes", "schedule"}
    assert understand(LOW, load()).extra() == {}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"code": "pressure.low"}, "code"),
        ({"code": "waste.pressure.low"}, "code"),
        ({"code": "water.Pressure"}, "code"),
        ({"domain": "air"}, "domain"),
        ({"property": "depth"}, "property"),
        ({"kind": "silence"}, "property"),
        ({"kind": "equals"}, "kind"),
        ({"kind": ["high"]}, "kind"),
        ({"priority": "urgent"}, "priority"),
        ({"limit": None}, "limit"),
        ({"limit": "1,5"}, "limit"),
        ({"limit": True}, "limit"),
        ({"limit": float("inf")}, "limit"),
        ({"limit": 10**400}, "limit"),
        ({"limit": -1}, "limit"),
        ({"limit": 39.9}, "deadband"),
        ({"deadband": -0.1}, "deadband"),
        ({"on_delay": 1e9}, "on_delay"),
        ({"enabled": "yes"}, "enabled"),
        ({"fr": " "}, "fr"),
        ({"en": "a\u2028b"}, "en"),
        ({"action_en": "x" * 201}, "action_en"),
        ({"things": []}, "things"),
        ({"things": {"a b": {}}}, "things.a b"),
        ({"things": {"p1": 2}}, "things.p1"),
        ({"things": {"p1": {"limit": 99}}}, "things.p1.limit"),
        ({"things": {"p1": {"color": 1}}}, "things.p1.color"),
        ({"classes": {"pump": {"deadband": "x"}}}, "classes.pump.deadband"),
        ({"schedule": [{"limit": -3}]}, "schedule.0.limit"),
        ({"formula": {"expression": {"of": "flow"}, "unit": "bar"}}, "formula.unit"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_field_is_named(fields: dict[str, Any], field: str) -> None:
    assert wrong(**fields).field == field


def test_state_rule_takes_states_of_its_property_only() -> None:
    fields = {"code": "water.pump.fault", "property": "pump_state", "kind": "state_equals", "deadband": 0}
    assert understand({**LOW, **fields, "limit": 2}, load()).limit == 2.0
    assert wrong(**fields, limit=7).field == "limit"


def test_rule_with_a_formula_is_high_or_low_and_has_a_range_of_its_own() -> None:
    formula = {
        "expression": {"op": "-", "args": [{"of": "pressure"}, {"of": "pressure", "neighbour": "parent"}]},
        "unit": "kPa",
    }
    made = understand({**LOW, "limit": -500, "formula": formula}, load())
    assert made.document()["formula"] == formula
    assert wrong(kind="rate_of_change", formula=formula).field == "kind"
    assert wrong(formula=formula, schedule=[{"limit": 1}]).field == "schedule"


def test_edit_keeps_what_it_does_not_name_and_may_not_move_the_rule() -> None:
    before = understand({**LOW, "things": {"p1": {"limit": 2}}}, load())
    after = edited(before, {"limit": 1.4}, load())
    assert after.document() == {**before.document(), "limit": 1.4}
    for fields in ({"code": "water.pressure.other"}, {"domain": "waste"}):
        with pytest.raises(RuleError):
            edited(before, fields, load())


def test_changes_name_field_thing_and_class() -> None:
    before = understand({**LOW, "things": {"p1": {"limit": 2}}}, load()).document()
    after = {**before, "limit": 0, "things": {"p1": {"limit": 3}, "p2": {"limit": 2}}, "classes": {"pump": {}}}
    assert changes(before, after) == [
        Change("limit", 1.5, 0),
        Change("things.p1", {"limit": 2.0}, {"limit": 3}),
        Change("things.p2", None, {"limit": 2}),
        Change("classes.pump", None, {}),
    ]
    assert changes(before, before) == []
    # The default rules of a file say nothing of what they do not have.
    assert changes(LOW, understand(LOW, load()).document()) == []
