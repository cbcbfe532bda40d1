"""How the example network becomes this town's: districts, meters, sensors, works and demands.

The network is EPANET's example 3 (Net3), which WNTR ships: two sources, two pumps, three tanks, 117 pipes.
Names of nodes and links are those of the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class District:
    """A district metered area.

    Attributes
    ----------
    code : str
        Its Thing.
    nodes : tuple of str
        Junctions inside.
    share : float
        Its demand as a factor of the example's.
    meters : tuple of (str, int)
        Boundary links, +1 where their positive direction leads in, -1 where it leads out.
    pressure : str
        Junction at which the district's pressure is measured.
    """

    code: str
    nodes: tuple[str, ...]
    share: float
    meters: tuple[tuple[str, int], ...]
    pressure: str


@dataclass(frozen=True, slots=True)
class Leak:
    """Water that leaves the network at a hole.

    Attributes
    ----------
    node : str
        The junction nearest to the hole.
    start_us, end_us : int
        From the first drop to the repair [us].
    grow_us : int
        Time until it is fully open [us]; 0 for a burst.
    size : float
        Flow at `NOMINAL_PRESSURE` when fully open [m3/h].
    """

    node: str
    start_us: int
    end_us: int
    grow_us: int
    size: float


@dataclass(frozen=True, slots=True)
class Wear:
    """A pump that loses efficiency, linearly from nothing at the start.

    Attributes
    ----------
    pump : str
        Its Thing.
    start_us, end_us : int
        From new to repaired [us].
    grow_us : int
        Time until it has lost `size` [us]; worn no further from then on.
    size : float
        Share of efficiency lost, 0 to 0.6.
    """

    pump: str
    start_us: int
    end_us: int
    grow_us: int
    size: float


NOMINAL_PRESSURE: Final = 50.0
"""Head at which a leak's size is stated [m]."""

DISTRICTS: Final = (
    District(
        "dma-ouest",
        ("101", "103", "105", "107", "109", "111", "113", "115", "117", "197", "257", "259", "261", "263"),
        0.42,
        (("101", 1), ("121", 1), ("297", 1), ("116", -1), ("223", -1)),
        "109",
    ),
    District(
        "dma-nord",
        ("119", "120", "121", "123", "125", "151", "153", "157"),
        0.75,
        (("329", 1), ("131", -1), ("121", -1), ("297", -1), ("161", 1), ("175", -1)),
        "151",
    ),
    District(
        "dma-est",
        ("15", "20", "127", "129", "131", "139", "141", "143", "145", "147", "149"),
        1.6,
        (("131", 1), ("161", -1), ("20", 1)),
        "141",
    ),
    District(
        "dma-centre",
        (
            "35", "40", "159", "161", "163", "164", "166", "167", "169", "171", "173", "177", "179", "181", "183",
            "184", "185", "187", "189", "191", "193", "195", "204", "265", "267", "269", "271",
        ),
        0.8,
        (("175", 1), ("116", 1), ("223", 1), ("40", 1), ("229", -1), ("204", -1)),
        "189",
    ),
    District(
        "dma-gare",
        ("199", "201", "203", "205", "206", "207", "208", "209", "273", "275"),
        0.9,
        (("229", 1), ("204", 1), ("243", -1)),
        "207",
    ),
    District(
        "dma-sud",
        (
            "50", "211", "213", "215", "217", "219", "225", "229", "231", "237", "239", "241", "243", "247", "249",
            "251", "253", "255",
        ),
        0.7,
        (("243", 1), ("50", 1)),
        "229",
    ),
)  # fmt: skip

# The four large customers of the example, as a town's: mean demand [m3/h].
WORKS: Final = {"15": 10.0, "35": 20.0, "123": 15.0, "203": 30.0}

TANKS: Final = {"tank-colline": "1", "tank-chateau": "2", "tank-plateau": "3"}
PUMPS: Final = {"pump-etang-1": "10", "pump-haras-1": "335"}
# The pond's pump runs when electricity is cheap; local hours.
POND_HOURS: Final = (22.0, 8.0)

PRESSURES: Final = (
    "101", "103", "105", "115", "117", "119", "121", "125", "153", "157", "127", "143", "147", "161", "167", "171",
    "199", "205", "213", "215", "225", "237", "247", "253",
)  # fmt: skip
"""Junctions of the pressure loggers, `pressure-001` first."""


def district_of(node: str) -> District:
    """The district a junction lies in.

    Raises
    ------
    KeyError
        The node is a source, a tank or a station outside of every district.
    """
    for district in DISTRICTS:
        if node in district.nodes:
            return district
    raise KeyError(node)
