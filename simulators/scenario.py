"""A scenario: seed, which Things, how fast they report, and what goes wrong when."""

from __future__ import annotations

import contextlib
import logging
import re
import tomllib
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hypervision.errors import HypervisionError
from simulators.kinds import KINDS, SENSOR_KINDS, touched
from simulators.localtime import DAY_US, HOUR_US, MINUTE_US, SECOND_US, to_us
from simulators.pace import HISTORY, LIVE, Pace
from simulators.town import Town, build_town
from simulators.town.assets import MEASURED
from simulators.truth import Truth

log = logging.getLogger(__name__)

OPEN: Final = 2**62
"""End of what does not end [us]."""

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
        How much; the unit depends on the kind, see `simulators.kinds`.
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

    def truths(self, town: Town) -> list[Truth]:
        """What can be seen of this fault in a town, one line per datastream."""
        end = None if self.end_us == OPEN else self.end_us
        return [
            Truth(thing, name, self.kind, self.start_us, end, self.size)
            for thing, name in touched(self.kind, self.thing, self.property, town)
        ]


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
    size = _whole(data, "things", 300, name)
    include = tuple(data.get("include", ["*"]))
    whole = build_town(size)
    faults = [_fault(table, name, anchor_us, whole.only(include)) for table in data.get("fault", [])]
    if things is not None and things != size:
        # A smaller town than the scenario was written for has fewer lamps, bays and bins.
        present = {asset.code for asset in build_town(things).assets}
        for fault in [fault for fault in faults if fault.thing not in present]:
            log.warning("a town of %d Things has no %s: its %s is left out", things, fault.thing, fault.kind)
            faults.remove(fault)
    return Scenario(
        name=name,
        seed=_whole(data, "seed", 1, name) if seed is None else seed,
        zone=zone,
        things=size if things is None else things,
        include=include,
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


def _fault(table: dict[str, Any], name: str, anchor_us: int, town: Town) -> Fault:
    kind = table.get("kind")
    if kind not in KINDS:
        raise HypervisionError(
            f"{name}: there is no fault {kind!r}", remedy=f"choose one of {', '.join(sorted(KINDS))}"
        )
    if unknown := sorted(set(table) - {"kind", "thing", "property", "start", "end", "size", "grow"}):
        raise HypervisionError(
            f"{name}: fault {kind} has no key {unknown[0]!r}", remedy="use thing, property, start, end, grow, size"
        )
    try:
        start = instant(table["start"], anchor_us)
        end = instant(table["end"], anchor_us) if "end" in table else OPEN
        size = table.get("size", KINDS[kind].default)
        fault = Fault(
            kind=kind,
            thing=str(table["thing"]),
            property=str(table.get("property", "")),
            start_us=start,
            end_us=end,
            size=float("nan") if size is None else float(size),
            grow_us=instant(table.get("grow", "0s"), 0),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise HypervisionError(f"{name}: fault {kind}: {error}", remedy="give thing, start and size") from None
    if problem := _unfit(fault, town):
        raise HypervisionError(f"{name}: fault {kind} of {fault.thing} {problem[0]}", remedy=problem[1])
    return fault


def _unfit(fault: Fault, town: Town) -> tuple[str, str] | None:
    """Why a fault could not show in a town, with the remedy; None when it can."""
    kind = KINDS[fault.kind]
    here = next((asset for asset in town.assets if asset.code == fault.thing), None)
    if here is None:
        return "befalls a Thing that is not there", "name one that the scenario's things and include leave in the town"
    if kind.things and here.kind not in kind.things:
        return f"befalls a {here.kind}", f"name a {' or a '.join(kind.things)}"
    if not MEASURED[here.kind]:
        return f"befalls a {here.kind}, which measures nothing", "name a Thing with a sensor"
    if fault.kind in SENSOR_KINDS and not fault.property:
        return "needs a property", f"name one of {', '.join(MEASURED[here.kind])}"
    if fault.kind in SENSOR_KINDS and fault.property not in MEASURED[here.kind]:
        return f"is of {fault.property!r}, which it does not measure", f"name one of {', '.join(MEASURED[here.kind])}"
    if fault.kind not in SENSOR_KINDS and fault.property:
        return f"names a property, {fault.property!r}", "leave it out: the kind says what it touches"
    if fault.end_us == OPEN and (fault.kind == "drift" or (fault.kind == "pump_wear" and not fault.grow_us)):
        return "needs an end", "say when it has reached its size"
    if fault.end_us <= fault.start_us:
        return "ends before it starts", "mend start or end"
    if fault.grow_us < 0 or (fault.grow_us and fault.kind not in ("leak", "pump_wear")):
        return "cannot grow so", "leave grow out, or give a leak or a pump_wear a time such as 12d"
    if not kind.takes(fault.size):
        said = "has no size" if fault.size != fault.size else f"has size {fault.size:g}"
        return said, f"give {kind.bounds}"
    return None
