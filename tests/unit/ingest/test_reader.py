from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given as cases
from hypothesis import strategies as st
from paho.mqtt.enums import MQTTErrorCode, _ConnectionState

from ingest.reader import BulkClient
from ingest.retirement import markers


def remaining_length(n: int) -> bytes:
    out = b""
    while True:
        n, low = n >> 7, n & 0x7F
        out += bytes([low | (0x80 if n else 0)])
        if not n:
            return out


def publish(topic: str, payload: bytes, *, mid: int = 0, dup: bool = False, retain: bool = False) -> bytes:
    name = topic.encode()
    body = struct.pack(">H", len(name)) + name + (struct.pack(">H", mid) if mid else b"") + payload
    head = 0x30 | (2 if mid else 0) | (8 if dup else 0) | (1 if retain else 0)
    return bytes([head]) + remaining_length(len(body)) + body


class FakeSocket:
    """What a socket and nothing else gives: pieces, then nothing for now."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces
        self.sent = b""

    def recv(self, size: int) -> bytes:
        if not self.pieces:
            raise BlockingIOError
        piece = self.pieces.pop(0)
        if len(piece) > size:
            self.pieces.insert(0, piece[size:])
        return piece[:size]

    def send(self, data: bytes) -> int:
        self.sent += data
        return len(data)

    def close(self) -> None:
        return None


def client_on(pieces: list[bytes]) -> tuple[BulkClient, FakeSocket]:
    client, sock = BulkClient("test"), FakeSocket(pieces)
    made: Any = client
    made._sock = sock
    return client, sock


def read_all(client: BulkClient) -> MQTTErrorCode:
    while True:
        outcome = client._packet_read()
        if outcome != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return outcome


MESSAGES = st.lists(
    st.tuples(
        st.text(min_size=0, max_size=20).filter(lambda t: "\0" not in t),
        # Sizes around the steps of the remaining length: one, two and three bytes.
        st.integers(0, 300) | st.integers(16_300, 16_400),
        st.integers(0, 65_535),
        st.booleans(),
        st.booleans(),
    ),
    max_size=20,
)


@cases(MESSAGES, st.lists(st.integers(1, 700), min_size=1, max_size=60))
def test_stream_cut_anywhere_gives_the_same_messages(
    given: list[tuple[str, int, int, bool, bool]], sizes: list[int]
) -> None:
    messages = [(topic, bytes(i % 251 for i in range(n)), *rest) for topic, n, *rest in given]
    stream = b""
    for topic, payload, mid, dup, retain in messages:
        stream += publish(topic, payload, mid=mid, dup=dup and mid > 0, retain=retain)
        stream += b"\xd0\x00"  # a PINGRESP between them is paho's
    pieces, at, turn = [], 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        pieces.append(stream[at : at + size])
        at, turn = at + size, turn + 1
    client, _ = client_on(pieces)
    assert read_all(client) == MQTTErrorCode.MQTT_ERR_AGAIN
    chunk = client.take()
    assert chunk.topics == [m[0] for m in messages]
    assert chunk.payloads == [m[1] for m in messages]
    assert chunk.mids == [m[2] for m in messages]
    assert chunk.again == [i for i, m in enumerate(messages) if m[3] and m[2] > 0]
    assert not len(client.take())


def test_payload_of_two_megabytes_arrives_whole() -> None:
    payload = bytes(range(256)) * 8192
    stream = publish("a", payload, mid=7)
    client, _ = client_on([stream[i : i + 65_536] for i in range(0, len(stream), 65_536)])
    assert read_all(client) == MQTTErrorCode.MQTT_ERR_AGAIN
    assert client.take().payloads == [payload]


@pytest.mark.parametrize(
    "stream",
    [
        b"\x32\x03\x00\x09a",  # the topic is longer than the packet
        b"\x32\x03\x00\x01a",  # no room for the packet id
        b"\x32\x01\x00",  # not even a topic length
        b"\x30\x00",
        b"\x30\xff\xff\xff\xff\x01",  # a length of five bytes
        b"\xf0\x00",  # no such packet
    ],
)
def test_malformed_packet_ends_the_connection(stream: bytes) -> None:
    client, _ = client_on([stream])
    assert client._packet_read() == MQTTErrorCode.MQTT_ERR_PROTOCOL


def test_closed_connection_is_noticed() -> None:
    client, _ = client_on([b""])
    assert client._packet_read() == MQTTErrorCode.MQTT_ERR_CONN_LOST


def test_acknowledgements_leave_in_order_as_one_write() -> None:
    client, sock = client_on([])
    client.acknowledge([1, 258, 65_535])
    assert sock.sent == b"\x40\x02\x00\x01\x40\x02\x01\x02\x40\x02\xff\xff"


def test_topic_that_is_not_utf8_stays_one_message() -> None:
    client, _ = client_on([b"\x32\x06\x00\x02\xff\xfe\x00\x05"])
    assert read_all(client) == MQTTErrorCode.MQTT_ERR_AGAIN
    chunk = client.take()
    assert chunk.topics == ["\\xff\\xfe"]
    assert chunk.mids == [5]


def test_bytes_that_tls_has_decrypted_are_read_at_once() -> None:
    first, second = publish("a", b"1", mid=1), publish("b", b"2", mid=2)
    client, sock = client_on([first, second])
    made: Any = sock
    made.pending = lambda: len(second) if sock.pieces else 0
    assert client._packet_read() == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert client.take().mids == [1, 2]


def test_line_is_kept_alive_without_reading() -> None:
    client, sock = client_on([publish("a", b"1", mid=1)])
    made: Any = client
    made._state = _ConnectionState.MQTT_CS_CONNECTED
    made._keepalive = 1
    made._last_bytes_received = made._last_msg_out = 0.0
    for _ in range(3):
        made._last_msg_out = 0.0
        made._ping_t = 1.0  # a ping long ago whose answer nobody read
        assert client.idle() == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert sock.sent == b"\xc0\x00" * 3
    assert not client.take().mids


def test_topic_that_the_broker_divided_is_read_as_the_devices_own() -> None:
    client, _ = client_on([publish("parts/4/1/urban/v1/water/p.1/up", b"1", mid=1), publish("a/up", b"2", mid=2)])
    assert read_all(client) == MQTTErrorCode.MQTT_ERR_AGAIN
    assert client.take().topics == ["urban/v1/water/p.1/up", "a/up"]


def test_awaited_markers_are_answered_and_passed_over() -> None:
    up, (first, second) = "urban/v1/water/p1/up", markers(2)
    client, sock = client_on(
        [
            publish(up, b"1", mid=1)
            + publish("urban/v1/-/~7/up", first, mid=2)
            + publish(up, b"2", mid=3, dup=True)
            + publish("parts/4/0/urban/v1/-/~8/up", second, mid=4)
            # Only the name of one: whoever sent it must hear of it.
            + publish("urban/v1/-/~9/up", b"{}", mid=5, dup=True)
        ]
    )
    client.awaited = frozenset((first, second))
    assert read_all(client) == MQTTErrorCode.MQTT_ERR_AGAIN
    chunk = client.take()
    assert (chunk.payloads, chunk.mids, chunk.again) == ([b"1", b"2", b"{}"], [1, 3, 5], [1, 2])
    assert client.markers == {first, second}
    assert sock.sent == b"\x40\x02\x00\x02\x40\x02\x00\x04"
    assert not client.take().mids


@pytest.mark.parametrize("draining", [False, True])
def test_what_a_device_sends_as_a_marker_is_a_message_like_any_other(draining: bool) -> None:
    client, sock = client_on(
        [b"".join(publish("urban/v1/water/~1/up", b"hypervision marker %d" % i, mid=i) for i in range(1, 51))]
    )
    if draining:
        client.awaited = frozenset(markers(50))
    assert read_all(client) == MQTTErrorCode.MQTT_ERR_AGAIN
    assert client.take().mids == list(range(1, 51))
    assert (client.markers, sock.sent) == (set(), b"")


def test_line_that_is_silent_is_asked_once_and_any_byte_is_an_answer() -> None:
    client, sock = client_on([])
    heard = client._last_bytes_received
    client.ask(now=heard + 1.9)
    assert (sock.sent, client.unanswered(now=heard + 1.9)) == (b"", 0.0)
    client.ask(now=heard + 2.0)
    client.ask(now=heard + 3.0)
    assert sock.sent == b"\xc0\x00"
    assert client.unanswered(now=heard + 9.0) == 7.0
    sock.pieces.append(publish("urban/v1/water/a/up", b"{}", mid=1))
    read_all(client)
    assert client.unanswered(now=heard + 9.0) == 0.0


def test_line_that_brings_messages_is_asked_whether_our_answers_arrive() -> None:
    client, sock = client_on([publish("urban/v1/water/a/up", b"{}", mid=1)])
    before = client.proved
    client.ask(now=before + 3.0)
    read_all(client)
    client.ask(now=client._last_bytes_received + 1.0)
    assert (sock.sent, client.proved) == (b"\xc0\x00", before)
    sock.pieces.append(b"\xd0\x00")
    read_all(client)
    assert before < client.proved < client._last_bytes_received
    client.ask(now=client.proved + 1.9)
    assert sock.sent == b"\xc0\x00"
    client._last_bytes_received = client.proved + 2.0  # it brings messages all the time
    client.ask(now=client.proved + 2.0)
    assert sock.sent == b"\xc0\x00" * 2


def test_question_that_we_do_not_read_the_answer_of_is_none() -> None:
    client, _ = client_on([])
    client.ask(now=client._last_bytes_received + 2.0)
    client.idle()
    assert client.unanswered(now=client._last_bytes_received + 60.0) == 0.0
