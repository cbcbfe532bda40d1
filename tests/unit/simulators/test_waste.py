from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from simulators.localtime import DAY_US, HOUR_US, MINUTE_US, to_us, week_hours
from simulators.pace import HISTORY, LIVE
from simulators.readings import collect
from simulators.scenario import Fault, Scenario
from simulators.town import build_town
from simulators.waste.devices import Waste

PARIS = ZoneInfo("Europe/Paris")
START = to_us(datetime(2026, 11, 2, tzinfo=UTC))
END = START + 14 * DAY_US
TOWN = build_town(120)
BINS = TOWN.of_kind("bin", "glass_bin")


def waste(*faults):
    return Waste(Scenario("test", 5, PARIS, things=120, faults=faults), TOWN, origin_us=START, horizon_us=END)


def results(domain, thing, name, *, pace=HISTORY, start=START, end=END):
    streams = tuple(sorted(domain.streams()))
    readings = collect(domain.readings(start, end, pace), streams)
    mine = np.array([(s.thing, s.name) == (thing, name) for s in streams])[readings.stream]
    return readings.time_us[mine], readings.result[mine]


def test_bins_only_fill_between_two_rounds():
    domain = waste()
    for asset in BINS:
        times = np.arange(START, END, 20 * MINUTE_US)
        fill = domain.fill(asset, times)
        emptied, _ = results(domain, asset.code, "emptied")
        between = np.searchsorted(emptied, times, "right")
        same = np.diff(between) == 0
        assert (np.diff(fill)[same] >= -1e-9).all()
        assert fill.min() >= 0.0
        assert fill.max() <= 99.0


def test_rounds_empty_the_bin_early_in_the_morning():
    domain = waste()
    for asset in BINS:
        emptied, ones = results(domain, asset.code, "emptied")
        assert len(emptied) >= 1
        assert (ones == 1.0).all()
        hours = week_hours(emptied, PARIS) % 24
        assert (hours > 4).all()
        assert (hours < 11.5).all()
        after = domain.fill(asset, emptied)
        assert (after <= 3.0 + 1e-9).all()
        assert (domain.fill(asset, emptied - 1) > after).all()


def test_most_bins_are_emptied_in_time():
    domain = waste()
    times = np.arange(START, END, HOUR_US)
    full = np.array([(domain.fill(asset, times) > 90.0).mean() for asset in BINS])
    assert full.mean() < 0.03


def test_overflowing_bin_stays_full_until_the_end_of_the_fault():
    fault = Fault("overflow", BINS[3].code, "", START + 5 * DAY_US, START + 9 * DAY_US, 115.0)
    domain = waste(fault)
    times, fill = results(domain, fault.thing, "fill")
    late = (times >= fault.start_us + DAY_US) & (times < fault.end_us)
    assert (fill[late] == 115.0).all()
    emptied, _ = results(domain, fault.thing, "emptied")
    assert not ((emptied >= fault.start_us) & (emptied < fault.end_us)).any()
    healthy_times, healthy = results(waste(), fault.thing, "fill")
    before = times < fault.start_us
    assert np.array_equal(fill[before], healthy[healthy_times < fault.start_us])


def test_bin_fire_is_hot_within_minutes_and_cools_afterwards():
    start = START + DAY_US
    fault = Fault("bin_fire", BINS[0].code, "", start, start + HOUR_US, 320.0)
    times, hot = results(
        waste(fault), fault.thing, "temperature", pace=LIVE, start=start - HOUR_US, end=start + 6 * HOUR_US
    )
    _, cold = results(waste(), fault.thing, "temperature", pace=LIVE, start=start - HOUR_US, end=start + 6 * HOUR_US)
    assert np.array_equal(hot[times < start], cold[times < start])
    burning = (times > start + 15 * MINUTE_US) & (times < start + HOUR_US)
    assert (hot[burning] > 280.0).all()
    assert hot[-1] < 40.0
