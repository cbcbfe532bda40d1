"""The water network computed by EPANET itself."""

import numpy as np
import pytest

from simulators.localtime import DAY_US, HOUR_US, MINUTE_US
from simulators.scenario import load
from simulators.simulation import Simulation
from simulators.water import courses, hydraulics
from simulators.water.hydraulics import STEP_US, Order, leak_flow, simulate
from simulators.water.network import DISTRICTS, NOMINAL_PRESSURE, Leak, Wear

pytestmark = pytest.mark.skipif(not hydraulics.available(), reason="WNTR has no wheel for this machine")

ORIGIN = 1_795_392_000_000_000 // STEP_US * STEP_US
UNTIL = ORIGIN + 6 * DAY_US
ORDER = Order(ORIGIN, UNTIL, 1, "Europe/Paris")


@pytest.fixture(scope="module")
def healthy():
    return simulate(ORDER)


def settled(course, step=STEP_US):
    return np.arange(course.origin_us + DAY_US, course.end_us, step, dtype=np.int64)


def with_leak(**changes):
    leak = Leak(
        **({"node": "229", "start_us": ORIGIN + 2 * DAY_US, "end_us": UNTIL, "grow_us": 0, "size": 15.0} | changes)
    )
    return leak, simulate(Order(ORIGIN, UNTIL, 1, "Europe/Paris", leaks=(leak,)))


def test_water_that_enters_a_district_is_what_leaves_it(healthy):
    times = settled(healthy)
    for district in DISTRICTS:
        entering = healthy.at(f"flow:{district.code}", times)
        leaving = healthy.at(f"demand:{district.code}", times)
        assert np.allclose(entering, leaving, atol=0.05)
        assert entering.min() > 5.0


def test_pressures_and_levels_are_those_of_a_town(healthy):
    times = settled(healthy)
    for name in healthy.names:
        if name.startswith("pressure:"):
            assert healthy.at(name, times).min() > 2.0, name
            assert healthy.at(name, times).max() < 8.0, name
        if name.startswith("level:"):
            assert healthy.at(name, times).min() > 2.0, name
            assert np.ptp(healthy.at(name, times)) > 1.0, name
    for pump in ("pump-haras-1", "pump-etang-1"):
        power = healthy.at(f"pump_power:{pump}", times)
        assert power.min() == 0.0
        assert 40.0 < power.max() < 150.0


def test_inflow_of_the_leaking_district_rises_by_the_leak(healthy):
    leak, leaking = with_leak()
    times = settled(healthy)
    more = leaking.at("flow:dma-sud", times) - healthy.at("flow:dma-sud", times)
    head = leaking.at("pressure:229", times) / 0.0980665
    expected = leak_flow(leak, times) * np.sqrt(head / NOMINAL_PRESSURE)
    assert np.allclose(more, expected, atol=0.35)
    for district in DISTRICTS[:-1]:
        other = leaking.at(f"flow:{district.code}", times) - healthy.at(f"flow:{district.code}", times)
        assert np.abs(other).max() < 0.35
    after = times >= leak.start_us
    assert (leaking.at("pressure:229", times)[after].mean()) < healthy.at("pressure:229", times)[after].mean()


def test_growing_leak_grows_within_one_run(healthy):
    leak, leaking = with_leak(grow_us=3 * DAY_US, size=20.0)
    nights = [leak.start_us + day * DAY_US + 2 * HOUR_US for day in range(4)]
    times = np.array(nights, np.int64)
    more = leaking.at("flow:dma-sud", times) - healthy.at("flow:dma-sud", times)
    assert (np.diff(more) > 3.0).all()
    before = settled(healthy)[settled(healthy) < leak.start_us]
    assert np.array_equal(leaking.at("flow:dma-sud", before), healthy.at("flow:dma-sud", before))


