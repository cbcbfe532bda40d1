from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from models.clock import MINUTE, SECOND, local_time, offsets


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"])
def test_local_time_all_year_equals_the_standard_library(zone: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    instants = [start + timedelta(minutes=37 * i) for i in range(14_000)]
    times = np.array([int(i.timestamp()) * SECOND for i in instants], np.int64)
    found = local_time(times, ZoneInfo(zone))
    expected = [i.astimezone(ZoneInfo(zone)) for i in instants]
    assert found.minute.tolist() == [e.hour * 60 + e.minute for e in expected]
    assert found.weekday.tolist() == [e.weekday() for e in expected]
    assert found.day.tolist() == [(e.date() - datetime(1970, 1, 1).date()).days for e in expected]  # noqa: DTZ001


def test_offsets_of_nothing_are_nothing() -> None:
    assert len(offsets(np.empty(0, np.int64), ZoneInfo("Europe/Paris"))) == 0


def test_local_time_in_autumn_repeats_an_hour() -> None:
    before = int(datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()) * SECOND
    times = np.array([before, before + 60 * MINUTE], np.int64)
    assert local_time(times, ZoneInfo("Europe/Paris")).minute.tolist() == [150, 150]
