"""When an open screen is told: at once what it asks for, together what comes close."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from starlette.websockets import WebSocketState

from dashboards import push
from hypervision.accounts import Account, Role
from hypervision.scope import EVERYTHING

OPERATOR = Account(1, "operator", Role.OPERATOR, EVERYTHING, None)


class Socket:
    """A browser at the other end."""

    client_state = WebSocketState.CONNECTED

    def __init__(self) -> None:
        self.asked: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def show(self, page: str) -> None:
        self.asked.put_nowait(
            {"type": "websocket.receive", "text": json.dumps({"page": page, "language": "fr", "after": 0})}
        )

    async def receive(self) -> dict[str, Any]:
        return await self.asked.get()

    async def send_text(self, text: str) -> None:
        self.told.put_nowait(json.loads(text))


class Hub:
    """Nothing changes in the town until it is told to."""

    def __init__(self) -> None:
        self.woken = asyncio.Event()

    async def wait(self) -> None:
        await self.woken.wait()

    def message(self, key: Any, _after: int) -> dict[str, Any]:
        return {"seq": 1, "shown": key.page}

    async def still_in(self, _token: str, account: Account) -> Account:
        return account


def test_page_that_is_opened_is_told_at_once_and_of_many_the_last() -> None:
    async def story() -> None:
        socket, hub = Socket(), Hub()
        serving = asyncio.create_task(push._serve(socket, hub, "token", OPERATOR))  # type: ignore[arg-type]
        socket.show("/alarms")
        # The town never wakes this screen: it waits for nothing but its own question.
        assert (await asyncio.wait_for(socket.told.get(), 10))["shown"] == "/alarms"
        began = time.monotonic()
        for _ in range(50):
            socket.show("/map")
            socket.show("/health")
        shown = ""
        while shown != "/health":
            shown = (await asyncio.wait_for(socket.told.get(), 10))["shown"]
        await asyncio.sleep(0)
        # No oftener than changes that come close together are told.
        assert socket.told.qsize() <= (time.monotonic() - began) / push._TOGETHER + 1
        socket.asked.put_nowait({"type": "websocket.disconnect"})
        await asyncio.wait_for(serving, 10)

    asyncio.run(story())


def test_screen_that_asks_for_nothing_is_told_nothing() -> None:
    async def story() -> None:
        socket, hub = Socket(), Hub()
        serving = asyncio.create_task(push._serve(socket, hub, "token", OPERATOR))  # type: ignore[arg-type]
        hub.woken.set()
        await asyncio.sleep(0)
        socket.asked.put_nowait({"type": "websocket.disconnect"})
        await asyncio.wait_for(serving, 10)
        assert socket.told.empty()

    asyncio.run(story())
