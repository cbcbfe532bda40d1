"""The demo town's growing leak and a town without one, as the detectors and their default rules see them."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hypervision.domains import load as load_domains
from models.detector import discover
from models.night import NightFlow
from models.ringing import ring, rules_of
from models.tracking import Track
from models.walk import walk
from simulators.localtime import DAY_US, to_us
from simulators.scenario import load, parse
from simulators.simulation import Simulation
from simulators.water import hydraulics
from simulators.water.network import DISTRICTS

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not hydraulics.available(), reason="WNTR has no wheel for this machine"),
]
MONDAY = to_us(datetime(2026, 11, 9, 14, tzinfo=UTC))
PARIS = ZoneInfo("Europe/Paris")


def inflows(scenario, start_us, end_us):
    """What the districts' meters report, by district."""
    water = replace(scenario, include=("dma-*", "pressure-*", "pump-*"))
    simulation = Simulation(water, origin_us=start_us - DAY_US, horizon_us=end_us)
    readings = simulation.readings(start_us, end_us, scenario.history)
    found = {}
    for i, stream in enumerate(simulation.streams):
        if stream.name == "flow" and stream.thing.startswith("dma-"):
            mine = readings.stream == i
            found[stream.thing] = readings.time_us[mine], readings.result[mine]
    assert len(found) == len(DISTRICTS)
    return found


@pytest.mark.parametrize("day", [0, 3, 5], ids=["Monday", "Thursday", "Saturday"])
def test_growing_leak_of_the_demo_rings_at_the_first_start_and_no_other_district_does(day):
    now_us = MONDAY + day * DAY_US
    (rule,) = rules_of(NightFlow(), load_domains())
    scores = {}
    for thing, (times, flow) in inflows(load("town", anchor_us=now_us, seed=day), now_us - 14 * DAY_US, now_us).items():
        told = Track(thing, NightFlow(zone=PARIS)).advance(times, flow, now_us=now_us)
        assert told.times_us[-1] == now_us
        scores[thing] = float(told.excess[-1])
    assert {thing for thing, score in scores.items() if score > rule.limit} == {"dma-sud"}, scores
    # As docs/detectors.md says.
    assert 5.0 < scores["dma-sud"] < 7.0


def test_sixty_days_without_a_leak_ring_nowhere():
    calm = parse({"seed": 3}, name="calm", anchor_us=MONDAY)
    for thing, (times, flow) in inflows(calm, MONDAY - 60 * DAY_US, MONDAY).items():
        assert np.isfinite(flow).all()
        for detector in discover(PARIS):
            (rule,) = rules_of(detector, load_domains())
            assert ring(walk(detector, times, flow), rule) == [], (thing, detector.writes)
