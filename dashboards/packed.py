"""Scripts and styles, packed once and kept: a first load is small, and no two browsers wait for the same work.

A browser that understands Brotli gets it (RFC 7932), a fifth less than gzip; the best packing takes seconds, so a
quick one answers until nobody is opening a page for a moment. Only what never changes while a server runs is kept;
everything else is packed as it is sent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What never changes while a server runs.
_PLACES: Final = ("/_dash-component-suites/", "/assets/", "/static/")
_TEXTS: Final = ("text/", "application/javascript", "application/json", "image/svg+xml")
_LEAST: Final = 700
_QUICK, _GOOD, _BEST = 5, 9, 11
# Of a larger file the best packing takes many seconds for a few percent [bytes].
_LARGE: Final = 2_000_000
# Whoever opens a page comes first: the best packing begins when no file was asked for in this time [s], or after the
# longer one, since somebody may always be opening a page.
_CALM, _PATIENCE = 3.0, 60.0
# Who asks for made-up versions of a file's name gets what is packed as it is sent.
_MOST: Final = 400
_CONDITIONS: Final = (b"if-none-match", b"if-modified-since", b"range")
Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class _Kept:
    headers: Headers
    body: bytes


class Packed:
    """ASGI middleware.

    Parameters
    ----------
    app : ASGI application
        Whatever packs everything else.
    calm : float
        How long nothing must have been asked for before the best packing begins [s].
    """

    def __init__(self, app: ASGIApp, *, calm: float = _CALM) -> None:
        self._app = app
        self._calm = calm
        self._asked = time.monotonic()
        self._kept: MutableMapping[str, _Kept] = {}
        # One after the other, and whoever waits for its turn has no thread: the server has few, and work for them.
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is kept, or keep what is answered."""
        if not _is_ours(scope):
            await self._app(scope, receive, send)
            return
        self._asked = time.monotonic()
        path = scope["path"]
        kept = self._kept.get(path)
        if kept is None:
            kept = await self._fetch(scope, receive, send)
        if kept is not None:
            await send({"type": "http.response.start", "status": 200, "headers": kept.headers})
            await send({"type": "http.response.body", "body": kept.body})

    async def _fetch(self, scope: Scope, receive: Receive, send: Send) -> _Kept | None:
        """Ask for a file unpacked; None where its answer is not to be kept, and was sent as it is."""
        if len(self._kept) >= _MOST:
            await self._app(scope, receive, send)
            return None
        start: Message = {}
        parts: list[bytes] = []

        async def take(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))

        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await self._app({**scope, "headers": plain}, receive, take)
        body = b"".join(parts)
        headers = list(start.get("headers", ()))
        if start.get("status") != 200 or len(body) < _LEAST or not _is_text(headers):
            await send(start)
            await send({"type": "http.response.body", "body": body})
            return None
        # Quick enough to be waited for.
        small = await asyncio.to_thread(pack, body, _QUICK)
        kept = self._kept[scope["path"]] = _Kept(_with_length(headers, len(small)), small)
        task = asyncio.create_task(self._improve(scope["path"], headers, body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return kept

    async def _improve(self, path: str, headers: Headers, body: bytes) -> None:
        latest = time.monotonic() + _PATIENCE
        async with self._turn:
            while (rest := min(self._asked + self._calm, latest) - time.monotonic()) > 0:  # noqa: ASYNC110 -- it moves on
                await asyncio.sleep(rest)
            small = await asyncio.to_thread(pack, body, _BEST if len(body) < _LARGE else _GOOD)
        if len(small) < len(self._kept[path].body):
            self._kept[path] = _Kept(_with_length(headers, len(small)), small)


def pack(body: bytes, level: int) -> bytes:
    """Pack with Brotli, from 0 (quick) to 11 (small)."""
    import pyarrow as pa

    return bytes(pa.Codec("brotli", compression_level=level).compress(body, asbytes=True))


def understands_brotli(headers: Headers) -> bool:
    """Whether a browser says so.

    Examples
    --------
    >>> understands_brotli([(b"accept-encoding", b"gzip, deflate, br;q=1.0")])
    True
    >>> understands_brotli([(b"accept-encoding", b"gzip, br;q=0")]), understands_brotli([])
    (False, False)
    """
    told = b",".join(value for name, value in headers if name == b"accept-encoding").decode("latin-1").lower()
    for each in told.split(","):
        name, _, weight = each.strip().partition(";")
        if name == "br":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _is_ours(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(_PLACES):
        return False
    headers = scope["headers"]
    return understands_brotli(headers) and not any(name in _CONDITIONS for name, _ in headers)


def _is_text(headers: Headers) -> bool:
    kind = next((value for name, value in headers if name == b"content-type"), b"").decode("latin-1")
    packed = any(name == b"content-encoding" for name, _ in headers)
    return kind.startswith(_TEXTS) and not packed


def _with_length(headers: Headers, length: int) -> Headers:
    left = (b"content-length", b"content-encoding", b"vary", b"etag", b"accept-ranges")
    kept = [(name, value) for name, value in headers if name not in left]
    # Of the same file packed otherwise the tag is another one (RFC 9110, section 8.8.3.3).
    tags = [(name, b"W/" + value.removeprefix(b"W/")) for name, value in headers if name == b"etag"]
    told = [(b"content-length", str(length).encode()), (b"content-encoding", b"br"), (b"vary", b"Accept-Encoding")]
    return [*kept, *tags, *told]
