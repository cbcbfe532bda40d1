"""The vocabulary of the city: which properties a domain knows, in which unit, and what is wrong with them.

A newcomer adds a domain by putting one TOML file beside this one (or into the folder that `extra` names);
no other code needs an edit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from hypervision.errors import DomainError

Kind = Literal["gauge", "counter", "state", "event"]
KINDS = ("gauge", "counter", "state", "event")
RULE_KINDS = ("high", "low", "rate_of_change", "state_equals", "silence", "talking")
OF_A_THING = ("silence", "talking")
OF_NUMBERS = ("high", "low", "state_equals")
PRIORITIES = ("critical", "high", "medium", "low")
PLATFORM = "platform"
"""The code of the domain whose rules judge the platform itself."""
GROUPS = "groups"
"""The code of the domain whose rules judge groups of Things."""
WHOSE = ("self", "parent", "above")


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
        Lowest and highest plausible result [unit]; outside, quality is `out_of_range`. Never beyond ±1e30.
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
class Cause:
    """What explains an alarm while it holds, and so suppresses it by design: another alarm, a state, or being late.

    Attributes
    ----------
    rule : str or None
        Code of the rule whose alarm stands.
    property : str or None
        `domain/property` whose newest result is `equals`, `below` or `over` a number.
    late : bool
        The Thing was not heard for its shortest expected period: whether it is silent, too, is known soon.
    of : str
        Of which Thing: `self`, its `parent`, or any one `above` it.
    hold : float
        The alarm of `rule` still explains for so long after its return [s]: what hangs on it reports again by then.
    """

    rule: str | None = None
    property: str | None = None
    of: str = "self"
    equals: float | None = None
    below: float | None = None
    over: float | None = None
    hold: float = 0.0
    late: bool = False

    def document(self) -> dict[str, Any]:
        """As it stands in a rule's document: only what is said."""
        said = {key: value for key, value in asdict(self).items() if value is not None and value is not False}
        return said if self.hold else {key: value for key, value in said.items() if key != "hold"}


@dataclass(frozen=True, slots=True)
class RuleTemplate:
    """A default rule of a domain; the database holds the rules that are in force.

    Attributes
    ----------
    latched : bool
        Its alarms end by a person's acknowledgement only.
    realarm_after, escalate_after : float or None
        An acknowledged alarm that stays rings again, one that nobody acknowledges is told to others, after so long
        [s]; 0 never, None as the settings say for its priority.
    """

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
    consequence_fr: str = ""
    consequence_en: str = ""
    latched: bool = False
    realarm_after: float | None = None
    escalate_after: float | None = None
    suppressed_by: tuple[Cause, ...] = ()


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
    """All sensor domains by code, in their screen order; beside them those that no device is of.

    Parameters
    ----------
    apart : list of Domain, optional
        What `watch` measures itself, with its rules: of groups, of the platform's own parts.

    Attributes
    ----------
    ruled : mapping of str to Domain
        Every domain that rules may be of: those apart come last.
    """

    def __init__(self, domains: list[Domain], apart: Sequence[Domain] = ()) -> None:
        self._domains = {domain.code: domain for domain in sorted(domains, key=lambda d: (d.order, d.code))}
        if len(self._domains) != len(domains):
            codes = [domain.code for domain in domains]
            twice = min(code for code in codes if codes.count(code) > 1)
            raise DomainError(f"two domains share a code ({twice!r})", remedy="give each its own")
        self.ruled: Mapping[str, Domain] = {**self._domains, **{one.code: one for one in apart}}

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

    def judged(self, domain: str, name: str | None) -> ObservedProperty | None:
        """What a rule is about, of whichever domain."""
        found = self.ruled.get(domain)
        return None if found is None or name is None else found.properties.get(name)
