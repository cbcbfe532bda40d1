"""Where stored readings are looked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from hypervision.clock import to_us
from hypervision.store.spans import Spans, spans

AT = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def found(*keys: tuple[int, datetime]) -> list[Spans]:
    ordered = sorted(keys)
    return list(
        spans(np.array([key[0] for key in ordered], np.int32), np.array([to_us(key[1]) for key in ordered], np.int64))
    )


def test_nothing_is_looked_for_where_nothing_is_staged() -> None:
    assert found() == []


def test_one_very_old_reading_is_a_span_of_its_own_month() -> None:
    old = AT - 4000 * DAY
    assert found((1, old), (1, AT), (2, AT), (2, AT + DAY)) == [
        Spans([1], [old], [old], old, old),
        Spans([1, 2], [AT, AT], [AT, AT + DAY], AT, AT + DAY),
    ]


def test_span_ends_at_a_long_silence_and_at_the_end_of_the_month() -> None:
    end = datetime(2026, 3, 31, 23, 59, tzinfo=UTC)
    late = end + timedelta(minutes=2)
    assert found((1, AT), (1, AT + 1.5 * DAY), (1, end), (1, late)) == [
        Spans([1] * 3, [AT, AT + 1.5 * DAY, end], [AT, AT + 1.5 * DAY, end], AT, end),
        Spans([1], [late], [late], late, late),
    ]