def test_worn_pump_needs_more_for_less(healthy):
    wear = Wear("pump-haras-1", ORIGIN, UNTIL + DAY_US, 10 * MINUTE_US, 0.3)
    worn = simulate(Order(ORIGIN, UNTIL, 1, "Europe/Paris", wears=(wear,)))
    times = settled(healthy)

    def running(course):
        flow, power = course.held("pump_flow:pump-haras-1", times), course.held("pump_power:pump-haras-1", times)
        on = flow > 1.0
        return flow[on].mean(), (power[on] / flow[on]).mean(), on.mean()

    flow, per_cubic_metre, share = running(healthy)
    worn_flow, worn_per_cubic_metre, worn_share = running(worn)
    assert worn_flow < 0.97 * flow
    assert worn_per_cubic_metre > 1.15 * per_cubic_metre
    assert worn_share > share


def test_worn_pump_that_is_repaired_is_as_good_as_new(healthy):
    repair = ORIGIN + 3 * DAY_US
    wear = Wear("pump-haras-1", ORIGIN, repair, 10 * MINUTE_US, 0.3)
    for course in (
        simulate(Order(ORIGIN, UNTIL, 1, "Europe/Paris", wears=(wear,))),
        courses.from_shipped(Order(ORIGIN, UNTIL, 1, "Europe/Paris", wears=(wear,))),
    ):
        times = settled(course)
        flow, power = course.held("pump_flow:pump-haras-1", times), course.held("pump_power:pump-haras-1", times)
        dear = power[flow > 1.0] / flow[flow > 1.0]
        before = times[flow > 1.0] < repair
        assert dear[before].mean() > 1.15 * dear[~before].mean()
    flow, power = healthy.held("pump_flow:pump-haras-1", times), healthy.held("pump_power:pump-haras-1", times)
    new = (power[flow > 1.0] / flow[flow > 1.0]).mean()
    worn = simulate(Order(ORIGIN, UNTIL, 1, "Europe/Paris", wears=(wear,)))
    times = times[times >= repair + HOUR_US]
    flow, power = worn.held("pump_flow:pump-haras-1", times), worn.held("pump_power:pump-haras-1", times)
    assert (power[flow > 1.0] / flow[flow > 1.0]).mean() == pytest.approx(new, rel=0.03)


def test_longer_run_begins_like_the_shorter_one(healthy):
    longer = simulate(Order(ORIGIN, UNTIL + DAY_US, 1, "Europe/Paris"))
    assert np.array_equal(longer.values[:, : healthy.values.shape[1]], healthy.values)


def test_child_process_gives_the_same_course_and_the_cache_keeps_it(healthy, tmp_path, monkeypatch):
    apart = courses.obtain(ORDER)
    assert apart.names == healthy.names
    assert np.array_equal(apart.values, healthy.values)
    first = courses.kept(ORDER, tmp_path / "kept.npz")
    monkeypatch.setattr(courses, "obtain", lambda _order: pytest.fail("it was kept"))
    again = courses.kept(ORDER, tmp_path / "kept.npz")
    assert np.array_equal(first.values, again.values)
    assert np.array_equal(first.values[:, : healthy.values.shape[1]], healthy.values)


def test_shipped_result_tells_nearly_the_same_story(healthy):
    leak, leaking = with_leak()
    shipped = courses.from_shipped(Order(ORIGIN, UNTIL, 1, "Europe/Paris", leaks=(leak,)))
    times = settled(healthy)
    assert set(shipped.names) == set(healthy.names)
    for district in DISTRICTS:
        name = f"flow:{district.code}"
        assert shipped.at(name, times).mean() == pytest.approx(leaking.at(name, times).mean(), rel=0.05)
    assert shipped.at("pressure:229", times).mean() == pytest.approx(leaking.at("pressure:229", times).mean(), abs=0.15)


def test_same_seed_gives_the_same_messages_with_epanet():
    anchor = ORIGIN + 10 * DAY_US

    def messages():
        scenario = load("tiny", anchor_us=anchor)
        simulation = Simulation(scenario, origin_us=anchor - 2 * DAY_US, horizon_us=anchor + 2 * DAY_US)
        simulation.prepare()
        return simulation.messages(anchor, anchor + 5 * MINUTE_US, scenario.live)

    first = messages()
    assert len(first) > 200
    assert first == messages()
