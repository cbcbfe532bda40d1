"""The quarantine over the years: found, counted, purged; and a message delivered again is refused once."""

from __future__ import annotations

import argparse
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hypervision.batch import Draft
from hypervision.clock import to_us
from hypervision.errors import UsageError
from hypervision.intake import Intake
from hypervision.purging import Daily, purge
from hypervision.scope import Scope
from hypervision.store import rejected
from hypervision.store.rejected import Chosen, Counted
from hypervision.store.sql import query
from ingest import rejects

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
UP = "urban/v1/water/p1/up"


def fill(world: Any, *, now: datetime = NOW) -> None:
    """Ten rows, a day apart, the newest first: of two Things and none, of two reasons, whole and in part."""
    world.execute("INSERT INTO hv.organisation (code, name) VALUES ('o', 'o')")
    world.execute(
        "INSERT INTO hv.thing (code, name, domain, registered_at, organisation_id)"
        " SELECT 'p1', 'p1', 'water', now(), organisation_id FROM hv.organisation WHERE code = 'o'"
    )
    world.execute(
        "INSERT INTO hv.rejected_message (received_time, topic, thing, payload, payload_bytes, reason, detail, partial,"
        "  count, replayed_at)"
        " SELECT %(now)s::timestamptz - i * INTERVAL '1 day',"
        "  CASE WHEN i = 9 THEN 'elsewhere' ELSE 'urban/v1/water/p' || i %% 2 || '/up' END,"
        "  CASE WHEN i = 9 THEN '' ELSE 'p' || i %% 2 END, convert_to('{' || i, 'UTF8'), 2,"
        "  CASE WHEN i < 3 THEN 'conflict' ELSE 'malformed' END, 'no', i = 2, 1 + i, CASE WHEN i = 4 THEN now() END"
        " FROM generate_series(0, 9) i",
        {"now": now},
    )


def test_rejected_messages_are_found_counted_and_purged(world: Any) -> None:
    fill(world)
    with world.intake("look").between() as connection:
        (organisation,) = connection.execute("SELECT organisation_id FROM hv.thing").fetchone()

        def days(chosen: Chosen, **more: Any) -> list[int]:
            return [(NOW - row.received_time).days for row in rejected.page(connection, chosen, **more)]

        newest = rejected.page(connection, Chosen(), limit=4)
        assert days(Chosen(), limit=4) == [0, 1, 2, 3]
        assert days(Chosen(), before=newest[-1].rejected_id, limit=4) == [4, 5, 6, 7]
        assert days(Chosen(), before=10**9) == []
        assert days(Chosen(thing="p1")) == days(Chosen(scope=Scope(organisation))) == [1, 3, 5, 7]
        assert days(Chosen(scope=Scope(organisation)), before=newest[3].rejected_id, limit=1) == [5]
        assert days(Chosen(reason="conflict")) == [0, 1, 2]
        assert (days(Chosen(partial=True)), days(Chosen(replayed=True))) == ([2], [4])
        assert days(Chosen(domain="water", since=NOW - 8 * DAY, until=NOW - 6 * DAY)) == [7, 8]
        assert days(Chosen(topic="else")) == [9]
        assert [row.payload for row in rejected.page(connection, Chosen(), limit=1, excerpt=1)] == [b"{"]
        assert rejected.by_reason(connection, Chosen()) == [Counted("malformed", 7, 49), Counted("conflict", 3, 6)]
        assert rejected.by_thing(connection, Chosen(), top=2) == [Counted("p0", 5, 25), Counted("p1", 4, 20)]
        assert rejected.by_reason(connection, Chosen(scope=Scope(organisation))) == [
            Counted("malformed", 3, 18), Counted("conflict", 1, 2),
        ]  # fmt: skip
        other = newest[0].rejected_id
        assert rejected.one(connection, other) is not None
        assert rejected.one(connection, other, scope=Scope(organisation)) is None

        # A replay by portions: what was there when it was counted, each once, the oldest first.
        last = rejected.newest(connection)
        assert rejected.count_waiting(connection, Chosen(), newest=last) == (8, True)
        ids = [number for part in portions(connection, newest=last, limit=3) for number in part]
        assert (len(ids), len(set(ids))) == (8, 8)
        assert rejected.waiting(connection, Chosen(), newest=last - 9).ids == ids[-1:]

        # A purge takes the old ones only, whatever they are, and says who did it.
        assert rejected.old(connection, before=NOW - 6 * DAY) == [Counted("malformed", 3, 27)]
        done = purge(connection, older_than=6 * DAY, actor="anna", clock=lambda: NOW)
        assert (done.rows, done.count) == (3, 27)
        assert days(Chosen()) == [0, 1, 2, 3, 4, 5, 6]
        never, daily = Daily(0), Daily(3)
        assert (never.due(NOW), daily.due(NOW)) == (False, True)
        daily.step(connection, now=NOW)
        assert days(Chosen()) == [0, 1, 2, 3]
        assert (daily.due(NOW), daily.due(NOW + DAY)) == (False, True)
    assert world.rows("SELECT kind, actor, (detail->>'rows')::int FROM hv.journal ORDER BY journal_id") == [
        ("rejected_purged", "anna", 3), ("rejected_purged", "watch", 3),
    ]  # fmt: skip


