"""`publish` before a broker that refuses: one sentence, whichever of its answers comes first."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from hypervision.errors import ServiceError
from ingest.publish import send
from ingest.session import Address

pytestmark = pytest.mark.integration
REFUSED = b"\x20\x02\x00\x05"
WELCOME = b"\x20\x02\x00\x00"


@pytest.fixture
def broker() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.mark.parametrize(
    ("answer", "waits", "why"),
    [
        (REFUSED, False, "Not authorized"),
        (b"", False, "closed the connection"),
        (WELCOME, False, "closed the connection"),
        (WELCOME, True, "closed the connection"),
    ],
)
def test_broker_that_does_not_take_the_message_is_one_sentence(
    broker: socket.socket, answer: bytes, waits: bool, why: str
) -> None:
    def serve() -> None:
        for _ in range(4):
            with broker.accept()[0] as taken:
                taken.recv(4096)
                taken.sendall(answer)
                if waits:
                    taken.recv(4096)  # the message

    serving = threading.Thread(target=serve, daemon=True)
    serving.start()
    host, port = broker.getsockname()
    for _ in range(4):
        with pytest.raises(ServiceError, match=f"did not take the message.*{why}"):
            send(Address(host, port, user="me", password="wrong"), "urban/v1/water/p1/up", b"{}")
    serving.join(5.0)
