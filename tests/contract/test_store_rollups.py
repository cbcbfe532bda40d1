"""Roll-ups equal what anybody computes from the readings, after any order of arrival, on every engine."""

from __future__ import annotations

import itertools
import math
import random
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hypervision import rollups
from hypervision.domains import load
from hypervision.errors import TemporaryStoreError
from hypervision.store import rollups as store
from hypervision.store.connection import connect
from hypervision.store.sql import query

pytestmark = pytest.mark.integration
Rolled = dict[datetime, tuple[float, ...]]


def bring_up_to_date(world: Any, zone: str = "Europe/Paris") -> None:
    if world.server.many:
        with connect(world.url, application="test") as connection:
            rollups.bring_up_to_date(connection, zone=zone)
    else:
        rollups.bring_up_to_date(world.intake().connection, zone=zone)


def edges_of(times: list[datetime], level: str, zone: str) -> list[datetime]:
    """Every bucket edge from well before the first reading to well after the last."""
    if level == "hourly":
        first = min(times).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
        return [first + timedelta(hours=i) for i in range(int((max(times) - first) / timedelta(hours=1)) + 6)]
    day = min(times).astimezone(ZoneInfo(zone)).date() - timedelta(days=2)
    days = (max(times) - min(times)).days + 5
    return [
        datetime(d.year, d.month, d.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        for d in (day + timedelta(days=i) for i in range(days))
    ]


def grown(was: float, now_is: float) -> float:
    if now_is >= was:
        return now_is - was
    size = 10.0 ** math.ceil(math.log10(was)) if was > 0 else 1.0
    if was >= 99 and size * 0.99 <= was < size and 0 <= now_is <= size * 0.01:
        return size - was + now_is
    return now_is if 0 <= now_is <= was / 20 else 0.0


def recomputed(readings: dict[datetime, float], kind: str, hold: timedelta, edges: list[datetime]) -> Rolled:
    """Computed second by second of definition, not by the query: one reading at a time, one bucket at a time."""
    times = sorted(readings)
    found: dict[datetime, list[Any]] = defaultdict(lambda: [0, [], 0.0, 0.0, 0.0, 0.0, 0.0])
    for i, at in enumerate(times):
        value = readings[at]
        following = times[i + 1] if i + 1 < len(times) else None
        ends = at + hold if following is None else min(at + hold, following)
        for start, end in itertools.pairwise(edges):
            bucket = found[start]
            if start <= at < end:
                bucket[0] += 1
                bucket[1].append(value)
                bucket[5] += value
            held = (min(ends, end) - max(at, start)).total_seconds()
            if held > 0:
                bucket[2] += held
                bucket[3] += held * value
                bucket[6] += held * (value == 1)
            if following is not None and kind == "counter":
                share = (min(following, end) - max(at, start)) / (following - at)
                bucket[4] += grown(value, readings[following]) * max(0.0, share)
    result: Rolled = {}
    for start, (n, values, covered, weighted, growth, total, on) in found.items():
        if n or covered or growth:
            sums = {"counter": growth, "state": on, "event": total, "gauge": math.nan}
            result[start] = (
                n, min(values, default=math.nan), max(values, default=math.nan),
                weighted / covered if covered else math.nan, sums[kind], covered,
            )  # fmt: skip
    return result


def stored(world: Any, level: str, thing: str, name: str) -> Rolled:
    rows = world.rows(
        "SELECT bucket, n, minimum, maximum, mean, total, covered_seconds"
        f" FROM observations_{level} WHERE thing = %(thing)s AND property = %(name)s",
        {"thing": thing, "name": name},
    )
    return {row[0]: tuple(math.nan if x is None else float(x) for x in row[1:]) for row in rows}


def assert_equal(
    world: Any, thing: str, name: str, readings: dict[datetime, float], zone: str = "Europe/Paris"
) -> None:
    described = load().find(domain_of(name), name)
    assert described is not None
    hold = timedelta(seconds=86_400 if described.period is None else 2 * described.period)
    if described.kind == "event":
        hold = timedelta(0)
    for level in ("hourly", "daily"):
        expected = recomputed(readings, described.kind, hold, edges_of(list(readings), level, zone))
        found = stored(world, level, thing, name)
        assert sorted(found) == sorted(expected), level
        for bucket, row in expected.items():
            assert found[bucket] == pytest.approx(row, rel=1e-9, abs=1e-6, nan_ok=True), (level, bucket)


def domain_of(name: str) -> str:
    return {"fill": "waste", "emptied": "waste", "occupied": "parking"}.get(name, "water")


def series(name: str, start: datetime, n: int, every: float, rng: random.Random) -> dict[datetime, float]:
    """Readings at uneven times, with holes; a counter counts, a state switches."""
    at, value, found = start, 99_000.0, {}
    for _ in range(n):
        at += timedelta(seconds=round(every * rng.choice([0.4, 1, 1, 1.3, 7]), 3))
        value += rng.choice([0.0, 1.5, 12.25])
        found[at] = {
            "flow": round(rng.uniform(0, 80), 2), "volume": value % 100_000, "pump_state": float(rng.choice([0, 1, 1, 2])),
            "emptied": 1.0, "occupied": float(rng.choice([0, 1])), "fill": round(rng.uniform(0, 100), 1),
        }[name]  # fmt: skip
    return found


@pytest.mark.parametrize("name", ["flow", "volume", "pump_state", "occupied", "fill", "emptied"])
def test_rollups_equal_a_recomputation_whatever_the_order(world: Any, name: str) -> None:
    """Over the night when clocks go back in Paris, shuffled, in many batches, with a pass between them."""
    rng = random.Random(name)
    readings = series(name, datetime(2025, 10, 24, 20, 13, 7, tzinfo=UTC), 120, 1500.0, rng)
    order = list(readings)
    rng.shuffle(order)
    intake = world.intake()
    for i in range(0, len(order), 40):
        batch = [(domain_of(name), "t1", name, at, readings[at]) for at in order[i : i + 40]]
        world.send(intake, *batch, received=max(readings) + timedelta(seconds=1))
        bring_up_to_date(world)
        intake = world.intake() if not world.server.many else intake
        assert_equal(world, "t1", name, {at: readings[at] for at in order[: i + 40]})


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("Europe/Paris", datetime(2026, 3, 28, 18, 0, 5, tzinfo=UTC)),
        ("Asia/Kolkata", datetime(2026, 3, 28, 9, 0, 5, tzinfo=UTC)),
        ("America/St_Johns", datetime(2025, 11, 1, 9, 0, 5, tzinfo=UTC)),
        # Clocks are set back to midnight: there are two of them.
        ("Atlantic/Azores", datetime(2025, 10, 25, 9, 0, 5, tzinfo=UTC)),
    ],
)
def test_days_are_those_of_the_zone_when_clocks_change_and_off_the_full_hour(
    world: Any, zone: str, start: datetime
) -> None:
    readings = series("volume", start, 60, 3000.0, random.Random(zone))
    world.send(
        world.intake(), *[("water", "t1", "volume", at, v) for at, v in readings.items()],
        received=max(readings) + timedelta(seconds=1),
    )  # fmt: skip
    bring_up_to_date(world, zone)
    assert_equal(world, "t1", "volume", readings, zone)
    days = stored(world, "daily", "t1", "volume")
    lengths = {(b - a).total_seconds() / 3600 for a, b in zip(sorted(days), sorted(days)[1:], strict=False)}
    assert lengths == ({24.0} if zone == "Asia/Kolkata" else {"Europe/Paris": {23.0, 24.0}}.get(zone, {24.0, 25.0}))
    total = sum(grown(a, b) for a, b in zip(list(readings.values()), list(readings.values())[1:], strict=False))
    assert sum(row[4] for row in days.values()) == pytest.approx(total)


