"""Scopes: the predicate, its values for SQL, and that no query forgets a part of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from hypervision.scope import EVERYTHING, Scope
from hypervision.store import sql
from hypervision.store.sql import names, query


@dataclass(frozen=True)
class Thing:
    organisation_id: int | None = 1
    domain: str = "water"
    district: str = "Nord"


@pytest.mark.parametrize(
    ("scope", "held"),
    [
        (EVERYTHING, True),
        (Scope(1), True),
        (Scope(2), False),
        (Scope.of(domains=["waste", "water"]), True),
        (Scope.of(domains=["waste"]), False),
        (Scope.of(districts=["Nord"]), True),
        (Scope.of(districts=["Sud"]), False),
        (Scope.of(1, ["water"], ["Nord"]), True),
        (Scope.of(1, ["water"], ["Sud"]), False),
        (Scope.of(1, ["waste"], ["Nord"]), False),
        (Scope.of(2, ["water"], ["Nord"]), False),
        (Scope.of(domains=[]), False),
    ],
)
def test_scope_holds_a_thing_that_none_of_its_limits_leaves_out(scope: Scope, *, held: bool) -> None:
    assert scope.holds(Thing()) is held


def test_thing_of_nobody_and_nowhere_is_in_no_limited_scope() -> None:
    stray = Thing(None, "water", "")
    assert EVERYTHING.holds(stray)
    assert not Scope(1).holds(stray)
    assert not Scope.of(districts=["Nord"]).holds(stray)


def test_equal_scopes_are_one_key() -> None:
    assert len({Scope.of(1, ["b", "a"]), Scope.of(1, ("a", "b", "a"))}) == 1
    assert Scope.of(domains=["a"]).values() == {
        "scope_whole": False, "scope_organisation": None, "scope_domains": ["a"], "scope_districts": None,
    }  # fmt: skip
    assert EVERYTHING.values()["scope_whole"] is True


WORDS = ("scope_organisation", "scope_domains", "scope_districts")


def test_query_that_asks_for_a_word_of_a_scope_asks_for_all_of_them() -> None:
    """A part of the predicate that is written out somewhere would be forgotten there when it grows."""
    found = 0
    for name in names():
        text = query(name)
        there = [word in text for word in WORDS]
        assert all(there) or not any(there), name
        found += all(there)
        counts = {text.count(f"%({word})s") for word in WORDS}
        assert len(counts) == 1, name
    assert found > 10


def test_words_of_a_scope_stand_in_one_file_alone() -> None:
    folder = sql.resources.files("hypervision.store") / "queries"
    for entry in folder.iterdir():
        if entry.name.endswith(".sql") and entry.name != "scope.sql":
            assert "%(scope_" not in entry.read_text("utf-8"), entry.name


# Queries of Things for screens, the API and exports that need no scope of their own, and why.
ELSEWHERE = {
    "screen_things": "the reader of the whole town; `dashboards.scoped` takes the part",
    "screen_streams": "the same",
    "screen_latest": "the same",
    "screen_alarms": "the same",
    "screen_chattering": "the same; the desk takes those that the part holds",
    "screen_activations": "the same",
    "screen_writers": "the same",
    "screen_registry_version": "the same",
    "screen_rejected": "of the whole town alone; `screen_rejected_of` else",
    "screen_engine": "of the whole town alone",
    "screen_course": "of datastreams of the part",
    "screen_alarm_history": "of one Thing that the page has found in the part",
    "screen_journal": "the same",
    "screen_gaps": "the same",
    "api_transitions": "of one alarm that api_alarms has shown",
    "api_refusals": "of a message that the caller sent for a Thing of his own",
    "api_writer_id": "of the platform",
    "rejected_page": "of the whole town alone; `rejected_page_of` else",
}


def test_every_query_for_people_goes_by_the_scope_or_says_why_not() -> None:
    people = [name for name in names() if re.match(r"(api|screen|rejected_(page|one|by|place|newest|waiting))", name)]
    assert {name for name in people if "scope_" not in query(name)} == set(ELSEWHERE)


def test_part_of_a_query_is_said_of_another_table() -> None:
    assert "p.organisation_id" in query("api_things")
    assert re.search(r"-- part:", "\n".join(query(name) for name in names())) is None
