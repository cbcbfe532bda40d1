"""Pushing to every open screen: a WebSocket, and the same by polling."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query, WebSocket
from fastapi.responses import JSONResponse
from starlette.websockets import WebSocketDisconnect, WebSocketState

from dashboards import town as judge
from dashboards.live import LiveReader, utc_now
from dashboards.routes import action_of_page, page_of
from dashboards.sessions import CALLER, Sessions, caller_account
from dashboards.views import ViewKey, Views
from dashboards.words import LANGUAGES
from hypervision.accounts import Account, may
from hypervision.errors import StoreError

log = logging.getLogger(__name__)

# A message at least this often [s]: it is the beat by which a screen knows that it is alive.
_BEAT: Final = 1.0
# Changes closer than this are told together [s].
_TOGETHER: Final = 0.15
# The longest code of a Thing, with every letter but the first a colon that is written %3A.
_PAGE_LENGTH: Final = len("/asset/") + 1 + 3 * 63
_CLOSE_SENSE, _CLOSE_LOG_IN, _CLOSE_FORBIDDEN = 4400, 4401, 4403


class Hub:
    """Wakes every open screen when the reader has looked.

    Parameters
    ----------
    views : Views
        What is told.
    reader : LiveReader
        Who wakes us.
    sessions : Sessions
        Asked again while a socket is open: a log-out ends it.
    """

    def __init__(self, views: Views, reader: LiveReader, sessions: Sessions) -> None:
        self._views = views
        self._reader = reader
        self._sessions = sessions
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken: asyncio.Event | None = None
        self.screens = 0

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to listen to the reader, in the loop that serves the screens."""
        self._loop = loop
        self._woken = asyncio.Event()
        self._reader.changed = self._changed

    def _changed(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        assert self._woken is not None
        self._woken.set()
        self._woken = asyncio.Event()

    async def wait(self) -> None:
        """Wait for the next look of the reader, a beat at most."""
        assert self._woken is not None
        try:
            await asyncio.wait_for(self._woken.wait(), _BEAT)
        except TimeoutError:
            return

    def message(self, key: ViewKey, after: int) -> dict[str, Any]:
        """What a screen must be told: the beat with the state of the feed, and what changed."""
        now = utc_now()
        state = judge.feed(self._reader.town, now=now)
        since = None if state.since is None else judge.milliseconds(state.since)
        return {
            "at": judge.milliseconds(now),
            "feed": {"state": state.state, "name": state.name, "since": since},
            **self._views.after(key, after),
        }

    async def still_in(self, token: str, account: Account) -> Account | None:
        """The account of an open socket, while its session lasts; an outage of the database ends none."""
        try:
            return await self._sessions.ask(token)
        except StoreError:
            return account


@dataclass(frozen=True, slots=True)
class Asked:
    """What a screen says it shows.

    Attributes
    ----------
    address : str
        The path in its address line; answers carry it, so that the screen knows whether they are still for it.
    page : str
        The same, decoded.
    after : int
        The number of the last change it has.
    """

    address: str
    page: str
    language: str
    after: int


def view_asked(asked: object) -> Asked | None:
    """What a screen says it shows; None when it makes no sense."""
    if not isinstance(asked, dict):
        return None
    address, language, after = asked.get("page"), asked.get("language"), asked.get("after")
    if not isinstance(address, str) or len(address) > _PAGE_LENGTH or language not in LANGUAGES:
        return None
    if isinstance(after, bool) or not isinstance(after, int) or not 0 <= after < 2**53:
        return None
    page = page_of(address)
    return None if page is None else Asked(address, page, str(language), after)


def register(app: FastAPI, hub: Hub) -> None:
    """Add the socket and its fallback."""

    @app.websocket("/live")
    async def live(socket: WebSocket) -> None:
        caller = CALLER.get()
        await socket.accept()
        hub.screens += 1
        try:
            await _serve(socket, hub, caller.token, caller_account())
        except WebSocketDisconnect:
            pass
        finally:
            hub.screens -= 1

    @app.get("/api/v1/live", include_in_schema=False)
    async def poll(
        page: Annotated[str, Query(max_length=_PAGE_LENGTH)],
        after: Annotated[int, Query(ge=0, lt=2**53)],
        language: str = "fr",
    ) -> Any:
        asked = view_asked({"page": page, "after": after, "language": language})
        if asked is None:
            return JSONResponse({"detail": "no such page or language"}, 422)
        account = caller_account()
        if not may(account, action_of_page(asked.page)):
            return JSONResponse({"detail": f"your role ({account.role}) may not see this page"}, 403)
        return hub.message(ViewKey.of(asked.page, asked.language, account), after)


async def _serve(socket: WebSocket, hub: Hub, token: str, account: Account) -> None:
    shown: Asked | None = None
    anew = asyncio.Event()

    async def listen() -> None:
        nonlocal shown
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            # A binary frame has no text.
            asked = view_asked(_parsed(message.get("text") or ""))
            if asked is None:
                await socket.close(_CLOSE_SENSE, "say page, language and after")
                return
            shown = asked
            anew.set()

    listening = asyncio.create_task(listen())
    try:
        while not listening.done():
            began = time.monotonic()
            anew.clear()
            current = await hub.still_in(token, account)
            if current is None:
                await socket.close(_CLOSE_LOG_IN, "log in again")
                return
            if (current.role, current.scope) != (account.role, account.scope):
                # The log-in still stands: it leads back to the page, which is drawn anew with what may be seen now.
                await socket.close(_CLOSE_LOG_IN, "your account has changed: load the page again")
                return
            if (asked := shown) is not None:
                if not may(current, action_of_page(asked.page)):
                    await socket.close(_CLOSE_FORBIDDEN, f"your role ({current.role}) may not see this page")
                    return
                message = hub.message(ViewKey.of(asked.page, asked.language, current), asked.after)
                shown = waiting = replace(asked, after=message["seq"])
                told = {**message, "page": asked.address, "language": asked.language}
                await socket.send_text(json.dumps(told))
            else:
                waiting = None
            await _first(listening, hub.wait(), anew.wait())
            # Who opens a page does not wait for the next look of the reader; who opens many at once is told the last.
            rest = _TOGETHER if waiting is shown else _TOGETHER - (time.monotonic() - began)
            await asyncio.sleep(max(rest, 0.0))
    finally:
        listening.cancel()
        if listening.done() and not listening.cancelled() and (error := listening.exception()) is not None:
            if not isinstance(error, WebSocketDisconnect):
                raise error
        elif socket.client_state is WebSocketState.CONNECTED:
            log.debug("a screen of %s is left", account.name)


async def _first(listening: asyncio.Task[None], *others: Coroutine[Any, Any, object]) -> None:
    """Wait until one of them is done; the others, but for the listening, are given up."""
    tasks = [asyncio.create_task(each) for each in others]
    try:
        await asyncio.wait({*tasks, listening}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _parsed(text: str) -> object:
    try:
        return json.loads(text[:1000])
    except (ValueError, RecursionError):
        return None
