"""Published leak benchmarks: the networks and leaks are theirs, the demands are simulated here.

The folders hold the network (EPANET) and the leaks, not the measured series of the competitions. So the inflow
is put together: the network's own weekly demand with seeded noise, plus each leak's flow by Torricelli's law at
the pressure of a run without leaks. What a leak changes in the pressure elsewhere is left out: it moves the
inflow by less than the noise. Figures on these series are not comparable with published ones.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from hypervision.batch import Float64, Int64
from hypervision.store.series import Series
from models.clock import DAY, MINUTE, SECOND, local_time
from models.files import FileError
from models.ringing import Span

# Discharge coefficient of the leaks of both benchmarks (Vrachimis et al. 2018, 2022).
_DISCHARGE: Final = 0.75
_GRAVITY: Final = 9.81
_YEAR: Final = int(datetime(2018, 1, 1, tzinfo=UTC).timestamp()) * SECOND
SCENARIOS: Final = 500
"""How many scenarios of leakdb the file of leaks covers; beyond them a missing line would not mean "no leak"."""


@dataclass(frozen=True, slots=True)
class Case:
    """One metered inflow and when water was lost.

    Attributes
    ----------
    name : str
        Data set and scenario.
    zone : ZoneInfo
        Local time of its demand.
    inflow : Series
        [m3/h].
    events : list of Span
        Leaks, from first to last drop.
    """

    name: str
    zone: ZoneInfo
    inflow: Series
    events: list[Span]


@dataclass(frozen=True, slots=True)
class _Leak:
    node: str
    diameter: float
    kind: str
    span: Span
    peak_us: int


def cases(name: str, folder: Path, *, scenarios: int, seed: int, first: int = 1) -> Iterator[Case]:
    """The cases of a data set.

    Parameters
    ----------
    name : str
        `battledim` (L-Town, the leaks of 2018, one year at 5 min) or `leakdb` (Hanoi, one year at 30 min each).
    folder : Path
        Holds the network and the leaks.
    scenarios : int
        How many scenarios of leakdb.
    seed : int
        Of the demand's noise.
    first : int
        The first of them, counted from 1.

    Raises
    ------
    FileError
        The name is unknown, a file is missing or wrong, or there are not so many scenarios.
    """
    if name == "battledim":
        return _battledim(folder, seed)
    if name == "leakdb":
        last = first + scenarios - 1
        if not 1 <= first <= last <= SCENARIOS:
            raise FileError(
                f"leakdb has no scenarios {first} to {last}",
                remedy=f"choose --first and --scenarios so that they end at {SCENARIOS} or before",
            )
        return _leakdb(folder, range(first, last + 1), seed)
    raise FileError(f"there is no data set {name!r}", remedy="name battledim or leakdb")


def _battledim(folder: Path, seed: int) -> Iterator[Case]:
    network = _Network.read(folder / "L-TOWN.inp")
    leaks = [
        _Leak(
            network.node_of(row["link"]),
            float(row["leak_diameter_m"]),
            row["type"],
            Span(_stamp(row["start"]), _stamp(row["end"])),
            _stamp(row["peak"]),
        )
        for row in _rows(folder / "leaks_2018.csv")
    ]
    times = _YEAR + np.arange(365 * 288, dtype=np.int64) * (5 * MINUTE)
    yield _case("battledim L-Town 2018", network, times, leaks, seed)


def _leakdb(folder: Path, scenarios: range, seed: int) -> Iterator[Case]:
    step = 30 * MINUTE
    times = _YEAR + np.arange(17520, dtype=np.int64) * step
    by_scenario: dict[int, list[_Leak]] = {}
    leaks = folder / "leaks_hanoi_1_500.csv"
    for row in _rows(leaks):
        if not 1 <= (number := int(row["scenario"])) <= SCENARIOS:
            raise FileError(f"{leaks} has a scenario {number}", remedy=f"give the file of scenarios 1 to {SCENARIOS}")
        start, end, peak = (_YEAR + int(row[f"leak_{k}_time"]) * step for k in ("start", "end", "peak"))
        leak = _Leak(row["node_id"], float(row["leak_diameter"]), row["leak_type"], Span(start, end), peak)
        by_scenario.setdefault(number, []).append(leak)
    network = _Network.read(folder / "Hanoi_CMH.inp")
    # Scenarios without a line have no leak; they count, for false alarms.
    for number in scenarios:
        yield _case(
            f"leakdb Hanoi {number}", network, times, by_scenario.get(number, []), seed * 1000 + number, flat=True
        )


def _case(name: str, network: _Network, times: Int64, leaks: list[_Leak], seed: int, *, flat: bool = False) -> Case:
    zone = ZoneInfo("UTC")
    place = np.floor_divide(times - times[0], network.step_us) % len(network.inflow)
    base = np.full(len(times), network.inflow.mean()) * _household_week(times) if flat else network.inflow[place]
    inflow = base * _wander(times, seed)
    for leak in leaks:
        inflow = inflow + _leak_flow(leak, times, network.pressure(leak.node)[place])
    return Case(name, zone, Series(times, inflow), [leak.span for leak in leaks])


def _leak_flow(leak: _Leak, times: Int64, head: Float64) -> Float64:
    """Flow of a leak [m3/h] at a head [m]; an incipient one widens linearly to its peak."""
    area = np.pi * leak.diameter**2 / 4
    full = _DISCHARGE * area * np.sqrt(2 * _GRAVITY * np.maximum(head, 0.0)) * 3600
    opened = np.ones(len(times))
    if leak.kind == "incipient":
        opened = np.clip((times - leak.span.start_us) / max(1, leak.peak_us - leak.span.start_us), 0, 1)
    flow: Float64 = full * opened * ((times >= leak.span.start_us) & (times <= leak.span.end_us))
    return flow


def _wander(times: Int64, seed: int) -> Float64:
    """Chance of a town's demand: 10 % over the year, 2 % by the day, 3 % over hours, 2 % by the reading."""
    rng = np.random.default_rng(seed)
    day = np.floor_divide(times - times[0], DAY)
    step = float(times[1] - times[0])
    memory = float(np.exp(-step / (3 * 60 * MINUTE)))
    slow = np.empty(len(times))
    state = 0.0
    for i, kick in enumerate(rng.standard_normal(len(times)) * np.sqrt(1 - memory**2)):
        state = memory * state + kick
        slow[i] = state
    season = 1 + 0.10 * np.sin(2 * np.pi * (day - 110) / 365)
    daily = 1 + 0.02 * rng.standard_normal(int(day.max()) + 1)[day]
    wander: Float64 = season * daily * (1 + 0.03 * slow) * (1 + 0.02 * rng.standard_normal(len(times)))
    return wander


