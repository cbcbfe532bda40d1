"""The vocabulary of the city: which properties a domain knows, in which unit, and what is wrong with them.

A newcomer adds a domain by putting one TOML file beside this one (or into the folder that `extra` names);
no other code needs an edit.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from math import inf
from pathlib import Path
from typing import Any, Literal

from hypervision.errors import DomainError

Kind = Literal["gauge", "counter", "state", "event"]
KINDS = ("gauge", "counter", "state", "event")
RULE_KINDS = ("high", "low", "rate_of_change", "state_equals", "silence")
PRIORITIES = ("critical", "high", "medium", "low")


@dataclass(frozen=True, slots=True)
class StateLabel:
    """One state of a property: its number and its names."""

    value: float
    code: str
    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class ObservedProperty:
    """What is observed.

    Attributes
    ----------
    unit : str
        UCUM code of every stored result.
    valid : tuple of float
        Lowest and highest plausible result [unit]; outside, quality is `out_of_range`.
    period : float or None
        Expected time between two readings [s]; None where readings come on change only.
    derived : bool
        Written by a model, refused from a device.
    """

    domain: str
    name: str
    unit: str
    kind: Kind
    valid: tuple[float, float]
    period: float | None
    decimals: int
    derived: bool
    states: tuple[StateLabel, ...]
    fr: str
    en: str

    def label(self, language: str) -> str:
        """The property's name for people."""
        return self.fr if language == "fr" else self.en


@dataclass(frozen=True, slots=True)
class RuleTemplate:
    """A default rule of a domain; the database holds the rules that are in force."""

    code: str
    domain: str
    property: str | None
    kind: str
    limit: float
    deadband: float
    on_delay: float
    off_delay: float
    priority: str
    fr: str
    en: str
    action_fr: str
    action_en: str


@dataclass(frozen=True, slots=True)
class Domain:
    """One sensor domain."""

    code: str
    icon: str
    order: int
    fr: str
    en: str
    properties: Mapping[str, ObservedProperty]
    rules: tuple[RuleTemplate, ...]

    def label(self, language: str) -> str:
        """The domain's name for people."""
        return self.fr if language == "fr" else self.en


class Catalogue(Mapping[str, Domain]):
    """All domains by code, in their screen order."""

    def __init__(self, domains: list[Domain]) -> None:
        self._domains = {domain.code: domain for domain in sorted(domains, key=lambda d: (d.order, d.code))}
        if len(self._domains) != len(domains):
            codes = sorted(domain.code for domain in domains)
            raise DomainError(f"two domain files share a code among {codes}", remedy="give each its own")

    def __getitem__(self, code: str) -> Domain:
        return self._domains[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._domains)

    def __len__(self) -> int:
        return len(self._domains)

    @property
    def properties(self) -> list[ObservedProperty]:
        """Every property of every domain, in a stable order."""
        return [prop for domain in self.values() for prop in domain.properties.values()]

    def find(self, domain: str, name: str) -> ObservedProperty | None:
        """The property, or None when the domain does not know it."""
        found = self._domains.get(domain)
        return None if found is None else found.properties.get(name)


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
    texts = {
        entry.name: entry.read_text("utf-8")
        for entry in resources.files(__package__).iterdir()
        if entry.name.endswith(".toml")
    }
    if extra is not None:
        texts |= {str(path): path.read_text("utf-8") for path in sorted(extra.glob("*.toml"))}
    return Catalogue([parse(text, name=name) for name, text in sorted(texts.items())])


def parse(text: str, *, name: str) -> Domain:
    """Read one domain file.

    Parameters
    ----------
    text : str
        The TOML text.
    name : str
        The file's name, for messages.
    """
    try:
        data = tomllib.loads(text)
        code = data["code"]
        properties = {entry["name"]: _property(code, entry) for entry in data["property"]}
        rules = tuple(_rule(code, entry, properties) for entry in data.get("rule", []))
        label = data["label"]
        return Domain(
            code,
            data.get("icon", "dot"),
            int(data.get("order", 100)),
            label["fr"],
            label["en"],
            properties,
            rules,
        )
    except tomllib.TOMLDecodeError as error:
        raise DomainError(f"domain file {name} is not TOML ({error})", remedy="mend that line") from None
    except KeyError as error:
        raise DomainError(f"domain file {name} lacks the key {error}", remedy="see docs/domains.md") from None
    except (TypeError, ValueError) as error:
        raise DomainError(f"domain file {name}: {error}", remedy="see docs/domains.md") from None


def _property(domain: str, entry: dict[str, Any]) -> ObservedProperty:
    _only(entry, "name unit kind valid period decimals derived states label")
    if entry["kind"] not in KINDS:
        raise ValueError(f"property {entry['name']} has kind {entry['kind']!r}, not one of {', '.join(KINDS)}")
    states = tuple(StateLabel(float(s["value"]), s["code"], s["fr"], s["en"]) for s in entry.get("states", []))
    if entry["kind"] == "state" and not states:
        raise ValueError(f"property {entry['name']} is a state without states")
    default = (min(s.value for s in states), max(s.value for s in states)) if states else (-inf, inf)
    low, high = entry.get("valid", default)
    if not low <= high:
        raise ValueError(f"property {entry['name']} has the empty range {low} to {high}")
    period = entry.get("period")
    return ObservedProperty(
        domain=domain,
        name=entry["name"],
        unit=entry["unit"],
        kind=entry["kind"],
        valid=(float(low), float(high)),
        period=None if period is None else float(period),
        decimals=int(entry.get("decimals", 0)),
        derived=bool(entry.get("derived", False)),
        states=states,
        fr=entry["label"]["fr"],
        en=entry["label"]["en"],
    )


def _rule(domain: str, entry: dict[str, Any], properties: Mapping[str, ObservedProperty]) -> RuleTemplate:
    _only(entry, "code property kind limit deadband on_delay off_delay priority label action")
    code, kind, target = entry["code"], entry["kind"], entry.get("property")
    if kind not in RULE_KINDS:
        raise ValueError(f"rule {code} has kind {kind!r}, not one of {', '.join(RULE_KINDS)}")
    if entry["priority"] not in PRIORITIES:
        raise ValueError(f"rule {code} has priority {entry['priority']!r}, not one of {', '.join(PRIORITIES)}")
    if (kind == "silence") != (target is None) or (target is not None and target not in properties):
        raise ValueError(f"rule {code} watches {target!r}, which is no property of this domain")
    action = entry.get("action", {"fr": "", "en": ""})
    return RuleTemplate(
        code=code,
        domain=domain,
        property=target,
        kind=kind,
        # A silence rule's limit is in expected periods; ISA-18.2 calls the source stale after it.
        limit=float(entry["limit"]) if kind != "silence" else float(entry.get("limit", 2)),
        deadband=float(entry.get("deadband", 0)),
        on_delay=float(entry.get("on_delay", 0)),
        off_delay=float(entry.get("off_delay", 0)),
        priority=entry["priority"],
        fr=entry["label"]["fr"],
        en=entry["label"]["en"],
        action_fr=action["fr"],
        action_en=action["en"],
    )


def _only(entry: dict[str, Any], known: str) -> None:
    unknown = set(entry) - set(known.split())
    if unknown:
        raise ValueError(f"unknown key {min(unknown)!r}")
