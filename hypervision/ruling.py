"""A rule as people write it: one document with everything that belongs to it, read, checked and compared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from hypervision.domains import Catalogue, ObservedProperty
from hypervision.domains.bounds import wrong_limit
from hypervision.domains.catalogue import GROUPS, OF_A_THING, OF_NUMBERS, PLATFORM, PRIORITIES, RULE_KINDS, Cause
from hypervision.domains.causes import causes_of
from hypervision.domains.table import Table
from hypervision.errors import DomainError, RuleError
from hypervision.formulas import Formula, read_formula
from hypervision.schedules import Window, read_windows

_CODE: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
_THING: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
CLASS: Final = re.compile(r"\S.{0,63}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_MONTH: Final = 2_678_400.0
_FURTHEST: Final = 1e30
MOST_THINGS: Final = 20_000
FIELDS: Final = (
    "code", "domain", "property", "kind", "priority", "limit", "deadband", "on_delay", "off_delay", "enabled",
    "fr", "en", "action_fr", "action_en", "consequence_fr", "consequence_en", "latched", "realarm_after",
    "escalate_after", "things", "classes", "schedule", "formula", "suppressed_by",
)  # fmt: skip
_PLAIN: Final = FIELDS[: FIELDS.index("things")]
OF_THE_DESK: Final = (*FIELDS[FIELDS.index("consequence_fr") : FIELDS.index("things")], "suppressed_by")
"""Fields that versions of before the alarm desk do not tell of."""
# Nothing said is not zero: then the settings say it for the priority.
_EXACT: Final = ("realarm_after", "escalate_after")
# What rules have not that judge what `watch` counts; a group has the limits of the Thing that it is shown at.
_LEFT_OUT: Final = {
    PLATFORM: ("things", "classes", "formula", "suppressed_by"),
    GROUPS: ("formula", "suppressed_by"),
}
# From where to where the limit of a rule of a whole Thing may lie.
_OF_A_THING: Final = {"silence": (1.0, 1000.0), "talking": (0.0, 1e6)}


@dataclass(frozen=True, slots=True)
class Own:
    """What a Thing, or a class of Things, has otherwise; None keeps the rule's own."""

    limit: float | None = None
    deadband: float | None = None
    enabled: bool = True

    def document(self) -> dict[str, Any]:
        """As it stands in the rule's document."""
        given = {"limit": self.limit, "deadband": self.deadband}
        told: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        return told if self.enabled else told | {"enabled": False}


@dataclass(frozen=True, slots=True)
class Definition:
    """A rule that was understood.

    Attributes
    ----------
    on_delay, off_delay : float
        [s].
    things, classes : mapping of str to Own
        By the code of a Thing, by the kind of a class.
    latched, realarm_after, escalate_after, suppressed_by
        As in `hypervision.domains.catalogue.RuleTemplate`.
    """

    code: str
    domain: str
    property: str | None
    kind: str
    priority: str
    limit: float
    deadband: float
    on_delay: float
    off_delay: float
    enabled: bool
    fr: str
    en: str
    action_fr: str
    action_en: str
    consequence_fr: str
    consequence_en: str
    latched: bool
    realarm_after: float | None
    escalate_after: float | None
    things: Mapping[str, Own]
    classes: Mapping[str, Own]
    windows: tuple[Window, ...]
    formula: Formula | None
    suppressed_by: tuple[Cause, ...] = ()

    def document(self) -> dict[str, Any]:
        """The whole rule as JSON."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "things": {code: self.things[code].document() for code in sorted(self.things)},
            "classes": {kind: self.classes[kind].document() for kind in sorted(self.classes)},
            "schedule": [window.document() for window in self.windows],
            "formula": None if self.formula is None else self.formula_document(),
            "suppressed_by": [cause.document() for cause in self.suppressed_by],
        }

    def formula_document(self) -> dict[str, Any]:
        """The formula as it stands in the document."""
        assert self.formula is not None
        return {"expression": self.formula.tree, "unit": self.formula.unit}

    def extra(self) -> dict[str, Any]:
        """What the columns of the database have no place for."""
        document = self.document()
        return {key: document[key] for key in ("classes", "schedule", "formula") if document[key]}


class Change(NamedTuple):
    """One difference between two versions; None where the field is not there."""

    field: str
    before: Any
    after: Any


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What differs between two documents, field by field.

    Examples
    --------
    >>> changes({"limit": 1, "things": {}}, {"limit": 2, "things": {"p1": {"limit": 3}}})
    [Change(field='limit', before=1, after=2), Change(field='things.p1', before=None, after={'limit': 3})]
    """
    found = []
    for name in FIELDS:
        was, now = (one.get(name, True if name == "enabled" else None) for one in (before, after))
        if name in ("things", "classes"):
            was, now = was or {}, now or {}
            found += [
                Change(f"{name}.{key}", was.get(key), now.get(key))
                for key in sorted({*was, *now})
                if was.get(key) != now.get(key)
            ]
        elif was != now if name in _EXACT else (was or None) != (now or None):
            found.append(Change(name, was, now))
    return found


