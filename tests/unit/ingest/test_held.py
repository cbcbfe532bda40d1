from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.held import Held, digest


def test_message_still_held_is_not_taken_twice() -> None:
    held = Held()
    assert held.take([1, 2, 3]) is None
    assert held.take([2, 4, 4]) == [1]
    held.acknowledged([1, 2], [], now=0.0)
    assert held.take([2]) is None
    assert len(held) == 3


def test_messages_of_qos_0_have_no_id_and_are_always_new() -> None:
    held = Held()
    assert held.take([0, 0, 5]) is None
    assert held.take([0, 5, 0]) == [0, 2]


@given(st.lists(st.lists(st.integers(1, 9), max_size=6), max_size=10))
def test_every_id_is_taken_once_until_it_is_acknowledged(chunks: list[list[int]]) -> None:
    held, taken = Held(), []
    for chunk in chunks:
        new = held.take(chunk)
        taken += chunk if new is None else [chunk[i] for i in new]
    assert len(taken) == len(set(taken)) == len(held)


def test_committed_message_without_identity_is_known_again_once_after_a_disconnect() -> None:
    held, key = Held(), digest("t", b"x")
    held.take([7])
    held.disconnected([(7, key)], now=100.0)
    assert held.is_redelivery(9, "t", b"x", now=115.0)
    assert not held.is_redelivery(9, "t", b"x", now=115.0)


def test_message_without_identity_is_forgotten_after_ten_minutes() -> None:
    held = Held()
    held.disconnected([(7, digest("t", b"x"))], now=100.0)
    assert not held.is_redelivery(9, "t", b"x", now=800.0)


def test_redelivery_that_crossed_our_acknowledgement_is_known() -> None:
    held = Held()
    held.take([7])
    held.acknowledged([7], [(7, digest("t", b"x"))], now=1.0)
    assert held.is_redelivery(7, "t", b"x", now=1.1)
    assert not held.is_redelivery(8, "t", b"x", now=1.1)
    assert not held.is_redelivery(7, "t", b"y", now=1.1)


def test_acknowledgement_sent_just_before_the_cut_may_not_have_arrived() -> None:
    held = Held()
    held.acknowledged([7], [(7, digest("t", b"x"))], now=1.0)
    held.acknowledged([8], [(8, digest("t", b"y"))], now=50.0)
    held.disconnected([], now=51.0)
    assert held.is_redelivery(1, "t", b"y", now=60.0)
    assert not held.is_redelivery(1, "t", b"x", now=60.0)
