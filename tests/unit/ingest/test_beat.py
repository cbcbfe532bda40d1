"""The collector's beat ends with the collector, or ends it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from hypervision.errors import TemporaryStoreError
from hypervision.pulse import Pulse
from ingest import beat as beat_module
from ingest.beat import Beat
from ingest.counters import Counters


class FakeIntake:
    """Takes counters, or raises what it is given."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.asked = 0
        self.told: dict[str, Any] = {}

    def publish_counters(self, **values: Any) -> None:
        self.asked += 1
        self.told = values
        if self.failures:
            raise self.failures.pop(0)


def beat_of(intake: FakeIntake, pulse: Pulse) -> Beat:
    return Beat(intake, Counters((0, 0, 0)), link=lambda: "connected", data_dir=None, pulse=pulse)  # type: ignore[arg-type]


def test_beat_that_cannot_go_on_is_raised_where_the_pulse_is_looked_at(wait_until: Callable[..., None]) -> None:
    pulse, intake = Pulse(), FakeIntake(TypeError("no JSON"))
    beat = beat_of(intake, pulse)
    beat.start()
    wait_until(lambda: pulse.failed)
    with pytest.raises(TypeError, match="no JSON"):
        pulse.check()
    beat.stop()
    assert intake.asked == 1


def test_beat_outlives_a_database_that_is_away(
    wait_until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beat_module, "_quiet", SimpleNamespace(warning=lambda *_: None))
    monkeypatch.setattr(beat_module, "EVERY", 0.01)
    pulse, intake = Pulse(), FakeIntake(TemporaryStoreError("away"), OSError("no log"))
    beat = beat_of(intake, pulse)
    beat.start()
    wait_until(lambda: intake.asked > 3)
    beat.stop()
    pulse.check()


def test_beat_tells_how_long_the_reader_stands_still_and_no_time_of_its_own() -> None:
    now = [100.0]
    pulse, intake = Pulse(clock=lambda: now[0]), FakeIntake()
    beat = beat_of(intake, pulse)
    for later, age in ((5.0, 0.0), (10.0, 4.0)):
        now[0] = 100.0 + later
        beat.publish()
        assert intake.told["age"] == age
        assert not any(isinstance(value, datetime) for value in intake.told.values())
