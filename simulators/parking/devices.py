"""What bay sensors and car-park counters report."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulators.localtime import DAY_US
from simulators.noise import key_of, uniform
from simulators.pace import Pace, daily, report_times
from simulators.parking.traffic import HABITS, Habit, Place
from simulators.readings import Series, Stream
from simulators.scenario import Fault, Scenario
from simulators.town import Asset, Town
from simulators.town.assets import MEASURED
from simulators.water.sensors import battery

# Cars stand there when the first reading is asked for: two days are played before.
_WARM_UP_US = 2 * DAY_US


class Parking:
    """The parking domain; parameters as for `Water`."""

    def __init__(self, scenario: Scenario, town: Town, *, origin_us: int, horizon_us: int) -> None:
        del horizon_us  # places go on day by day as they are asked
        self._seed = scenario.seed
        self._bays = town.of_kind("bay")
        self._car_parks = town.of_kind("car_park")
        self._stuck: dict[str, list[Fault]] = {}
        for fault in scenario.faults:
            if fault.kind == "stuck_bay":
                self._stuck.setdefault(fault.thing, []).append(fault)
        # Days begin at midnight UTC so that runs from different origins tell the same kind of story.
        begin = (origin_us - _WARM_UP_US) // DAY_US * DAY_US
        self.places = {
            asset.code: Place(
                asset.code,
                places=int(asset.size) if asset.kind == "car_park" else 1,
                habit=_habit(self._seed, asset),
                zone=scenario.zone,
                seed=scenario.seed,
                origin_us=begin,
            )
            for asset in (*self._bays, *self._car_parks)
        }

    def streams(self) -> Iterator[Stream]:
        """The datastreams of this domain."""
        for bay in self._bays:
            for name in MEASURED[bay.kind]:
                yield Stream("parking", bay.code, name)
        for park in self._car_parks:
            for name in MEASURED[park.kind]:
                yield Stream("parking", park.code, name)

    def readings(self, start_us: int, end_us: int, pace: Pace) -> Iterator[Series]:
        """What the devices measure within [start, end) [us]: every change, and the state now and then."""
        for bay in self._bays:
            place = self.places[bay.code]
            place.cover(end_us)
            beats = report_times(bay.code, pace.bay, start_us, end_us)
            low, high = np.searchsorted(place.change_us, (start_us, end_us))
            times = np.union1d(place.change_us[low:high], beats)
            if len(times):
                state = np.minimum(place.at(times), 1).astype(np.float64)
                for fault in self._stuck.get(bay.code, ()):
                    state[(times >= fault.start_us) & (times < fault.end_us)] = fault.size
                yield Series(Stream("parking", bay.code, "occupied"), times, state)
                whole = beats[daily(bay.code, pace.bay, beats)]
                yield Series(Stream("parking", bay.code, "battery"), whole, battery(self._seed, bay.code, whole))
        for park in self._car_parks:
            place = self.places[park.code]
            place.cover(end_us)
            times = report_times(park.code, pace.car_park, start_us, end_us)
            if len(times):
                free = park.size - place.at(times)
                yield Series(Stream("parking", park.code, "free_places"), times, free.astype(np.float64))


def _habit(seed: int, asset: Asset) -> Habit:
    if asset.code == "park-gare" or asset.parent == "park-gare":
        return HABITS["station"]
    if asset.code == "park-hopital":
        return HABITS["hospital"]
    # Kerbside bays near homes and near shops stand mixed along a street.
    if asset.kind == "bay" and uniform(key_of(seed, asset.code, "habit"), 0)[0] < 0.35:
        return HABITS["homes"]
    return HABITS["shops"]
