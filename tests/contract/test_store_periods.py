"""A device that sends less often than its domain says is missed by its own pace."""

from __future__ import annotations

from typing import Any

import pytest

from hypervision import rollups
from tests.contract.test_store_watch import look, pressure, send, settled
from tests.contract.verbs import Says

pytestmark = pytest.mark.integration


def silences(world: Any) -> int:
    rollups.bring_up_to_date(world.intake().connection, zone="Europe/Paris")
    world.close()
    return int(world.rows("SELECT count(*) FROM gaps WHERE cause = 'silence' AND \"end\" IS NOT NULL")[0][0])


@pytest.mark.usefixtures("newest_only")
def test_thing_with_a_period_of_its_own_is_missed_by_it(world: Any, verb: Says) -> None:
    for minutes in (-45, -30, -15, 0):
        send(world, pressure(minutes * 60, 3.0))
    assert silences(world) == 3
    watch = settled(world, 700)
    look(world, watch, 700)
    assert world.alarms() == [("water.silence", "p1", "UNACK")]
    world.close()
    version = world.rows("SELECT version FROM hv.rule_set")
    period = ("things", "period", "p1")
    told = verb(world.url, *period, "--seconds", "900", "--author", "ana")
    assert told == "p1/pressure (water) is expected every 900 s\n"
    assert silences(world) == 0
    watch = settled(world, 770)
    look(world, watch, 770)
    assert world.alarms() == [("water.silence", "p1", "RTNUN")]
    world.close()
    assert world.rows("SELECT version FROM hv.rule_set") > version
    assert world.rows("SELECT kind, actor, detail ->> 'property', (detail ->> 'value')::float8 FROM hv.journal"
                      " WHERE kind = 'period'") == [("period", "ana", "pressure", 900)]  # fmt: skip
    assert "every 900 s, as before" in verb(world.url, *period, "--seconds", "900", "--author", "ana")
    verb(world.url, *period, "pressure", "--usual", "--author", "ana")
    assert world.rows("SELECT expected_period < interval '900 s' FROM datastreams") == [(True,)]
    assert silences(world) == 3
    assert "no readings of 'flow'" in verb(world.url, *period, "flow", "--usual", "--author", "ana", expect=2)
    assert "has sent nothing" in verb(world.url, "things", "period", "p2", "--usual", "--author", "ana", expect=2)
