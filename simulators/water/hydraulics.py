"""The one facade over WNTR and EPANET: a network is stepped through time, pressure-driven.

Leaks are emitters whose coefficient is set before every step, so that a leak grows within one continuous run;
WNTR's own `add_leak` is ignored by its EPANET simulator. WNTR is slow to import and large: `simulate` is meant
for a child process (`python -m simulators.water`).
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from simulators.localtime import HOUR_US, SECOND_US, week_hours
from simulators.noise import Float64, Int64
from simulators.water import network
from simulators.water.demand import multipliers
from simulators.water.network import NOMINAL_PRESSURE, Leak, Wear

STEP_US = 300 * SECOND_US

# EPANET 2.2 toolkit, node and link parameters.
_BASE_DEMAND, _EMITTER, _DEMAND, _PRESSURE = 1, 3, 9, 11
_FLOW, _SETTING, _ENERGY = 8, 12, 13

# Levels of the tank on the hill between which the river station works [m].
_START_LEVEL, _STOP_LEVEL = 4.6, 8.4
# Below this head customers get nothing, from this one on all they ask [m] (Wagner et al. 1988).
_MINIMUM_HEAD, _REQUIRED_HEAD = 2.0, 20.0
# A worn impeller loses about a quarter as much speed-equivalent head as the pump loses efficiency.
_SPEED_PER_WEAR = 0.25


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be simulated.

    Attributes
    ----------
    origin_us, until_us : int
        First instant and the one after the last [us]; the origin is a multiple of `STEP_US`.
    seed : int
        Of the demand's chance.
    zone : str
        IANA name of the town's time zone.
    leaks, wears : tuple
        Faults of the network.
    noise : float
        Scale of the demand's chance.
    """

    origin_us: int
    until_us: int
    seed: int
    zone: str
    leaks: tuple[Leak, ...] = ()
    wears: tuple[Wear, ...] = ()
    noise: float = 1.0


