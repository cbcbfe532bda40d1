"""From the text of a domain file to a domain; what an engineer can write wrongly is refused here."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from math import inf
from pathlib import Path
from typing import Final, cast

from hypervision.domains.bounds import wrong_limit
from hypervision.domains.catalogue import (
    GROUPS,
    KINDS,
    OF_A_THING,
    PLATFORM,
    PRIORITIES,
    RULE_KINDS,
    Catalogue,
    Domain,
    Kind,
    ObservedProperty,
    RuleTemplate,
    StateLabel,
)
from hypervision.domains.causes import causes_of, check_causes
from hypervision.domains.table import Table
from hypervision.errors import DomainError
from hypervision.settings import Settings
from hypervision.topics import RESERVED
from hypervision.units import conversion

_NAME: Final = r"[a-z][a-z0-9_]{0,63}"
_NAME_IS: Final = "write small letters, digits and _, a letter first"
# Whatever a file says: no sensor reads more, and a year's readings are summed and squared far from the end of float64.
_FURTHEST: Final = 1e30
_YEAR: Final = 31_622_400.0
_MONTH: Final = 2_678_400.0
# Codes known to be UCUM (a test asks the library), so that an ordinary start need not load its definitions.
UNITS: Final = frozenset(
    (
        *("1", "%", "{place}", "[ppm]", "[ppb]", "h", "min", "s", "d", "/h", "/min", "Hz", "lx", "W/m2"),
        *("Cel", "K", "deg", "mm", "cm", "m", "km", "m2", "L", "m3", "g", "kg", "t", "m/s", "km/h", "mm/h"),
        *("L/s", "L/min", "m3/h", "bar", "mbar", "Pa", "kPa", "mg/L", "ug/L", "mg/m3", "ug/m3", "uS/cm", "{NTU}"),
        *("V", "mV", "A", "W", "kW", "MW", "kW.h", "MW.h", "J"),
    )
)
# In UCUM, and not in the library: it converts to nothing but itself.
_LACKING: Final = frozenset(("[pH]",))


def catalogue_of(settings: Settings) -> Catalogue:
    """The domains of an installation: the platform's own and those of `DATA_DIR/domains`.

    Every process asks here, so that what one knows all know.

    Raises
    ------
    DomainError
        A file is wrong; the message names file, key and value.
    """
    extra = settings.data_dir / "domains"
    return load(extra if extra.is_dir() else None)


@lru_cache(maxsize=4)
def load(extra: Path | None = None) -> Catalogue:
    """Read every domain file.

    Parameters
    ----------
    extra : Path, optional
        A folder with domain files of one's own.

    Raises
    ------
    DomainError
        A file is wrong; the message names file, key and value.
    """
    files = {
        entry.name: entry for entry in resources.files("hypervision.domains").iterdir() if entry.name.endswith(".toml")
    }
    if extra is not None:
        files |= {str(path): path for path in sorted(extra.glob("*.toml"))}
    found: dict[str, tuple[str, Domain]] = {}
    for name, file in sorted(files.items()):
        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DomainError(f"cannot read the domain file {name} ({error})", remedy="mend or remove it") from None
        domain = parse(text, name=name)
        other = found.setdefault(domain.code, (name, domain))[0]
        if other != name:
            raise DomainError(
                f"the domain files {other} and {name} share a code ({domain.code!r})", remedy="change one"
            )
    apart = [found.pop(code)[1] for code in (GROUPS, PLATFORM) if code in found]
    return Catalogue([domain for _, domain in found.values()], apart)


def parse(text: str, *, name: str) -> Domain:
    """Read one domain file.

    Parameters
    ----------
    text : str
        The TOML text.
    name : str
        The file's name, for messages.

    Raises
    ------
    DomainError
        One sentence with the file, the key, the value and the remedy.
    """
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DomainError(f"domain file {name} is not TOML ({error})", remedy="mend that line") from None
    file = Table(name, "the file", data, known="code icon order label property rule")
    code = file.text("code", pattern=r"[a-z][a-z0-9_]{0,31}", remedy=_NAME_IS)
    fr, en = file.languages("label")
    properties: dict[str, ObservedProperty] = {}
    known = "name unit kind valid period decimals derived states label"
    for table in file.tables("property", known=known, name="name"):
        prop = _property(code, table)
        if prop.name in properties:
            raise table.refuse("name", "give each property a name of its own")
        properties[prop.name] = prop
    if not properties:
        raise file.refuse("property", "describe at least one under a line [[property]]")
    rules: dict[str, RuleTemplate] = {}
    known = (
        "code property kind limit deadband on_delay off_delay priority label action consequence latched realarm_after"
        " escalate_after suppressed_by"
    )
    for table in file.tables("rule", known=known):
        rule = _rule(code, table, properties)
        if rule.code in rules:
            raise table.refuse("code", "give each rule a code of its own")
        rules[rule.code] = rule
    check_causes(name, code, rules)
    order = file.whole("order", 100, low=0, high=10_000)
    return Domain(code, file.text("icon", "dot"), order, fr, en, properties, tuple(rules.values()))


def _property(domain: str, table: Table) -> ObservedProperty:
    name = table.text("name", pattern=_NAME, remedy=_NAME_IS)
    if name in RESERVED:
        raise table.refuse("name", f"choose another: {', '.join(sorted(RESERVED))} are keys of every message")
    kind = cast("Kind", table.choice("kind", KINDS))
    labelled = kind in ("state", "event")
    unit = table.text("unit", remedy="give a UCUM code such as m3/h, or 1")
    if unit not in UNITS | _LACKING and conversion(unit, "1").problem == "unknown_unit":
        raise table.refuse("unit", "give a UCUM code such as m3/h (case counts), or 1")
    if labelled and unit != "1":
        raise table.refuse("unit", f'write "1": a {kind} has none')
    states = _states(table)
    if kind == "state" and not states:
        raise table.refuse("states", "it is a state without states: list its numbers and labels")
    if states and not labelled:
        raise table.refuse("states", f"leave them out, or make the {kind} a state")
    default = (min(s.value for s in states), max(s.value for s in states)) if states else (-inf, inf)
    low, high = (min(max(bound, -_FURTHEST), _FURTHEST) for bound in table.range("valid", default))
    if not all(low <= state.value <= high for state in states):
        raise table.refuse("valid", "widen it: a state lies outside")
    fr, en = table.languages("label")
    return ObservedProperty(
        domain=domain,
        name=name,
        unit=unit,
        kind=kind,
        valid=(low, high),
        period=table.number("period", low=0.1, high=_YEAR) if "period" in table else None,
        decimals=table.whole("decimals", 0, low=0, high=12),
        derived=table.flag("derived"),
        states=states,
        fr=fr,
        en=en,
    )


def _states(table: Table) -> tuple[StateLabel, ...]:
    found: list[StateLabel] = []
    for state in table.tables("states", known="value code fr en"):
        label = StateLabel(
            state.number("value"),
            state.text("code", pattern=_NAME, remedy=_NAME_IS),
            state.text("fr"),
            state.text("en"),
        )
        for key in ("value", "code"):
            if getattr(label, key) in {getattr(other, key) for other in found}:
                raise state.refuse(key, "give each state one of its own")
        found.append(label)
    return tuple(found)


def _rule(domain: str, table: Table, properties: Mapping[str, ObservedProperty]) -> RuleTemplate:
    pattern = rf"{domain}(\.[a-z0-9_]+)+"
    code = table.text("code", pattern=pattern, remedy=f"write {domain}.property.what, in small letters")
    kind = table.choice("kind", RULE_KINDS)
    prop = None
    if kind not in OF_A_THING:
        prop = properties[table.choice("property", list(properties))]
    elif "property" in table:
        raise table.refuse("property", f"leave it out: {kind} is of a whole Thing")
    limit, deadband = _limit(table, kind, prop)
    fr, en = table.languages("label")
    action_fr, action_en = table.languages("action", needed=False)
    consequence_fr, consequence_en = table.languages("consequence", needed=False)
    return RuleTemplate(
        code=code,
        domain=domain,
        property=None if prop is None else prop.name,
        kind=kind,
        limit=limit,
        deadband=deadband,
        on_delay=table.number("on_delay", 0, low=0, high=_MONTH),
        off_delay=table.number("off_delay", 0, low=0, high=_MONTH),
        priority=table.choice("priority", PRIORITIES),
        fr=fr,
        en=en,
        action_fr=action_fr,
        action_en=action_en,
        consequence_fr=consequence_fr,
        consequence_en=consequence_en,
        latched=table.flag("latched"),
        realarm_after=table.number("realarm_after", low=0, high=_MONTH) if "realarm_after" in table else None,
        escalate_after=table.number("escalate_after", low=0, high=_MONTH) if "escalate_after" in table else None,
        suppressed_by=causes_of(table),
    )


def _limit(table: Table, kind: str, prop: ObservedProperty | None) -> tuple[float, float]:
    """Limit and deadband: the rule can ring, and its alarm can return, within the valid range."""
    if kind == "talking":
        # Messages in a minute that were beyond the pace.
        limit, deadband = table.number("limit", 0, low=0, high=1e6), table.number("deadband", 0, low=0)
    elif prop is None:
        # In expected periods; ISA-18.2 calls the source stale after it.
        limit, deadband = table.number("limit", 2, low=1, high=1000), table.number("deadband", 0, low=0)
    else:
        limit, deadband = table.number("limit"), table.number("deadband", 0, low=0)
    wrong = wrong_limit(kind, prop, limit, deadband)
    if wrong is not None:
        raise table.refuse(wrong.key, wrong.remedy)
    return limit, deadband