def test_another_zone_makes_all_days_anew(world: Any) -> None:
    readings = series("flow", datetime(2026, 3, 20, 9, 0, 5, tzinfo=UTC), 60, 3000.0, random.Random(1))
    world.send(world.intake(), *[("water", "t1", "flow", at, v) for at, v in readings.items()], received=max(readings))
    world.close()
    for zone in ("Europe/Paris", "Asia/Tokyo"):
        with connect(world.url, application="test") as connection:
            store.use_zone(connection, zone)
            rollups.bring_up_to_date(connection, zone=zone)
        assert_equal(world, "t1", "flow", readings, zone)


def test_change_of_zone_that_was_interrupted_is_done_as_a_whole(
    world: Any, several: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In steps that are committed; what comes next begins anew, also with the zone that it was before."""
    start = datetime(2026, 3, 20, 9, 0, 5, tzinfo=UTC)
    readings = {thing: series("flow", start, 60, 3000.0, random.Random(thing)) for thing in ("t1", "t2")}
    sent = [("water", thing, "flow", at, v) for thing, given in readings.items() for at, v in given.items()]
    world.history(world.intake(), *sent)
    world.close()
    monkeypatch.setattr(store, "_STREAMS", 1)
    asked: list[str] = []

    def ask(name: str) -> Any:
        asked.append(name)
        if asked.count("forget_rollup_days") == 3:
            raise TemporaryStoreError("cut")
        return query(name)

    with connect(world.url, application="test") as connection:
        store.use_zone(connection, "Europe/Paris")
        rollups.bring_up_to_date(connection, zone="Europe/Paris")
        with monkeypatch.context() as patched:
            patched.setattr(store, "query", ask)
            with pytest.raises(TemporaryStoreError):
                store.use_zone(connection, "Asia/Tokyo")
        connection.rollback()
        assert stored(world, "daily", "t1", "flow") == {} != stored(world, "daily", "t2", "flow")
        for zone, changed in (("Europe/Paris", True), ("Europe/Paris", False), ("Asia/Kolkata", True)):
            assert store.use_zone(connection, zone) is changed
            rollups.bring_up_to_date(connection, zone=zone)
            for thing, given in readings.items():
                assert_equal(world, thing, "flow", given, zone)


def test_nothing_is_computed_before_days_of_another_zone_are_forgotten(
    world: Any, newest_only: None, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., None]
) -> None:
    """Also when that failed the first time."""
    done: list[str] = []
    monkeypatch.setattr(rollups, "EVERY", 0.02)

    def use_zone(_connection: Any, zone: str) -> bool:
        done.append(zone)
        if len(done) == 1:
            raise TemporaryStoreError("canceling statement due to statement timeout")
        return True

    def compute(_connection: Any, **_options: Any) -> int:
        done.append("computed")
        return 0

    monkeypatch.setattr(store, "use_zone", use_zone)
    monkeypatch.setattr(rollups, "bring_up_to_date", compute)
    roller = rollups.Roller(world.url, zone="Asia/Tokyo")
    roller.start()
    wait_until(lambda: "computed" in done, tell=lambda: str(done))
    roller.stop()
    assert done[:3] == ["Asia/Tokyo", "Asia/Tokyo", "computed"]


def test_marks_of_an_import_are_taken_over_in_parts(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_MARKS", 3)
    intake = world.intake()
    at = datetime(2026, 3, 20, 9, 0, 0, tzinfo=UTC)
    readings = {at + timedelta(hours=i): float(i) for i in range(8)}
    world.history(intake, *[("water", "t1", "flow", t, v) for t, v in readings.items()])
    for left in (5, 2, 0):
        assert len(store.collect(intake.connection, newest=2)) == 2
        assert store.backlog(intake.connection) == 8
        assert world.rows("SELECT count(*) FROM hv.rollup_mark") == [(left,)]
    bring_up_to_date(world)
    assert_equal(world, "t1", "flow", readings)


def test_reading_committed_while_marks_are_collected_is_not_forgotten(world: Any, several: None) -> None:
    """The hour is marked once in an epoch: whoever ends the epoch waits for the batches of the old one."""
    from concurrent.futures import ThreadPoolExecutor

    start = datetime(2026, 3, 20, 9, 0, 0, tzinfo=UTC)
    readings = {start + timedelta(seconds=7 * i): float(i % 13) for i in range(400)}
    intake = world.intake()

    def write() -> None:
        items = list(readings.items())
        for i in range(0, len(items), 4):
            world.send(intake, *[("water", "t1", "flow", at, v) for at, v in items[i : i + 4]], received=max(readings))

    with ThreadPoolExecutor(1) as pool, connect(world.url, application="test") as connection:
        writing = pool.submit(write)
        while not writing.done():
            rollups.bring_up_to_date(connection, zone="Europe/Paris")
        writing.result()
        rollups.bring_up_to_date(connection, zone="Europe/Paris")
    assert_equal(world, "t1", "flow", readings)


def test_hours_are_marked_once_until_they_are_collected(world: Any) -> None:
    intake = world.intake()
    at = datetime(2026, 3, 20, 9, 0, 0, tzinfo=UTC)
    for i in range(5):
        world.send(intake, ("water", "t1", "flow", at + timedelta(minutes=i), 1.0), received=at + timedelta(hours=1))
    assert world.rows("SELECT hour FROM hv.rollup_mark") == [(at,)]
    bring_up_to_date(world)
    assert world.rows("SELECT hour FROM hv.rollup_mark UNION ALL SELECT hour FROM hv.rollup_due") == []
    if world.server.many:
        world.send(intake, ("water", "t1", "flow", at + timedelta(minutes=9), 1.0), received=at + timedelta(hours=1))
        assert world.rows("SELECT hour FROM hv.rollup_mark") == [(at,)]


def test_hours_due_are_counted_once_a_round_and_no_further_than_worth_it(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake = world.intake()
    at = datetime(2026, 3, 20, 9, 0, 0, tzinfo=UTC)
    readings = {at + timedelta(hours=i): float(i) for i in range(11)}
    world.history(intake, *[("water", "t1", "flow", t, v) for t, v in readings.items()])
    world.close()
    counted: list[int] = []
    passes: list[int] = []
    told: list[int] = []

    def noting(asked: Callable[..., int], into: list[int]) -> Callable[..., int]:
        def ask(*args: Any, **options: Any) -> int:
            into.append(asked(*args, **options))
            return into[-1]

        return ask

    monkeypatch.setattr(store, "_COUNTED", 4)
    monkeypatch.setattr(rollups, "_HOURS", 2)
    monkeypatch.setattr(store, "backlog", noting(store.backlog, counted))
    monkeypatch.setattr(store, "work", noting(store.work, passes))
    with connect(world.url, application="test") as connection:
        assert rollups.bring_up_to_date(connection, zone="Europe/Paris", progress=told.append) == 0
        assert passes == [2, 2, 2, 2, 2, 1]
        assert counted == [4, 4, 3, 0]
        assert told == [4, 2, 4, 2, 3, 1, 0]
        # Nothing is due: nothing is worked.
        assert rollups.bring_up_to_date(connection, zone="Europe/Paris") == 0
        assert (len(passes), counted[4:]) == (6, [0])
    assert_equal(world, "t1", "flow", readings)


def test_newest_hours_do_not_wait_for_an_import_nor_for_a_long_rest(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old backlog of many steps; a reading that comes between two of them is rolled up with the next."""
    intake = world.intake()
    at = datetime(2026, 3, 20, 9, 0, 0, tzinfo=UTC)
    world.history(intake, *[("water", "t1", "flow", at + timedelta(hours=i), 1.0) for i in range(40)])
    world.send(intake, ("water", "z9", "flow", at + timedelta(days=9), 2.0), received=at + timedelta(days=9))
    monkeypatch.setattr(rollups, "_HOURS", 2)
    monkeypatch.setattr(rollups, "_NEWEST", 2)
    monkeypatch.setattr(rollups, "EVERY", 0.0)
    rests: list[float] = []
    steps: list[tuple[int, int]] = []
    told: list[int] = []

    def rest(seconds: float) -> bool:
        rests.append(seconds)
        steps.append((len(stored(world, "hourly", "t1", "flow")), len(stored(world, "hourly", "z9", "flow"))))
        if len(rests) == 1:
            sent = at + timedelta(days=9, hours=6)
            world.send(intake, ("water", "z9", "flow", sent, 2.0), received=sent)
        return len(rests) == 2

    if world.server.many:
        with connect(world.url, application="test") as connection:
            left = rollups.bring_up_to_date(connection, zone="Europe/Paris", rest=rest, progress=told.append)
        assert [bool(n) for _, n in steps] == [True, True]
        assert steps[1][1] > steps[0][1], steps
        assert 0 < steps[0][0] < steps[1][0] < 40, "what waits goes on as well"
        assert max(rests) <= rollups._LONGEST_REST
        assert left == told[-1] > 30
        world.send(intake, ("water", "z8", "flow", at, 2.0), received=at + timedelta(days=10))
        with connect(world.url, application="test") as connection:
            assert store.backlog(connection) == left + 1, "a mark that nobody took over is counted"


def test_hour_that_cannot_be_added_up_is_left_out_and_the_others_are_not(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """What an older version took for good."""
    intake = world.intake()
    at = datetime(2026, 3, 20, 9, 0, 0, tzinfo=UTC)
    readings = {at + timedelta(hours=5 * i): float(i) for i in range(20)}
    world.history(intake, *[("water", "t1", "flow", t, v) for t, v in readings.items()])
    bad = sorted(readings)[7]
    world.execute("UPDATE hv.observation SET result = 1e308 WHERE phenomenon_time = %(at)s", {"at": bad})
    bring_up_to_date(world)
    rolled = stored(world, "hourly", "t1", "flow")
    assert {t for t in readings if t not in rolled} == {bad}
    assert [record.getMessage().count(bad.isoformat()) for record in caplog.records] == [1]
    assert world.rows("SELECT count(*) FROM hv.rollup_due") == [(0,)]


@pytest.mark.parametrize(
    ("was", "now_is", "grew"),
    [
        (10.0, 12.5, 2.5),
        (99_998.0, 3.0, 5.0),  # five digits roll over
        (65_530.0, 4.0, 10.0),  # sixteen bits
        (4_294_967_290.0, 4.0, 10.0),  # thirty-two bits
        (812.0, 3.0, 3.0),  # restarted at zero and counted three
        (9_000.0, 4_000.0, 0.0),  # another meter
        (0.0, 0.0, 0.0),
        (5.0, -1.0, 0.0),
    ],
)
def test_counter_grows_over_rollover_reset_and_another_meter(
    world: Any, was: float, now_is: float, grew: float
) -> None:
    assert world.rows("SELECT hv.increase(%(was)s, %(now_is)s)", {"was": was, "now_is": now_is}) == [(grew,)]