def understand(document: Mapping[str, Any], catalogue: Catalogue) -> Definition:
    """Read a rule's document.

    Parameters
    ----------
    document : mapping
        With the fields of `FIELDS`; those that have nothing to say may be left out.

    Raises
    ------
    RuleError
        A field is wrong; the error names it.
    """
    for key in document:
        if key not in FIELDS:
            raise RuleError(str(key)[:60], document[key], f"use {', '.join(FIELDS)}")
    given = _Reader(document)
    domain = given.choice("domain", list(catalogue.ruled))
    code = given.text("code", most=100)
    if _CODE.fullmatch(code) is None or not code.startswith(f"{domain}."):
        raise RuleError("code", code, f"write {domain}.property.what, in small letters")
    kind = given.choice("kind", OF_NUMBERS if domain in _LEFT_OUT else RULE_KINDS)
    for name in _LEFT_OUT.get(domain, ()):
        if document.get(name):
            raise RuleError(name, document[name], f"leave it out: a rule of {domain} has none")
    prop = _property(document, kind, catalogue, domain)
    formula = None
    if document.get("formula") is not None:
        formula = read_formula(document["formula"], domain=domain, catalogue=catalogue)
        if kind not in ("high", "low"):
            raise RuleError("kind", kind, "write high or low: what is judged is computed")
    least, most = _OF_A_THING.get(kind, (-_FURTHEST, _FURTHEST))
    made = Definition(
        code=code,
        domain=domain,
        property=None if prop is None else prop.name,
        kind=kind,
        priority=given.choice("priority", PRIORITIES),
        limit=given.number("limit", low=least, high=most),
        deadband=given.number("deadband", 0.0, low=0.0),
        on_delay=given.number("on_delay", 0.0, low=0.0, high=_MONTH),
        off_delay=given.number("off_delay", 0.0, low=0.0, high=_MONTH),
        enabled=given.flag("enabled"),
        fr=given.text("fr"),
        en=given.text("en"),
        action_fr=given.text("action_fr", needed=False),
        action_en=given.text("action_en", needed=False),
        consequence_fr=given.text("consequence_fr", needed=False),
        consequence_en=given.text("consequence_en", needed=False),
        latched=given.flag("latched", default=False),
        realarm_after=given.maybe("realarm_after", low=0.0, high=_MONTH),
        escalate_after=given.maybe("escalate_after", low=0.0, high=_MONTH),
        things=own_of("things", document.get("things"), _THING, "the code of a Thing"),
        classes=own_of("classes", document.get("classes"), CLASS, "the kind of a class"),
        windows=read_windows(document.get("schedule") or []),
        formula=formula,
        suppressed_by=_causes(code, document.get("suppressed_by")),
    )
    _check_limits(made, prop)
    return made


def edited(before: Definition, fields: Mapping[str, Any], catalogue: Catalogue) -> Definition:
    """A rule with some fields otherwise.

    Raises
    ------
    RuleError
        A field is wrong, or is one that stays as long as the rule is there.
    """
    for name in ("code", "domain"):
        stays = getattr(before, name)
        if fields.get(name, stays) != stays:
            raise RuleError(name, fields[name], f"leave it at {stays}: another rule has another code")
    return understand({**before.document(), **fields}, catalogue)


def _property(document: Mapping[str, Any], kind: str, catalogue: Catalogue, domain: str) -> ObservedProperty | None:
    name = document.get("property")
    if kind in OF_A_THING:
        if name is not None:
            raise RuleError("property", name, f"leave it out: {kind} is of a whole Thing")
        return None
    found = catalogue.judged(domain, name) if isinstance(name, str) else None
    if found is None:
        raise RuleError("property", name, f"write one of {', '.join(sorted(catalogue.ruled[domain].properties))}")
    return found


