"""Settings of retention, and how sizes are told."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from hypervision import retention
from hypervision.errors import SettingError
from hypervision.settings import StorageSettings, load
from hypervision.store.partitions import Partition
from hypervision.store.retention import Dropped
from hypervision.store.sizes import Sizes
from hypervision.verb import storage

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"pack_after": "2"}, "storage.pack_after"),
        ({"pack_after": "-1"}, "storage.pack_after"),
        ({"keep_readings": "30"}, "storage.keep_readings"),
        ({"keep_gaps": "1"}, "storage.keep_gaps"),
        ({"keep_hours": "100"}, "keep_hours at least as long as keep_readings"),
        ({"keep_readings": "100", "keep_hours": "99"}, "keep_hours at least as long as keep_readings"),
        ({"keep_readings": "100", "keep_hours": "200", "keep_days": "150"}, "keep_days at least as long as keep_hours"),
    ],
)
def test_retention_that_cannot_be_meant_is_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(SettingError) as caught:
        load({f"HYPERVISION_STORAGE__{key.upper()}": value for key, value in given.items()})
    assert words in f"{caught.value} {caught.value.remedy}"


def test_roll_ups_outlive_the_readings_unless_told_otherwise() -> None:
    kept = StorageSettings(keep_readings=100)
    assert list(retention.limits(kept, now=NOW)) == ["readings"]
    assert retention.limits(StorageSettings(), now=NOW) == {}
    assert retention.kept_from_us(StorageSettings(), now=NOW) == 0
    assert retention.kept_from_us(kept, now=NOW) == 1_786_665_600_000_000  # 2026-08-14 00:00 UTC


def test_sizes_are_told_apart_by_open_and_packed() -> None:
    parts = [
        Partition("observation_202610", date(2026, 10, 1), date(2026, 11, 1), True, 1_000_000, 60_000_000, 0),
        Partition("observation_20261122", date(2026, 11, 22), date(2026, 11, 23), False, 10_000, 600_000, 300_000),
        Partition("observation_20261123", date(2026, 11, 23), date(2026, 11, 24), False, 0, 0, 8192),
    ]
    found = storage.lines(Sizes(parts, NOW, 12, 500, 80_000, 70_000_000), StorageSettings(), today=NOW.date())
    assert found == [
        "database   70.0 MB",
        "readings   about 1,010,000 in 60.9 MB, 2 partitions: 60.3 bytes each (60.0 heap, 0.3 index)",
        "  open     about 10,000 in 900.0 kB, 1 partition: 90.0 bytes each (60.0 heap, 30.0 index)",
        "  packed   about 1,000,000 in 60.0 MB, 1 partition: 60.0 bytes each (60.0 heap, 0.0 index)",
        "oldest     2026-10-01",
        "newest     2026-11-22 10:00:00 UTC",
        "ahead      1 partition, to the end of 2026-11-23",
        "roll-ups   about 500 in 80.0 kB; 12 hours wait to be computed",
        "kept       readings for ever, hourly roll-ups for ever, daily roll-ups for ever, gaps for ever",
        "packing    after 7 days",
    ]


def test_empty_database_is_told_as_one() -> None:
    found = storage.lines(Sizes([], None, 0, 0, 0, 0), StorageSettings(pack_after=0), today=NOW.date())
    assert found[1:6] == ["readings   none", "  open     none", "  packed   none", "oldest     none", "newest     none"]
    assert found[-1] == "packing    never"


def test_what_goes_is_told_with_its_room() -> None:
    readings = Dropped("readings", NOW, 1000, 60_000, ("observation_202601",))
    assert storage.told(readings, would=True) == (
        "would drop readings before 2026-11-22: 1,000 rows, 60.0 kB in 1 partition"
    )
    assert storage.told(Dropped("gaps", NOW, 3), would=False) == "dropped gaps before 2026-11-22: 3 rows"
    failed = Dropped("hours", NOW, 0, failure="database: it took too long")
    assert storage.told(failed, would=False) == (
        "not all hourly roll-ups that are no longer kept could be dropped: database: it took too long"
    )
