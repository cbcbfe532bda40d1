"""Which partitions are packed, and into what."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypervision.store.partitions import WHOLE_MONTH, Job, Partition, days_in, jobs, of_day, of_month

BEFORE = date(2026, 11, 15)


def day(number: int, *, month: int = 10, packed: bool = False, rows: int = 1000) -> Partition:
    at = date(2026, month, number)
    return Partition(of_day(at), at, at + timedelta(days=1), packed, rows, 60 * rows, 30 * rows)


def test_days_of_a_month_that_is_over_become_one() -> None:
    parts = [day(1), day(2, packed=True), day(31), day(1, month=11)]
    assert jobs(parts, {}, before=BEFORE) == [
        Job(("observation_20261001", "observation_20261002", "observation_20261031"), "observation_202610",
            date(2026, 10, 1), date(2026, 11, 1)),
        Job(("observation_20261101",), "observation_20261101", date(2026, 11, 1), date(2026, 11, 2)),
    ]  # fmt: skip


def test_days_that_are_young_stay_open() -> None:
    assert [job.target for job in jobs([day(14, month=11), day(15, month=11)], {}, before=BEFORE)] == [
        "observation_20261114"
    ]


def test_month_that_is_not_over_is_packed_by_day_once() -> None:
    assert jobs([day(1, month=11, packed=True), day(2, month=11, packed=True)], {}, before=BEFORE) == []


def test_month_of_more_rows_than_one_table_should_have_stays_by_day() -> None:
    parts = [day(1, rows=WHOLE_MONTH), day(2, rows=1)]
    assert [job.target for job in jobs(parts, {}, before=BEFORE)] == ["observation_20261001", "observation_20261002"]


def test_packed_partition_is_packed_again_after_many_late_rows_only() -> None:
    month = Partition(of_month(BEFORE), date(2026, 10, 1), date(2026, 11, 1), True, 1_000_000, 0, 0)
    assert jobs([month], {date(2026, 10, 5): 20_000, date(2026, 11, 5): 9_000_000}, before=BEFORE) == []
    (job,) = jobs([month], {date(2026, 10, 5): 20_000, date(2026, 10, 6): 1}, before=BEFORE)
    assert job.sources == (job.target,) == (month.name,)


def test_days_lie_in_partitions_of_their_day_or_their_month() -> None:
    names = ["observation_20261101", "observation_202610"]
    days = [date(2026, 11, 1), date(2026, 11, 2), date(2026, 10, 31)]
    assert days_in(days, names) == {days[0], days[2]}


def test_partition_that_is_being_dropped_is_left_alone_and_takes_its_place() -> None:
    parts = [replace(day(1), pending=True), day(2), day(3)]
    assert [job.target for job in jobs(parts, {}, before=BEFORE)] == ["observation_20261002", "observation_20261003"]
