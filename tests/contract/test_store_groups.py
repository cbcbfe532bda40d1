"""Groups of Things: one alarm rings for many, and what it explains is counted, hidden and safe."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from hypervision import grouping
from hypervision.errors import ConflictError, UsageError
from hypervision.scope import Scope
from hypervision.store import alarm_quality, attending, groups, inhibitions, screens
from hypervision.store.connection import connect
from hypervision.store.groups import Group
from tests.contract.verbs import Says
from tests.contract.world import World

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BINS = ("bin-1", "bin-2", "bin-3", "bin-4")
ROUND = Group("round-7", "Round 7", "bin-1", BINS)


def heat(world: World, **values: float) -> None:
    """`waste.temperature.high` (critical) above 65, and `waste.fill.high` by `full_…`."""
    intake = world.intake()
    found = []
    for name, value in values.items():
        prop, _, number = name.partition("_")
        found.append(("waste", f"bin-{number}", prop, world.now, value))
    world.send(intake, *found, received=world.now)
    world.close(intake)


def made(world: World, group: Group = ROUND) -> None:
    if not world.server.many:
        world.close()
    with connect(world.url, application="test") as connection:
        groups.put(connection, group, actor="anne")


def look(world: World, seconds: int = 5) -> None:
    """What `watch` does each five seconds: count, then hide and show."""
    world.now += seconds * SECOND
    intake = world.intake("watch")
    intake.transact(partial(grouping.step, now=world.now))
    intake.transact(lambda writer, _: attending.settle(writer.connection, now=world.now))
    world.close(intake)


def told(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT source, state, suppression FROM alarms ORDER BY source")


@pytest.fixture
def town(world: World) -> World:
    """Four bins that are warm, and a group of them; its alarm is as urgent as theirs."""
    heat(world, temperature_1=20, temperature_2=20, temperature_3=20, temperature_4=20)
    made(world)
    world.edit("groups.alarm.many", "priority = 'critical'")
    return world


def test_group_rings_once_for_most_of_its_members_and_explains_them(town: World) -> None:
    town.now += 60 * SECOND
    heat(town, temperature_1=90, temperature_2=90)
    look(town)
    assert {row[2] for row in told(town)} == {"none"}  # half is not more than half
    town.now += 60 * SECOND
    heat(town, temperature_3=90)
    look(town)
    assert told(town) == [
        *((f"bin-{n}/temperature", "UNACK", "by_design") for n in (1, 2, 3)),
        ("group/round-7", "UNACK", "none"),
    ]
    explained = town.rows("SELECT DISTINCT explained_by FROM alarms WHERE source_kind = 'datastream'")
    assert explained == town.rows("SELECT id FROM alarms WHERE source_kind = 'group'")
    assert town.rows("SELECT thing, property, value, limit_value FROM alarms WHERE source_kind = 'group'") == [
        ("bin-1", "in_alarm_share", 75.0, 50.0)
    ]
    town.now += 60 * SECOND
    heat(town, temperature_4=90)
    # Born while the group's stands, it never rings.
    steps = town.rows(
        "SELECT to_suppression FROM hv.alarm_transition x JOIN alarms a ON a.id = x.alarm_id"
        " WHERE a.thing = 'bin-4' AND x.to_suppression IS NOT NULL"
    )
    assert steps == [("by_design",)]
    look(town)
    assert [row[1:] for row in told(town)][-1] == ("UNACK", "none")


def test_group_returns_when_its_members_do_and_what_stays_is_shown(town: World) -> None:
    town.now += 60 * SECOND
    heat(town, temperature_1=90, temperature_2=90, temperature_3=90)
    look(town)
    town.now += 60 * SECOND
    heat(town, temperature_2=20, temperature_3=20)
    for _ in range(15):
        look(town)
    assert ("group/round-7", "RTNUN", "none") in told(town)
    assert ("bin-1/temperature", "UNACK", "none") in told(town)


def test_alarm_more_urgent_than_that_of_its_group_rings_on(town: World) -> None:
    town.edit("groups.alarm.many", "priority = 'high'")
    town.now += 60 * SECOND
    heat(town, temperature_1=90, temperature_2=90, temperature_3=90)
    look(town)
    assert {row[2] for row in told(town)} == {"none"}
    assert len(told(town)) == 4


def test_member_that_others_may_see_than_the_group_rings_on(town: World) -> None:
    """Whoever sees the hidden alarm must see the one that explains it."""
    town.execute("UPDATE hv.thing SET district = 'Nord' WHERE code = 'bin-3'")
    town.now += 60 * SECOND
    heat(town, temperature_1=90, temperature_2=90, temperature_3=90)
    look(town)
    assert {row[0]: row[2] for row in told(town)} == {
        "bin-1/temperature": "by_design", "bin-2/temperature": "by_design", "bin-3/temperature": "none",
        "group/round-7": "none",
    }  # fmt: skip


def test_what_is_out_of_service_or_explained_otherwise_does_not_count(town: World) -> None:
    town.now += 60 * SECOND
    heat(town, temperature_1=90, temperature_2=90, temperature_3=90)
    town.execute(
        "UPDATE hv.alarm SET suppression = 'out_of_service' WHERE thing_id IN (SELECT thing_id FROM hv.thing WHERE code = 'bin-3')"
    )
    town.now += 5 * SECOND
    intake = town.intake("watch")
    intake.transact(partial(grouping.step, now=town.now))
    town.close(intake)
    assert [row[0] for row in told(town)] == ["bin-1/temperature", "bin-2/temperature", "bin-3/temperature"]


def test_group_rings_on_when_the_thing_at_which_it_is_shown_is_out_of_service(town: World) -> None:
    town.now += 60 * SECOND
    heat(town, temperature_2=90, temperature_3=90, temperature_4=90)
    look(town)
    town.close()
    ((thing_id,),) = town.rows("SELECT thing_id FROM hv.thing WHERE code = 'bin-1'")
    with connect(town.url, application="test") as connection:
        inhibitions.put(
            connection, "out_of_service", [inhibitions.Target(thing_id=thing_id)], began=town.now, until=None,
            reason="works", actor="anne", now=town.now,
        )  # fmt: skip
    look(town)
    assert told(town)[-1] == ("group/round-7", "UNACK", "none")
    assert {row[2] for row in told(town)[:-1]} == {"by_design"}


def test_limit_of_the_thing_at_which_a_group_is_shown_is_that_of_the_group(town: World) -> None:
    town.execute(
        "INSERT INTO hv.rule_override (rule_id, thing_id, limit_value) SELECT r.rule_id, t.thing_id, 20 FROM hv.rule r,"
        " hv.thing t WHERE r.code = 'groups.alarm.many' AND t.code = 'bin-1'"
    )
    town.execute("UPDATE hv.rule_set SET version = version + 1")
    town.now += 60 * SECOND
    heat(town, temperature_4=90)
    look(town)
    assert told(town) == [("bin-4/temperature", "UNACK", "by_design"), ("group/round-7", "UNACK", "none")]
    assert town.rows("SELECT limit_value FROM alarms WHERE source_kind = 'group'") == [(20.0,)]


def test_group_that_is_removed_returns_its_alarm_and_shows_its_members(town: World) -> None:
    town.now += 60 * SECOND
    heat(town, temperature_1=90, temperature_2=90, temperature_3=90)
    look(town)
    if not town.server.many:
        town.close()
    with connect(town.url, application="test") as connection:
        assert groups.remove(connection, "round-7", actor="anne", now=town.now)
        assert not groups.remove(connection, "round-7", actor="anne", now=town.now)
        assert groups.listed(connection) == []
    for _ in range(15):
        look(town)
    assert told(town) == [
        *((f"bin-{n}/temperature", "UNACK", "none") for n in (1, 2, 3)), ("group/round-7", "RTNUN", "none"),
    ]  # fmt: skip
    made(town)
    assert town.rows("SELECT actor, action, object_id FROM hv.audit WHERE object_kind = 'group' ORDER BY number") == [
        ("anne", "group.put", "round-7"), ("anne", "group.remove", "round-7"), ("anne", "group.put", "round-7"),
    ]  # fmt: skip


def test_group_is_named_on_screens_and_in_the_quality_of_alarms(town: World) -> None:
    town.now += 60 * SECOND
    heat(town, temperature_1=90, temperature_2=90, temperature_3=90)
    look(town)
    town.close()
    with connect(town.url, application="test") as connection:
        (row,) = [one for one in screens.read_alarms(connection) if one.source_kind == "group"]
        assert (row.part, row.domain, row.property) == ("Round 7", "groups", "in_alarm_share")
        scope = Scope.of(domains=["waste"])
        ((_, named),) = alarm_quality.read_standing(connection, scope=scope)
        assert (named.rule, named.thing, named.name) == ("groups.alarm.many", "bin-1", "Round 7")
        assert screens.alarm_visible(connection, row.alarm_id, scope=scope)
        assert not screens.alarm_visible(connection, row.alarm_id, scope=Scope.of(domains=["water"]))
        assert groups.listed(connection, scope=scope) == [ROUND]
        assert groups.listed(connection, scope=Scope.of(domains=["water"])) == []


def test_group_of_a_thing_that_is_not_there_changes_nothing(town: World) -> None:
    if not town.server.many:
        town.close()
    with connect(town.url, application="test") as connection:
        for wanted in (Group("g", "G", "bin-1", ("bin-1", "ghost")), Group("g", "G", "ghost", ("bin-1",))):
            with pytest.raises(UsageError, match="no Thing ghost"):
                groups.put(connection, wanted)
        assert groups.listed(connection) == [ROUND]
        assert not groups.put(connection, ROUND)


@pytest.mark.usefixtures("newest_only")
def test_group_is_made_listed_and_removed_by_the_verb(town: World, verb: Says) -> None:
    words = ("things", "group", "round-8", "--name", "Tournée 8", "--thing", "bin-3", "bin-2")
    assert "round-8 is a group of 2 Things" in verb(town.url, *words)
    assert "as before" in verb(town.url, *words)
    assert "Tournée 8, shown at bin-3: bin-2, bin-3" in verb(town.url, "things", "groups")
    for wrong in (
        ("round-9",),
        ("rond point", "--thing", "bin-1"),
        ("round-9", "--thing", "ghost"),
        ("none", "--remove"),
    ):
        assert ":" in verb(town.url, "things", "group", *wrong, expect=2)
    assert "no group any more" in verb(town.url, "things", "group", "round-8", "--remove")
    assert "round-8" not in verb(town.url, "things", "groups")


def test_of_two_who_change_a_group_the_second_is_told_who_was_first(town: World) -> None:
    if not town.server.many:
        town.close()
    with connect(town.url, application="test") as connection:
        (read,) = groups.listed(connection)
        wanted = Group(ROUND.code, "Round seven", "bin-1", BINS[:2])
        assert groups.put(connection, wanted, actor="anne", version=read.version)
        for version in (read.version, 0):
            with pytest.raises(ConflictError, match=r"round-7 was changed meanwhile by anne") as told:
                groups.put(connection, ROUND, actor="ben", version=version)
            assert told.value.by == "anne"
        with pytest.raises(ConflictError):
            groups.remove(connection, ROUND.code, actor="ben", version=read.version, now=NOW)
        assert groups.listed(connection) == [wanted]
        (now_is,) = groups.listed(connection)
        assert groups.remove(connection, ROUND.code, actor="ben", version=now_is.version, now=NOW)
        assert not groups.remove(connection, ROUND.code, actor="ben", version=0, now=NOW)
        assert groups.put(connection, ROUND, actor="ben", version=0)


def test_group_is_changed_by_those_alone_who_see_all_its_things(town: World) -> None:
    waste, water = Scope(domains=("waste",)), Scope(domains=("water",))
    if not town.server.many:
        town.close()
    with connect(town.url, application="test") as connection:
        with pytest.raises(UsageError, match="round-7 has Things outside of your scope"):
            groups.put(connection, Group("round-7", "x", "bin-1", BINS[:1]), actor="anne", scope=water)
        with pytest.raises(UsageError, match="outside of your scope"):
            groups.remove(connection, "round-7", actor="anne", scope=water, now=NOW)
        for one in (Group("new", "x", "bin-1", BINS[:1]), Group("new", "x", "bin-9", BINS[:1])):
            with pytest.raises(UsageError, match=rf"there is no Thing {one.shown_at}"):
                groups.put(connection, one, actor="anne", scope=water, version=0)
        assert groups.listed(connection) == [ROUND]
        assert groups.put(connection, Group("new", "x", "bin-1", BINS[:1]), actor="anne", scope=waste, version=0)
