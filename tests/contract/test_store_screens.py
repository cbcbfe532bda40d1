"""What the screens read is what is in force."""

from __future__ import annotations

from typing import Any

import pytest

from hypervision.store import screens

pytestmark = pytest.mark.integration


def test_limits_hold_the_silence_rules_with_their_overrides(world: Any) -> None:
    intake = world.intake()
    world.send(intake, ("water", "p1", "flow", world.now, 1.0))
    world.edit("water.silence", "limit_value = 5")
    world.execute(
        "INSERT INTO hv.rule_override (rule_id, thing_id, limit_value)"
        " SELECT rule_id, thing_id, 9 FROM hv.rule, hv.thing WHERE hv.rule.code = 'water.silence'"
    )
    with intake.between() as connection:
        found = [row for row in screens.read_limits(connection) if row.kind == "silence" and row.domain == "water"]
        (thing,) = screens.read_things(connection)
    assert [(row.property, row.limit, row.thing_id, row.enabled) for row in found] == [
        ("", 5.0, None, True),
        ("", 9.0, thing.thing_id, True),
    ]
