"""The proxy passes, holds, delays, refuses and tears down."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from hypervision.services import ports
from ingest.bench.faults.proxy import Proxy

pytestmark = pytest.mark.faults


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(client,), daemon=True).start()

        def answer(client: socket.socket) -> None:
            with client:
                try:
                    while data := client.recv(65_536):
                        client.sendall(data)
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    with Proxy(lambda: echo) as made:
        yield made


def client(proxy: Proxy) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
    sock.sendall(b"hello")
    assert exactly(sock, 5) == b"hello"
    return sock


def exactly(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = sock.recv(count - len(data))
        if not part:
            break
        data += part
    return data


def closed(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except ConnectionError:
        return True


def silent(sock: socket.socket, seconds: float = 0.3) -> bool:
    sock.settimeout(seconds)
    try:
        return sock.recv(1) == b"never"
    except TimeoutError:
        return True
    finally:
        sock.settimeout(5)


def test_everything_passes_in_both_directions(proxy: Proxy) -> None:
    with client(proxy) as sock:
        sent = bytes(range(256)) * 2_000
        threading.Thread(target=sock.sendall, args=(sent,)).start()
        assert exactly(sock, len(sent)) == sent


@pytest.mark.parametrize(("up", "down"), [(True, True), (True, False), (False, True)])
def test_held_bytes_come_through_after_the_release(proxy: Proxy, up: bool, down: bool) -> None:
    with client(proxy) as sock:
        proxy.hold(up=up, down=down)
        sock.sendall(b"later")
        assert silent(sock)
        proxy.release()
        assert exactly(sock, 5) == b"later"


def test_one_direction_alone_can_be_held() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        Proxy(lambda: server.getsockname()[1]) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as sock,
    ):
        accepted, _ = server.accept()
        with accepted:
            accepted.settimeout(5)
            proxy.hold(up=False, down=True)
            sock.sendall(b"up")
            assert accepted.recv(2) == b"up"
            accepted.sendall(b"down")
            assert silent(sock)


def test_torn_down_connection_is_reset_and_what_was_held_is_gone(proxy: Proxy, wait_until: Callable[..., None]) -> None:
    with client(proxy) as sock:
        proxy.hold()
        sock.sendall(b"gone")
        proxy.sever()
        assert closed(sock)
    proxy.release()
    wait_until(lambda: proxy.links == 0)
    with client(proxy) as sock:
        sock.sendall(b"new")
        assert exactly(sock, 3) == b"new"


def test_refused_connection_is_closed_and_later_ones_pass(proxy: Proxy) -> None:
    proxy.refuse()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as sock:
        assert closed(sock)
    proxy.release()
    client(proxy).close()


def test_delay_holds_each_piece_back(proxy: Proxy) -> None:
    with client(proxy) as sock:
        proxy.delay(0.2)
        began = time.monotonic()
        sock.sendall(b"slow")
        assert exactly(sock, 4) == b"slow"
        # Once in each direction.
        assert time.monotonic() - began >= 0.4


def test_end_of_the_client_reaches_the_server_after_its_last_bytes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, Proxy(lambda: server.getsockname()[1]) as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as sock:
            sock.sendall(b"last words")
        accepted, _ = server.accept()
        with accepted:
            accepted.settimeout(5)
            assert exactly(accepted, 10) == b"last words"
            assert accepted.recv(1) == b""


def test_no_server_behind_it_looks_like_a_closed_connection() -> None:
    with Proxy(ports.free) as proxy, socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as sock:
        assert closed(sock)


def test_taken_port_is_an_error(echo: int) -> None:
    with pytest.raises(OSError), Proxy(lambda: echo, port=echo):
        pass
