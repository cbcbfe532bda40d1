"""A TCP proxy that can fall silent, in one direction or both, delay, refuse and tear down; for loopback only."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Self

_CHUNK: Final = 65_536


class Proxy:
    """Stands between a client and a server, in a thread of its own.

    Parameters
    ----------
    target : callable
        The server's port; asked at each connection.
    port : int
        Own port; 0 for a free one.

    Attributes
    ----------
    port : int
        Where clients connect.
    """

    def __init__(self, target: Callable[[], int], *, port: int = 0) -> None:
        self._target = target
        self.port = port
        self._delay = 0.0
        self._refusing = False
        self._links: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self._loop = asyncio.new_event_loop()
        self._open: dict[str, asyncio.Event] = {}
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._ready = threading.Event()
        self._failure: OSError | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return self

    def __exit__(self, *_exception: object) -> None:
        self._do(self._stop)
        self._thread.join(10)

    @property
    def links(self) -> int:
        """Connections that stand at the moment."""
        return len(self._links)

    def hold(self, *, up: bool = True, down: bool = True) -> None:
        """Let nothing through from the client (up) or from the server (down), and close nothing."""
        for way, wanted in (("up", up), ("down", down)):
            if wanted:
                self._do(self._open[way].clear)

    def release(self) -> None:
        """Let everything through again, what was held first."""
        self._delay, self._refusing = 0.0, False
        for event in self._open.values():
            self._do(event.set)

    def delay(self, seconds: float) -> None:
        """Hold every piece back for so long."""
        self._delay = seconds

    def refuse(self) -> None:
        """Tear down what stands, and whatever comes."""
        self._refusing = True
        self.sever()

    def sever(self) -> None:
        """Tear down every connection; what was held back is gone."""
        self._do(self._cut)

    def _do(self, work: Callable[[], object]) -> None:
        done = threading.Event()

        def run() -> None:
            try:
                work()
            finally:
                done.set()

        self._loop.call_soon_threadsafe(run)
        done.wait(5)

    def _cut(self) -> None:
        for task, writers in list(self._links.items()):
            for writer in writers:
                writer.transport.abort()
            task.cancel()

    def _stop(self) -> None:
        self._cut()
        if self._server is not None:
            self._server.close()
        # What was torn down is told so in the next turn of the loop.
        self._loop.call_later(0.05, self._loop.stop)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._listen())
        except OSError as error:
            self._failure = error
            self._ready.set()
            self._loop.close()
            return
        self._ready.set()
        self._loop.run_forever()
        left = [task for task in asyncio.all_tasks(self._loop) if not task.done()]
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    async def _listen(self) -> None:
        for way in ("up", "down"):
            self._open[way] = asyncio.Event()
            self._open[way].set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        writers = self._links[task] = [writer]
        torn = True
        try:
            if not self._refusing:
                server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target())
                writers.append(server_writer)
                ways = (self._pump("up", reader, server_writer), self._pump("down", server_reader, writer))
                pumps = [asyncio.ensure_future(way) for way in ways]
                try:
                    await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for pump in pumps:
                        pump.cancel()
                    await asyncio.gather(*pumps, return_exceptions=True)
                torn = False
        except OSError:
            pass  # no server there: the client sees a closed connection
        except asyncio.CancelledError:
            pass  # torn down
        finally:
            for each in writers:
                # One end closed in order: the other gets what is still under way. Torn down: it does not.
                if torn:
                    each.transport.abort()
                else:
                    each.close()
            self._links.pop(task, None)

    async def _pump(self, way: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self._delay:
                    await asyncio.sleep(self._delay)
                await self._open[way].wait()
                writer.write(data)
                await writer.drain()
