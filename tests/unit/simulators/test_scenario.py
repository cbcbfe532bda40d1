import tomllib
from pathlib import Path

import pytest

from hypervision.errors import HypervisionError
from simulators.localtime import DAY_US
from simulators.scenario import KINDS, OPEN, load, parse, shipped
from simulators.simulation import Simulation
from simulators.truth import rfc3339

ANCHOR = 1_795_000_000_000_000


@pytest.mark.parametrize("name", shipped())
def test_shipped_scenario_names_things_and_properties_that_exist(name):
    scenario = load(name, anchor_us=ANCHOR)
    simulation = Simulation(scenario, origin_us=ANCHOR, horizon_us=ANCHOR + DAY_US)
    things = {asset.code for asset in simulation.town.assets}
    measured = {(stream.thing, stream.name) for stream in simulation.streams}
    for fault in scenario.faults:
        assert fault.thing in things, fault
    truths = simulation.truths()
    assert {truth.thing for truth in truths} == {fault.thing for fault in scenario.faults}
    for truth in truths:
        assert (truth.thing, truth.property) in measured, truth


def test_times_count_from_the_anchor_or_stand_absolutely():
    relative = '[[fault]]\nkind = "lamp_out"\nthing = "a"\nstart = "-2h"\n'
    absolute = '[[fault]]\nkind = "lamp_out"\nthing = "a"\nstart = 2026-11-22T10:00:00Z\n'
    fault = parse(tomllib.loads(relative), name="x", anchor_us=ANCHOR).faults[0]
    assert (fault.start_us, fault.end_us) == (ANCHOR - 7_200_000_000, OPEN)
    fault = parse(tomllib.loads(absolute), name="x", anchor_us=ANCHOR).faults[0]
    assert rfc3339(fault.start_us) == "2026-11-22T10:00:00.000Z"


def test_seed_and_size_of_the_command_line_win():
    scenario = load("tiny", anchor_us=ANCHOR, seed=99, things=120)
    assert (scenario.seed, scenario.things) == (99, 120)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"sede": 1}, "no key 'sede'"),
        ({"seed": -1}, "seed = -1"),
        ({"zone": "Europe/Nowhere"}, "zone = 'Europe/Nowhere'"),
        ({"live": {"water": 7}}, "must divide a day"),
        ({"live": {"wahter": 10}}, "wahter"),
        ({"fault": [{"kind": "gremlin"}]}, "no fault 'gremlin'"),
        ({"fault": [{"kind": "leak", "thing": "dma-sud"}]}, "'start'"),
        ({"fault": [{"kind": "leak", "thing": "dma-sud", "start": "soon"}]}, "'soon' is no time"),
        ({"fault": [{"kind": "drift", "thing": "x", "start": "0s"}]}, "needs a property"),
        ({"fault": [{"kind": "drift", "thing": "x", "property": "flow", "start": "0s"}]}, "needs an end"),
        ({"fault": [{"kind": "leak", "thing": "x", "start": "0s", "end": "-1s"}]}, "ends before"),
    ],
)
def test_wrong_scenario_is_refused_in_one_sentence(data, said):
    with pytest.raises(HypervisionError, match=said) as caught:
        parse(data, name="mine.toml", anchor_us=ANCHOR)
    assert "mine.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_scenario_names_the_known_ones():
    with pytest.raises(HypervisionError, match="tiny, town"):
        load("atlantis", anchor_us=ANCHOR)


def test_every_kind_of_fault_is_documented():
    text = Path("docs/simulators.md").read_text("utf-8")
    assert [kind for kind in KINDS if f"`{kind}`" not in text] == []
