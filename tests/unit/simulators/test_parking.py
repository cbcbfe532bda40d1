from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from simulators.localtime import DAY_US, HOUR_US, MINUTE_US, to_us, week_hours
from simulators.pace import HISTORY
from simulators.parking.devices import Parking
from simulators.parking.traffic import HABITS, Place
from simulators.readings import collect
from simulators.scenario import Fault, Scenario
from simulators.town import build_town

PARIS = ZoneInfo("Europe/Paris")
START = to_us(datetime(2026, 11, 2, tzinfo=UTC))


def place(places, habit="shops", seed=3):
    return Place("park-x", places=places, habit=HABITS[habit], zone=PARIS, seed=seed, origin_us=START)


def test_cars_never_exceed_the_places_nor_fall_below_none():
    for places in (1, 7, 120):
        found = place(places)
        found.cover(START + 14 * DAY_US)
        assert found.cars.min() == 0
        assert 0 < found.cars.max() <= places
        assert (np.diff(found.change_us) > 0).all()


def test_car_park_is_fuller_by_day_than_by_night():
    found = place(100)
    found.cover(START + 14 * DAY_US)
    times = np.arange(START + DAY_US, START + 14 * DAY_US, 10 * MINUTE_US)
    hours = week_hours(times, PARIS) % 24
    cars = found.at(times)
    assert cars[(hours > 15) & (hours < 18)].mean() > 5 * cars[(hours > 3) & (hours < 6)].mean()


def test_commuters_fill_the_station_on_weekdays_only():
    found = place(200, "station")
    found.cover(START + 14 * DAY_US)
    times = np.arange(START + DAY_US, START + 14 * DAY_US, 10 * MINUTE_US)
    week = week_hours(times, PARIS)
    noon = (week % 24 > 11) & (week % 24 < 13)
    cars = found.at(times)
    assert cars[noon & (week < 120)].mean() > 2 * cars[noon & (week > 144)].mean()


def test_place_covered_in_steps_is_the_place_covered_at_once():
    steps, once = place(30), place(30)
    for hours in range(0, 72, 5):
        steps.cover(START + hours * HOUR_US)
    once.cover(START + 72 * HOUR_US)
    steps.cover(START + 72 * HOUR_US)
    assert np.array_equal(steps.change_us, once.change_us)
    assert np.array_equal(steps.cars, once.cars)


def test_bay_reports_every_change_and_beats_between():
    fault = Fault("stuck_bay", "bay-gare-002", "", START + DAY_US, START + 2 * DAY_US, 1.0)
    scenario = Scenario("test", 5, PARIS, things=120, faults=(fault,))
    parking = Parking(scenario, build_town(120), origin_us=START, horizon_us=START + 3 * DAY_US)
    streams = tuple(sorted(parking.streams()))
    readings = collect(parking.readings(START, START + 3 * DAY_US, HISTORY), streams)

    def of(thing, name):
        mine = np.array([(s.thing, s.name) == (thing, name) for s in streams])[readings.stream]
        return readings.time_us[mine], readings.result[mine]

    times, occupied = of("bay-gare-001", "occupied")
    changes = parking.places["bay-gare-001"].change_us
    assert set(changes[(changes >= START) & (changes < START + 3 * DAY_US)]) <= set(times)
    assert np.diff(times).max() <= HISTORY.bay * 1_000_000
    assert set(occupied) == {0.0, 1.0}
    times, stuck = of("bay-gare-002", "occupied")
    assert (stuck[(times >= fault.start_us) & (times < fault.end_us)] == 1.0).all()
    _, free = of("park-centre", "free_places")
    assert free.min() >= 0
    assert free.max() <= 180