def own_of(field: str, given: object, key: re.Pattern[str], named: str) -> dict[str, Own]:
    """What single Things, or classes of them, have otherwise.

    Raises
    ------
    RuleError
        One is wrong; the error names the field.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping) or len(given) > MOST_THINGS:
        raise RuleError(field, given, f'give an object by {named}, such as {{"p1": {{"limit": 2}}}}')
    found = {}
    for name, one in given.items():
        where = f"{field}.{str(name)[:64]}"
        if not isinstance(name, str) or key.fullmatch(name) is None or _CONTROL.search(name):
            raise RuleError(where, name, f"write {named}")
        if not isinstance(one, Mapping):
            raise RuleError(where, one, 'give an object such as {"limit": 2, "deadband": 0.5, "enabled": true}')
        for inner in one:
            if inner not in ("limit", "deadband", "enabled"):
                raise RuleError(f"{where}.{str(inner)[:60]}", one[inner], "use limit, deadband, enabled")
        reader = _Reader(one, where)
        found[name] = Own(reader.maybe("limit"), reader.maybe("deadband", low=0.0), reader.flag("enabled"))
    return found


def _causes(code: str, given: object) -> tuple[Cause, ...]:
    """What explains the rule's alarms, as in a domain file; what is null or false there says nothing."""
    listed = given or []
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise RuleError("suppressed_by", given, 'give a list such as [{"rule": "water.flow.excess", "of": "parent"}]')
    told = [{key: value for key, value in one.items() if value is not None and value is not False} for one in listed]
    try:
        found = causes_of(Table("", "suppressed_by", {"suppressed_by": told}, known="suppressed_by"))
    except DomainError as error:
        raise RuleError("suppressed_by", given, error.remedy) from None
    if any(cause.rule == code and cause.of == "self" for cause in found):
        raise RuleError("suppressed_by", given, "name another rule: none explains itself")
    return found


def _check_limits(rule: Definition, prop: ObservedProperty | None) -> None:
    """Whether the rule can ring, and its alarm can return, whatever limit holds."""
    valid = None if rule.formula is None else (-_FURTHEST, _FURTHEST)
    held: list[tuple[str, float, float]] = [("", rule.limit, rule.deadband)]
    owns = [(f"things.{code}.", own) for code, own in rule.things.items()]
    owns += [(f"classes.{kind}.", own) for kind, own in rule.classes.items()]
    windows = [(f"schedule.{n}.", window) for n, window in enumerate(rule.windows)]
    for where, own in [*owns, *windows]:
        limit, deadband = own.limit, own.deadband  # type: ignore[attr-defined]
        held.append((where, rule.limit if limit is None else limit, rule.deadband if deadband is None else deadband))
    if rule.windows and rule.kind in OF_A_THING:
        raise RuleError("schedule", "…", f"leave it out: {rule.kind} has none")
    if rule.formula is not None and rule.windows:
        raise RuleError("schedule", "…", "leave it out: a formula has none")
    least, most = _OF_A_THING.get(rule.kind, (-_FURTHEST, _FURTHEST))
    for where, limit, deadband in held:
        if not least <= limit <= most:
            raise RuleError(f"{where}limit", limit, f"give a number from {least:g} to {most:g}")
        wrong = wrong_limit(rule.kind, prop, limit, deadband, valid=valid)
        if wrong is not None and rule.kind != "talking":
            raise RuleError(f"{where}{wrong.key}", deadband if wrong.key == "deadband" else limit, wrong.remedy)


class _Reader:
    """The plain fields of a document."""

    def __init__(self, document: Mapping[str, Any], where: str = "") -> None:
        self._document = document
        self._where = f"{where}." if where else ""

    def _wrong(self, name: str, remedy: str) -> RuleError:
        return RuleError(f"{self._where}{name}", self._document.get(name), remedy)

    def choice(self, name: str, words: Any) -> str:
        value = self._document.get(name)
        if not isinstance(value, str) or value not in words:
            raise self._wrong(name, f"write one of {', '.join(words)}")
        return value

    def text(self, name: str, *, needed: bool = True, most: int = 200) -> str:
        value = self._document.get(name, "")
        if not isinstance(value, str) or len(value) > most or _CONTROL.search(value) or (needed and not value.strip()):
            raise self._wrong(name, f"give a text of one line, {1 if needed else 0} to {most} letters")
        return value.strip()

    def number(self, name: str, default: float | None = None, *, low: float = -1e30, high: float = 1e30) -> float:
        value = self._document.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            bounds = f" from {low:g} to {high:g}" if high < 1e30 else f" from {low:g}" if low > -1e30 else ""
            raise self._wrong(name, f"give a number{bounds}")
        return float(value)

    def maybe(self, name: str, *, low: float = -1e30, high: float = 1e30) -> float | None:
        return None if self._document.get(name) is None else self.number(name, low=low, high=high)

    def flag(self, name: str, *, default: bool = True) -> bool:
        value = self._document.get(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, "write true or false")
        return value
