import signal
import tomllib
from pathlib import Path

import pytest

from hypervision.cli import main
from hypervision.errors import HypervisionError
from simulators.kinds import KINDS
from simulators.localtime import DAY_US
from simulators.scenario import OPEN, load, parse, shipped
from simulators.simulation import Simulation
from simulators.truth import rfc3339

ANCHOR = 1_795_000_000_000_000


def fault(kind, thing, **others):
    return {"fault": [{"kind": kind, "thing": thing, "start": "0s", **others}]}


@pytest.mark.parametrize("name", shipped())
def test_shipped_scenario_names_things_and_properties_that_exist(name):
    scenario = load(name, anchor_us=ANCHOR)
    simulation = Simulation(scenario, origin_us=ANCHOR, horizon_us=ANCHOR + DAY_US)
    things = {asset.code for asset in simulation.town.assets}
    measured = {(stream.thing, stream.name) for stream in simulation.streams}
    for fault in scenario.faults:
        assert fault.thing in things, fault
    truths = simulation.truths()
    assert {(truth.fault, truth.start_us) for truth in truths} == {(f.kind, f.start_us) for f in scenario.faults}
    for truth in truths:
        assert (truth.thing, truth.property) in measured, truth


def test_times_count_from_the_anchor_or_stand_absolutely():
    relative = '[[fault]]\nkind = "lamp_out"\nthing = "lamp-01-01"\nstart = "-2h"\n'
    absolute = '[[fault]]\nkind = "lamp_out"\nthing = "lamp-01-01"\nstart = 2026-11-22T10:00:00Z\n'
    fault = parse(tomllib.loads(relative), name="x", anchor_us=ANCHOR).faults[0]
    assert (fault.start_us, fault.end_us) == (ANCHOR - 7_200_000_000, OPEN)
    fault = parse(tomllib.loads(absolute), name="x", anchor_us=ANCHOR).faults[0]
    assert rfc3339(fault.start_us) == "2026-11-22T10:00:00.000Z"


def test_size_that_is_not_given_is_that_of_its_kind():
    sizes = {
        kind: parse(fault(kind, thing, end="1h"), name="x", anchor_us=ANCHOR).faults[0].size
        for kind, thing in (("bin_fire", "bin-104"), ("overflow", "bin-104"), ("leak", "dma-sud"))
    }
    assert sizes == {"bin_fire": 320.0, "overflow": 110.0, "leak": 15.0}


def test_sizes_and_units_of_the_kinds_stand_in_the_docs():
    cells = [line.strip("|").split("|") for line in Path("docs/simulators.md").read_text("utf-8").splitlines()]
    rows = {row[0].strip(" `"): [cell.strip() for cell in row] for row in cells if len(row) == 5}
    for name, kind in KINDS.items():
        default = rows[name][3]
        if not kind.unit:
            assert default == "-", name
        else:
            unit = f" {kind.unit}" if kind.unit in ("m3/h", "Cel", "%", "s") else ""
            assert default == ("must be given" if kind.default is None else f"{kind.default:g}{unit}"), name


def test_fault_of_a_thing_that_a_smaller_town_lacks_is_left_out_with_a_word(caplog):
    whole = load("town", anchor_us=ANCHOR)
    smaller = load("town", anchor_us=ANCHOR, things=150)
    left_out = {fault.thing for fault in whole.faults} - {fault.thing for fault in smaller.faults}
    assert left_out
    for thing in left_out:
        assert f"no {thing}: its " in caplog.text


def test_wrong_scenario_ends_the_command_with_one_sentence(tmp_path, capsys):
    path = tmp_path / "mine.toml"
    path.write_text('[[fault]]\nkind = "lamp_out"\nthing = "lamp-99-99"\nstart = "0s"\n', "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYPERVISION_MQTT_URL", "mqtt://127.0.0.1:1")
        patch.setattr(signal, "signal", lambda *_: None)
        assert main(["simulate", "--scenario", str(path), "--data-dir", str(tmp_path / "data")]) == 1
    said = capsys.readouterr().err
    assert f"{path}: fault lamp_out of lamp-99-99 befalls a Thing that is not there" in said
    assert said.count("\n") == 1


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
        ({"fault": [{"kind": "drift", "thing": "dma-sud", "start": "0s"}]}, "needs a property: name one of flow"),
        ({"fault": [{"kind": "drift", "thing": "dma-sud", "property": "flow", "start": "0s"}]}, "needs an end"),
        ({"fault": [{"kind": "leak", "thing": "dma-sud", "start": "0s", "end": "-1s"}]}, "ends before"),
        ({"fault": [{"kind": "leak", "thing": "dma-sud", "start": "0s", "sise": 3}]}, "no key 'sise'"),
        ({"fault": [{"kind": "leak", "thing": "dma-sud", "start": "0s", "size": "big"}]}, "'big'"),
        # What would have a line in the truth and change no reading.
        (
            fault("drift", "bin-104", property="flow", end="1h", size=1),
            "'flow', which it does not measure: name one of",
        ),
        (fault("stuck", "bin-104", property="nonsense"), "'nonsense', which it does not measure"),
        (fault("lamp_out", "lamp-99-99"), "lamp-99-99 befalls a Thing that is not there"),
        (fault("lamp_out", "bin-104"), "befalls a bin: name a lamp"),
        (fault("leak", "tank-colline"), "befalls a tank: name a district or a logger"),
        (fault("dropout", "station-haras"), "measures nothing"),
        (fault("leak", "dma-sud") | {"include": ["bin-*"]}, "not there: .*include"),
        (fault("lamp_out", "lamp-01-01", property="dimming"), "names a property"),
        (fault("bin_fire", "bin-104", grow="1h"), "cannot grow"),
        (fault("leak", "dma-sud", grow="-1h"), "cannot grow"),
        (fault("pump_wear", "pump-haras-1"), "needs an end"),
        # Sizes that are none, or that would show nothing.
        (fault("drift", "dma-sud", property="flow", end="1h"), "has no size: give a number other than 0"),
        (fault("spike", "dma-sud", property="flow"), "has no size"),
        (fault("spike", "dma-sud", property="flow", size=0), "has size 0"),
        (fault("bin_fire", "bin-104", size=1), "has size 1: give 40 to 1200 Cel"),
        (fault("dropout", "bin-104", size=1.5), "give 0 to 1 of its messages"),
        (fault("leak", "dma-sud", size=float("nan")), "has no size"),
        (fault("leak", "dma-sud", size=float("inf")), "has size inf"),
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
