"""The life of a rule: proposed, approved by a second person, in force from a time, given back; who was first is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from hypervision.domains import load
from hypervision.errors import AccessError, ConflictError, RuleError, UsageError
from hypervision.ruling import Definition, edited, understand
from hypervision.store import proposing, rulebook
from hypervision.store.connection import Connection, connect
from tests.contract.servers import NOW
from tests.contract.world import World

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("plain_tables")]

HEAT = "waste.temperature.high"
SECOND = timedelta(seconds=1)


@contextmanager
def at_desk(world: World) -> Iterator[Connection]:
    """A connection as the API or a verb has it; where the server takes only one, writers leave first."""
    if not world.server.many:
        world.close()
    with connect(world.url, application="rules") as connection:
        yield connection


def changed(connection: Connection, code: str = HEAT, **fields: Any) -> tuple[Definition, int]:
    """A rule with some fields otherwise, and the version it was made from."""
    rule = rulebook.one(connection, code)
    return edited(understand(rule.document, load()), fields, load()), rule.version


def propose(world: World, code: str = HEAT, *, author: str = "ada", **fields: Any) -> int:
    given = {key: fields.pop(key) for key in ("effective_from", "draft") if key in fields}
    with at_desk(world) as connection:
        wanted, base = changed(connection, code, **fields)
        return proposing.propose(connection, wanted, base=base, author=author, reason="trial", now=world.now, **given)


def approve(world: World, proposal: int, *, actor: str = "ben", **more: Any) -> rulebook.Proposal:
    with at_desk(world) as connection:
        return proposing.decide(connection, proposal, state="approved", actor=actor, now=world.now, **more)


def tick(world: World) -> None:
    """The timers run once."""
    watch = world.watch()
    watch.tick(world.now)
    world.close(watch.intake)


def put_in_force(world: World, code: str = HEAT, **fields: Any) -> None:
    approve(world, propose(world, code, **fields))
    tick(world)


def send(world: World, *readings: Any) -> None:
    intake = world.intake()
    world.send(intake, *readings)
    world.close(intake)


def rule(world: World, code: str = HEAT) -> rulebook.Standing:
    with at_desk(world) as connection:
        return rulebook.one(connection, code)


def heat(at: Any, value: float, thing: str = "bin") -> tuple[Any, ...]:
    return ("waste", thing, "temperature", at, value)


def test_change_is_in_force_after_a_second_person_approved_it_and_every_version_is_kept(world: World) -> None:
    before = rule(world)
    number = propose(world, limit=55)
    assert rule(world).document["limit"] == before.document["limit"]
    assert rule(world).waiting_author == "ada"
    with pytest.raises(AccessError, match="ada proposed it"):
        approve(world, number, actor="ada")
    approve(world, number)
    tick(world)
    after = rule(world)
    assert (after.version, after.document["limit"], after.edited_by, after.waiting) == (2, 55.0, "ada", None)
    with at_desk(world) as connection:
        newest, first = rulebook.versions(connection, HEAT)
        (one,) = rulebook.proposals(connection, code=HEAT)
    assert (newest.author, newest.approved_by, newest.reason, newest.document["limit"]) == ("ada", "ben", "trial", 55.0)
    assert (first.version, first.document["limit"]) == (1, before.document["limit"])
    assert (one.state, one.version, one.in_force_at) == ("in_force", 2, world.now)
    assert world.rows("SELECT version, wrong FROM rules WHERE code = 'waste.temperature.high'") == [(2, None)]


def test_author_approves_where_the_installation_has_one_person(world: World) -> None:
    assert approve(world, propose(world, limit=55), actor="ada", one_person=True).state == "approved"


def test_change_waits_for_its_time(world: World) -> None:
    approve(world, propose(world, limit=55, effective_from=NOW + 5 * SECOND))
    watch = world.watch()
    watch.tick(NOW + 4 * SECOND)
    assert world.rows("SELECT version FROM hv.rule WHERE code = 'waste.temperature.high'") == [(1,)]
    watch.tick(NOW + 5 * SECOND)
    assert world.rows("SELECT version, limit_value FROM hv.rule WHERE code = 'waste.temperature.high'") == [(2, 55.0)]


def test_who_comes_second_is_told_who_was_first(world: World) -> None:
    with at_desk(world) as connection:
        mine, base = changed(connection, limit=55)
        other, _ = changed(connection, limit=58)
    number = propose(world, limit=57, author="cleo")
    with at_desk(world) as connection, pytest.raises(ConflictError, match="cleo proposed a change") as caught:
        proposing.propose(connection, mine, base=base, author="ada", reason="x", now=NOW)
    assert caught.value.by == "cleo"
    approve(world, number)
    with pytest.raises(ConflictError, match="is approved: ben was first"):
        approve(world, number, actor="dora")
    tick(world)
    with at_desk(world) as connection, pytest.raises(ConflictError, match=r"at version 2, not 1.*cleo was first"):
        proposing.propose(connection, other, base=base, author="ada", reason="x", now=NOW)


def test_edit_past_the_book_overtakes_an_approved_proposal_and_is_kept_as_a_version(world: World) -> None:
    number = propose(world, limit=55)
    approve(world, number)
    world.edit(HEAT, "limit_value = 61")
    tick(world)
    with at_desk(world) as connection:
        (one,) = rulebook.proposals(connection, code=HEAT)
    assert (one.state, rule(world).document["limit"]) == ("overtaken", 61.0)
    put_in_force(world, limit=62)
    with at_desk(world) as connection:
        found = [(v.version, v.author, v.document["limit"]) for v in rulebook.versions(connection, HEAT)]
    assert found[:2] == [(3, "ada", 62.0), (2, "database", 61.0)]


def test_roll_back_is_a_new_version_equal_to_the_old_one_overrides_included(world: World) -> None:
    world.execute("INSERT INTO hv.thing (code, name, domain, registered_at) VALUES ('oven', 'oven', 'waste', now())")
    first = rule(world).document
    put_in_force(world, limit=55, things={"oven": {"limit": 90}}, on_delay=30, priority="low", fr="Feu")
    assert rule(world).document["things"] == {"oven": {"limit": 90.0}}
    with at_desk(world) as connection:
        number = proposing.roll_back(connection, HEAT, 1, base=2, author="cleo", reason="rang too often", now=world.now)
        assert [p.proposal_id for p in rulebook.proposals(connection, states=["approved"])] == [number]
    tick(world)
    after = rule(world)
    assert (after.version, after.document, after.edited_by) == (3, first, "cleo")
    with at_desk(world) as connection, pytest.raises(UsageError, match="is what is in force"):
        proposing.roll_back(connection, HEAT, 1, base=3, author="cleo", reason="again", now=world.now)


def test_what_cannot_be_meant_is_refused(world: World) -> None:
    with at_desk(world) as connection:
        wanted, base = changed(connection, limit=55)
        given: dict[str, Any] = {"base": base, "author": "ada", "now": NOW}
        with pytest.raises(RuleError, match="say why"):
            proposing.propose(connection, wanted, reason=" ", **given)
        same, _ = changed(connection)
        with pytest.raises(UsageError, match="nothing differs"):
            proposing.propose(connection, same, reason="x", **given)
        nobody, _ = changed(connection, things={"nobody": {"limit": 1}})
        with pytest.raises(RuleError) as caught:
            proposing.propose(connection, nobody, reason="x", **given)
        assert caught.value.field == "things.nobody"
        with pytest.raises(UsageError, match="no proposal 77"):
            proposing.decide(connection, 77, state="approved", actor="ben", now=NOW)
        with pytest.raises(UsageError, match="no rule"):
            rulebook.one(connection, "waste.nothing")


def test_proposal_is_withdrawn_by_its_author_and_refused_by_others(world: World) -> None:
    number = propose(world, limit=55)
    with at_desk(world) as connection:
        given: dict[str, Any] = {"now": NOW, "remark": "too low"}
        with pytest.raises(AccessError, match="refuse it instead"):
            proposing.decide(connection, number, state="withdrawn", actor="ben", **given)
        assert proposing.decide(connection, number, state="refused", actor="ben", **given).remark == "too low"
    again = propose(world, limit=56)
    with at_desk(world) as connection:
        assert proposing.decide(connection, again, state="withdrawn", actor="ada", now=NOW).state == "withdrawn"
    tick(world)
    assert rule(world).version == 1


def test_draft_is_its_author_s_alone_and_goes_when_it_is_proposed(world: World) -> None:
    propose(world, limit=55, draft=True)
    propose(world, limit=56, draft=True)
    with at_desk(world) as connection:
        (draft,) = rulebook.proposals(connection, reader="ada")
        assert (draft.state, draft.document["limit"]) == ("draft", 56.0)
        assert rulebook.proposals(connection, reader="ben") == []
    propose(world, limit=56)
    with at_desk(world) as connection:
        assert [one.state for one in rulebook.proposals(connection, reader="ada")] == ["proposed"]


def test_new_rule_is_proposed_and_rings(world: World) -> None:
    document = {
        "code": "waste.fill.full", "domain": "waste", "property": "fill", "kind": "high", "priority": "low", "limit": 60,
        "fr": "Bientôt plein", "en": "Soon full",
    }  # fmt: skip
    with at_desk(world) as connection:
        number = proposing.propose(
            connection, understand(document, load()), base=0, author="ada", reason="routes", now=world.now
        )
    approve(world, number)
    tick(world)
    send(world, ("waste", "bin", "fill", NOW, 70.0))
    assert world.alarms() == [("waste.fill.full", "bin", "UNACK")]
    assert rule(world, "waste.fill.full").version == 1


def test_proposal_that_cannot_be_put_in_force_any_more_is_refused_with_the_reason(world: World) -> None:
    world.execute("INSERT INTO hv.thing (code, name, domain, registered_at) VALUES ('oven', 'oven', 'waste', now())")
    number = propose(world, things={"oven": {"limit": 90}})
    approve(world, number)
    world.execute("DELETE FROM hv.thing WHERE code = 'oven'")
    tick(world)
    with at_desk(world) as connection:
        (one,) = rulebook.proposals(connection, code=HEAT)
    assert (one.state, one.decided_by) == ("refused", "watch")
    assert "things.oven" in one.remark
