"""Readings as the bytes of a binary COPY: one form with a delay, one with a receipt."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from hypervision.store import copy

AT = 1_795_341_600_000_000


def rows(data: bytes) -> list[list[Any]]:
    """Each row with its fields as PostgreSQL reads them: a length, then so many bytes; -1 is a null."""
    assert data.startswith(copy.HEAD)
    at, found = len(copy.HEAD), []
    kinds = ("i", "q", "d", "h", "?", "h", "q")
    while (fields := struct.unpack_from(">h", data, at)[0]) != -1:
        at += 2
        row: list[Any] = []
        for kind in kinds[:fields]:
            (length,) = struct.unpack_from(">i", data, at)
            at += 4
            assert length in (-1, struct.calcsize(f">{kind}"))
            row.append(None if length == -1 else struct.unpack_from(f">{kind}", data, at)[0])
            at += max(length, 0)
        found.append(row)
    assert at + 2 == len(data)
    return found


def written(*given: tuple[int, bool]) -> list[list[Any]]:
    """The rows of readings with these delays [us], late or not."""
    count = len(given)
    return rows(
        copy.observations(
            datastream_id=np.arange(count, dtype=np.int32),
            time_us=np.full(count, AT),
            result=np.full(count, 1.5),
            quality=np.full(count, 5, np.int8),
            late=np.array([late for _, late in given], np.bool_),
            received_us=np.array([AT + delay for delay, _ in given], np.int64),
        )
    )


@pytest.mark.parametrize(
    ("delay_us", "told"),
    [
        (0, 0),
        (200_499, 200),
        (200_500, 201),
        (-1_500_000, -1500),
        (32_767_499, 32_767),
        (32_767_500, None),
        (-32_768_500, -32_768),
        (-32_768_501, None),
        # What comes back to the same sixteen bits, and an import of thirty years.
        (65_536_000, None),
        (946_684_800_000_000, None),
    ],
)
def test_receipt_is_a_delay_where_it_fits(delay_us: int, told: int | None) -> None:
    time = AT - copy.PG_EPOCH_US
    if told is None:
        assert written((delay_us, False)) == [[0, time, 1.5, 5, False, None, time + delay_us]]
    else:
        assert written((delay_us, False)) == [[0, time, 1.5, 5, None, told, None]]


def test_late_reading_keeps_its_mark_and_its_receipt() -> None:
    time = AT - copy.PG_EPOCH_US
    assert written((1_000, True)) == [[0, time, 1.5, 5, True, None, time + 1_000]]


def test_both_forms_stand_in_one_copy_each_row_once() -> None:
    found = written((0, False), (60_000_000, False), (2_000, False), (5, True))
    assert [row[0] for row in found] == [0, 2, 1, 3]
    assert [row[5] for row in found] == [0, 2, None, None]


def test_no_readings_are_an_empty_copy() -> None:
    assert written() == []
