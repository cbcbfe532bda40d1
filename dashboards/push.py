"""Pushing to every open screen: a WebSocket, and the same by polling."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query, WebSocket
from fastapi.responses import JSONResponse
from starlette.websockets import WebSocketDisconnect, WebSocketState

from dashboards import town as judge
from dashboards.live import LiveReader, utc_now
from dashboards.routes import is_page
from dashboards.sessions import CALLER, Sessions, caller_account
from dashboards.views import ViewKey, Views
from dashboards.words import LANGUAGES
from hypervision.accounts import Account, Action, may
from hypervision.errors import StoreError

log = logging.getLogger(__name__)

# A message at least this often [s]: it is the beat by which a screen knows that it is alive.
_BEAT: Final = 1.0
# Changes closer than this are told together [s].
_TOGETHER: Final = 0.15
_PAGE_LENGTH: Final = 80


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
        since = None if state.since is None else int(state.since.timestamp() * 1000)
        return {
            "at": int(now.timestamp() * 1000),
            "feed": {"state": state.state, "name": state.name, "since": since},
            **self._views.after(key, after),
        }

    async def still_in(self, token: str, account: Account) -> Account | None:
        """The account of an open socket, while its session lasts; an outage of the database ends none."""
        try:
            return await self._sessions.ask(token)
        except StoreError:
            return account


def view_asked(asked: object) -> tuple[str, str, int] | None:
    """What a screen says it shows: (page, language, number it has); None when it makes no sense."""
    if not isinstance(asked, dict):
        return None
    page, language, after = asked.get("page"), asked.get("language"), asked.get("after")
    if not isinstance(page, str) or len(page) > _PAGE_LENGTH or not is_page(page) or language not in LANGUAGES:
        return None
    if isinstance(after, bool) or not isinstance(after, int) or not 0 <= after < 2**53:
        return None
    return page, str(language), after


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
        return hub.message(ViewKey.of(page, asked[1], caller_account()), after)


async def _serve(socket: WebSocket, hub: Hub, token: str, account: Account) -> None:
    told: dict[str, Any] = {}

    async def listen() -> None:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            # A binary frame has no text.
            asked = view_asked(_parsed(message.get("text") or ""))
            if asked is None:
                await socket.close(4400, "say page, language and after")
                return
            told["view"] = asked

    listening = asyncio.create_task(listen())
    try:
        while not listening.done():
            current = await hub.still_in(token, account)
            if current is None or not may(current, Action.SEE_SCREENS):
                await socket.close(4401, "log in again")
                return
            if "view" in told:
                page, language, after = told["view"]
                message = hub.message(ViewKey.of(page, language, current), after)
                told["view"] = (page, language, message["seq"])
                await socket.send_text(json.dumps({**message, "page": page, "language": language}))
            waiting = told.get("view")
            await asyncio.wait({asyncio.ensure_future(hub.wait()), listening}, return_when=asyncio.FIRST_COMPLETED)
            if waiting == told.get("view"):
                await asyncio.sleep(_TOGETHER)
    finally:
        listening.cancel()
        if listening.done() and not listening.cancelled() and (error := listening.exception()) is not None:
            if not isinstance(error, WebSocketDisconnect):
                raise error
        elif socket.client_state is WebSocketState.CONNECTED:
            log.debug("a screen of %s is left", account.name)


def _parsed(text: str) -> object:
    try:
        return json.loads(text[:1000])
    except (ValueError, RecursionError):
        return None
