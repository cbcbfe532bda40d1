"""The whole town, on the hydraulic result that ships with the package (computing anew is a scenario test)."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest

from simulators.localtime import DAY_US, HOUR_US, MINUTE_US, SECOND_US, to_us
from simulators.scenario import load, parse
from simulators.simulation import Simulation
from simulators.water import courses

ANCHOR = to_us(datetime(2026, 11, 12, 18, tzinfo=UTC))


@pytest.fixture(autouse=True)
def shipped_hydraulics(monkeypatch):
    monkeypatch.setattr(courses, "available", lambda: False)


def town(name="tiny", *, seed=None, boot=1):
    scenario = load(name, anchor_us=ANCHOR, seed=seed)
    return Simulation(scenario, origin_us=ANCHOR - 2 * DAY_US, horizon_us=ANCHOR + 3 * DAY_US, boot=boot)


def with_faults(*faults):
    scenario = parse({"seed": 4, "things": 120, "fault": list(faults)}, name="test", anchor_us=ANCHOR)
    return Simulation(scenario, origin_us=ANCHOR - 2 * DAY_US, horizon_us=ANCHOR + 3 * DAY_US)


def run(simulation, *, start=ANCHOR, minutes=10, slice_minutes=10):
    messages = []
    for begin in range(start, start + minutes * MINUTE_US, slice_minutes * MINUTE_US):
        messages += simulation.messages(begin, begin + slice_minutes * MINUTE_US, simulation.scenario.live)
    return messages


def test_same_seed_gives_the_same_run_byte_for_byte():
    assert run(town()) == run(town())
    assert run(town()) != run(town(seed=2))


def test_run_asked_in_slices_is_the_run_asked_at_once():
    whole, sliced = run(town()), run(town(), slice_minutes=2)
    # What is under way at the end of a slice is told with that slice.
    assert sorted(whole) == sorted(sliced)
    assert len(whole) > 300


def test_messages_are_of_the_platform_s_format():
    for message in run(town(boot=17)):
        content = json.loads(message.payload)
        parts = message.topic.split("/")
        assert parts[:2] == ["urban", "v1"]
        assert parts[4] == "up"
        assert content.pop("boot") == 17
        assert isinstance(content.pop("seq"), int)
        if parts[3] == "bin-103":
            assert "time" not in content  # its clock is lost
        else:
            sent = datetime.fromisoformat(content.pop("time"))
            assert 0 <= message.sent_us - to_us(sent) < 2 * SECOND_US
        assert content


def test_prefixed_town_is_the_same_town_under_other_codes():
    scenario = load("tiny", anchor_us=ANCHOR)
    span = {"origin_us": ANCHOR - 2 * DAY_US, "horizon_us": ANCHOR + 3 * DAY_US}
    plain, other = Simulation(scenario, **span), Simulation(scenario, prefix="try-", **span)
    renamed = [m._replace(topic=m.topic.replace("/try-", "/")) for m in run(other)]
    assert renamed == run(plain)
    assert {truth.thing for truth in other.truths()} == {f"try-{truth.thing}" for truth in plain.truths()}
    assert ("water", "try-dma-sud", "flow") in other.published_streams()


def test_town_sends_five_to_twenty_messages_a_second():
    simulation = town("town")
    messages = run(simulation, minutes=5, slice_minutes=1)
    assert 5 <= len(messages) / 300 <= 20


def test_faults_of_the_demo_are_there_from_the_first_minute():
    simulation = town("town")
    latest = {}
    for message in run(simulation, minutes=4, slice_minutes=1):
        thing = message.topic.split("/")[3]
        latest.setdefault(thing, {}).update(json.loads(message.payload))
    assert latest["lamp-04-03"]["lamp_state"] == 2
    assert latest["lamp-11-06"]["lamp_state"] == 2
    assert latest["bin-116"]["fill"] > 90
    assert latest["cab-05"]["door"] == 1
    assert latest["bay-centre-009"]["occupied"] == 1
    assert "bay-gare-012" not in latest
    assert sum(values.get("fill", 0) > 90 for values in latest.values()) <= 3


def test_leak_of_the_demo_adds_a_share_of_the_night_flow_and_crosses_no_limit():
    simulation = town("town")
    course = simulation._water.course(ANCHOR + DAY_US)
    nights = [
        course.at("flow:dma-sud", np.arange(night, night + 3 * HOUR_US, 5 * MINUTE_US)).min()
        for night in (ANCHOR - 15 * HOUR_US, ANCHOR + 9 * HOUR_US)
    ]
    healthy = with_faults()._water.course(ANCHOR + DAY_US)
    normal = healthy.at("flow:dma-sud", np.arange(ANCHOR + 9 * HOUR_US, ANCHOR + 12 * HOUR_US, 5 * MINUTE_US)).min()
    assert 0.15 < nights[1] / normal - 1 < 0.45
    assert nights[1] > nights[0]


def test_arrived_readings_lack_only_what_a_dead_device_lost():
    dead = {"kind": "dropout", "thing": "bay-gare-001", "start": "-1d", "size": 1.0}
    healthy, broken = with_faults(), with_faults(dead)
    pace = healthy.scenario.history
    everything = healthy.arrived(ANCHOR - 2 * DAY_US, ANCHOR, pace).readings
    left = broken.arrived(ANCHOR - 2 * DAY_US, ANCHOR, pace).readings
    mine = np.array([s.thing == "bay-gare-001" for s in healthy.streams])[everything.stream]
    lost = mine & (everything.time_us >= ANCHOR - DAY_US)
    assert lost.any()
    assert np.array_equal(left.time_us, everything.time_us[~lost])
    assert np.array_equal(left.result, everything.result[~lost])


def stored(*faults, thing="pressure-004"):
    """What a database holds of a day of a device: result and whether its time was assumed, by time and property."""
    simulation = with_faults(*faults)
    readings, assumed = simulation.arrived(ANCHOR - DAY_US, ANCHOR, simulation.scenario.history)
    mine = np.array([s.thing == thing for s in simulation.streams])[readings.stream]
    keys = zip(readings.time_us[mine].tolist(), readings.stream[mine].tolist(), strict=True)
    values = zip(readings.result[mine].tolist(), assumed[mine].tolist(), strict=True)
    found = list(zip(keys, values, strict=True))
    assert len(dict(found)) == len(found)
    assert readings.time_us.tolist() == sorted(readings.time_us.tolist())
    return dict(found)


def befallen(kind, size):
    return {"kind": kind, "thing": "pressure-004", "start": "-12h", "end": "-6h", "size": size}


@pytest.mark.parametrize(("kind", "size"), [("duplicate", 1.0), ("late", 50.0), ("out_of_order", 1.0)])
def test_past_holds_what_came_twice_or_late_once_at_its_own_time(kind, size):
    assert stored(befallen(kind, size)) == stored()


def test_past_of_a_skewed_clock_stands_at_its_time():
    begin, end, skew = ANCHOR - 12 * HOUR_US, ANCHOR - 6 * HOUR_US, -40 * SECOND_US
    expected = {(at + (skew if begin <= at < end else 0), stream): value for (at, stream), value in stored().items()}
    assert stored(befallen("clock_skew", -40.0)) == expected
    # More than ten minutes ahead is refused by the platform.
    kept = {key: value for key, value in stored().items() if not begin <= key[0] < end}
    assert stored(befallen("clock_skew", 900.0)) == kept


@pytest.mark.parametrize("others", [(), (befallen("duplicate", 1.0),)])
def test_past_without_time_stands_at_its_receipt(others):
    begin, end = ANCHOR - 12 * HOUR_US, ANCHOR - 6 * HOUR_US
    found = stored(befallen("missing_time", 1.0), *others)
    healthy = stored()
    assert len(found) == len(healthy)
    for ((at, stream), (value, _)), ((put, same), (result, assumed)) in zip(
        sorted(healthy.items()), sorted(found.items()), strict=True
    ):
        assert (same, result) == (stream, value)
        assert assumed == (begin <= at < end)
        assert 0 < put - at < SECOND_US if assumed else put == at


def told(*faults):
    """What each message of each device says, around the anchor."""
    side = {}
    for message in run(with_faults(*faults), start=ANCHOR - 5 * MINUTE_US, minutes=40, slice_minutes=40):
        content = json.loads(message.payload)
        at = content.pop("time", None)
        key = (message.topic.split("/")[3], content.pop("seq"))
        side.setdefault(key, []).append((message.sent_us, at, content))
    return side


@pytest.fixture(scope="module")
def healthy():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(courses, "available", lambda: False)
        return told()


def differing(one, other):
    """Devices whose messages differ, and the seconds from the anchor at which they do."""
    found = {}
    for key in one.keys() | other.keys():
        if one.get(key) != other.get(key):
            instant = (one.get(key) or other.get(key))[0][0]
            found.setdefault(key[0], []).append((instant - ANCHOR) / SECOND_US)
    return found


@pytest.mark.parametrize(
    ("kind", "thing", "extra"),
    [
        ("drift", "tank-colline", {"property": "level", "size": 2.0}),
        ("spike", "pressure-001", {"property": "pressure", "size": 5.0}),
        ("stuck", "dma-nord", {"property": "flow"}),
        ("dropout", "pressure-002", {"size": 0.5}),
        ("duplicate", "pressure-003", {"size": 0.5}),
        ("late", "pressure-004", {"size": 50.0}),
        ("out_of_order", "pressure-005", {"size": 0.5}),
        ("clock_skew", "pressure-006", {"size": -20.0}),
        ("missing_time", "pressure-007", {"size": 1.0}),
        ("lamp_out", "lamp-01-01", {}),
        ("bin_fire", "bin-101", {"size": 300.0}),
        ("door_open", "cab-03", {}),
        ("cabinet_trip", "cab-04", {}),
        ("stuck_bay", "bay-gare-001", {"size": 1}),
    ],
)
def test_what_differs_from_the_healthy_town_is_what_the_truth_says(kind, thing, extra, healthy):
    fault = {"kind": kind, "thing": thing, "start": "0s", "end": "25m", **extra}
    truths = with_faults(fault).truths()
    assert {(t.fault, t.start_us, t.end_us) for t in truths} == {(kind, ANCHOR, ANCHOR + 25 * MINUTE_US)}
    changed = differing(healthy, told(fault))
    assert thing in changed
    assert set(changed) <= {t.thing for t in truths}
    assert min(changed[thing]) >= 0
    # A fire smoulders, energy that was not drawn stays away; all else is over at the end.
    if kind not in ("bin_fire", "lamp_out", "cabinet_trip"):
        assert max(changed[thing]) < 25 * 60 + 2


def by_stream(simulation, *, hours):
    readings = simulation.readings(ANCHOR, ANCHOR + hours * HOUR_US, simulation.scenario.history)
    return {
        (stream.thing, stream.name): dict(
            zip(readings.time_us[mine].tolist(), readings.result[mine].tolist(), strict=True)
        )
        for i, stream in enumerate(simulation.streams)
        for mine in [readings.stream == i]
    }


@pytest.mark.parametrize(
    ("kind", "thing"),
    [
        ("lamp_out", "lamp-01-01"),
        ("cabinet_trip", "cab-04"),
        ("day_burner", "cab-04"),
        ("door_open", "cab-03"),
        ("stuck_bay", "bay-gare-001"),
        ("bin_fire", "bin-101"),
        ("overflow", "bin-102"),
    ],
)
def test_truth_names_every_datastream_that_a_fault_touches(kind, thing):
    fault = {"kind": kind, "thing": thing, "start": "0s", "end": "20h"}
    wrong = with_faults(fault)
    before, after = by_stream(with_faults(), hours=40), by_stream(wrong, hours=40)
    named = [(t.thing, t.property) for t in wrong.truths()]
    assert len(set(named)) == len(named)
    changed = {key for key in before if before[key] != after[key]}
    # A bin reports its temperature too when it is emptied: an overflowing one is not.
    assert changed - ({(thing, "temperature")} if kind == "overflow" else set()) == set(named)


def test_leak_and_burst_name_the_district_they_drain():
    at_logger = {"kind": "burst", "thing": "pressure-007", "start": "0s", "end": "2h"}
    simulation = with_faults(at_logger)
    named = {(t.thing, t.property) for t in simulation.truths()}
    zone = next(a.parent for a in simulation.town.assets if a.code == "pressure-007")
    assert {(zone, "flow"), (zone, "volume"), (zone, "pressure"), ("pressure-007", "pressure")} <= named
    assert named == {(t.thing, t.property) for t in with_faults(at_logger | {"thing": zone}).truths()}
    before, after = by_stream(with_faults(), hours=2), by_stream(simulation, hours=2)
    for key in named:
        assert before[key] != after[key], key
    assert all(before[key] == after[key] for key in before if key[1] == "flow" and key[0] != zone)


def test_lamps_of_a_tripped_cabinet_are_silent_and_come_back():
    fault = {"kind": "cabinet_trip", "thing": "cab-04", "start": "2m", "end": "6m"}
    times = {}
    for message in run(with_faults(fault)):
        content = json.loads(message.payload)
        times.setdefault(message.topic.split("/")[3], []).append(to_us(datetime.fromisoformat(content["time"])))
    lamps = [code for code in times if code.startswith("lamp-04-")]
    assert lamps
    for code in lamps:
        outage = [at for at in times[code] if ANCHOR + 2 * MINUTE_US <= at < ANCHOR + 6 * MINUTE_US]
        assert not outage
        assert max(times[code]) >= ANCHOR + 6 * MINUTE_US
    assert any(ANCHOR + 2 * MINUTE_US <= at < ANCHOR + 6 * MINUTE_US for at in times["cab-04"])


def test_stuck_sensor_holds_the_value_it_had():
    fault = {"kind": "stuck", "thing": "dma-nord", "property": "flow", "start": "0s", "end": "20m"}
    shown = set()
    for message in run(with_faults(fault)):
        if message.topic.endswith("/dma-nord/up"):
            shown.add(json.loads(message.payload)["flow"])
    assert len(shown) == 1
    history = with_faults().readings(ANCHOR - HOUR_US, ANCHOR, with_faults().scenario.history)
    mine = np.array([(s.thing, s.name) == ("dma-nord", "flow") for s in history.streams])[history.stream]
    assert shown == {history.result[mine][-1]}


def test_district_s_counter_is_the_integral_of_its_flow():
    simulation = with_faults()
    pace = simulation.scenario.history
    readings = simulation.readings(ANCHOR - DAY_US, ANCHOR, pace)
    names = np.array([s.name if s.thing == "dma-est" else "" for s in simulation.streams])[readings.stream]
    volume, flow = readings.result[names == "volume"], readings.result[names == "flow"]
    hours = readings.time_us[names == "volume"]
    assert (np.diff(volume) > 0).all()
    assert volume[-1] - volume[0] == pytest.approx(
        flow[(readings.time_us[names == "flow"] >= hours[0]) & (readings.time_us[names == "flow"] < hours[-1])].sum()
        / 12,
        rel=0.01,
    )
