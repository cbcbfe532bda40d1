"""`hypervision rules`: what an engineer without a browser types, and what is said."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.contract.servers import NOW
from tests.contract.test_store_rulebook import HEAT, heat, send, tick
from tests.contract.verbs import Says
from tests.contract.world import World

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("newest_only")]
WHO = ("--author", "ada", "--reason", "summer")


def test_rule_is_proposed_approved_shown_given_back_and_replayed(world: World, verb: Says) -> None:
    send(world, heat(NOW, 50.0))
    assert HEAT in verb(world.url, "rules", "list", "--domain", "waste")
    said = verb(world.url, "rules", "propose", HEAT, "--limit", "45", "--thing", "bin=48", *WHO)
    assert "limit: 65 -> 45" in said
    assert "things.bin: - -> {" in said
    assert "proposed" in verb(world.url, "rules", "list")
    assert "ada" in verb(world.url, "rules", "list", "--proposals")
    assert "ada proposed it" in verb(world.url, "rules", "approve", "1", "--author", "ada", expect=1)
    second = verb(world.url, "rules", "propose", HEAT, "--limit", "47", *WHO, expect=1)
    assert "ada proposed a change" in second
    assert "is approved" in verb(world.url, "rules", "approve", "1", "--author", "ben")
    world.now = datetime.now(UTC)
    tick(world)
    assert world.alarms() == [(HEAT, "bin", "UNACK")]
    shown = verb(world.url, "rules", "show", HEAT)
    assert "version 2 by ada" in shown
    assert "approved by ben: summer" in shown
    assert json.loads(verb(world.url, "rules", "show", HEAT, "--json"))["limit"] == 45
    assert "goes back to version 1" in verb(world.url, "rules", "rollback", HEAT, "1", *WHO)
    world.now = datetime.now(UTC)
    tick(world)
    assert world.alarms() == [(HEAT, "bin", "RTNUN")]
    told = verb(world.url, "rules", "replay", HEAT, "--from", "2026-11-22T00:00:00Z")
    assert "1 datastreams, 2 transitions: all the same" in told
    assert "no proposal waits" in verb(world.url, "rules", "list", "--proposals")


def test_what_is_wrong_is_said_with_the_field(world: World, verb: Says, tmp_path: Path) -> None:
    assert "limit = 500" in verb(world.url, "rules", "propose", HEAT, "--limit", "500", *WHO, expect=2)
    assert "no rule" in verb(world.url, "rules", "show", "waste.nothing", expect=2)
    assert "no domain 'air'" in verb(world.url, "rules", "list", "--domain", "air", expect=2)
    assert "--thing bin" in verb(world.url, "rules", "propose", HEAT, "--thing", "bin", *WHO, expect=2)
    file = tmp_path / "rule.json"
    file.write_text("[1", "utf-8")
    assert "cannot read" in verb(world.url, "rules", "propose", HEAT, "--file", str(file), *WHO, expect=2)
    file.write_text('{"schedule": [{"from": "soon"}]}', "utf-8")
    assert "schedule.0.from" in verb(world.url, "rules", "propose", HEAT, "--file", str(file), *WHO, expect=2)
    assert "no version 9" in verb(world.url, "rules", "rollback", HEAT, "9", *WHO, expect=2)
    assert "no proposal 4" in verb(world.url, "rules", "withdraw", "4", "--author", "ada", expect=2)
