"""Corrections of past readings: what was wrong is put right, what was right comes back, on every engine."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hypervision import corrections
from hypervision.correction import Correction
from hypervision.corrections import Corrected, perform
from hypervision.errors import SettingError, TemporaryStoreError
from hypervision.store import corrections as store
from hypervision.store import series as series_store
from tests.contract.test_store_rollups import assert_equal, bring_up_to_date, series

pytestmark = pytest.mark.integration
START = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
END = START + timedelta(days=1)


def wanted(kind: Any, **more: Any) -> Correction:
    given: dict[str, Any] = {
        "thing": "t1",
        "property": "flow",
        "since": START,
        "until": END,
        "reason": "meter fault",
        "author": "engineer",
    }
    return Correction(kind=kind, **(given | more))


def correct(world: Any, order: Correction, *, step: int = 50_000) -> Corrected:
    intake = world.intake("correct")
    try:
        return perform(intake, order, clock=lambda: world.now, step=step)
    finally:
        if world.server.many:
            world.close(intake)


def rows(world: Any, name: str = "flow") -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = world.rows(
        "SELECT phenomenon_time, result, quality, late, received_time FROM observations"
        " WHERE thing = 't1' AND property = %(name)s ORDER BY 1",
        {"name": name},
    )
    return found


def latest(world: Any) -> tuple[Any, ...]:
    found = world.rows("SELECT phenomenon_time, result, quality FROM latest_observations WHERE thing = 't1'")
    return tuple(found[0])


def fill(world: Any, n: int = 60, name: str = "flow") -> dict[datetime, float]:
    """Readings every ten minutes or so from START on."""
    readings = series(name, START, n, 600.0, random.Random(7))
    received = max(readings) + timedelta(seconds=1)
    world.send(world.intake(), *[("water", "t1", name, at, v) for at, v in readings.items()], received=received)
    world.close()
    return readings


def sound(world: Any, name: str = "flow") -> dict[datetime, float]:
    """What counts in the roll-ups."""
    return {row[0]: row[1] for row in rows(world, name) if row[2] not in ("bad", "out_of_range")}


def assert_rolled(world: Any, name: str = "flow") -> None:
    bring_up_to_date(world)
    if counted := sound(world, name):
        assert_equal(world, "t1", name, counted)
    else:
        assert (
            world.rows("SELECT bucket FROM observations_hourly UNION ALL SELECT bucket FROM observations_daily") == []
        )


def test_invalidated_readings_are_bad_and_come_back_as_they_were(world: Any) -> None:
    readings = fill(world)
    before, newest = rows(world), latest(world)
    times = sorted(readings)
    assert_rolled(world)
    done = correct(world, wanted("invalidate", since=times[10], until=times[20]))
    assert done.rows == 10
    after = rows(world)
    assert [row[2] for row in after] == ["good"] * 10 + ["bad"] * 10 + ["good"] * (len(times) - 20)
    assert [row[:2] + row[3:] for row in after] == [row[:2] + row[3:] for row in before]
    assert latest(world) == newest
    assert_rolled(world)
    back = correct(world, wanted("restore", since=None, until=None, correction_id=done.correction_id))
    assert (back.thing, back.property, back.rows) == ("t1", "flow", 10)
    assert rows(world) == before
    assert_rolled(world)


@pytest.mark.parametrize("name", ["flow", "volume"])
def test_line_is_laid_over_readings_and_taken_off_exactly(world: Any, name: str) -> None:
    fill(world, name=name)
    before = rows(world, name)
    done = correct(world, wanted("correct", property=name, factor=0.1, add=0.3))
    assert [(row[1], row[2]) for row in rows(world, name)] == [(row[1] * 0.1 + 0.3, "corrected") for row in before]
    assert_rolled(world, name)
    correct(world, wanted("restore", correction_id=done.correction_id))
    assert rows(world, name) == before
    assert_rolled(world, name)


def test_results_by_time_and_one_value_replace_what_is_stored(world: Any) -> None:
    times = sorted(fill(world))
    before = rows(world)
    given = [(times[3], 1.25), (times[5], 2.5)]
    done = correct(world, wanted("correct", since=None, until=None, results=given))
    assert done.rows == 2
    assert [row[1:3] for row in rows(world) if row[0] in dict(given)] == [(1.25, "corrected"), (2.5, "corrected")]
    correct(world, wanted("correct", value=7.0, since=times[4], until=times[8]))
    assert [row[1] for row in rows(world)[3:9]] == [1.25, 7.0, 7.0, 7.0, 7.0, before[8][1]]
    assert_rolled(world)
    with pytest.raises(SettingError, match="nothing is stored at 2026-11-21T06:"):
        correct(world, wanted("correct", since=None, until=None, results=[(times[3] + timedelta(seconds=1), 1.0)]))
    # A range gives back what was before all of them.
    correct(world, wanted("restore"))
    assert rows(world) == before
    assert_rolled(world)
    kept = world.rows(
        "SELECT correction, result, restored_by FROM corrected_observations WHERE correction <= 2 ORDER BY 1"
    )
    assert len(kept) == 6
    assert {row[2] for row in kept} == {3}


def test_correction_under_another_is_not_restored(world: Any) -> None:
    times = sorted(fill(world))
    first = correct(world, wanted("correct", add=1.0))
    second = correct(world, wanted("invalidate", since=times[4], until=times[5]))
    with pytest.raises(SettingError, match=f"restore correction {second.correction_id} first"):
        correct(world, wanted("restore", correction_id=first.correction_id))
    correct(world, wanted("restore", correction_id=second.correction_id))
    assert rows(world)[4][2] == "corrected"
    correct(world, wanted("restore", correction_id=first.correction_id))
    assert {row[2] for row in rows(world)} == {"good"}


def test_same_correction_twice_is_refused_until_it_is_restored(world: Any) -> None:
    fill(world)
    done = correct(world, wanted("correct", add=1.0))
    with pytest.raises(SettingError, match=f"correction {done.correction_id} did the same"):
        correct(world, wanted("correct", add=1.0))
    correct(world, wanted("restore", correction_id=done.correction_id))
    assert correct(world, wanted("correct", add=1.0)).rows == done.rows
    correct(world, wanted("invalidate"))
    with pytest.raises(SettingError, match="no reading of t1/flow"):
        correct(world, wanted("invalidate"))


@pytest.mark.parametrize("kind", ["invalidate", "correct", "restore"])
def test_correction_interrupted_in_the_middle_goes_on_where_it_ended(
    world: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    readings = fill(world)
    before = rows(world)
    if kind == "restore":
        correct(world, wanted("correct", add=1.0))
    order = wanted(kind, add=1.0) if kind == "correct" else wanted(kind)
    advance, steps = store.advance, []

    def dying(*given: Any, **named: Any) -> None:
        steps.append(named["rows"])
        if len(steps) == 3:
            raise TemporaryStoreError("database: the server went away", sqlstate="57P01")
        advance(*given, **named)

    monkeypatch.setattr(store, "advance", dying)
    with pytest.raises(TemporaryStoreError):
        correct(world, order, step=7)
    monkeypatch.undo()
    if not world.server.many:
        world.close()
    number, changed = world.rows("SELECT id, rows FROM corrections ORDER BY id DESC LIMIT 1")[0]
    assert changed == 14
    assert_rolled(world)
    if kind != "restore":
        with pytest.raises(SettingError, match=f"correction {number} .* was interrupted"):
            correct(world, wanted("correct", value=3.0))
    done = correct(world, order, step=7)
    assert (done.correction_id, done.rows) == (number, len(readings))
    expected = {"invalidate": "bad", "correct": "corrected", "restore": "good"}[kind]
    assert {row[2] for row in rows(world)} == {expected}
    assert [row[1] for row in rows(world)] == [row[1] + (kind == "correct") for row in before]
    assert world.rows(
        "SELECT detail->>'rows', detail->>'finished' FROM hv.journal ORDER BY journal_id DESC LIMIT 1"
    ) == [(str(len(readings)), "true")]
    assert_rolled(world)


def test_interrupted_correction_can_be_given_back(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(world)
    before = rows(world)
    choose, calls = store.choose, []

    def dying(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 2:
            raise TemporaryStoreError("database: the server went away", sqlstate="57P01")
        return choose(*given)

    monkeypatch.setattr(store, "choose", dying)
    with pytest.raises(TemporaryStoreError):
        correct(world, wanted("correct", add=1.0), step=7)
    monkeypatch.undo()
    number = world.rows("SELECT max(id) FROM corrections")[0][0]
    assert correct(world, wanted("restore", correction_id=number)).rows == 7
    assert rows(world) == before
    assert world.rows("SELECT count(*) FROM corrections WHERE finished_at IS NULL") == [(0,)]


def test_audit_line_tells_who_what_and_why(world: Any) -> None:
    times = sorted(fill(world))
    correct(world, wanted("correct", factor=2.0, since=times[0], until=times[1], author="Ana", reason="wrong scale"))
    assert world.rows(
        "SELECT j.kind, j.actor, t.code, j.detail->>'kind', j.detail->>'reason', j.detail->'operation'->>'factor',"
        " j.detail->>'rows' FROM hv.journal j JOIN hv.thing t USING (thing_id)"
    ) == [("correction", "Ana", "t1", "correct", "wrong scale", "2.0", "1")]
    assert world.rows("SELECT thing, property, author, reason, rows FROM corrections") == [
        ("t1", "flow", "Ana", "wrong scale", 1)
    ]


def test_second_value_for_a_corrected_reading_is_a_conflict_with_both(world: Any) -> None:
    readings = fill(world)
    at = max(readings)
    correct(world, wanted("correct", value=7.5))
    intake = world.intake()
    received = at + timedelta(seconds=5)
    assert world.send(intake, ("water", "t1", "flow", at, readings[at]), received=received).rejected == 1
    assert world.send(intake, ("water", "t1", "flow", at, 7.5), received=received).duplicate == 1
    assert world.rows("SELECT reason, detail FROM rejected_messages") == [
        ("conflict", f"flow has 7.5 at this time already, {readings[at]!r} was refused")
    ]
    world.close()
    correct(world, wanted("invalidate"))
    intake = world.intake()
    assert world.send(intake, ("water", "t1", "flow", at, 7.5), received=received).duplicate == 1
    assert latest(world) == (at, 7.5, "bad")


def test_wrong_numbers_are_refused_before_anything_changes(world: Any) -> None:
    readings = fill(world)
    before = rows(world)
    worst = next(at for at in sorted(readings) if readings[at] > 0)
    with pytest.raises(SettingError, match=r"corrected, is .* outside"):
        correct(world, wanted("correct", factor=1e9, since=worst, until=END))
    with pytest.raises(SettingError, match="there is no datastream 'pressure' of 't1'"):
        correct(world, wanted("invalidate", property="pressure"))
    with pytest.raises(SettingError, match="there is no correction 99"):
        correct(world, wanted("restore", correction_id=99))
    assert rows(world) == before
    assert world.rows("SELECT count(*) FROM corrections") == [(0,)]


def test_domain_is_asked_for_where_it_is_open(world: Any) -> None:
    at = START + timedelta(minutes=1)
    intake = world.intake()
    for domain in ("water", "waste"):
        world.send(intake, (domain, "pole", "temperature", at, 20.0), received=at)
    with pytest.raises(SettingError, match="in the domains waste, water: name the domain"):
        correct(world, wanted("invalidate", thing="pole", property="temperature"))
    correct(world, wanted("invalidate", thing="pole", property="temperature", domain="water"))
    assert world.rows("SELECT domain, quality FROM observations ORDER BY 1") == [("waste", "good"), ("water", "bad")]


def test_unit_mistake_is_mended_where_readings_were_out_of_range(world: Any) -> None:
    at = START + timedelta(minutes=1)
    intake = world.intake()
    values = [310.0, 320.0, 90_000.0]
    for i, value in enumerate(values):
        world.send(intake, ("water", "t1", "pressure", at + timedelta(minutes=i), value), received=END)
    assert {row[2] for row in rows(world, "pressure")} == {"out_of_range"}
    assert correct(world, wanted("correct", property="pressure", factor=0.01)).rows == 2
    found = [(row[1], row[2]) for row in rows(world, "pressure")]
    assert found == [(310.0 * 0.01, "corrected"), (320.0 * 0.01, "corrected"), (90_000.0, "out_of_range")]


def test_models_do_not_learn_from_invalidated_readings(world: Any) -> None:
    times = sorted(fill(world))
    correct(world, wanted("invalidate", since=times[10], until=times[20]))
    correct(world, wanted("correct", add=1.0, since=times[30], until=times[31]))
    connection = world.intake().connection
    stream = connection.execute("SELECT datastream_id FROM hv.datastream").fetchone()[0]
    for every in (None, timedelta(seconds=1)):
        found = series_store.readings(connection, [stream], after_us=0, until_us=2**52, every=every)[stream]
        assert len(found) == len(times) - 10


def test_compressed_chunk_or_partition_of_a_month_is_corrected_in_place(world: Any) -> None:
    # So long after the readings, plain PostgreSQL keeps them in one partition of their month.
    world.now += timedelta(days=200)
    readings = series("flow", START, 60, 600.0, random.Random(7))
    world.history(world.intake(), *[("water", "t1", "flow", at, v) for at, v in readings.items()])
    world.close()
    before = rows(world)
    assert len(before) == 60
    if world.server.name == "timescaledb":
        world.execute("SELECT compress_chunk(c) FROM show_chunks('hv.observation') c")
        told = world.rows("SELECT bool_and(is_compressed) FROM timescaledb_information.chunks")
        assert told == [(True,)]
    else:
        names = world.rows("SELECT DISTINCT tableoid::regclass::text FROM hv.observation")
        assert [name.removeprefix("hv.") for (name,) in names] == ["observation_202611"]
    done = correct(world, wanted("correct", add=0.5), step=13)
    assert [row[1] for row in rows(world)] == [row[1] + 0.5 for row in before]
    correct(world, wanted("restore", correction_id=done.correction_id), step=13)
    assert rows(world) == before


changes = st.one_of(
    st.just({"kind": "invalidate"}),
    st.builds(lambda x: {"kind": "correct", "add": x}, st.floats(-0.5, 0.5)),
    st.builds(lambda x: {"kind": "correct", "factor": x}, st.floats(0.5, 0.9)),
    st.builds(lambda x: {"kind": "correct", "value": x}, st.floats(0, 80)),
)
ranges = st.tuples(st.integers(0, 19), st.integers(1, 20)).map(lambda x: (x[0], min(x[0] + x[1], 20)))


def test_any_corrections_restored_in_reverse_give_the_original_rows(world: Any) -> None:
    times = [START + timedelta(minutes=10 * i) for i in range(21)]
    world.send(
        world.intake(), *[("water", "t1", "flow", at, 20.0 + i / 7) for i, at in enumerate(times)], received=END
    )  # fmt: skip
    world.close()
    world.send(world.intake(), ("water", "t1", "flow", times[-1] + timedelta(minutes=1), 90_000.0), received=END)
    world.close()
    before, newest = rows(world), latest(world)
    intake = world.intake("correct")

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(changes, ranges, st.integers(2, 30)), min_size=1, max_size=5), st.booleans())
    def story(orders: list[Any], whole: bool) -> None:
        made: list[int] = []
        for change, (first, last), step in orders:
            order = wanted(since=times[first], until=times[last], **change)
            try:
                made.append(perform(intake, order, clock=lambda: world.now, step=step).correction_id)
            except SettingError:
                continue  # nothing to change, the same twice, or out of range: then nothing was changed
        if whole and made:
            perform(intake, wanted("restore", until=END), clock=lambda: world.now)
        else:
            for number in reversed(made):
                perform(intake, wanted("restore", correction_id=number), clock=lambda: world.now, step=3)
        assert rows(world) == before
        assert latest(world) == newest

    story()
    assert corrections.WRITER == "correct"
