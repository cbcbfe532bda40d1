"""Scripts and styles packed once: what is kept, for whom, and what goes by as it is."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import dashboards
from dashboards.packed import Packed, pack, understands_brotli

SCRIPT = b"const what = 'is repeated';\n" * 500
BROTLI = [(b"accept-encoding", b"gzip, deflate, br, zstd")]


class Files:
    """An application that counts what it is asked for."""

    def __init__(self, body: bytes = SCRIPT, *, kind: bytes = b"application/javascript", status: int = 200) -> None:
        self.asked: list[list[tuple[bytes, bytes]]] = []
        self.body, self.kind, self.status = body, kind, status

    async def __call__(self, scope: Any, _receive: Any, send: Callable[..., Any]) -> None:
        self.asked.append(scope["headers"])
        headers = [
            (b"content-type", self.kind),
            (b"content-length", str(len(self.body)).encode()),
            (b"etag", b'"abc"'),
            (b"cache-control", b"public, max-age=60"),
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        half = len(self.body) // 2
        await send({"type": "http.response.body", "body": self.body[:half], "more_body": True})
        await send({"type": "http.response.body", "body": self.body[half:]})


async def get(app: Packed, path: str, headers: list[tuple[bytes, bytes]], *, method: str = "GET") -> Any:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    await app({"type": "http", "method": method, "path": path, "headers": headers}, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], dict(sent[0]["headers"]), body


def unpacked(body: bytes) -> bytes:
    return pa.Codec("brotli").decompress(body, decompressed_size=len(SCRIPT), asbytes=True)


def test_script_is_fetched_once_and_gets_smaller() -> None:
    async def story() -> None:
        files = Files()
        app = Packed(files, calm=0.0)
        first = await get(app, "/assets/20-live.js", BROTLI)
        await asyncio.gather(*app._tasks)
        second = await get(app, "/assets/20-live.js", BROTLI)
        for status, headers, body in (first, second):
            assert status == 200
            assert unpacked(body) == SCRIPT
            assert headers[b"content-encoding"] == b"br"
            assert int(headers[b"content-length"]) == len(body)
            assert headers[b"vary"] == b"Accept-Encoding"
            assert headers[b"cache-control"] == b"public, max-age=60"
            assert headers[b"etag"] == b'W/"abc"'
        assert len(second[2]) <= len(first[2]) < len(SCRIPT) / 10
        assert len(files.asked) == 1
        assert not any(name == b"accept-encoding" for name, _ in files.asked[0])

    asyncio.run(story())


@pytest.mark.parametrize(
    ("path", "headers", "method"),
    [
        ("/assets/20-live.js", [(b"accept-encoding", b"gzip")], "GET"),
        ("/assets/20-live.js", [*BROTLI, (b"if-none-match", b'"abc"')], "GET"),
        ("/assets/20-live.js", [*BROTLI, (b"range", b"bytes=0-9")], "GET"),
        ("/assets/20-live.js", BROTLI, "HEAD"),
        ("/api/v1/alarms", BROTLI, "GET"),
        ("/", BROTLI, "GET"),
    ],
)
def test_other_requests_go_by_untouched(path: str, headers: list[tuple[bytes, bytes]], method: str) -> None:
    async def story() -> None:
        files = Files()
        app = Packed(files)
        for _ in range(2):
            status, told, body = await get(app, path, headers, method=method)
            assert (status, body) == (200, SCRIPT)
            assert b"content-encoding" not in told
        assert files.asked == [headers, headers]

    asyncio.run(story())


@pytest.mark.parametrize(
    "files",
    [
        Files(b"x" * 100),
        Files(kind=b"image/png"),
        Files(status=404),
        Files(b""),
    ],
    ids=["small", "picture", "missing", "empty"],
)
def test_answer_that_is_not_to_be_packed_is_sent_as_it_is_and_not_kept(files: Files) -> None:
    async def story() -> None:
        app = Packed(files)
        for _ in range(2):
            status, headers, body = await get(app, "/static/a", BROTLI)
            assert (status, body) == (files.status, files.body)
            assert b"content-encoding" not in headers
        assert len(files.asked) == 2

    asyncio.run(story())


def test_made_up_names_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboards.packed._MOST", 3)

    async def story() -> None:
        app = Packed(Files(), calm=0.0)
        for number in range(10):
            status, _, _ = await get(app, f"/_dash-component-suites/dash/x.v{number}.js", BROTLI)
            assert status == 200
        await asyncio.gather(*app._tasks)
        assert len(app._kept) == 3

    asyncio.run(story())


def test_weight_of_zero_refuses() -> None:
    assert understands_brotli([(b"accept-encoding", b"br")])
    assert not understands_brotli([(b"accept-encoding", b"br; q=0, gzip")])
    assert not understands_brotli([(b"accept-encoding", b"bright, gzip")])


def test_better_packing_is_smaller() -> None:
    text = b"".join(path.read_bytes() for path in sorted((Path(dashboards.__file__).parent / "assets").glob("*.js")))
    assert len(pack(text, 11)) < len(pack(text, 5)) < len(text)


def test_best_packing_waits_for_calm_and_leaves_the_threads_to_whoever_opens_a_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[float] = []
    started, go_on = threading.Event(), threading.Event()

    def slowly(body: bytes, level: int) -> bytes:
        if level > 5:
            begun.append(time.monotonic())
            started.set()
            assert go_on.wait(20)
        return pack(body, 1)

    monkeypatch.setattr("dashboards.packed.pack", slowly)

    async def story() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
        app = Packed(Files(), calm=0.2)
        for number in range(5):
            await get(app, f"/assets/{number}.js", BROTLI)
        asked = time.monotonic()
        assert begun == []
        assert await asyncio.to_thread(started.wait, 20)
        assert begun[0] - asked > 0.15
        # One is packed as well as can be, four wait for that: a page that is opened now has its file at once.
        try:
            await asyncio.wait_for(get(app, "/assets/new.js", BROTLI), 10)
            assert len(begun) == 1
        finally:
            go_on.set()
        await asyncio.gather(*app._tasks)
        assert len(begun) == 6

    asyncio.run(story())
