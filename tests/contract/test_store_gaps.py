"""Gaps are what anybody finds missing in the readings and in the numbers, after any order of arrival, on every engine."""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hypervision import rollups
from hypervision.batch import Draft
from hypervision.clock import to_us
from hypervision.decoding import bounds_of, decoder
from hypervision.scope import EVERYTHING, Scope
from hypervision.store import screens
from hypervision.store.connection import connect
from ingest.outages import Outages
from tests.contract.servers import NOW

pytestmark = pytest.mark.integration

START = datetime(2026, 11, 20, 8, 0, 3, tzinfo=UTC)
Hole = tuple[datetime, datetime | None, int]


def bring_up_to_date(world: Any) -> None:
    if world.server.many:
        with connect(world.url, application="test") as connection:
            rollups.bring_up_to_date(connection, zone="Europe/Paris")
    else:
        rollups.bring_up_to_date(world.intake().connection, zone="Europe/Paris")


def period_of(world: Any, name: str) -> float:
    rows = world.rows("SELECT expected_period FROM datastreams WHERE property = %(name)s", {"name": name})
    return float(rows[0][0].total_seconds())


def silences(world: Any, name: str, *, over: bool = True) -> list[Hole]:
    """The silences of t1; the one under way only when asked for."""
    return world.rows(  # type: ignore[no-any-return]
        "SELECT start, \"end\", missing FROM gaps WHERE thing = 't1' AND property = %(name)s AND cause = 'silence'"
        ' AND ("end" IS NOT NULL OR NOT %(over)s) ORDER BY start',
        {"name": name, "over": over},
    )


def holes(times: Sequence[datetime], period: float) -> list[Hole]:
    """By definition, one pair of neighbours at a time."""
    found: list[Hole] = []
    ordered = sorted(times)
    for before, after in itertools.pairwise(ordered):
        length = (after - before).total_seconds()
        if length > 2 * period:
            found.append((before, after, math.floor(length / period + 0.5) - 1))
    return found


@pytest.mark.parametrize("name", ["flow", "volume"])
def test_silences_equal_a_recomputation_whatever_the_order(world: Any, name: str) -> None:
    """Shuffled, in many batches, with a pass between them: late readings split and close what was found before."""
    rng = random.Random(name)
    intake = world.intake()
    world.send(intake, ("water", "t1", name, START, 1.0), received=START)
    period = period_of(world, name)
    at, times = START, []
    for _ in range(150):
        at += timedelta(seconds=round(period * rng.choice([0.5, 1, 1, 1, 1.9, 2.1, 3, 40, 200]), 3))
        times.append(at)
    rng.shuffle(times)
    for i in range(0, len(times), 25):
        world.send(intake, *[("water", "t1", name, t, 1.0) for t in times[i : i + 25]], received=max(times))
        bring_up_to_date(world)
        intake = world.intake() if not world.server.many else intake
        assert silences(world, name) == holes([START, *times[: i + 25]], period), i
    assert silences(world, name)


def test_reading_at_an_edge_splits_and_invalidated_readings_open_a_silence(world: Any) -> None:
    intake = world.intake()
    world.send(intake, ("water", "t1", "flow", START, 1.0), received=START)
    period = timedelta(seconds=period_of(world, "flow"))
    series = [START + i * period for i in range(8)]
    world.send(intake, *[("water", "t1", "flow", t, 1.0) for t in series[1:]], received=NOW)
    bring_up_to_date(world)
    assert silences(world, "flow") == []
    world.execute(
        "UPDATE hv.observation SET quality = 0 WHERE phenomenon_time BETWEEN %(first)s AND %(last)s",
        {"first": series[2], "last": series[4]},
    )
    world.execute("INSERT INTO hv.rollup_due SELECT datastream_id, date_trunc('hour', phenomenon_time, 'UTC')"
                  " FROM hv.observation WHERE quality = 0 GROUP BY 1, 2")  # fmt: skip
    bring_up_to_date(world)
    assert silences(world, "flow") == [(series[1], series[5], 3)]
    world.execute("UPDATE hv.observation SET quality = 5")
    world.execute("INSERT INTO hv.rollup_due SELECT datastream_id, date_trunc('hour', phenomenon_time, 'UTC')"
                  " FROM hv.observation GROUP BY 1, 2")  # fmt: skip
    bring_up_to_date(world)
    assert silences(world, "flow") == []


def test_silence_that_lasts_has_no_end_until_the_next_reading(world: Any) -> None:
    intake = world.intake()
    world.send(intake, ("water", "t1", "flow", START, 1.0), ("parking", "t2", "occupied", START, 1.0), received=START)
    world.execute("UPDATE hv.datastream SET expected_period = NULL WHERE property = 'occupied'")
    period = period_of(world, "flow")
    ((since, end, missing),) = silences(world, "flow", over=False)
    elapsed = world.rows("SELECT extract(epoch FROM now() - %(start)s)::float8", {"start": START})[0][0]
    assert (since, end) == (START, None)
    assert missing == pytest.approx(elapsed / period - 1, abs=2)
    # What comes on change only is never silent.
    assert world.rows("SELECT * FROM gaps WHERE property = 'occupied'") == []
    (recently,) = world.rows("SELECT now() - interval '1 s'")[0]
    world.send(intake, ("water", "t1", "flow", recently, 1.0), received=recently)
    assert silences(world, "flow", over=False) == []
    bring_up_to_date(world)
    assert [(since, end) for since, end, _ in silences(world, "flow", over=False)] == [(START, recently)]