def _household_week(times: Int64) -> Float64:
    """A week of households about 1, for a network file with one constant demand."""
    local = local_time(times, ZoneInfo("UTC"))
    hour = local.minute / 60

    def peak(middle: float, width: float) -> Float64:
        distance = (hour - middle + 12) % 24 - 12
        bell: Float64 = np.exp(-(distance**2) / (2 * width**2))
        return bell

    work = 0.4 + 1.0 * peak(7.5, 1.3) + 0.7 * peak(12.5, 2) + 0.9 * peak(19.5, 2)
    rest = 0.4 + 1.0 * peak(10, 2) + 0.7 * peak(13.5, 2) + 0.9 * peak(19.5, 2)
    shape = np.where(local.weekday >= 5, rest, work)
    scaled: Float64 = shape / shape.mean()
    return scaled


@dataclass(frozen=True, slots=True)
class _Network:
    """A week of a network without leaks.

    Attributes
    ----------
    inflow : ndarray of float64, shape (n,)
        What its reservoirs give [m3/h].
    """

    model: Any
    heads: Any
    step_us: int
    inflow: Float64

    @classmethod
    def read(cls, path: Path) -> _Network:
        """Run the network for its own duration, a day where the file names none."""
        if not path.is_file():
            raise FileError(f"there is no {path}", remedy="give the folder of the data set")
        import tempfile
        import warnings

        try:
            import wntr
        except ImportError:
            raise FileError(
                "WNTR has no wheel for this machine, so networks cannot be run", remedy="evaluate on a file instead"
            ) from None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = wntr.network.WaterNetworkModel(str(path))
            model.options.time.duration = model.options.time.duration or 86_400
            with tempfile.TemporaryDirectory() as folder:
                results = wntr.sim.EpanetSimulator(model).run_sim(file_prefix=str(Path(folder, "run")))
        step_us = int(model.options.time.report_timestep) * SECOND
        given = -results.node["demand"][model.reservoir_name_list].sum(axis=1).to_numpy(np.float64)
        # The last instant is the first of the next week.
        return cls(model, results.node["pressure"], step_us, given[:-1] * 3600)

    def pressure(self, node: str) -> Float64:
        """Head at a node over the week [m], shape (n,)."""
        found: Float64 = self.heads[node].to_numpy(np.float64)[:-1]
        return found

    def node_of(self, link: str) -> str:
        """The node a pipe begins at; a leak on the pipe is put there."""
        return str(self.model.get_link(link).start_node_name)


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise FileError(f"there is no {path}", remedy="give the folder of the data set")
    with path.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def _stamp(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND
