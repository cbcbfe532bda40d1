from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from astral import Observer, sun

from simulators.lighting.circuits import course
from simulators.lighting.devices import Lighting
from simulators.lighting.sun import night
from simulators.localtime import DAY_US, HOUR_US, MINUTE_US, to_datetime, to_us
from simulators.pace import HISTORY
from simulators.readings import collect
from simulators.scenario import Fault, Scenario
from simulators.town import build_town

PARIS = ZoneInfo("Europe/Paris")
HERE = {"latitude": 48.86, "longitude": -0.61}
START = to_us(datetime(2026, 11, 2, 12, tzinfo=UTC))
END = START + 3 * DAY_US


def test_night_agrees_with_the_almanac():
    # Dusk of -3 degrees lies between sunset (16:44 UTC on 2026-11-02 there) and the end of civil twilight.
    on, off = night(START // DAY_US, **HERE)
    assert to_us(datetime(2026, 11, 2, 16, 35, tzinfo=UTC)) < on < to_us(datetime(2026, 11, 2, 17, 10, tzinfo=UTC))
    assert 13 * HOUR_US < off - on < 14.5 * HOUR_US


def test_lamps_burn_only_when_the_sun_is_down():
    burning = course(START, END, zone=PARIS, **HERE)
    times = np.arange(START, END, 10 * MINUTE_US)
    level = burning.brightness(times)
    elevation = np.array([sun.elevation(Observer(**HERE), to_datetime(int(t))) for t in times])
    assert (level[elevation > 0.0] == 0.0).all()
    assert (level[elevation < -6.0] > 0.0).all()
    assert set(level) == {0.0, 0.5, 1.0}


def test_counters_are_the_integral_of_what_burns():
    burning = course(START, END, zone=PARIS, **HERE)
    times = np.arange(START, END, MINUTE_US)
    level = burning.brightness(times)
    assert burning.bright(times[-1:])[0] == pytest.approx(level.sum() / 60, rel=0.01)
    assert burning.burnt(times[-1:])[0] == pytest.approx((level > 0).sum() / 60, rel=0.01)


def lighting(*faults):
    scenario = Scenario("test", 5, PARIS, things=120, faults=faults)
    return Lighting(scenario, build_town(120), origin_us=START, horizon_us=END)


def results(domain, thing, name, start=START, end=END):
    streams = tuple(sorted(domain.streams()))
    readings = collect(domain.readings(start, end, HISTORY), streams)
    mine = np.array([(s.thing, s.name) == (thing, name) for s in streams])[readings.stream]
    return readings.time_us[mine], readings.result[mine]


def test_failed_lamp_shows_and_takes_its_power_and_energy():
    out = Fault("lamp_out", "lamp-01-01", "", START + DAY_US, END, 1.0)
    times, healthy = results(lighting(), "cab-01", "power")
    _, failing = results(lighting(out), "cab-01", "power")
    lost = healthy - failing
    midnight = (times >= START + DAY_US) & (healthy > 1.0)
    assert np.allclose(lost[midnight & (healthy > healthy.max() * 0.8)].mean(), 0.062, atol=0.005)
    assert (lost[times < START + DAY_US] == 0.0).all()
    state_times, state = results(lighting(out), "lamp-01-01", "lamp_state")
    assert (state[state_times >= START + DAY_US] == 2.0).all()
    assert set(state[state_times < START + DAY_US]) == {0.0, 1.0}
    _, energy = results(lighting(), "cab-01", "energy")
    _, less = results(lighting(out), "cab-01", "energy")
    assert (np.diff(energy) > 0).all()
    assert (np.diff(less) > 0).all()
    # Two nights of one lamp: its share of about ten bright hours each.
    assert 0.062 * 15 < energy[-1] - less[-1] < 0.062 * 24


def test_tripped_cabinet_is_dark_and_without_voltage():
    trip = Fault("cabinet_trip", "cab-01", "", START + DAY_US, START + 2 * DAY_US, 1.0)
    for name in ("voltage", "power", "current"):
        times, result = results(lighting(trip), "cab-01", name)
        during = (times >= trip.start_us) & (times < trip.end_us)
        assert (result[during] == 0.0).all()
        assert (result[~during] > 0.0).all()
    times, _ = results(lighting(trip), "lamp-01-01", "lamp_state")
    assert not ((times >= trip.start_us) & (times < trip.end_us)).any()
    healthy, _ = results(lighting(), "lamp-01-01", "lamp_state")
    assert len(healthy) - len(times) == 96
    # Nothing is counted without voltage: neither for lamps nor for the cabinet itself.
    times, energy = results(lighting(trip), "cab-01", "energy")
    assert np.ptp(energy[(times >= trip.start_us) & (times < trip.end_us)]) == 0.0


def test_day_burner_burns_by_day_and_open_door_is_seen():
    burner = Fault("day_burner", "cab-02", "", START + DAY_US, END, 1.0)
    door = Fault("door_open", "cab-02", "", START + DAY_US, END, 1.0)
    times, power = results(lighting(burner, door), "cab-02", "power")
    assert power[times >= burner.start_us].min() > 0.5
    assert power[times < burner.start_us].min() < 0.05
    times, state = results(lighting(burner, door), "cab-02", "door")
    assert np.array_equal(state == 1.0, times >= door.start_us)