# Numbers.


def decoded(intake: Any, *messages: tuple[str, Mapping[str, Any]], received: datetime) -> Any:
    draft = Draft()
    topics = [f"urban/v1/water/{thing}/up" for thing, _ in messages]
    payloads = [json.dumps(content).encode() for _, content in messages]
    decoder("urban")(
        topics, payloads, received_us=to_us(received), draft=draft, streams=intake.streams,
        bounds=bounds_of(intake.settings),
    )  # fmt: skip
    return intake.commit(draft.close(), now=received)


def message(seq: int, *, boot: Any = None, at: datetime | None = None, value: Any = 1.0) -> dict[str, Any]:
    found: dict[str, Any] = {"time": (at or START + timedelta(seconds=seq)).isoformat(), "seq": seq, "flow": value}
    return found if boot is None else found | {"boot": boot}


def sequence(world: Any, thing: str = "t1") -> list[tuple[datetime, datetime, int]]:
    return world.rows(  # type: ignore[no-any-return]
        'SELECT start, "end", missing FROM gaps'
        " WHERE thing = %(thing)s AND cause = 'sequence' AND property IS NULL ORDER BY start",
        {"thing": thing},
    )


def at(seq: int) -> datetime:
    return START + timedelta(seconds=seq)


def test_numbers_that_never_came_are_gaps_whatever_the_order_and_however_often(world: Any) -> None:
    rng = random.Random(3)
    came = sorted(rng.sample(range(10, 120), 60))
    expected = [(at(a), at(b), b - a - 1) for a, b in itertools.pairwise(came) if b > a + 1]
    order = came + rng.sample(came, 20)
    rng.shuffle(order)
    intake = world.intake()
    world.send(intake, ("water", "t1", "flow", START, 1.0), received=START)
    for i in range(0, len(order), 9):
        decoded(intake, *[("t1", message(seq)) for seq in order[i : i + 9]], received=NOW)
        if i % 27 == 0:
            # Another process: what is known comes from the database.
            world.close()
            intake = world.intake()
    assert sequence(world) == expected


def test_restart_of_the_collector_makes_no_gap_and_redelivery_closes_one(world: Any) -> None:
    intake = world.intake()
    decoded(intake, ("t1", message(1)), ("t1", message(2)), received=NOW)
    world.close()
    intake = world.intake()
    decoded(intake, ("t1", message(3)), received=NOW)
    assert sequence(world) == []
    decoded(intake, ("t1", message(7)), ("t2", message(1)), received=NOW)
    assert sequence(world) == [(at(3), at(7), 3)]
    decoded(intake, ("t1", message(5)), ("t2", message(2)), received=NOW)
    assert sequence(world) == [(at(3), at(5), 1), (at(5), at(7), 1)]
    decoded(intake, ("t1", message(4)), ("t1", message(6)), ("t1", message(6)), received=NOW)
    assert sequence(world) == []
    assert sequence(world, "t2") == []


def test_new_boot_starts_anew_and_the_old_one_still_fills(world: Any) -> None:
    intake = world.intake()
    decoded(intake, ("t1", message(5, boot=1)), ("t1", message(8, boot=1)), received=NOW)
    decoded(intake, ("t1", message(40, boot=2)), ("t1", message(42, boot=2)), received=NOW)
    assert sequence(world) == [(at(5), at(8), 2), (at(40), at(42), 1)]
    decoded(intake, ("t1", message(6, boot=1)), ("t1", message(7, boot=1)), received=NOW)
    assert sequence(world) == [(at(40), at(42), 1)]


def test_number_of_a_refused_message_came_and_a_wrong_one_is_none(world: Any) -> None:
    intake = world.intake()
    decoded(intake, ("t1", message(1)), ("t1", message(2, value="wet")), ("t1", message(3)), received=NOW)
    decoded(intake, ("t1", message(4) | {"seq": "four"}), ("t1", message(4, at=at(999_999_999))), received=NOW)
    decoded(intake, ("t1", message(5)), received=NOW)
    assert sequence(world) == []
    assert world.rows("SELECT count(*) FROM rejected_messages") == [(2,)]


def test_message_without_time_that_comes_twice_is_no_restart(world: Any) -> None:
    intake = world.intake()
    bare = [{"seq": seq, "flow": float(seq)} for seq in range(6)]
    for seq in (0, 1, 2, 4):
        decoded(intake, ("t1", bare[seq]), received=NOW + timedelta(seconds=seq))
    for seq in (1, 3, 5):
        decoded(intake, ("t1", bare[seq]), received=NOW + timedelta(seconds=20 + seq))
    assert sequence(world) == []
    assert world.rows("SELECT boot, first_seq, last_seq FROM hv.sequence") == [("", 0, 5)]


