"""What rang for an operator: what is hidden from its first moment on did not, what comes back did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hypervision.store import screens
from tests.contract.test_store_desk import NOW, SECOND, acknowledge, heat, lamp, look, parent, send, shelve, volts

pytestmark = pytest.mark.integration


def rang(world: Any, *, since: timedelta = timedelta(0)) -> list[tuple[float, str]]:
    """When, in seconds from the beginning, and of which Thing; the first first."""
    world.close()
    codes = dict(world.rows("SELECT thing_id, code FROM hv.thing"))
    with world.intake("look").between() as connection:
        found = screens.read_activations(connection, since=NOW - SECOND + since)
        connection.rollback()
    world.close()
    return sorted(((each.at - NOW).total_seconds(), codes[each.thing_id]) for each in found)


def test_alarm_that_rings_again_counts_again_and_its_return_does_not(world: Any) -> None:
    send(world, heat(0, 70.0), heat(10, 20.0), heat(20, 71.0))
    assert rang(world) == [(0, "bin"), (20, "bin")]
    acknowledge(world, at=25)
    send(world, heat(30, 20.0), heat(40, 72.0))
    assert rang(world) == [(0, "bin"), (20, "bin"), (40, "bin")]
    assert rang(world, since=30 * SECOND) == [(40, "bin")]


def test_consequence_that_is_born_hidden_never_rang_and_rings_when_its_cause_is_gone(world: Any) -> None:
    send(world, volts(0, 230.0), lamp(0, "lamp-1", 1.0))
    parent(world, "cabinet", "lamp-1")
    send(world, volts(1, 0.0))
    intake = world.intake()
    world.send(intake, lamp(62, "lamp-1"), volts(62, 0.0), received=NOW + 62 * SECOND)
    world.close()
    assert rang(world) == [(62, "cabinet")]
    send(world, volts(100, 230.0), volts(161, 230.0))
    look(world, 1062)
    assert [thing for _, thing in rang(world)] == ["cabinet", "lamp-1"]


def test_shelved_alarm_does_not_ring_until_it_is_back(world: Any) -> None:
    send(world, heat(0, 70.0))
    shelve(world, 600, at=5)
    send(world, heat(10, 20.0), heat(20, 71.0))
    assert rang(world) == [(0, "bin")]
    look(world, 606)
    assert [thing for _, thing in rang(world)] == ["bin", "bin"]


def test_newest_are_kept_where_there_are_more_than_asked(world: Any) -> None:
    send(world, heat(0, 70.0), heat(10, 20.0), heat(20, 71.0))
    with world.intake("look").between() as connection:
        found = screens.read_activations(connection, since=NOW - SECOND, limit=1)
        connection.rollback()
    assert [(each.at - NOW).total_seconds() for each in found] == [20]
