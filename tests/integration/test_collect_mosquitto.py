"""The collector with a broker of another kind, whose window is much smaller than a batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from hypervision.services.stage import stage
from hypervision.store.bench import Gauge
from ingest.bench.feeder import Feeder
from ingest.bench.mosquitto import mosquitto as running
from ingest.bench.rig import find_mosquitto
from ingest.bench.runs import NAME
from ingest.session import Address

PROGRAM = find_mosquitto()

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(PROGRAM is None, reason="mosquitto is not installed on this machine"),
]


@pytest.fixture
def mosquitto() -> Iterator[str]:
    """A Mosquitto with its default window of 20 messages; its URL."""
    assert PROGRAM is not None
    with running(PROGRAM, window=None) as url:
        yield url


def test_window_of_twenty_is_drained_without_waiting_for_the_age_of_a_batch(
    mosquitto: str, wait_until: Callable[..., None]
) -> None:
    def make(number: int, now_ms: int) -> tuple[str, bytes]:
        return "urban/v1/water/p1/up", b'{"time":%d,"volume":%d}' % (now_ms - 100_000 + number, number)

    with stage(mqtt_url=mosquitto) as place:
        role = place.start("collect")

        def settled() -> int:
            with Gauge(place.database_url) as gauge:
                return gauge.settled(NAME)[1]

        def connected() -> bool:
            with Gauge(place.database_url) as gauge:
                found = gauge.snapshot(NAME)
            return found is not None and found.link == "connected"

        wait_until(connected, tell=role.tail)
        started = time.monotonic()
        Feeder(Address.parse(mosquitto), make).run(2_000)
        wait_until(lambda: settled() == 2_000, seconds=60, tell=role.tail)
        # Twenty messages at a time, each waiting for the age of a batch, would take 20 s.
        assert time.monotonic() - started < 18
        assert role.stop() == 0
