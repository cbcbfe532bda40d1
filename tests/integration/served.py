"""A server in a thread of this process, so that a test may change what it stands on; and a database that can hang."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import httpx
import uvicorn
from pydantic import SecretStr

from dashboards.assembly import create_server
from dashboards.serving import bind
from hypervision.settings import Settings
from hypervision.store.connection import url_of


@contextmanager
def served(settings: Settings, *, ready: str = "/api/health") -> Iterator[str]:
    """The address of a server that this process runs; it is waited for until `ready` is answered with 200."""
    made = uvicorn.Server(
        uvicorn.Config(
            create_server(settings).app, log_level="warning", access_log=False, http="h11", ws="websockets-sansio",
            ws_ping_interval=None, timeout_graceful_shutdown=3,
        )
    )  # fmt: skip
    bound = bind("127.0.0.1", 0)
    thread = threading.Thread(target=lambda: made.run(sockets=[bound]), daemon=True)
    thread.start()
    try:
        base = f"http://127.0.0.1:{bound.getsockname()[1]}"
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{base}{ready}", timeout=5).status_code == 200:
                    break
            assert time.monotonic() < deadline
            assert thread.is_alive()
            time.sleep(0.05)
        yield base
    finally:
        made.should_exit = True
        thread.join(20)


def call(output: str, inputs: object, **more: object) -> dict[str, object]:
    """The body of a call of a Dash callback, as the browser writes it."""
    ident, name = output.split(".")
    return {
        "output": output,
        "outputs": {"id": ident, "property": name},
        "inputs": inputs,
        "changedPropIds": [],
        **more,
    }


class Between:
    """Stands between a server and its database; while it hangs, connections open and nothing comes through."""

    def __init__(self, settings: Settings) -> None:
        parts = urlsplit(url_of(settings))
        self._target = (str(parts.hostname), int(parts.port or 5432))
        self._flows = threading.Event()
        self._flows.set()
        self._closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [self._start(self._accept)]
        port = self._listener.getsockname()[1]
        url = urlunsplit(parts._replace(netloc=f"{parts.netloc.rsplit(':', 1)[0]}:{port}"))
        self.settings = settings.model_copy(update={"database_url": SecretStr(url)})

    def hang(self) -> None:
        """Let nothing through any more."""
        self._flows.clear()

    def go_on(self) -> None:
        """Let through what waits, and all that follows."""
        self._flows.set()

    def close(self) -> None:
        """Hang up on everybody."""
        self.go_on()
        self._closed.set()
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _start(self, work: Callable[..., None], *given: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=given, daemon=True)
        thread.start()
        return thread

    def _accept(self) -> None:
        self._listener.settimeout(0.1)
        while not self._closed.is_set():
            with contextlib.suppress(TimeoutError):
                near = self._listener.accept()[0]
                self._threads.append(self._start(self._serve, near))

    def _serve(self, near: socket.socket) -> None:
        with near, socket.create_connection(self._target) as far, contextlib.suppress(OSError):
            while not self._closed.is_set():
                for source in select.select([near, far], [], [], 0.1)[0]:
                    data = source.recv(65_536)
                    self._flows.wait()
                    if not data:
                        return
                    (far if source is near else near).sendall(data)
