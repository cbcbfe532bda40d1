"""A database that is away longer than the broker waits: redelivery, bounded memory, a line kept alive."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil
import pytest

from hypervision.services.stage import stage
from hypervision.store.bench import Gauge
from hypervision.store.connection import connect
from ingest.bench.feeder import Feeder
from ingest.bench.runs import NAME
from ingest.session import Address

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("batch_size", [5000, 50], ids=["all_held", "socket_left_unread"])
def test_long_outage_stores_each_message_once(batch_size: int, wait_until: Callable[..., None]) -> None:
    messages, filler = 6_000, " " * 2_000

    def make(number: int, now_ms: int) -> tuple[str, bytes]:
        return "urban/v1/water/p1/up", b'{"time":%d,"seq":%d,"volume":%d}' % (
            now_ms - 100_000 + number,
            number,
            number,
        ) + filler.encode()

    # One Thing sends all of it within a few seconds of its own time: more than a Thing may without this.
    settings = {"BROKER__ACK_WAIT": "2", "INGEST__BATCH_SIZE": str(batch_size), "INGEST__RATE": "0"}
    with stage(settings=settings) as place:
        role = place.start("collect")

        def snapshot() -> tuple[int, ...] | None:
            with Gauge(place.database_url) as gauge:
                found = gauge.snapshot(NAME)
            return None if found is None or found.link != "connected" else found[:5]

        wait_until(snapshot, tell=role.tail)
        before = psutil.Process(role.process.pid).memory_info().rss
        place.roles["database"].kill()
        Feeder(Address.parse(place.mqtt_url("device")), make).run(messages)
        # Three times the broker's patience: what is held comes again, and counts nothing.
        until = time.monotonic() + 6.5
        wait_until(lambda: time.monotonic() > until or not role.running, tell=role.tail)
        assert role.running, role.tail()
        grown = psutil.Process(role.process.pid).memory_info().rss - before
        assert grown < 120_000_000, f"{grown / 1e6:.0f} MB"
        place.start("database")
        wait_until(
            lambda: (snapshot() or (0, 0))[1] == messages, seconds=60, tell=lambda: f"{snapshot()} {role.tail()}"
        )
        wait_until(lambda: (snapshot() or (0, 0, 0, 0, 1))[4] == 0, tell=lambda: f"{snapshot()} {role.tail()}")
        received, stored, duplicate, rejected, _ = snapshot() or (0,) * 5
        assert (stored, rejected) == (messages, 0)
        assert received == stored + duplicate
        if batch_size == 5000:
            # Each message came again about three times and counted nothing; only copies that crossed our
            # acknowledgements on the line are received a second time, and on a busy machine there are some.
            assert duplicate < messages / 4

        def gaps() -> list[tuple[str, float]]:
            with connect(place.database_url, application="test") as connection:
                rows = connection.execute(
                    "SELECT cause, extract(epoch FROM \"end\" - start)::float8 FROM gaps WHERE cause <> 'silence'"
                )
                return rows.fetchall()

        # The outage is told, once; and what came twice and out of order leaves no number missing.
        wait_until(gaps, tell=role.tail)
        ((cause, seconds),) = gaps()
        assert cause == "database"
        assert seconds > 5
        assert role.stop() == 0, role.tail()
