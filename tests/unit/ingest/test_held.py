from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.held import Held, contents, digest

ONE = contents(["t"], [b"x"])


def told(_: int) -> int:
    return ONE[0]


def test_message_still_held_is_not_taken_twice() -> None:
    held = Held()
    assert held.take([1, 2, 3]) is None
    assert held.take([2, 4, 4], [0, 2]) == [1]
    held.acknowledged([1, 2], ONE * 2, [], now=0.0)
    assert held.take([2]) is None
    assert len(held) == 3


def test_messages_of_qos_0_have_no_id_and_are_always_new() -> None:
    held = Held()
    assert held.take([0, 0, 5]) is None
    assert held.take([0, 5, 0], [1]) == [0, 2]


@given(st.lists(st.lists(st.integers(1, 9), max_size=6), max_size=10))
def test_every_id_is_taken_once_until_it_is_acknowledged(chunks: list[list[int]]) -> None:
    held, taken = Held(), []
    for chunk in chunks:
        new = held.take(chunk, range(len(chunk)))
        taken += chunk if new is None else [chunk[i] for i in new]
    assert len(taken) == len(set(taken)) == len(held)


def test_message_that_is_not_marked_is_new_although_its_packet_id_is_held() -> None:
    # Mosquitto 2.0.11 with a queue of 200,000: every packet id is under way, and they are used again.
    held = Held()
    assert held.take(range(1, 65_536)) is None
    assert held.take([1, 2, 3]) is None
    assert held.take([4, 5], [1]) == [0]
    held.acknowledged([1, 2, 3], ONE * 3, [], now=0.0)
    assert held.take([1], [0]) is None


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
    held.acknowledged([7], ONE, [(7, digest("t", b"x"))], now=1.0)
    assert held.is_redelivery(7, "t", b"x", now=1.1)
    assert not held.is_redelivery(8, "t", b"x", now=1.1)
    assert not held.is_redelivery(7, "t", b"y", now=1.1)


def test_acknowledgement_sent_just_before_the_cut_may_not_have_arrived() -> None:
    held = Held()
    held.acknowledged([7], ONE, [(7, digest("t", b"x"))], now=1.0)
    held.acknowledged([8], ONE, [(8, digest("t", b"y"))], now=50.0)
    held.disconnected([], now=51.0)
    assert held.is_redelivery(8, "t", b"y", now=60.0)
    assert not held.is_redelivery(8, "t", b"y", now=60.0)
    assert not held.is_redelivery(7, "t", b"x", now=60.0)


def test_answers_that_a_line_swallows_are_known_again() -> None:
    """The broker delivers again when its patience ends; who gives the line up does so after half a minute."""
    held = Held()
    held.proved = 46.0
    held.acknowledged([7], ONE, [(7, digest("t", b"x"))], now=1.0)
    held.acknowledged([8], ONE, [(8, digest("t", b"y"))], now=47.0)
    held.acknowledged([9], ONE, [], now=80.0)
    assert held.is_redelivery(8, "t", b"y", now=80.0)
    assert not held.is_redelivery(7, "t", b"x", now=80.0)
    held.disconnected([], now=90.0)
    assert held.is_redelivery(8, "t", b"y", now=95.0)
    assert not held.is_redelivery(7, "t", b"x", now=95.0)


def test_equal_message_of_another_id_is_not_the_one_that_was_answered() -> None:
    """An equal one that was never committed comes again, marked DUP, with an id of its own."""
    held = Held()
    held.acknowledged([7], ONE, [(7, digest("t", b"x"))], now=1.0)
    held.disconnected([], now=2.0)
    assert not held.is_redelivery(8, "t", b"x", now=10.0)
    assert held.is_redelivery(7, "t", b"x", now=10.0)


def test_copy_that_crossed_our_answer_is_not_answered_again() -> None:
    """A second answer might be taken for that of the next message of this id, which is not committed yet."""
    held = Held()
    held.take([7, 8])
    held.acknowledged([7], ONE, [], now=1.0)
    assert list(held.answerable([7, 8, 9], [0, 1], told, now=2.0)) == [0, 8, 9]
    assert list(held.answerable([7], [], told, now=2.0)) == [7]
    assert list(held.answerable([7], [0], told, now=9.0)) == [7]
    held.disconnected([], now=2.0)
    assert list(held.answerable([7], [0], told, now=3.0)) == [7]


def test_another_message_under_an_id_that_was_answered_wants_an_answer_of_its_own() -> None:
    """NATS starts again at id 1 whenever nothing is under way; what comes again may have any of them."""
    held = Held()
    held.take([1])
    held.acknowledged([1], contents(["t"], [b"live"]), [], now=1.0)
    assert list(held.answerable([1], [0], told, now=1.5)) == [1]


def test_redelivery_that_was_known_and_thrown_away_is_known_again() -> None:
    """The line breaks again before the batch that it came with is committed."""
    held, key = Held(), digest("t", b"x")
    held.disconnected([(7, key)], now=100.0)
    assert held.is_redelivery(9, "t", b"x", now=101.0)
    held.disconnected([], now=102.0)
    assert held.is_redelivery(1, "t", b"x", now=103.0)
    # Committed and not answered: expected once, not twice.
    held.disconnected([(1, key)], now=104.0)
    assert held.is_redelivery(2, "t", b"x", now=105.0)
    held.acknowledged([2], ONE, [(2, key)], now=106.0)
    held.disconnected([], now=120.0)
    assert not held.is_redelivery(2, "t", b"x", now=121.0)


def test_equal_message_under_an_id_that_was_answered_long_ago_is_not_a_copy() -> None:
    held = Held()
    held.acknowledged([1], ONE, [(1, digest("t", b"x"))], now=1.0)
    assert held.is_redelivery(1, "t", b"x", now=2.0)
    assert not held.is_redelivery(1, "t", b"x", now=30.0)


def test_long_topics_that_differ_at_their_end_are_two() -> None:
    assert digest("t" * 100 + "1", b"x") != digest("t" * 100 + "2", b"x")
