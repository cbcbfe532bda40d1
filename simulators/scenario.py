"""A scenario: seed, which Things, how fast they report, and what goes wrong when."""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hypervision.errors import HypervisionError
from simulators.localtime import DAY_US, HOUR_US, MINUTE_US, SECOND_US, to_us
from simulators.pace import HISTORY, LIVE, Pace
from simulators.truth import Truth

OPEN: Final = 2**62
"""End of what does not end [us]."""

# Kind of fault -> properties that show it: the first that the Thing measures. None: the whole message.
KINDS: Final[dict[str, tuple[str, ...]]] = {
    # water; size: flow [m3/h] when fully open, share of efficiency lost
    "leak": ("flow", "pressure"),
    "burst": ("flow", "pressure"),
    "pump_wear": ("pump_power",),
    # lighting; size: 1
    "lamp_out": ("lamp_state",),
    "cabinet_trip": ("voltage",),
    "day_burner": ("power",),
    "door_open": ("door",),
    # parking; size: the state shown for ever
    "stuck_bay": ("occupied",),
    # waste; size: temperature [Cel], fill level [%]
    "bin_fire": ("temperature",),
    "overflow": ("fill",),
    # any sensor, `property` says which; size: change at the end, height of the spikes, unused
    "drift": (),
    "spike": (),
    "stuck": (),
    # any device; size: share of messages (dropout, duplicate, out_of_order, missing_time), seconds (late, clock_skew)
    "dropout": (),
    "duplicate": (),
    "late": (),
    "out_of_order": (),
    "clock_skew": (),
    "missing_time": (),
}
SENSOR_KINDS: Final = frozenset({"drift", "spike", "stuck"})
MESSAGE_KINDS: Final = frozenset({"dropout", "duplicate", "late", "out_of_order", "clock_skew", "missing_time"})

_UNITS: Final = {"s": SECOND_US, "m": MINUTE_US, "h": HOUR_US, "d": DAY_US}


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong.

    Attributes
    ----------
    kind : str
        A key of `KINDS`.
    thing : str
        Where.
    property : str
        Which datastream, for faults of a sensor; else empty.
    start_us, end_us : int
        From when to when [us]; `OPEN` when it lasts.
    size : float
        How much; the unit depends on the kind.
    grow_us : int
        How long it takes to reach its size [us].
    """

    kind: str
    thing: str
    property: str
    start_us: int
    end_us: int
    size: float
    grow_us: int = 0

    def truths(self, properties: Sequence[str]) -> list[Truth]:
        """What a detector could find of this fault.

        Parameters
        ----------
        properties : sequence of str
            What the Thing measures. What befalls whole messages befalls all of it.
        """
        if self.property:
            shown = [self.property]
        elif KINDS[self.kind]:
            shown = [name for name in KINDS[self.kind] if name in properties][:1]
        else:
            shown = list(properties)
        end = None if self.end_us == OPEN else self.end_us
        return [Truth(self.thing, name, self.kind, self.start_us, end, self.size) for name in shown]


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is simulated.

    Attributes
    ----------
    name : str
        For messages to people.
    seed : int
        All chance comes from it.
    zone : ZoneInfo
        The town's time zone.
    things : int
        About how many Things the town has.
    include : tuple of str
        Patterns of Thing codes that take part; all by default.
    history_days : float
        How much past a first start makes up.
    history, live : Pace
        Reporting periods of made-up past and of live devices.
    faults : tuple of Fault
        In order of their start.
    """

    name: str
    seed: int
    zone: ZoneInfo
    things: int = 300
    include: tuple[str, ...] = ("*",)
    history_days: float = 14.0
    history: Pace = HISTORY
    live: Pace = LIVE
    faults: tuple[Fault, ...] = field(default=())


def shipped() -> list[str]:
    """Names of the scenarios that come with the package."""
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in (files("simulators") / "scenarios").iterdir()
        if entry.name.endswith(".toml")
    )


def load(name: str, *, anchor_us: int, seed: int | None = None, things: int | None = None) -> Scenario:
    """Read a scenario from a file or by the name of a shipped one.

    Parameters
    ----------
    name : str
        A path that ends in `.toml`, or a name of `shipped()`.
    anchor_us : int
        The instant [us] that relative times such as `-5d` count from.
    seed, things : int, optional
        Instead of those of the file.

    Raises
    ------
    HypervisionError
        The file is missing or wrong, with key, value and remedy.
    """
    try:
        if name.endswith(".toml"):
            text = Path(name).read_text("utf-8")
        elif name in shipped():
            text = (files("simulators") / "scenarios" / f"{name}.toml").read_text("utf-8")
        else:
            raise HypervisionError(
                f"--scenario {name!r} is not known",
                remedy=f"give a .toml file or one of {', '.join(shipped())}",
            )
        data = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise HypervisionError(f"cannot read --scenario {name} ({error})", remedy="check the path") from None
    except tomllib.TOMLDecodeError as error:
        raise HypervisionError(f"{name} is not TOML ({error})", remedy="mend that line") from None
    return parse(data, name=name, anchor_us=anchor_us, seed=seed, things=things)


