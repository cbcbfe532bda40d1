from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hypervision.clock import to_us
from hypervision.datastreams import StreamTable
from hypervision.decoding import Bounds, decoder
from hypervision.domains import load
from ingest.assembly import Assembly
from ingest.held import Held, digest
from ingest.isolation import part
from ingest.reader import Chunk

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
UP = "urban/v1/water/p1/up"


@pytest.fixture
def assembly() -> Assembly:
    return Assembly(decoder("urban"), StreamTable(load()), Bounds(0, 600_000_000), Held())


def test_redelivery_of_a_held_message_counts_nothing(assembly: Assembly) -> None:
    chunk = Chunk([UP, UP], [b'{"flow":1}', b'{"flow":2}'], [1, 2], [])
    assert assembly.add(chunk, now=NOW, monotonic=1.0) == 2
    again = Chunk([UP, UP], [b'{"flow":2}', b'{"flow":3}'], [2, 3], [0])
    assert assembly.add(again, now=NOW, monotonic=2.0) == 1
    load = assembly.close(epoch=4)
    assert (load.mids, load.batch.messages, load.epoch) == ([1, 2, 3], 3, 4)
    assert list(load.batch.result) == [1.0, 2.0, 3.0]


def test_redelivery_of_a_committed_message_without_identity_has_no_reading(assembly: Assembly) -> None:
    assembly.held.disconnected([(1, digest(UP, b'{"flow":1}'))], now=1.0)
    assembly.add(Chunk([UP], [b'{"flow":1}'], [9], [0]), now=NOW, monotonic=2.0)
    batch = assembly.close(epoch=1).batch
    assert (batch.messages, len(batch), batch.refusals) == (1, 0, [])


def test_only_messages_without_time_and_seq_are_anonymous(assembly: Assembly) -> None:
    payloads = [b'{"flow":1}', b'{"seq":1,"flow":1}', b'{"time":1763800000,"flow":1}', b"x", b'{"flow":2}']
    assembly.add(Chunk([UP] * 5, payloads, [1, 2, 3, 4, 0]), now=NOW, monotonic=1.0)
    load = assembly.close(epoch=1)
    assert load.anonymous == [(1, digest(UP, payloads[0]))]
    assert load.mids == [1, 2, 3, 4]


def test_status_is_no_reading(assembly: Assembly) -> None:
    topics = [f"urban/v1/water/p{i}/status" for i in range(3)] + ["urban/v1/water/p1/ack", UP, "urban/v1/x/p1/status"]
    payloads = [b"online", b"offline", b"<b>", b"{}", b'{"flow":1}', b"online"]
    assembly.add(Chunk(topics, payloads, [1, 2, 3, 4, 5, 6]), now=NOW, monotonic=1.0)
    batch = assembly.close(epoch=1).batch
    assert batch.topics == topics
    assert [(s.message, s.domain, s.thing, s.status, s.at_us) for s in batch.statuses] == [
        (0, "water", "p0", "online", to_us(NOW)),
        (1, "water", "p1", "offline", to_us(NOW)),
    ]
    assert [(r.message, r.reason) for r in batch.refusals] == [
        (2, "bad_status"), (3, "unexpected_ack"), (5, "bad_topic"),
    ]  # fmt: skip
    assert list(batch.message) == [4]
    second = part(batch, 1, 3)
    assert [(s.message, s.thing) for s in second.statuses] == [(0, "p1")]
    assert [r.message for r in second.refusals] == [1]


def test_batch_is_full_by_bytes_and_by_readings(assembly: Assembly) -> None:
    assembly.add(Chunk([UP], [b" " * 8_000_000], [1]), now=NOW, monotonic=1.0)
    assert assembly.full
    assembly.clear()
    assert not assembly.full
    assert assembly.opened is None


def test_decoder_that_fails_refuses_one_message_and_keeps_its_neighbours(assembly: Assembly) -> None:
    decode = assembly.decode

    def fragile(names: list[str], payloads: list[bytes], **rest: Any) -> None:
        until = payloads.index(b"boom") if b"boom" in payloads else len(payloads)
        decode(names[:until], payloads[:until], **rest)
        if until < len(payloads):
            raise RecursionError("what nobody thought of")

    assembly.decode = fragile
    payloads = [b'{"flow":1}', b'{"seq":1,"flow":2}', b"boom", b'{"flow":3}', b'{"xyz":3}']
    assembly.add(Chunk([UP] * 5, payloads, [1, 2, 3, 4, 5]), now=NOW, monotonic=1.0)
    batch = assembly.close(epoch=1).batch
    assert batch.payloads == payloads
    assert list(batch.result) == [1.0, 2.0, 3.0]
    assert [identity.message for identity in batch.identities] == [1]
    assert [(r.message, r.reason) for r in batch.refusals] == [(2, "decoder_failed"), (4, "unknown_property")]


