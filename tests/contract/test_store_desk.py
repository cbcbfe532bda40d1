"""Alarms on the shelf, out of service, in maintenance, explained by others; called to mind, and told to others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from hypervision import inhibiting
from hypervision.errors import UsageError
from hypervision.inhibiting import Planned
from hypervision.scope import EVERYTHING, Scope
from hypervision.sections import AlarmSettings
from hypervision.store import alarms as alarm_store
from hypervision.store import inhibitions as store
from hypervision.store.connection import Connection, connect
from hypervision.watch import Watch

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SETTINGS = AlarmSettings()
T = TypeVar("T")


def heat(seconds: float, result: float, thing: str = "bin") -> tuple[str, str, str, datetime, float]:
    """`waste.temperature.high`: above 65, deadband 10, no delays."""
    return ("waste", thing, "temperature", NOW + seconds * SECOND, result)


def send(world: Any, *readings: tuple[str, str, str, datetime, float]) -> None:
    intake = world.intake()
    for reading in readings:
        world.send(intake, reading, received=reading[3])
    world.close(intake)


def look(world: Any, seconds: float, watch: Watch | None = None) -> Watch:
    """Let every timer look once at one instant, by a `watch` of its own unless one is given."""
    found = world.watch() if watch is None else watch
    world.now = NOW + seconds * SECOND
    world.beat()
    for _ in range(10):
        found.tick(world.now)
    if watch is None:
        world.close()
    return found


def desk(world: Any, work: Callable[[Connection], T]) -> T:
    """What a person does, as the server does it for them."""
    world.close()
    with connect(world.url, application="serve", autocommit=True) as connection:
        return work(connection)


def last(world: Any) -> int:
    ((found,),) = world.rows("SELECT max(id) FROM alarms")
    return int(found)


def shelve(world: Any, seconds: float, *, at: float, once: bool = False, actor: str = "anna") -> store.Shelved:
    number = last(world)
    return desk(
        world,
        lambda connection: inhibiting.shelve(
            connection, SETTINGS, number, seconds=seconds, once=once, reason="stuck", actor=actor, now=NOW + at * SECOND
        ),
    )


def place(world: Any, planned: Planned, *, at: float) -> tuple[int, int]:
    return desk(
        world,
        lambda connection: inhibiting.place(
            connection, planned, actor="anna", now=NOW + at * SECOND, domains=("waste", "lighting", "water")
        ),
    )


def end(world: Any, number: int, *, at: float, actor: str = "bernd") -> store.Ended:
    return desk(world, lambda connection: store.end(connection, number, actor=actor, now=NOW + at * SECOND))


def acknowledge(world: Any, *, at: float, actor: str = "anna") -> alarm_store.Acknowledged:
    number = last(world)
    return desk(
        world,
        lambda connection: alarm_store.acknowledge(connection, number, actor=actor, comment="", now=NOW + at * SECOND),
    )


def standing(world: Any) -> list[tuple[str, str, str]]:
    return world.rows("SELECT thing, state, suppression FROM alarms ORDER BY id")


def causes(world: Any) -> list[tuple[str, str, str]]:
    return world.rows("SELECT cause, actor, to_state FROM hv.alarm_transition ORDER BY transition_id")


def test_shelf_hides_every_occurrence_and_gives_back_by_itself_what_is_still_true_unacknowledged(world: Any) -> None:
    send(world, heat(0, 70.0))
    acknowledge(world, at=1)
    done = shelve(world, 600, at=2)
    assert (done.changed, done.by, done.until) == (True, "anna", NOW + 602 * SECOND)
    assert standing(world) == [("bin", "ACKED", "shelved")]
    # It chatters: the next occurrence is born on the shelf.
    send(world, heat(10, 20.0), heat(20, 80.0))
    assert standing(world) == [("bin", "NORM", "shelved"), ("bin", "UNACK", "shelved")]
    assert world.rows("SELECT hidden_by, hidden_reason, hidden_until FROM alarms WHERE state = 'UNACK'") == [
        ("anna", "stuck", NOW + 602 * SECOND)
    ]
    acknowledge(world, at=30)
    look(world, 601)
    assert standing(world)[1] == ("bin", "ACKED", "shelved")
    look(world, 602)
    assert standing(world)[1] == ("bin", "UNACK", "none")
    assert world.rows("SELECT rang_at FROM alarms WHERE state = 'UNACK'") == [(NOW + 602 * SECOND,)]
    assert world.rows("SELECT ended_by, ended_at FROM inhibitions") == [("", NOW + 602 * SECOND)]
    assert causes(world)[-1] == ("shelf ended", "", "UNACK")


def test_shelf_that_a_person_ends_leaves_the_alarm_acknowledged_by_that_person(world: Any) -> None:
    send(world, heat(0, 70.0))
    shelve(world, 600, at=1)
    number = last(world)
    done = desk(world, lambda connection: store.unshelve(connection, number, actor="bernd", now=NOW + 5 * SECOND))
    assert (done.changed, done.by) == (True, "bernd")
    assert world.rows("SELECT state, suppression, acknowledged_by, acknowledged_at FROM alarms") == [
        ("ACKED", "none", "bernd", NOW + 5 * SECOND)
    ]
    assert world.rows("SELECT cause, actor, from_suppression, to_suppression FROM alarm_transitions") == [
        ("limit", "", None, None),
        ("shelved", "anna", "none", "shelved"),
        ("unshelved", "bernd", "shelved", "none"),
    ]
    again = desk(world, lambda connection: store.unshelve(connection, number, actor="otto", now=NOW + 6 * SECOND))
    assert (again.found, again.changed) == (True, False)


def test_shelf_for_once_ends_with_the_occurrence(world: Any) -> None:
    send(world, heat(0, 70.0))
    shelve(world, 600, at=1, once=True)
    send(world, heat(10, 20.0))
    assert standing(world) == [("bin", "NORM", "none")]
    send(world, heat(20, 80.0))
    assert standing(world)[1] == ("bin", "UNACK", "none")


def test_of_two_operators_the_second_is_told_who_was_faster(world: Any) -> None:
    send(world, heat(0, 70.0))
    shelve(world, 600, at=1)
    second = shelve(world, 60, at=2, actor="bernd")
    assert (second.found, second.changed, second.by, second.until) == (True, False, "anna", NOW + 601 * SECOND)
    assert world.rows("SELECT count(*) FROM inhibitions") == [(1,)]
    assert acknowledge(world, at=3).changed
    told = acknowledge(world, at=4, actor="bernd")
    assert (told.changed, told.by) == (False, "anna")
    (number,) = world.rows("SELECT id FROM inhibitions")[0]
    assert end(world, number, at=5).changed
    late = end(world, number, at=6, actor="otto")
    assert (late.found, late.changed, late.by) == (True, False, "bernd")


def test_alarm_is_shelved_for_as_long_as_its_priority_allows_at_most(world: Any) -> None:
    send(world, heat(0, 70.0))
    for seconds in (3601.0, 59.0):
        with pytest.raises(UsageError, match="critical may be shelved for 60 to 3600"):
            shelve(world, seconds, at=1)
    send(world, heat(10, 20.0))
    acknowledge(world, at=11)
    assert shelve(world, 600, at=12) == store.Shelved(found=True, open=False)
    assert world.rows("SELECT count(*) FROM inhibitions") == [(0,)]


def test_thing_out_of_service_with_all_below_it_rings_nowhere_until_somebody_ends_it(world: Any) -> None:
    send(world, heat(0, 20.0, "yard"), heat(0, 70.0), heat(0, 70.0, "other"))
    parent(world, "yard", "bin")
    planned = Planned("out_of_service", "works", things=["yard"], children=True)
    number, hidden = place(world, planned, at=1)
    assert hidden == 1
    assert standing(world) == [("bin", "UNACK", "out_of_service"), ("other", "UNACK", "none")]
    send(world, heat(10, 90.0, "yard"), heat(20, 20.0, "yard"), heat(30, 20.0))
    # What was born there and returned was never anybody's; what had rung before still waits.
    assert standing(world)[2] == ("yard", "RTNUN", "out_of_service")
    assert end(world, number, at=40).changed
    assert standing(world) == [("bin", "RTNUN", "none"), ("other", "UNACK", "none"), ("yard", "NORM", "none")]
    assert ("in service", "bernd", "NORM") in causes(world)


def test_one_property_out_of_service_leaves_the_others_alone(world: Any) -> None:
    tilt = ("waste", "bin", "fill", NOW, 95.0)
    send(world, heat(0, 70.0), tilt)
    place(world, Planned("out_of_service", "broken", things=["bin"], property="temperature"), at=1)
    assert sorted(world.rows("SELECT property, suppression FROM alarms")) == [
        ("fill", "none"), ("temperature", "out_of_service"),
    ]  # fmt: skip
    with pytest.raises(UsageError, match="has no property 'colour'"):
        place(world, Planned("out_of_service", "broken", things=["bin"], property="colour"), at=1)
    with pytest.raises(UsageError, match="there is no Thing 'nobody'"):
        place(world, Planned("out_of_service", "broken", things=["nobody"]), at=1)


def test_alarms_born_in_a_maintenance_window_ring_at_its_end_if_still_true(world: Any) -> None:
    send(world, heat(0, 20.0), heat(0, 20.0, "other"))
    planned = Planned(
        "maintenance", "works", domains=["waste"], began=NOW + 60 * SECOND, until=NOW + 600 * SECOND
    )  # fmt: skip
    assert place(world, planned, at=1)[1] == 0
    send(world, heat(30, 70.0))
    assert standing(world) == [("bin", "UNACK", "none")]
    look(world, 61)
    assert standing(world) == [("bin", "UNACK", "maintenance")]
    send(world, heat(100, 90.0, "other"), heat(120, 20.0))
    assert standing(world) == [("bin", "RTNUN", "maintenance"), ("other", "UNACK", "maintenance")]
    look(world, 599)
    assert standing(world)[1] == ("other", "UNACK", "maintenance")
    look(world, 600)
    # One had rung before the window and still waits; the other rings now.
    assert standing(world) == [("bin", "RTNUN", "none"), ("other", "UNACK", "none")]
    assert world.rows("SELECT rang_at FROM alarms WHERE thing = 'other'") == [(NOW + 600 * SECOND,)]


def parent(world: Any, above: str, *below: str) -> None:
    world.execute(
        "UPDATE hv.thing SET parent_id = (SELECT thing_id FROM hv.thing WHERE code = %(above)s) WHERE code = ANY(%(below)s)",
        {"above": above, "below": list(below)},
    )


def volts(seconds: float, result: float) -> tuple[str, str, str, datetime, float]:
    """`lighting.voltage.low`: below 180, deadband 10, on-delay and off-delay 60 s."""
    return ("lighting", "cabinet", "voltage", NOW + seconds * SECOND, result)


def lamp(seconds: float, thing: str, result: float = 2.0) -> tuple[str, str, str, datetime, float]:
    """`lighting.lamp.fault`: no delays; explained by the voltage of its parent, for 900 s after it."""
    return ("lighting", thing, "lamp_state", NOW + seconds * SECOND, result)


def test_dead_cabinet_explains_its_lamps_before_and_after_it_rings(world: Any) -> None:
    send(world, volts(0, 230.0), *(lamp(0, f"lamp-{n}", 1.0) for n in range(3)), lamp(0, "far", 1.0))
    parent(world, "cabinet", "lamp-0", "lamp-1", "lamp-2")
    # The first lamp rings before its cabinet does; the two others in one batch with it.
    send(world, lamp(1, "lamp-0"), volts(1, 0.0))
    intake = world.intake()
    at = NOW + 62 * SECOND
    world.send(intake, lamp(62, "lamp-1"), lamp(62, "lamp-2"), lamp(62, "far"), volts(62, 0.0), received=at)
    world.close()
    found = {thing: hidden for thing, _, hidden in standing(world)}
    assert found == {
        "lamp-0": "none", "lamp-1": "by_design", "lamp-2": "by_design", "far": "none", "cabinet": "none",
    }  # fmt: skip
    look(world, 70)
    assert ("lamp-0", "UNACK", "by_design") in standing(world)
    ((cause,),) = world.rows("SELECT id FROM alarms WHERE thing = 'cabinet'")
    assert world.rows("SELECT DISTINCT explained_by FROM alarms WHERE suppression = 'by_design'") == [(cause,)]
    # The voltage is back: one lamp burns again, one does not.
    send(world, volts(100, 230.0), volts(161, 230.0), lamp(200, "lamp-1", 1.0), lamp(200, "lamp-0", 1.0))
    look(world, 1000)
    assert ("lamp-2", "UNACK", "by_design") in standing(world)
    look(world, 1062)
    assert {("lamp-2", "UNACK", "none"), ("lamp-1", "NORM", "none"), ("lamp-0", "NORM", "none")} <= set(standing(world))


def test_two_alarms_that_explain_each_other_do_not_both_fall_silent(world: Any) -> None:
    each = {"waste.temperature.high": "waste.fill.high", "waste.fill.high": "waste.temperature.high"}
    for rule, cause in each.items():
        world.execute(
            "UPDATE hv.rule SET suppressed_by = jsonb_build_array(jsonb_build_object('rule', %(cause)s::text, 'of', 'self'))"
            " WHERE code = %(rule)s",
            {"rule": rule, "cause": cause},
        )
    send(world, heat(0, 70.0), ("waste", "bin", "fill", NOW, 95.0))
    look(world, 10)
    assert sorted(hidden for _, _, hidden in standing(world)) == ["by_design", "none"]


def test_state_of_the_thing_explains_its_alarm_as_long_as_it_holds(world: Any) -> None:
    world.execute(
        'UPDATE hv.rule SET suppressed_by = \'[{"property": "waste/tilt", "of": "self", "over": 30}]\''
        " WHERE code = 'waste.fill.high'"
    )
    send(world, ("waste", "bin", "tilt", NOW, 40.0), ("waste", "bin", "fill", NOW, 95.0))
    look(world, 5)
    assert standing(world) == [("bin", "UNACK", "by_design")]
    send(world, ("waste", "bin", "tilt", NOW + 10 * SECOND, 5.0))
    look(world, 15)
    assert standing(world) == [("bin", "UNACK", "none")]


def test_acknowledged_alarm_that_stays_is_called_to_mind_once_in_its_time(world: Any) -> None:
    send(world, heat(0, 70.0))
    acknowledge(world, at=10)
    look(world, 3609)
    assert standing(world) == [("bin", "ACKED", "none")]
    look(world, 3610)
    look(world, 3616)
    assert standing(world) == [("bin", "UNACK", "none")]
    assert [cause for cause, *_ in causes(world)] == ["limit", "acknowledge", "re-alarm"]


def test_alarm_that_nobody_acknowledges_is_told_to_a_role_once(world: Any) -> None:
    send(world, heat(0, 70.0), ("waste", "bin", "fill", NOW, 95.0))
    look(world, 299)
    assert world.rows("SELECT escalated_to FROM alarms WHERE escalated_to IS NOT NULL") == []
    look(world, 300)
    look(world, 306)
    assert world.rows(
        "SELECT rule, state, priority, escalated_to, escalated_at FROM alarms WHERE escalated_to <> ''"
    ) == [("waste.temperature.high", "UNACK", "critical", "engineer", NOW + 300 * SECOND)]
    assert world.rows("SELECT cause, comment FROM alarm_transitions WHERE cause = 'escalated'") == [
        ("escalated", "engineer")
    ]
    look(world, 5000)
    # A rule may say otherwise than the settings.
    world.execute("UPDATE hv.rule SET escalate_after = interval '10 s' WHERE code = 'waste.fill.high'")
    look(world, 5010)
    assert world.rows("SELECT count(*) FROM alarms WHERE escalated_to = 'engineer'") == [(2,)]


def test_alarm_that_is_hidden_is_neither_called_to_mind_nor_told_to_others(world: Any) -> None:
    send(world, heat(0, 70.0), heat(0, 70.0, "other"))
    acknowledge(world, at=1)
    place(world, Planned("out_of_service", "works", things=["bin", "other"]), at=2)
    look(world, 9000)
    assert standing(world) == [("bin", "UNACK", "out_of_service"), ("other", "ACKED", "out_of_service")]


def test_latched_rule_keeps_its_alarm_until_a_person_ends_it(world: Any) -> None:
    world.edit("waste.temperature.high", "latched = true")
    send(world, heat(0, 70.0))
    acknowledge(world, at=1)
    send(world, heat(10, 20.0))
    assert standing(world) == [("bin", "RTNUN", "none")]
    acknowledge(world, at=11)
    assert standing(world) == [("bin", "NORM", "none")]


def test_alarm_of_a_process_that_knows_no_shelf_is_hidden_within_seconds(world: Any) -> None:
    send(world, heat(0, 70.0))
    place(world, Planned("out_of_service", "works", things=["bin"]), at=1)
    world.execute("UPDATE hv.alarm SET suppression = 'none', inhibition_id = NULL, hidden_since = NULL")
    look(world, 5)
    assert standing(world) == [("bin", "UNACK", "out_of_service")]


def test_what_stands_is_listed_with_what_it_is_about_and_how_much_it_hides(world: Any) -> None:
    send(world, heat(0, 70.0), ("waste", "bin", "fill", NOW, 95.0))
    number = last(world)
    desk(world, lambda c: inhibiting.shelve(
        c, SETTINGS, number, seconds=None, once=True, reason="stuck", actor="anna", now=NOW + SECOND
    ))  # fmt: skip
    place(world, Planned("maintenance", "works", domains=["waste"], until=NOW + 600 * SECOND), at=2)
    window, shelf = desk(world, store.listed)
    assert (window.kind, window.hidden, [one.domain for one in window.about]) == ("maintenance", 1, ["waste"])
    assert (shelf.kind, shelf.rule, shelf.hidden, shelf.ends_at) == (
        "shelved", "waste.fill.high", 1, NOW + 28_801 * SECOND,
    )  # fmt: skip
    assert [(one.thing, one.property) for one in shelf.about] == [("bin", "fill")]
    assert window.is_in(EVERYTHING)
    assert window.is_in(Scope.of(domains=["waste"]))
    assert not window.is_in(Scope(1))
    assert shelf.is_in(Scope.of(domains=["waste", "water"]))
    assert not shelf.is_in(Scope.of(domains=["water"]))
    assert [row.suppression for row in desk(world, lambda c: alarm_store.listed(c, hidden=True))] == [
        "shelved", "maintenance",
    ]  # fmt: skip


def test_lamps_of_a_power_cut_do_not_ring_before_their_cabinet_and_never_for_it(world: Any) -> None:
    """The cabinet spoke last of all: its lamps are overdue ten minutes before it."""
    lamps = [f"lamp-{n}" for n in range(20)]
    send(world, *(lamp(n, each, 1.0) for n, each in enumerate(lamps)), lamp(0, "alone", 1.0), volts(600, 230.0))
    parent(world, "cabinet", *lamps)
    watch = world.watch()
    look(world, 1739, watch)
    look(world, 1830, watch)
    assert {thing: hidden for thing, _, hidden in standing(world)} == dict.fromkeys(lamps, "by_design") | {
        "alone": "none"
    }
    look(world, 2405, watch)
    ((cause,),) = world.rows("SELECT id FROM alarms WHERE thing = 'cabinet'")
    assert world.rows("SELECT count(*) FROM alarms WHERE explained_by = %(cause)s", {"cause": cause}) == [(20,)]
    world.close()
    # The cabinet is heard again, its lamps are not: they have half an hour.
    send(world, volts(2500, 230.0))
    watch = world.watch()
    look(world, 2439, watch)
    look(world, 2510, watch)
    assert ("cabinet", "RTNUN", "none") in standing(world)
    assert world.rows("SELECT count(*) FROM alarms WHERE suppression = 'by_design'") == [(20,)]
    world.close()
    send(world, volts(4200, 230.0))
    look(world, 4299)
    assert world.rows("SELECT count(*) FROM alarms WHERE suppression = 'by_design'") == [(20,)]
    look(world, 4305)
    assert world.rows("SELECT count(*) FROM alarms WHERE suppression = 'none' AND state = 'UNACK'") == [(21,)]