def parse(
    data: dict[str, Any], *, name: str, anchor_us: int, seed: int | None = None, things: int | None = None
) -> Scenario:
    """A scenario from its TOML tables; see `load`."""
    known = {"seed", "zone", "things", "include", "history_days", "history", "live", "fault"}
    if unknown := sorted(set(data) - known):
        raise HypervisionError(f"{name}: there is no key {unknown[0]!r}", remedy=f"use {', '.join(sorted(known))}")
    try:
        zone = ZoneInfo(data.get("zone", "Europe/Paris"))
    except (ZoneInfoNotFoundError, ValueError, TypeError):
        raise HypervisionError(f"{name}: zone = {data['zone']!r}", remedy="give an IANA name") from None
    faults = [_fault(table, name, anchor_us) for table in data.get("fault", [])]
    return Scenario(
        name=name,
        seed=_whole(data, "seed", 1, name) if seed is None else seed,
        zone=zone,
        things=_whole(data, "things", 300, name) if things is None else things,
        include=tuple(data.get("include", ["*"])),
        history_days=float(data.get("history_days", 14)),
        history=_pace(data, "history", HISTORY, name),
        live=_pace(data, "live", LIVE, name),
        faults=tuple(sorted(faults, key=lambda fault: (fault.start_us, fault.thing, fault.kind))),
    )


def instant(value: object, anchor_us: int) -> int:
    """An instant [us] from `-5d`, `+90s`, `0h` or an RFC 3339 time with an offset.

    Raises
    ------
    ValueError
        It is neither.

    Examples
    --------
    >>> instant("+90s", 1_000_000)
    91000000
    """
    if isinstance(value, datetime) and value.tzinfo is not None:
        return to_us(value)
    if isinstance(value, str) and (match := re.fullmatch(r"([+-]?\d+(?:\.\d+)?)([smhd])", value)):
        return anchor_us + round(float(match[1]) * _UNITS[match[2]])
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            if (when := datetime.fromisoformat(value)).tzinfo is not None:
                return to_us(when)
    raise ValueError(f"{value!r} is no time: write -5d, +2h or 2026-11-22T10:00:00Z")


def _whole(data: dict[str, Any], key: str, default: int, name: str) -> int:
    value = data.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise HypervisionError(f"{name}: {key} = {value!r}", remedy="give a whole number from 0")
    return value


def _pace(data: dict[str, Any], key: str, default: Pace, name: str) -> Pace:
    try:
        return Pace(**({f: getattr(default, f) for f in Pace.__slots__} | data.get(key, {})))
    except (TypeError, ValueError) as error:
        raise HypervisionError(f"{name}: [{key}] {error}", remedy="see docs/simulators.md") from None


def _fault(table: dict[str, Any], name: str, anchor_us: int) -> Fault:
    kind = table.get("kind")
    if kind not in KINDS:
        raise HypervisionError(
            f"{name}: there is no fault {kind!r}", remedy=f"choose one of {', '.join(sorted(KINDS))}"
        )
    try:
        start = instant(table["start"], anchor_us)
        end = instant(table["end"], anchor_us) if "end" in table else OPEN
        fault = Fault(
            kind=kind,
            thing=str(table["thing"]),
            property=str(table.get("property", "")),
            start_us=start,
            end_us=end,
            size=float(table.get("size", 1.0)),
            grow_us=instant(table.get("grow", "0s"), 0),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise HypervisionError(f"{name}: fault {kind}: {error}", remedy="give thing, start and size") from None
    if kind in SENSOR_KINDS and not fault.property:
        raise HypervisionError(f"{name}: fault {kind} of {fault.thing} needs a property", remedy="add one")
    if kind in ("drift", "pump_wear") and end == OPEN:
        raise HypervisionError(
            f"{name}: fault {kind} of {fault.thing} needs an end", remedy="say when it reaches its size"
        )
    if end <= start:
        raise HypervisionError(f"{name}: fault {kind} of {fault.thing} ends before it starts", remedy="mend it")
    return fault