def test_copy_that_crossed_our_answer_is_stored_and_not_answered(assembly: Assembly) -> None:
    assembly.add(Chunk([UP], [b'{"time":1763800000,"flow":1}'], [7]), now=NOW, monotonic=1.0)
    load = assembly.close(epoch=1)
    assembly.held.acknowledged(load.mids, load.told, [], now=1.0)
    again = Chunk([UP, UP], [b'{"time":1763800000,"flow":1}', b'{"time":1763800001,"flow":1}'], [7, 8], [0])
    assert assembly.add(again, now=NOW, monotonic=2.0) == 2
    assert assembly.close(epoch=1).mids == [8]
    assert assembly.add(Chunk([UP], [b'{"time":1763800002,"flow":1}'], [7]), now=NOW, monotonic=3.0) == 1


def test_another_message_delivered_again_under_an_answered_id_is_answered(assembly: Assembly) -> None:
    """Without its answer it would come once more, and be stored twice where it has neither time nor number."""
    assembly.add(Chunk([UP, UP], [b'{"flow":1}', b'{"flow":0}'], [0, 1]), now=NOW, monotonic=1.0)
    load = assembly.close(epoch=1)
    assert len(load.told) == len(load.mids) == 1
    assembly.held.acknowledged(load.mids, load.told, load.anonymous, now=1.0)
    assembly.add(Chunk([UP], [b'{"flow":2}'], [1], [0]), now=NOW, monotonic=2.0)
    again = assembly.close(epoch=1)
    assert (again.mids, list(again.batch.result)) == ([1], [2.0])


def test_messages_delivered_before_are_noted(assembly: Assembly) -> None:
    chunk = Chunk(
        [UP, UP, "urban/v1/water/p1/status", UP], [b'{"flow":1}', b"{", b"asleep", b"{"], [1, 2, 3, 4], [1, 2]
    )
    assembly.add(chunk, now=NOW, monotonic=1.0)
    batch = assembly.close(epoch=1).batch
    assert batch.again == [1, 2]
    assert part(batch, 2, 4).again == [0]
    assembly.add(Chunk([UP], [b'{"flow":1}'], [5], []), now=NOW, monotonic=2.0)
    assert assembly.close(epoch=1).batch.again == []


def test_mark_of_a_packet_id_that_is_used_twice_in_a_chunk_is_that_of_one_message(assembly: Assembly) -> None:
    """Mosquitto uses the id of a message that was delivered again for a new one, while answers come in."""
    new, old = b'{"flow":1}', b'{"flow":2}'
    assembly.held.disconnected([(7, digest(UP, new))], now=1.0)
    assembly.add(Chunk([UP] * 3, [old, b"{", new], [7, 8, 7], [0, 1]), now=NOW, monotonic=2.0)
    batch = assembly.close(epoch=1).batch
    assert (batch.again, list(batch.result)) == ([0, 1], [2.0, 1.0])
    # The first is held already and counts nothing; the mark of what follows moves up with it.
    assembly.add(Chunk([UP] * 3, [b"{", b"{", new], [7, 9, 7], [0, 1]), now=NOW, monotonic=3.0)
    batch = assembly.close(epoch=1).batch
    assert (batch.payloads, batch.again, list(batch.result)) == ([b"{", new], [0], [1.0])


def test_refused_message_is_known_again_by_its_content_however_often_the_connection_breaks(assembly: Assembly) -> None:
    held, bad = assembly.held, b"{"
    assembly.add(Chunk([UP] * 3, [bad, b'{"flow":1}', bad], [1, 2, 0]), now=NOW, monotonic=1.0)
    load = assembly.close(epoch=1)
    load.refused([0, 1, 2])
    assert sorted(load.anonymous) == sorted([(1, digest(UP, bad)), (2, digest(UP, b'{"flow":1}'))])
    held.disconnected(load.anonymous, now=2.0)
    for turn in range(2, 5):
        # It comes again, and so does its equal that was not committed before.
        assembly.add(Chunk([UP] * 2, [bad, bad], [2 * turn, 2 * turn + 1], [0, 1]), now=NOW, monotonic=turn)
        load = assembly.close(epoch=turn)
        assert [refusal.message for refusal in load.batch.refusals] == [1]
        assert load.anonymous == [(2 * turn, digest(UP, bad))]
        held.disconnected(load.anonymous, now=turn + 0.5)