def test_domains_of_one_thing_count_apart(world: Any) -> None:
    intake = world.intake()
    for seq in (1, 2, 3):
        decoded(intake, ("t1", message(seq)), received=NOW)
        draft = Draft()
        decoder("urban")(
            ["urban/v1/waste/t1/up"], [json.dumps({"time": at(seq).isoformat(), "seq": seq + 500, "fill": 3}).encode()],
            received_us=to_us(NOW), draft=draft, streams=intake.streams, bounds=bounds_of(intake.settings),
        )  # fmt: skip
        intake.commit(draft.close(), now=NOW)
    assert sequence(world) == []
    assert world.rows("SELECT domain, first_seq, last_seq FROM hv.sequence ORDER BY 1") == [
        ("waste", 501, 503), ("water", 1, 3),
    ]  # fmt: skip


def test_two_processes_that_take_messages_of_one_device_agree(world: Any, several: None) -> None:
    one, other = world.intake("collector-1"), world.intake("api")
    for seq in range(1, 20, 2):
        decoded(one, ("t1", message(seq)), received=NOW)
        decoded(other, ("t1", message(seq + 1)), received=NOW)
    assert sequence(world) == []
    assert world.rows("SELECT first_seq, last_seq FROM hv.sequence") == [(1, 20)]
    decoded(one, ("t1", message(30)), received=NOW)
    decoded(other, ("t1", message(25)), received=NOW)
    decoded(one, ("t1", message(24)), received=NOW)
    assert sequence(world) == [(at(20), at(24), 3), (at(25), at(30), 4)]


def test_stranger_has_no_counter(world: Any) -> None:
    intake = world.intake(registration="closed")
    decoded(intake, ("t1", message(1)), ("t1", message(9)), received=NOW)
    assert world.rows("SELECT * FROM hv.sequence") == []
    assert sequence(world) == []


# Outages of the platform.


def platform(world: Any) -> list[tuple[Any, ...]]:
    return world.rows(  # type: ignore[no-any-return]
        'SELECT thing, property, start, "end", cause, missing FROM gaps WHERE thing IS NULL ORDER BY start'
    )


def test_outage_is_told_once_and_concerns_everybody(world: Any) -> None:
    outages = Outages(world.intake())
    outages.note("broker", START, START + timedelta(minutes=3))
    outages.write()
    outages.note("broker", START, START + timedelta(minutes=3))
    outages.note("database", START + timedelta(hours=1), START + timedelta(hours=1, seconds=5))
    outages.write()
    assert platform(world) == [(None, None, START, START + timedelta(minutes=3), "broker", None)]


def test_time_without_a_collector_is_an_outage(world: Any) -> None:
    intake = world.intake("collector-1")
    outages = Outages(intake)
    outages.note_own()
    outages.write()
    assert platform(world) == []
    world.beat("collector-2", age=540)
    world.beat("collector-1", age=540)
    ((beat_at,),) = world.rows(
        "SELECT s.beat_at FROM hv.writer_snapshot s JOIN hv.writer w USING (writer_id) WHERE w.name = 'collector-1'"
    )
    outages.note_own()
    outages.write()
    ((*_, began, ended, cause, _missing),) = platform(world)
    assert (began, cause) == (beat_at, "collector")
    assert timedelta(minutes=9) <= ended - began < timedelta(minutes=10)


def test_gaps_for_a_screen_are_those_of_the_thing_and_of_the_platform(world: Any) -> None:
    intake = world.intake()
    decoded(intake, ("t1", message(1)), ("t1", message(4)), ("t2", message(1)), ("t2", message(3)), received=NOW)
    outages = Outages(intake)
    outages.note("collector", START, START + timedelta(minutes=3))
    outages.write()
    ((thing_id,),) = world.rows("SELECT thing_id FROM hv.thing WHERE code = 't1'")
    connection = intake.connection
    found = screens.read_gaps(connection, thing_id, since=START, until=NOW)
    assert [(gap.cause, gap.domain, gap.missing) for gap in found if gap.ended] == [
        ("collector", None, None), ("sequence", "water", 2),
    ]  # fmt: skip
    # Too much of it for one chart: what is newest is missed the most.
    assert screens.read_gaps(connection, thing_id, since=START, until=NOW, limit=1) == found[-1:] != found[:1]
    fewer = screens.read_gaps(connection, thing_id, since=START, until=NOW, limit=2)
    assert [gap.began for gap in fewer] == sorted(gap.began for gap in found)[-2:]
    newest = screens.read_newest_gaps(connection, scope=EVERYTHING, since=START)
    assert sorted((gap.cause, gap.thing or "") for gap in newest) == [
        ("collector", ""), ("sequence", "t1"), ("sequence", "t2"),
    ]  # fmt: skip
    of_others = screens.read_newest_gaps(connection, scope=Scope(4711), since=START)
    assert [gap.cause for gap in of_others] == ["collector"]
    connection.rollback()