def portions(connection: Any, *, newest: int, limit: int) -> list[list[int]]:
    """What the parts of a replay would send."""
    found = [rejected.waiting(connection, Chosen(), newest=newest, limit=limit)]
    while (after := found[-1].last) is not None:
        assert len(found) < 50
        found.append(rejected.waiting(connection, Chosen(), newest=newest, after=after, limit=limit))
    return [part.ids for part in found]


def put(world: Any, *rows: tuple[int, str, bytes], at: datetime = NOW) -> None:
    """Rows of messages: of which second, for which reason, with what payload."""
    for seconds, reason, payload in rows:
        values = {"at": at + timedelta(seconds=seconds), "payload": payload, "size": len(payload), "reason": reason}
        world.execute(
            "INSERT INTO hv.rejected_message (received_time, topic, thing, payload, payload_bytes, reason, detail, partial)"
            " VALUES (%(at)s, 'urban/v1/water/p1/up', 'p1', %(payload)s, %(size)s, %(reason)s, '', false)",
            values,
        )


def test_message_with_several_rows_waits_once_however_its_rows_are_parted(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other, later = b"{1", b"{2", b"{1"
    put(world, (0, "a", one), (0, "a", other), (0, "b", one), (0, "c", one), (0, "b", other), (1, "a", later))
    with world.intake("look").between() as connection:
        last = rejected.newest(connection)
        rows = [row.rejected_id for row in rejected.read(connection, range(last + 1))]
        wanted = [rows[0], rows[1], rows[5]]
        for limit in range(1, 8):
            parts = portions(connection, newest=last, limit=limit)
            assert [number for part in parts for number in part] == wanted, limit
        # What is only more rows of messages that were sent is nothing to send, and not the end.
        assert portions(connection, newest=last, limit=2)[:2] == [wanted[:2], []]
        assert rejected.count_waiting(connection, Chosen(), newest=last) == (3, True)
        # What would have to be read to be told apart, and is too much, is counted as one at least.
        monkeypatch.setattr(rejected, "_READ", 9)
        assert rejected.count_waiting(connection, Chosen(), newest=last) == (2, False)


def test_large_payloads_are_not_read_to_be_counted_or_parted(world: Any) -> None:
    shuffled = random.Random(7)  # no compression makes it small
    put(world, *[(i, "malformed", shuffled.randbytes(60_000)) for i in range(20)])

    def blocks(name: str) -> int:
        values = Chosen().values() | {
            "newest": 10**9, "limit": 10, "bytes": 10**9, "after": None, "after_time": None,
        }  # fmt: skip
        told = world.rows("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + query(name), values)[0][0][0]["Plan"]
        return int(told["Shared Hit Blocks"]) + int(told["Shared Read Blocks"])

    # A payload has eight blocks.
    assert blocks("rejected_waiting_count") < 40
    assert blocks("rejected_waiting") < 40


def test_verb_counts_and_purges(world: Any, newest_only: None, capsys: pytest.CaptureFixture[str]) -> None:
    fill(world, now=datetime.now(UTC))
    parser = argparse.ArgumentParser()
    rejects.configure(parser)

    def said(*words: str) -> list[list[str]]:
        assert rejects.run(parser.parse_args(words), world.settings()) == 0
        return [line.split() for line in capsys.readouterr().out.splitlines()]

    assert said("count", "--topic", "urban", "--top", "1", "--whole") == [
        ["count", "rows", "reason"], ["39", "6", "malformed"], ["3", "2", "conflict"],
        ["count", "rows", "Thing"], ["22", "4", "p0"],
    ]  # fmt: skip
    assert said("purge", "--older-than", "6d", "--dry-run", "--author", "anna")[-1] == ["4", "rows", "would", "go"]
    assert said("purge", "--older-than", "6d", "--author", "anna")[0][:3] == ["4", "rows", "removed,"]
    assert len(said("list", "--replayed")) == 3
    assert world.rows("SELECT actor FROM hv.journal") == [("anna",)]


def test_filters_that_nothing_can_fit_are_said(
    world: Any, newest_only: None, several: None, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(world, now=datetime.now(UTC))
    parser = argparse.ArgumentParser()
    rejects.configure(parser)
    world.execute("UPDATE hv.rejected_message SET reason = 'bad_topic' WHERE thing = ''")
    world.execute("UPDATE hv.rejected_message SET topic = 'urban/v1/gaz/p1/up' WHERE replayed_at IS NOT NULL")

    def run(*words: str) -> tuple[int, str]:
        return rejects.run(parser.parse_args(words), world.settings()), capsys.readouterr().out.strip()

    for words, what in (
        (("list", "--reason", "nosuch"), "no reason 'nosuch': use bad_topic,"),
        (("count", "--domain", "gas"), "no domain 'gas': use water,"),
        (("list", "--from", "2026-02-01T00:00:00Z", "--to", "2026-01-01T00:00:00Z"), "is empty"),
        (("purge", "--older-than", "6d", "--author", "anna", "--reason", "nosuch"), "no reason"),
        (("replay", "--id", "999999"), "no rejected message 999999"),
    ):
        with pytest.raises(UsageError, match=what):
            run(*words)
    assert run("list", "--reason", "no_time") == (0, "no rejected message fits")
    code, told = run("list", "--domain", "gaz")
    assert (code, len(told.splitlines())) == (0, 3), "what was sent to a domain that there is not may be asked for"
    code, told = run("replay", "--reason", "bad_topic")
    assert (code, told[:22]) == (1, "nothing was sent again")
    assert run("replay", "--domain", "gaz") == (0, "no rejected message waits")


def refuse(intake: Intake, *payloads: bytes, again: bool, at: datetime = NOW) -> tuple[int, int, int]:
    """Messages that cannot be read, and one value beside a good one, as a collector gives them."""
    draft = Draft()
    for payload in payloads:
        message = draft.message_of(UP, payload, received_us=to_us(at))
        draft.refuse(message, "malformed", "no")
        if again:
            draft.again.append(message)
        if payload == b"partly":
            slot = intake.streams.slot("water", "p1", "flow")
            draft.reading(message, slot=slot, time_us=to_us(NOW), result=1.0)
    receipt = intake.commit(draft.close(), now=at)
    assert receipt.refused == tuple(range(len(payloads)))
    return receipt.stored, receipt.duplicate, receipt.rejected


def test_refused_message_that_the_broker_delivers_again_is_refused_once(world: Any) -> None:
    intake = world.intake()
    assert refuse(intake, b"a", b"b", b"b", b"partly", b"x" * 70_000, again=False) == (1, 0, 4)
    intake.beat()
    world.close()
    # After a crash: four of them come again, and one that had not been committed; a row answers for one delivery.
    intake = world.intake()
    assert refuse(intake, b"b", b"a", b"partly", b"new", again=True) == (0, 3, 1)
    assert refuse(intake, b"b", b"b", b"x" * 70_000, again=True) == (0, 2, 1)
    # What a device sends once more is another message.
    assert refuse(intake, b"a", again=False) == (0, 0, 1)
    assert intake.committed == (1, 5, 7)
    assert world.rows("SELECT count(*) FROM rejected_messages") == [(8,)]


def test_message_like_one_refused_before_is_refused_although_the_broker_delivers_it_again(world: Any) -> None:
    """It was in hand, and never committed; its equal was answered long ago, or by this very collector."""
    intake = world.intake()
    assert refuse(intake, b"a", again=False, at=NOW - timedelta(minutes=1)) == (0, 0, 1)
    intake.beat()
    world.close()
    intake = world.intake()
    assert refuse(intake, b"a", again=True) == (0, 0, 1)
    assert refuse(intake, b"b", again=False) == (0, 0, 1)
    assert refuse(intake, b"b", again=True) == (0, 0, 1)
    # Who never gave a sign of life left nothing.
    assert refuse(world.intake("collector-2"), b"b", again=True) == (0, 0, 1)
    assert world.rows("SELECT count(*) FROM rejected_messages") == [(5,)]
