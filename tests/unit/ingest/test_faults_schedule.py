"""The seed alone decides the schedule."""

from __future__ import annotations

from collections import Counter

from ingest.bench.faults.campaign import FAULTS
from ingest.bench.faults.schedule import Span, schedule

SPANS = [Span("kill", weight=2), Span("cut", 2, 5), Span("flood")]


def test_same_seed_gives_the_same_schedule() -> None:
    assert schedule(SPANS, faults=50, seed=4) == schedule(SPANS, faults=50, seed=4)


def test_another_seed_gives_another_schedule() -> None:
    assert schedule(SPANS, faults=50, seed=4) != schedule(SPANS, faults=50, seed=5)


def test_longer_schedule_begins_like_the_shorter() -> None:
    assert schedule(SPANS, faults=50, seed=4)[:20] == schedule(SPANS, faults=20, seed=4)


def test_every_kind_comes_in_each_round_and_lasts_within_its_bounds() -> None:
    steps = schedule(SPANS, faults=8, seed=1)
    assert Counter(step.kind for step in steps) == {"kill": 4, "cut": 2, "flood": 2}
    assert all(2 <= step.seconds <= 5 for step in steps if step.kind == "cut")
    assert all(step.seconds == 0 for step in steps if step.kind != "cut")


def test_nothing_to_do_gives_an_empty_schedule() -> None:
    assert schedule([], faults=5, seed=1) == []


def test_kinds_of_faults_have_names_of_their_own() -> None:
    names = [fault.span.kind for fault in FAULTS]
    assert len(set(names)) == len(names) > 40