@dataclass(frozen=True, slots=True)
class Course:
    """The network's course over time.

    Attributes
    ----------
    origin_us, step_us : int
        Instant of the first column and their distance [us].
    names : tuple of str
        Row names: `flow:dma-nord` [m3/h], `demand:dma-nord` [m3/h], `pressure:119` [bar], `level:tank-colline`
        [m], `pump_flow:pump-haras-1` [m3/h], `pump_power:pump-haras-1` [kW].
    values : ndarray of float32, shape (n_names, n_steps)
        The signals.
    """

    origin_us: int
    step_us: int
    names: tuple[str, ...]
    values: NDArray[np.float32]

    @property
    def end_us(self) -> int:
        """The last instant known [us]."""
        return self.origin_us + (int(self.values.shape[1]) - 1) * self.step_us

    def at(self, name: str, time_us: Int64) -> Float64:
        """A signal at instants, joined linearly, shape (n,)."""
        row = self.values[self.names.index(name)]
        result: Float64 = np.interp((time_us - self.origin_us) / self.step_us, np.arange(len(row)), row)
        return result

    def held(self, name: str, time_us: Int64) -> Float64:
        """A signal at instants, held from the step before: for what switches, shape (n,)."""
        row = self.values[self.names.index(name)]
        step = np.clip((time_us - self.origin_us) // self.step_us, 0, len(row) - 1)
        result: Float64 = row[step].astype(np.float64)
        return result

    def summed(self, name: str, time_us: Int64) -> Float64:
        """The integral of a signal over hours since the origin, at instants [signal * h], shape (n,)."""
        if not len(time_us):
            return np.zeros(0)
        row = self.values[self.names.index(name)].astype(np.float64)
        whole = np.append(0.0, np.cumsum((row[1:] + row[:-1]) / 2.0)) * (self.step_us / HOUR_US)
        result: Float64 = np.interp((time_us - self.origin_us) / self.step_us, np.arange(len(row)), whole)
        return result


def available() -> bool:
    """Whether this machine has WNTR (asks without importing it)."""
    return importlib.util.find_spec("wntr") is not None


def leak_flow(leak: Leak, time_us: Int64) -> Float64:
    """What a leak lets out at nominal pressure [m3/h], shape (n,)."""
    opened = np.clip((time_us - leak.start_us) / leak.grow_us, 0.0, 1.0) if leak.grow_us else np.ones(len(time_us))
    flow: Float64 = leak.size * opened * ((time_us >= leak.start_us) & (time_us < leak.end_us))
    return flow


def wear_loss(wear: Wear, time_us: Int64) -> Float64:
    """Share of efficiency a worn pump has lost, shape (n,); none once it is repaired."""
    worn = np.clip((time_us - wear.start_us) / wear.grow_us, 0.0, 1.0)
    lost: Float64 = wear.size * worn * (time_us < wear.end_us)
    return lost


def _town_network() -> Any:
    import wntr

    wn = wntr.network.WaterNetworkModel("Net3")
    for name in list(wn.control_name_list):
        wn.remove_control(name)
    # Customers are driven from outside, step by step: one demand per junction, by a pattern that is always 1.
    wn.get_pattern("1").multipliers = [1.0]
    for _, junction in wn.junctions():
        junction.demand_timeseries_list.clear()
        junction.add_demand(0.0, "1")
    # The example feeds the town from the river by gravity and runs its station in short bursts. Here the
    # river lies lower, and the station is sized for this town's demand.
    wn.get_node("River").base_head = 30.0
    curve = wn.get_curve(wn.get_link("335").pump_curve_name)
    curve.points = [(0.0, 48.0), (900.0 / 3600, 30.0), (1500.0 / 3600, 10.0)]
    wn.options.hydraulic.demand_model = "PDA"
    wn.options.hydraulic.minimum_pressure = _MINIMUM_HEAD
    wn.options.hydraulic.required_pressure = _REQUIRED_HEAD
    wn.options.hydraulic.inpfile_units = "CMH"
    wn.options.quality.parameter = "NONE"
    wn.options.time.hydraulic_timestep = STEP_US // SECOND_US
    wn.options.time.pattern_timestep = STEP_US // SECOND_US
    wn.options.time.report_timestep = STEP_US // SECOND_US
    wn.options.time.duration = 3_650 * 86_400
    return wn


def _base_demands(wn: Any) -> dict[str, float]:
    import wntr

    example = wntr.network.WaterNetworkModel("Net3")
    base: dict[str, float] = {}
    for district in network.DISTRICTS:
        for node in district.nodes:
            if node not in network.WORKS:
                base[node] = example.get_node(node).base_demand * 3600.0 * district.share
    return {node: value for node, value in (base | network.WORKS).items() if value > 0.0 and node in wn.nodes}


def simulate(order: Order) -> Course:
    """Run the town's network.

    Parameters
    ----------
    order : Order
        Period, seed and faults.

    Returns
    -------
    Course
        One column per `STEP_US`. The tanks need the first day to settle.
    """
    import wntr
    from wntr.epanet.toolkit import ENepanet

    zone = ZoneInfo(order.zone)
    time_us = np.arange(order.origin_us, order.until_us + STEP_US, STEP_US, dtype=np.int64)
    wn = _town_network()
    base = _base_demands(wn)
    nodes = sorted(base)
    drawn = multipliers(
        time_us, tuple(nodes), works=frozenset(network.WORKS), zone=zone, seed=order.seed, noise=order.noise
    ) * np.array([base[node] for node in nodes])
    hours = week_hours(time_us, zone) % 24.0
    begin, end = network.POND_HOURS
    pond = ((hours >= begin) | (hours < end)).astype(float)
    loss = {code: np.zeros(len(time_us)) for code in network.PUMPS}
    for wear in order.wears:
        loss[wear.pump] = np.maximum(loss[wear.pump], wear_loss(wear, time_us))
    holes = {leak.node: np.zeros(len(time_us)) for leak in order.leaks}
    for leak in order.leaks:
        holes[leak.node] += leak_flow(leak, time_us) / np.sqrt(NOMINAL_PRESSURE)

    drive = _Drive(nodes, drawn, holes, pond, loss)
    with tempfile.TemporaryDirectory() as folder:
        inp = os.path.join(folder, "town.inp")  # noqa: PTH118 - EPANET takes strings
        wntr.network.write_inpfile(wn, inp, units="CMH", version=2.2)
        engine = ENepanet(inp, inp + ".rpt", inp + ".bin")
        engine.ENopen()
        try:
            engine.ENopenH()
            engine.ENinitH(0)
            values = _march(engine, drive)
        finally:
            engine.ENclose()
    return _course(order.origin_us, values, loss)


@dataclass(frozen=True, slots=True)
class _Drive:
    """What moves the network from outside; columns have one value per step."""

    nodes: Sequence[str]
    drawn: Float64
    holes: dict[str, Float64]
    pond: Float64
    loss: dict[str, Float64]


class _Read(NamedTuple):
    name: str
    get: Callable[[int, int], float]
    element: int
    what: int


def _instruments(engine: Any) -> list[_Read]:
    """Every value that a meter, logger or test looks at."""

    def node(name: str, code: str, what: int) -> _Read:
        return _Read(name, engine.ENgetnodevalue, engine.ENgetnodeindex(code), what)

    def link(name: str, code: str, what: int) -> _Read:
        return _Read(name, engine.ENgetlinkvalue, engine.ENgetlinkindex(code), what)

    reads: list[_Read] = []
    for district in network.DISTRICTS:
        reads += [link(f"link:{code}", code, _FLOW) for code, _ in district.meters]
        reads += [node(f"demand:{code}", code, _DEMAND) for code in district.nodes]
        reads.append(node(f"head:{district.pressure}", district.pressure, _PRESSURE))
    reads += [node(f"head:{code}", code, _PRESSURE) for code in network.PRESSURES]
    reads += [node(f"level:{code}", name, _PRESSURE) for code, name in network.TANKS.items()]
    reads += [link(f"pump_flow:{code}", name, _FLOW) for code, name in network.PUMPS.items()]
    reads += [link(f"pump_power:{code}", name, _ENERGY) for code, name in network.PUMPS.items()]
    return reads


def _march(engine: Any, drive: _Drive) -> dict[str, Float64]:
    """Step EPANET through time and read the instruments."""
    steps = len(drive.drawn)
    step_s = STEP_US // SECOND_US
    customers = [engine.ENgetnodeindex(node) for node in drive.nodes]
    leaking = [(engine.ENgetnodeindex(node), column) for node, column in drive.holes.items()]
    river = engine.ENgetlinkindex(network.PUMPS["pump-haras-1"])
    pond = engine.ENgetlinkindex(network.PUMPS["pump-etang-1"])
    hill = engine.ENgetnodeindex(network.TANKS["tank-colline"])
    reads = _instruments(engine)
    values = {read.name: np.zeros(steps) for read in reads}
    running = False
    now = 0
    while now < steps * step_s:
        step = now // step_s
        if now % step_s == 0:
            for index, demand in zip(customers, drive.drawn[step].tolist(), strict=True):
                engine.ENsetnodevalue(index, _BASE_DEMAND, demand)
            for index, column in leaking:
                engine.ENsetnodevalue(index, _EMITTER, float(column[step]))
            level = engine.ENgetnodevalue(hill, _PRESSURE) if now else _START_LEVEL
            running = level < (_STOP_LEVEL if running else _START_LEVEL)
            for link, code, on in ((river, "pump-haras-1", running), (pond, "pump-etang-1", drive.pond[step] > 0)):
                speed = 1.0 - _SPEED_PER_WEAR * float(drive.loss[code][step])
                # The relative speed switches a pump too; setting its status would bring back full speed.
                engine.ENsetlinkvalue(link, _SETTING, speed if on else 0.0)
        reached = engine.ENrunH()
        if reached % step_s == 0:
            for read in reads:
                values[read.name][reached // step_s] = read.get(read.element, read.what)
        now = reached + engine.ENnextH()
    return values


def _course(origin_us: int, values: dict[str, Float64], loss: dict[str, Float64]) -> Course:
    rows: dict[str, Float64] = {}
    for district in network.DISTRICTS:
        rows[f"flow:{district.code}"] = sum(
            (sign * values[f"link:{link}"] for link, sign in district.meters), np.zeros(1)
        )
        rows[f"demand:{district.code}"] = sum((values[f"demand:{node}"] for node in district.nodes), np.zeros(1))
    for name, value in values.items():
        kind, _, rest = name.partition(":")
        if kind == "head":
            rows[f"pressure:{rest}"] = value * 0.0980665  # metres of water to bar
        elif kind in ("level", "pump_flow"):
            rows[name] = value
        elif kind == "pump_power":
            rows[name] = value / (1.0 - loss[rest])
    return Course(origin_us, STEP_US, tuple(rows), np.array(list(rows.values()), np.float32))
