"""The verdict finds each violation that is planted, and nothing where there is none."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from ingest.bench.faults import lanes, ledger, verdict
from ingest.bench.faults.ledger import Account, Book
from ingest.bench.faults.verdict import Sample, Stored

N = 60


def account(readings: int = 2) -> Account:
    """Sixty messages; all but the last ten were answered."""
    return Account(
        time_us=np.arange(N, dtype=np.int64) + 1_000,
        thing=np.arange(N, dtype=np.int64) % 7,
        readings=np.full(N, readings, np.int64),
        acknowledged=np.arange(N) < 50,
    )


def stored(numbers: list[int], *, slots: tuple[int, ...] = (0, 1)) -> Stored:
    number = np.array([n for n in numbers for _ in slots], np.int64)
    slot = np.array([s for _ in numbers for s in slots], np.int64)
    return Stored(number, slot, number % 7, number + 1_000)


def joined(one: Stored, other: Stored) -> Stored:
    names = ("number", "slot", "thing", "time_us")
    return Stored(*(np.concatenate([getattr(one, name), getattr(other, name)]) for name in names))


def test_all_stored_once_passes() -> None:
    found = verdict.compare("main", account(), stored(list(range(50))))
    assert found.passed
    assert (found.attempted, found.acknowledged, found.stored) == (60, 50, 100)


def test_unanswered_message_may_be_stored_or_not() -> None:
    assert verdict.compare("main", account(), stored([*range(50), 55])).passed


def test_lost_message_is_found() -> None:
    found = verdict.compare("main", account(), stored([n for n in range(50) if n != 17]))
    assert (found.lost, found.doubled, found.invented, found.misfiled) == (2, 0, 0, 0)
    assert "lost 17.0" in found.examples
    assert not found.passed


def test_lost_part_of_a_message_is_found() -> None:
    rows = joined(stored([n for n in range(50) if n != 17]), stored([17], slots=(0,)))
    found = verdict.compare("main", account(), rows)
    assert found.lost == 1
    assert found.examples == ("lost 17.1",)


def test_double_is_found() -> None:
    found = verdict.compare("main", account(), joined(stored(list(range(50))), stored([3, 3], slots=(1,))))
    assert (found.lost, found.doubled) == (0, 2)
    assert "doubled 3.1" in found.examples


def test_double_of_an_unanswered_message_is_found() -> None:
    found = verdict.compare("main", account(), stored([*range(50), 55, 55]))
    assert found.doubled == 2


def test_reading_that_nobody_sent_is_found() -> None:
    for number in (-1, N, 10**9):
        found = verdict.compare("main", account(), joined(stored(list(range(50))), stored([number], slots=(0,))))
        assert (found.invented, found.lost) == (1, 0), number


def test_second_reading_of_a_message_of_one_is_invented() -> None:
    found = verdict.compare("main", account(readings=1), stored(list(range(50))))
    assert found.invented == 50


@pytest.mark.parametrize("column", ["thing", "time_us"])
def test_reading_filed_elsewhere_is_found(column: str) -> None:
    rows = stored(list(range(50)))
    getattr(rows, column)[10] += 1
    found = verdict.compare("main", account(), rows)
    assert found.misfiled == 1
    assert not found.passed


def test_time_of_a_message_without_one_is_not_judged() -> None:
    sent = account()
    sent.time_us[5] = 0
    assert verdict.compare("main", sent, stored(list(range(50)))).passed


def test_refusals_are_compared() -> None:
    sent = account(readings=0)
    fine = np.array([*range(50), 3], np.int64)
    assert verdict.compare("poison", sent, stored([]), refused=fine).passed
    assert verdict.compare("poison", sent, stored([]), refused=fine[1:]).lost == 1
    assert verdict.compare("poison", sent, stored([]), refused=np.append(fine, N)).invented == 1
    assert verdict.compare("main", account(), stored(list(range(50))), refused=np.array([4])).invented == 1


def test_alarms_missed_and_doubled_are_found() -> None:
    assert verdict.alarms({1, 2}, {1: 1, 2: 1, 9: 1}).passed
    found = verdict.alarms({1, 2, 3}, {1: 1, 2: 2})
    assert (found.lost, found.doubled) == (1, 1)
    assert found.examples == ("no alarm 3", "2 alarms 2")


def counters(received: int, stored: int, in_flight: int) -> dict[str, int]:
    return {"received": received, "stored": stored, "duplicate": 0, "rejected": 0, "in_flight": in_flight}


def test_counters_that_do_not_add_up_are_found_in_any_sample() -> None:
    fine = [Sample(1.0, counters(5, 3, 2), memory=100), Sample(2.0, {}), Sample(3.0, counters(6, 6, 0), memory=140)]
    found = verdict.health(fine)
    assert (found.samples, found.answered, found.broken, found.peak) == (3, 2, (), 140)
    assert len(verdict.health([*fine, Sample(4.0, counters(7, 6, 0))]).broken) == 1
    assert len(verdict.health([*fine, Sample(4.0, counters(5, 6, -1))]).broken) == 1


def test_counters_that_go_back_are_found() -> None:
    assert (
        len(verdict.health([Sample(1.0, counters(6, 6, 0)), Sample(2.0, {}), Sample(3.0, counters(5, 5, 0))]).broken)
        == 1
    )


def test_recovery_wants_a_new_message_and_tells_when_the_old_are_there() -> None:
    answered = {1: 10.0, 2: 11.0, 3: 20.0}
    assert verdict.recovered(answered, {1, 2}, since=15.0) == (False, True)
    assert verdict.recovered(answered, {1, 3}, since=15.0) == (True, False)
    assert verdict.recovered(answered, {1, 2, 3}, since=15.0) == (True, True)


@pytest.mark.parametrize(
    "lane",
    [lanes.main(), lanes.probe(), lanes.anonymous(), lanes.storm(), lanes.late(), lanes.skewed(), lanes.poison()],
    ids=lambda lane: lane.name,
)
def test_ledger_is_read_back_as_it_was_written(lane: ledger.Lane, tmp_path: Path) -> None:
    book = Book(tmp_path, lane)
    now_ms = 1_795_000_000_000
    book.attempt([(number, now_ms + number) for number in range(1_200)])
    book.acknowledge([5, 1_199, 7])
    assert [number for number, _ in book.tail(3)] == [1_197, 1_198, 1_199]
    book.close()
    found = ledger.read(tmp_path, lane.name)
    assert (len(found), book.attempted, book.answered) == (1_200, 1_200, 3)
    assert np.flatnonzero(found.acknowledged).tolist() == [5, 7, 1_199]
    for number in (0, 1, 2, 1_000, 1_199):
        assert (found.time_us[number], found.thing[number], found.readings[number]) == lane.entry(
            number, now_ms + number
        )


@pytest.mark.parametrize(
    "lane", [lanes.main(), lanes.late(), lanes.skewed(), lanes.storm()], ids=lambda lane: lane.name
)
def test_no_two_readings_of_a_lane_have_one_key(lane: ledger.Lane) -> None:
    # A thousand messages a millisecond: more than any publisher here can send.
    keys = [(e.thing, e.time_us) for n in range(20_000) if (e := lane.entry(n, 1_795_000_000_000 + n // 1000)).time_us]
    assert len(set(keys)) == len(keys)


def test_book_tells_what_was_answered_lately_while_more_is_written(tmp_path: Path) -> None:
    book = Book(tmp_path, lanes.probe(), remember=True)
    book.attempt([(number, 1) for number in range(20_000)])
    writer = threading.Thread(target=lambda: [book.acknowledge([number]) for number in range(20_000)])
    writer.start()
    sizes = []
    while writer.is_alive():
        sizes.append(len(book.answers(since=0.0)))
    writer.join()
    assert sizes == sorted(sizes)
    assert len(book.answers(since=0.0)) == 20_000
    assert book.answers(since=time.time() + 60) == {}
    book.close()


def test_answer_without_an_attempt_is_an_error_of_the_harness(tmp_path: Path) -> None:
    book = Book(tmp_path, lanes.probe())
    book.attempt([(0, 1)])
    book.acknowledge([1])
    book.close()
    with pytest.raises(ValueError, match="never sent"):
        ledger.read(tmp_path, "probe")


def test_torn_ledger_is_an_error_of_the_harness(tmp_path: Path) -> None:
    book = Book(tmp_path, lanes.probe())
    book.attempt([(0, 1), (2, 1)])
    book.close()
    with pytest.raises(ValueError, match="leaves numbers out"):
        ledger.read(tmp_path, "probe")
