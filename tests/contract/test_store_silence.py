"""Which Things are missed: those that sent themselves, not those that are known by an import."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.test_store_watch import look, pressure, send, settled

pytestmark = pytest.mark.integration


def test_thing_known_by_import_only_is_never_silent_until_it_sends(world: Any) -> None:
    world.history(world.intake(), pressure(-3600, 3.0), pressure(0, 3.0))
    watch = settled(world, 700)
    look(world, watch, 700)
    assert world.alarms() == []
    world.close()
    send(world, pressure(710, 3.0))
    watch = settled(world, 1400)
    look(world, watch, 1400)
    assert world.alarms() == [("water.silence", "p1", "UNACK")]
    world.close()
    world.history(world.intake(), pressure(720, 3.0))  # of its logger; it is as silent as before
    watch = settled(world, 1500)
    look(world, watch, 1500)
    assert world.alarms() == [("water.silence", "p1", "UNACK")]


def test_thing_whose_newest_reading_was_corrected_is_missed_all_the_same(world: Any) -> None:
    send(world, pressure(0, 3.0))
    world.close()
    world.intake("correct").close()
    world.execute(
        "UPDATE hv.latest SET live = false, writer_id = (SELECT writer_id FROM hv.writer WHERE name = 'correct')"
    )
    watch = settled(world, 700)
    look(world, watch, 700)
    assert world.alarms() == [("water.silence", "p1", "UNACK")]
