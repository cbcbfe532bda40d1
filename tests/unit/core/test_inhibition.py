"""What hides an alarm by its table, and by properties that hold however reasons come and go."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervision.alarms import State
from hypervision.errors import UsageError
from hypervision.inhibiting import reason_of
from hypervision.inhibition import ORDER, Hidden, Standing, Suppression, explanations, foremost, move

STATES: tuple[State, ...] = ("UNACK", "ACKED", "RTNUN")
NUMBERS = {"shelved": 3, "out_of_service": 4, "maintenance": 5, "by_design": None}


def hidden(kind: Suppression) -> Hidden:
    return Hidden(kind, NUMBERS[kind], 9 if kind == "by_design" else None, "anna", "known")


def standing(state: State, kind: Suppression, *, ended_by: str = "", born: bool = False) -> Standing:
    number = NUMBERS.get(kind)
    return Standing(state, kind, number, 9 if kind == "by_design" else None, born, ended_by)


# Of an alarm that is shown again: by what, whether born hidden, by a person; what its state becomes.
BACK: list[tuple[Suppression, bool, bool, tuple[State, State, State]]] = [
    ("shelved", False, True, ("ACKED", "ACKED", "NORM")),
    ("shelved", True, True, ("ACKED", "ACKED", "NORM")),
    ("shelved", False, False, ("UNACK", "UNACK", "NORM")),
    ("shelved", True, False, ("UNACK", "UNACK", "NORM")),
    ("out_of_service", False, True, ("UNACK", "ACKED", "RTNUN")),
    ("out_of_service", True, True, ("UNACK", "ACKED", "NORM")),
    ("maintenance", False, False, ("UNACK", "ACKED", "RTNUN")),
    ("maintenance", True, False, ("UNACK", "ACKED", "NORM")),
    ("maintenance", True, True, ("UNACK", "ACKED", "NORM")),
    ("by_design", False, False, ("UNACK", "ACKED", "NORM")),
    ("by_design", True, False, ("UNACK", "ACKED", "NORM")),
]


@pytest.mark.parametrize(("kind", "born", "by_hand", "states"), BACK)
def test_alarm_that_comes_back_has_the_state_of_the_table(
    kind: Suppression, *, born: bool, by_hand: bool, states: tuple[State, State, State]
) -> None:
    for before, after in zip(STATES, states, strict=True):
        made = move(standing(before, kind, ended_by="bernd" if by_hand else "", born=born), None)
        assert made is not None
        assert made.state == after
        assert made.to is None
        assert made.rings == (after in ("UNACK", "RTNUN"))
        assert made.acknowledges == (kind == "shelved" and by_hand and before != after)
        assert made.actor == ("bernd" if by_hand else "")


@pytest.mark.parametrize("kind", ORDER)
@pytest.mark.parametrize("state", STATES)
def test_alarm_that_is_hidden_keeps_its_state_and_says_by_whom(kind: Suppression, state: State) -> None:
    made = move(standing(state, "none"), hidden(kind))
    assert made is not None
    assert (made.state, made.rings, made.acknowledges) == (state, False, False)
    assert (made.actor, made.comment) == ("anna", "known")


@pytest.mark.parametrize("state", STATES)
def test_shelf_that_ends_in_a_window_leaves_the_alarm_hidden_and_unacknowledged(state: State) -> None:
    made = move(standing(state, "shelved"), hidden("maintenance"))
    assert made is not None
    assert made.to is not None
    assert (made.state, made.cause, made.rings) == ("UNACK" if state == "ACKED" else state, "maintenance", False)
    by_hand = move(standing(state, "shelved", ended_by="bernd"), hidden("maintenance"))
    assert by_hand is not None
    assert (by_hand.state, by_hand.cause, by_hand.actor) == (
        "NORM" if state == "RTNUN" else "ACKED", "unshelved", "bernd",
    )  # fmt: skip


@given(st.sampled_from(STATES), st.sampled_from(get_args(Suppression)), st.booleans(), st.sampled_from(["", "bernd"]),
       st.lists(st.sampled_from(ORDER)))  # fmt: skip
def test_whatever_comes_and_goes_nothing_moves_twice_and_nothing_is_lost(
    state: State, kind: Suppression, born: bool, ended_by: str, kinds: list[Suppression]
) -> None:
    to = foremost(hidden(each) for each in kinds)
    made = move(standing(state, kind, ended_by=ended_by if kind != "none" else "", born=born), to)
    if made is None:
        assert kind == ("none" if to is None else to.kind)
        return
    # An alarm that is still true is never over by being hidden or shown.
    assert not (state in ("UNACK", "ACKED") and made.state in ("RTNUN", "NORM"))
    # It ends while it is hidden only by a person who has taken it off the shelf.
    assert made.state != "NORM" or made.to is None or made.acknowledges
    # What waits and is shown rings; what is hidden does not.
    assert made.rings == (made.to is None and made.state in ("UNACK", "RTNUN"))
    if made.state != "NORM":
        again = Standing(made.state, "none" if to is None else to.kind, None if to is None else to.inhibition_id)
        assert move(again, to) is None


@given(st.lists(st.sampled_from(ORDER), min_size=1))
def test_foremost_does_not_depend_on_the_order_of_the_reasons(kinds: list[Suppression]) -> None:
    found = foremost(hidden(each) for each in kinds)
    assert found == foremost(hidden(each) for each in reversed(kinds))
    assert found is not None
    assert found.kind == min(kinds, key=ORDER.index)


def test_of_two_windows_the_first_is_told() -> None:
    found = foremost([Hidden("maintenance", 8), Hidden("maintenance", 5)])
    assert found is not None
    assert found.inhibition_id == 5


graphs = st.dictionaries(st.integers(1, 9), st.sets(st.integers(1, 9), max_size=4), max_size=9)


@given(graphs)
def test_every_explained_alarm_leads_to_one_that_rings(found: dict[int, set[int]]) -> None:
    chosen = explanations({alarm: causes - {alarm} for alarm, causes in found.items()})
    for alarm in chosen:
        seen, at = set(), alarm
        while at in chosen:
            assert at not in seen
            seen.add(at)
            at = chosen[at]
    for alarm, cause in chosen.items():
        assert cause in found[alarm]


@given(graphs)
def test_alarm_explained_by_one_that_nothing_explains_is_always_hidden(found: dict[int, set[int]]) -> None:
    asked = {alarm: causes - {alarm} for alarm, causes in found.items()}
    chosen = explanations(asked)
    for alarm, causes in asked.items():
        if any(cause not in asked for cause in causes):
            assert alarm in chosen


@pytest.mark.parametrize("text", ["", "  ", "x" * 1001])
def test_reason_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="reason has"):
        reason_of(text)
