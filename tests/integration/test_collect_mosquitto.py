"""The collector with a broker of another kind, whose window is much smaller than a batch."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hypervision.services import ports
from hypervision.store.bench import Gauge
from ingest.bench.feeder import Feeder
from ingest.bench.runs import NAME
from ingest.bench.stage import stage
from ingest.session import Address

PROGRAM = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin:/usr/bin:/usr/local/bin")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(PROGRAM is None, reason="mosquitto is not installed on this machine"),
]


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[str]:
    """A Mosquitto with its default window of 20 messages; its URL."""
    port = ports.free()
    settings = tmp_path / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n", "utf-8")
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([str(PROGRAM), "-c", str(settings)], stdout=log, stderr=log)
    deadline = time.monotonic() + 10
    while not ports.answers(port):
        assert process.poll() is None, (tmp_path / "log").read_text()
        assert time.monotonic() < deadline, (tmp_path / "log").read_text()
        time.sleep(0.02)
    yield f"mqtt://127.0.0.1:{port}"
    process.terminate()
    process.wait(10)


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
