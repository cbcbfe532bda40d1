"""What nobody, without a log-in, can do to the web server by sending what is no request."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.browser.fake_town import Town, running

pytestmark = pytest.mark.integration

_MB = 1_000_000


@pytest.fixture(scope="module")
def town(_database_server: tuple[Path, int]) -> Iterator[Town]:
    with running(_database_server) as made:
        yield made


def _connect(town: Town) -> socket.socket:
    parts = urlsplit(town.base)
    made = socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10)
    made.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
    return made


def _served(town: Town) -> None:
    assert httpx.get(f"{town.base}/api/health/live", timeout=10).status_code == 200, town.tail()


@pytest.mark.parametrize("part", [b"x-long: " + b"a" * 65_536, b"x-many: a\r\n" * 6_000])
def test_header_without_an_end_is_cut_and_costs_no_memory(town: Town, part: bytes) -> None:
    _served(town)
    process = psutil.Process(town.server.pid)
    before = highest = process.memory_info().rss
    sent = 0
    # What is sent after the server hung up is refused by the kernel.
    with _connect(town) as hostile, contextlib.suppress(ConnectionError):
        while sent < 50 * _MB:
            hostile.sendall(part)
            sent += len(part)
            if sent % (4 * _MB) < len(part):
                highest = max(highest, process.memory_info().rss)
                _served(town)
    assert sent < 20 * _MB, f"{sent} bytes of headers were taken"
    assert highest - before < 60 * _MB, f"{(highest - before) // _MB} MB more"
    _served(town)


def test_broken_requests_do_not_fill_the_log(town: Town) -> None:
    before = town.log.read_bytes().count(b"\n")
    for _ in range(300):
        with _connect(town) as hostile, contextlib.suppress(ConnectionError):
            hostile.sendall(b"no header at all\r\n\r\n")
            hostile.recv(100)
    deadline = time.monotonic() + 10
    while b"Invalid HTTP request" not in town.log.read_bytes():
        assert time.monotonic() < deadline, town.tail()
        time.sleep(0.05)
    assert town.log.read_bytes().count(b"\n") - before < 20
    _served(town)


def test_health_is_not_told_to_a_page_whose_name_was_made_to_lead_here(town: Town) -> None:
    port = urlsplit(town.base).port
    for path in ("/api/health", "/metrics"):
        assert httpx.get(town.base + path, timeout=10).status_code == 200
        assert httpx.get(town.base + path, headers={"host": f"evil.example:{port}"}, timeout=10).status_code == 401
