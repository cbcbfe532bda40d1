"""The way in: every message ends as stored, duplicate or rejected, every reading is stored once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from hypervision.batch import Draft, Receipt, Status
from hypervision.clock import to_us
from hypervision.errors import PermanentStoreError
from hypervision.replay import resend
from hypervision.store import registry, rejected
from hypervision.store.connection import connect
from hypervision.store.rejected import Chosen

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def flow(thing: str = "p1", *, ago: float = 0, result: float = 1.0) -> tuple[str, str, str, datetime, float]:
    return ("water", thing, "flow", NOW - ago * SECOND, result)


def counts(receipt: Receipt) -> tuple[int, int, int]:
    return receipt.stored, receipt.rejected, receipt.duplicate


def test_reading_is_stored_with_everything_the_view_promises(world: Any) -> None:
    intake = world.intake()
    receipt = world.send(intake, [flow(result=3.5), ("water", "p1", "pump_state", NOW, 2.0)])
    assert (counts(receipt), receipt.rows) == ((1, 0, 0), 2)
    expected = [
        ("water", "p1", "flow", NOW, 3.5, "m3/h", "good", False, NOW, None),
        ("water", "p1", "pump_state", NOW, 2.0, "1", "good", False, NOW, "fault"),
    ]
    assert world.rows("SELECT * FROM observations ORDER BY property") == expected
    assert world.rows("SELECT * FROM latest_observations ORDER BY property") == expected
    assert world.rows("SELECT code, name, domain FROM things") == [("p1", "p1", "water")]
    assert world.rows("SELECT thing, property, unit, kind, expected_period FROM datastreams ORDER BY property") == [
        ("p1", "flow", "m3/h", "gauge", timedelta(minutes=5)),
        ("p1", "pump_state", "1", "state", timedelta(minutes=5)),
    ]


def test_reading_twice_is_a_duplicate(world: Any) -> None:
    intake = world.intake()
    assert counts(world.send(intake, flow())) == (1, 0, 0)
    assert counts(world.send(intake, flow())) == (0, 0, 1)
    assert counts(world.send(intake, flow(), flow(ago=1))) == (1, 0, 1)
    assert world.rows("SELECT count(*) FROM observations") == [(2,)]
    assert intake.committed == (2, 2, 0)


def test_other_value_at_the_same_instant_is_a_conflict(world: Any) -> None:
    intake = world.intake()
    world.send(intake, flow(result=1.0))
    assert counts(world.send(intake, flow(result=2.0))) == (0, 1, 0)
    assert world.rows("SELECT result FROM observations") == [(1.0,)]
    assert world.rows("SELECT reason, detail, partial FROM rejected_messages") == [
        ("conflict", "flow has 1.0 at this time already, 2.0 was refused", False)
    ]


def test_refused_value_beside_good_ones_refuses_itself_alone(world: Any) -> None:
    intake = world.intake()
    world.send(intake, flow(result=1.0))
    receipt = world.send(intake, [flow(result=2.0), ("water", "p1", "level", NOW, 4.0)])
    assert (counts(receipt), receipt.rows) == ((1, 0, 0), 1)
    assert world.rows("SELECT reason, partial, topic FROM rejected_messages") == [
        ("conflict", True, "urban/v1/water/p1/up")
    ]


def test_staged_and_direct_writing_tell_the_same(world: Any) -> None:
    intake = world.intake()
    world.send(intake, flow())
    for n in range(1, 30):  # the first meets a duplicate, the next ones are staged, later ones direct again
        receipt = world.send(intake, flow(ago=-n / 100), flow(), flow("p2", ago=n))
        assert counts(receipt) == (2, 0, 1)
    assert world.rows("SELECT count(*), count(DISTINCT phenomenon_time) FROM observations WHERE thing = 'p1'") == [
        (30, 30)
    ]
    assert world.rows("SELECT count(*) FROM observations WHERE thing = 'p2'") == [(29,)]


def test_newest_value_is_by_phenomenon_time_and_not_by_arrival(world: Any) -> None:
    intake = world.intake()
    world.send(intake, flow(result=1.0), flow(ago=30, result=2.0))
    world.send(intake, flow(ago=10, result=3.0))
    assert world.rows("SELECT phenomenon_time, result FROM latest_observations") == [(NOW, 1.0)]


def test_late_reading_is_stored_and_says_so(world: Any) -> None:
    intake = world.intake()
    world.send(intake, flow())
    world.send(intake, flow(ago=61), flow(ago=60))
    assert world.rows("SELECT late FROM observations ORDER BY phenomenon_time") == [(True,), (False,), (False,)]


def test_quality_of_what_is_out_of_range(world: Any) -> None:
    intake = world.intake()
    world.send(intake, ("water", "p1", "pressure", NOW, 99.0))
    assert world.rows("SELECT quality FROM observations") == [("out_of_range",)]
    assert world.alarms() == []


def test_message_with_seq_and_no_time_is_stored_once(world: Any) -> None:
    intake = world.intake()
    first = world.with_seq(intake, flow(), seq=7)
    assert counts(intake.commit(first, now=NOW)) == (1, 0, 0)
    again = world.with_seq(intake, flow(ago=-5), seq=7)  # delivered again, five seconds later
    assert counts(intake.commit(again, now=NOW)) == (0, 0, 1)
    assert counts(intake.commit(world.with_seq(intake, flow(ago=-6), seq=8), now=NOW)) == (1, 0, 0)
    assert world.rows("SELECT count(*) FROM observations") == [(2,)]


def test_closed_registration_keeps_the_message_until_admission(world: Any) -> None:
    intake = world.intake(registration="closed")
    assert counts(world.send(intake, flow("new"))) == (0, 1, 0)
    assert world.rows("SELECT reason, replayed_at, payload_bytes FROM rejected_messages") == [
        ("unknown_thing", None, 2)
    ]
    assert world.rows("SELECT count(*) FROM things") == [(0,)]
    world.close()
    with connect(world.url, application="test") as connection:
        (waiting,) = registry.waiting(connection)
        assert (waiting.code, waiting.domain, waiting.messages) == ("new", "water", 1)
        assert registry.admit(connection, "new", domain="water", name="New pump", now=NOW)
        assert not registry.admit(connection, "new", domain="water", name="Other", now=NOW)
        newest = rejected.newest(connection)
        found = rejected.waiting(connection, Chosen(thing="new", reason="unknown_thing"), newest=newest)
        rejected.settle(connection, found.ids, newest=newest, now=NOW)
        assert rejected.waiting(connection, Chosen(thing="new"), newest=99).ids == []
        assert registry.waiting(connection) == []
        connection.rollback()
    assert world.rows("SELECT code, name FROM things") == [("new", "New pump")]


def test_thing_admitted_meanwhile_is_asked_for_again(world: Any) -> None:
    intake = world.intake(registration="closed")
    world.send(intake, flow("new"))
    world.execute("INSERT INTO hv.thing (code, name, domain, registered_at) VALUES ('new', 'new', 'water', now())")
    later = NOW + 2 * SECOND
    receipt = intake.commit(world.batch(intake, flow("new", ago=-2)), now=later)
    assert counts(receipt) == (1, 0, 0)
    # A second property of the Thing, seen for the first time.
    receipt = intake.commit(world.batch(intake, ("water", "new", "level", later, 1.0)), now=later)
    assert counts(receipt) == (1, 0, 0)


def test_waiting_message_with_seq_is_quarantined_once_and_stored_by_its_replay(world: Any) -> None:
    intake = world.intake(registration="closed")
    payload = b'{"seq": 1, "flow": 4.5}'
    for _ in range(2):  # the broker delivers it again
        batch = world.with_seq(intake, flow("new"), seq=1)
        batch.payloads[0] = payload
        intake.commit(batch, now=NOW)
    assert intake.committed == (0, 1, 1)
    assert world.rows("SELECT reason FROM rejected_messages") == [("unknown_thing",)]
    world.execute("INSERT INTO hv.thing (code, name, domain, registered_at) VALUES ('new', 'new', 'water', now())")
    for stored in (1, 0):
        world.close()
        intake = world.intake("replay", registration="closed")
        done = resend(intake, Chosen(thing="new", reason="unknown_thing"), clock=lambda: NOW)
        assert (done.messages, done.stored) == (stored, stored)
    assert world.rows("SELECT thing, result, quality FROM observations") == [("new", 4.5, "time_assumed")]
    assert world.rows("SELECT replayed_at FROM rejected_messages") == [(NOW,)]


def test_open_registration_lets_everybody_in(world: Any) -> None:
    intake = world.intake(registration="open")
    assert counts(world.send(intake, flow("new"), ("waste", "new", "fill", NOW, 1.0))) == (2, 0, 0)
    assert world.rows("SELECT code, domain FROM things") == [("new", "waste")] or world.rows(
        "SELECT count(*) FROM things"
    ) == [(1,)]
    assert world.rows("SELECT domain, property FROM datastreams ORDER BY 1") == [("waste", "fill"), ("water", "flow")]


def test_history_reaches_back_and_counts_as_one_message(world: Any) -> None:
    intake = world.intake("import")
    old = datetime(1971, 3, 1, tzinfo=UTC)
    receipt = world.history(intake, ("water", "p1", "flow", old, 1.0), flow())
    assert (counts(receipt), receipt.rows) == ((1, 0, 0), 2)
    assert counts(world.history(intake, ("water", "p1", "flow", old, 1.0), flow())) == (0, 0, 1)


def test_things_are_registered_with_place_parent_and_organisation(world: Any) -> None:
    with connect(world.url, application="test") as connection:
        registry.register_things(
            connection,
            [
                registry.NewThing("pump-1", "Pump 1", "water", parent="station", longitude=4.8, latitude=45.7),
                registry.NewThing("station", "Station", "water", place="Quai 3", organisation="eau"),
            ],
            now=NOW,
            organisations={"eau": "Eau de la ville"},
        )
    assert world.rows("SELECT code, name, domain, parent, place, organisation FROM things ORDER BY code") == [
        ("pump-1", "Pump 1", "water", "station", "", None),
        ("station", "Station", "water", None, "Quai 3", "eau"),
    ]


def test_rejected_payload_is_kept_up_to_64_kib_with_its_whole_length(world: Any) -> None:
    intake = world.intake()
    batch = world.batch(intake)
    batch.topics.append("urban/v1/water/p\0é/up")
    batch.payloads.append(b"\xff\x00" * 40_000)
    import numpy as np

    from hypervision.batch import Batch, Refusal

    whole = Batch(
        topics=batch.topics, payloads=batch.payloads, received_us=np.array([0], np.int64), message=batch.message,
        slot=batch.slot, time_us=batch.time_us, result=batch.result, quality=batch.quality,
        refusals=[Refusal(0, "malformed", "no \0 JSON \ud800")],
    )  # fmt: skip
    assert counts(intake.commit(whole, now=NOW)) == (0, 1, 0)
    ((topic, length, size, detail),) = world.rows(
        "SELECT topic, octet_length(payload), payload_bytes, detail FROM rejected_messages"
    )
    assert (length, size) == (65_536, 80_000)
    assert "\0" not in topic + detail
    world.close()
    with connect(world.url, application="test") as connection:
        assert rejected.waiting(connection, Chosen(), newest=99).ids == []  # cut: it cannot be sent again


def test_counters_must_add_up(world: Any) -> None:
    intake = world.intake()
    world.send(intake, flow(), flow())
    intake.beat(link="connected")
    names = "received, stored, duplicate, rejected, in_flight"
    assert world.rows(f"SELECT {names}, link FROM hv.writer_snapshot") == [(2, 1, 1, 0, 0, "connected")]
    with pytest.raises(PermanentStoreError, match="do not add up"):
        intake.publish_counters(received=3, stored=1, duplicate=0, rejected=0, in_flight=0)
    with pytest.raises(psycopg.errors.CheckViolation):
        world.execute("UPDATE hv.writer_snapshot SET received = 7")


def test_figures_of_a_batch_travel_with_the_beat(world: Any) -> None:
    intake = world.intake()
    world.send(intake, flow(), flow(), flow(ago=1))
    intake.beat(link="connected")
    ((told,),) = world.rows("SELECT detail -> 'metrics' FROM hv.writer_snapshot")
    assert (told["readings"], told["batch_messages"][0]) == (2, 3)
    assert [sum(told[name][1:]) for name in ("commit_seconds", "phenomenon_lag_seconds", "receipt_lag_seconds")] == [
        1,
        2,
        3,
    ]


def test_counters_go_on_after_a_restart(world: Any) -> None:
    world.send(world.intake(), flow(), flow(ago=1), flow())
    world.close()
    intake = world.intake()
    assert intake.committed == (2, 1, 0)
    world.send(intake, flow(ago=2))
    assert intake.committed == (3, 1, 0)


def test_batch_that_failed_leaves_nothing_behind(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    intake = world.intake()
    world.send(intake, flow(ago=9))
    writer = intake._writer
    with monkeypatch.context() as broken:

        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("pulled out")

        broken.setattr(writer, "upsert_latest", fail)
        with pytest.raises(RuntimeError):
            world.send(intake, flow(), ("water", "p1", "pressure", NOW, 0.5), ("water", "p2", "level", NOW, 0.5))
    assert world.rows("SELECT count(*) FROM observations") == [(1,)]
    assert world.alarms() == []
    assert intake.committed == (1, 0, 0)
    # Neither the newest value nor the phase of an alarm was remembered of what was rolled back.
    receipt = world.send(intake, flow(), ("water", "p1", "pressure", NOW, 0.5), ("water", "p2", "level", NOW, 0.5))
    assert counts(receipt) == (3, 0, 0)
    assert world.rows("SELECT count(*) FROM observations WHERE late") == [(0,)]
    assert world.rows("SELECT rule_id > 0, phase FROM hv.alarm_condition") == [(True, "pending")] * 2


def test_last_word_on_a_link_stands_and_a_retained_one_makes_nothing_fresh(world: Any) -> None:
    intake = world.intake()

    def say(*words: str, at: datetime) -> Any:
        draft = Draft()
        for word in words:
            message = draft.message_of("urban/v1/water/p1/status", word.encode(), received_us=to_us(at))
            draft.statuses.append(Status(message, "water", "p1", word, to_us(at)))
        return intake.commit(draft.close(), now=at)

    for words in (["offline", "online"], ["online", "offline", "online"], ["offline"] * 3 + ["online"]):
        say(*words, at=NOW)
        assert world.rows("SELECT status FROM things") == [("online",)]
    say("online", at=NOW + timedelta(hours=1))
    assert world.rows("SELECT status_at FROM things") == [(NOW,)]
    say("offline", at=NOW + timedelta(hours=2))
    assert world.rows("SELECT status, status_at FROM things") == [("offline", NOW + timedelta(hours=2))]
