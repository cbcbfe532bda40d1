"""Kinds of faults: what each can befall, how large it is, and which datastreams it touches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from simulators.town import Town
from simulators.town.assets import MEASURED

INFINITE: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault.

    Attributes
    ----------
    things : tuple of str
        Kinds of the Things it can befall; empty: every Thing that measures.
    unit : str
        What the size is; empty where there is none.
    default : float or None
        Size where the scenario gives none [unit]; None: it must be given.
    low, high : float
        Bounds of the size [unit].
    zero : bool
        Whether a size of 0 means something.
    """

    things: tuple[str, ...] = ()
    unit: str = ""
    default: float | None = 1.0
    low: float = -INFINITE
    high: float = INFINITE
    zero: bool = False

    def takes(self, size: float) -> bool:
        """Whether a fault can be of this size."""
        return self.low <= size <= self.high and abs(size) < INFINITE and (self.zero or size != 0.0)

    @property
    def bounds(self) -> str:
        """The sizes it takes, for people."""
        if self.high < INFINITE:
            return f"{self.low:g} to {self.high:g} {self.unit}".rstrip()
        return f"a number other than 0, {self.unit}"


_SHARE: Final = "of its messages"
_ZONE: Final = ("district", "logger")
_BINS: Final = ("bin", "glass_bin")

KINDS: Final[dict[str, Kind]] = {
    "leak": Kind(_ZONE, "m3/h", 15.0, 0.0, 1000.0),
    "burst": Kind(_ZONE, "m3/h", 60.0, 0.0, 1000.0),
    "pump_wear": Kind(("pump",), "of its efficiency", 0.2, 0.0, 0.6),
    "lamp_out": Kind(("lamp",)),
    "cabinet_trip": Kind(("cabinet",)),
    "day_burner": Kind(("cabinet",)),
    "door_open": Kind(("cabinet",)),
    "stuck_bay": Kind(("bay",), "(0 free, 1 occupied)", 1.0, 0.0, 1.0, zero=True),
    "bin_fire": Kind(_BINS, "Cel", 320.0, 40.0, 1200.0),
    "overflow": Kind(_BINS, "%", 110.0, 50.0, 200.0),
    # What a sensor of any unit shows cannot have a size by default.
    "drift": Kind((), "in the unit of the property", None),
    "spike": Kind((), "in the unit of the property", None),
    "stuck": Kind(),
    "dropout": Kind((), _SHARE, 1.0, 0.0, 1.0),
    "duplicate": Kind((), _SHARE, 0.2, 0.0, 1.0),
    "late": Kind((), "s", 120.0, 0.0, 86_400.0),
    "out_of_order": Kind((), _SHARE, 0.2, 0.0, 1.0),
    "clock_skew": Kind((), "s", 60.0, -86_400.0, 86_400.0),
    "missing_time": Kind((), _SHARE, 1.0, 0.0, 1.0),
}
SENSOR_KINDS: Final = frozenset({"drift", "spike", "stuck"})
MESSAGE_KINDS: Final = frozenset({"dropout", "duplicate", "late", "out_of_order", "clock_skew", "missing_time"})

_CIRCUIT: Final = ("power", "energy", "voltage", "current")
_OWN: Final[dict[str, tuple[str, ...]]] = {
    "pump_wear": ("pump_power", "flow"),
    "door_open": ("door",),
    "stuck_bay": ("occupied",),
    "bin_fire": ("temperature",),
    "overflow": ("fill", "emptied"),
}


def touched(kind: str, thing: str, name: str, town: Town) -> Iterator[tuple[str, str]]:
    """Which datastreams a fault touches, as (Thing, property), each once.

    Parameters
    ----------
    kind, thing, name : str
        A key of `KINDS`, where it befalls, and the property for faults of a sensor.
    town : Town
        The Things that take part; others are left out.

    Notes
    -----
    Water is one network: a leak or a worn pump moves every pressure and tank a little. Named are the inflow, the
    counter, the regulating valve and the pressures of the leaking district, and the worn pump itself.
    """
    here = next((asset for asset in town.assets if asset.code == thing), None)
    if here is None:
        return
    if kind in ("leak", "burst"):
        zone = here.code if here.kind == "district" else here.parent
        for asset in town.assets:
            if zone is not None and zone in (asset.code, asset.parent):
                yield from ((asset.code, p) for p in MEASURED[asset.kind] if p != "battery")
    elif kind in ("cabinet_trip", "day_burner", "lamp_out"):
        cabinet = here.parent if kind == "lamp_out" else here.code
        for asset in town.assets:
            if asset.code == cabinet:
                yield from ((asset.code, p) for p in _CIRCUIT)
            elif asset.code == thing or (asset.parent == cabinet and kind != "lamp_out"):
                yield from ((asset.code, p) for p in MEASURED[asset.kind])
    elif kind in SENSOR_KINDS:
        yield thing, name
    else:
        yield from ((thing, p) for p in _OWN.get(kind, MEASURED[here.kind]))
