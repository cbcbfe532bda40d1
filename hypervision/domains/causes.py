"""What suppresses the alarms of a rule by design, as a domain file says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hypervision.domains.catalogue import WHOSE, Cause, RuleTemplate
from hypervision.domains.table import Table
from hypervision.errors import DomainError

_RULE: Final = r"[a-z][a-z0-9_]{0,31}(\.[a-z0-9_]+)+"
_PROPERTY: Final = r"[a-z][a-z0-9_]{0,31}/[a-z][a-z0-9_]{0,63}"
_DAY: Final = 86_400.0
_COMPARED: Final = ("equals", "below", "over")


def causes_of(table: Table) -> tuple[Cause, ...]:
    """The causes under `suppressed_by` of a rule.

    Raises
    ------
    DomainError
        One is no cause; the message names file, key and value.
    """
    known = " ".join(("rule", "property", "late", "of", "hold", *_COMPARED))
    return tuple(_cause(each) for each in table.tables("suppressed_by", known=known, name="rule"))


def _cause(table: Table) -> Cause:
    of = table.choice("of", WHOSE) if "of" in table else "self"
    if sum(key in table for key in ("rule", "property", "late")) != 1:
        raise table.refuse("rule", "give a rule whose alarm explains it, or a property with its state, or late")
    compared = {key: table.number(key) for key in _COMPARED if key in table}
    if "property" not in table and compared:
        raise table.refuse(next(iter(compared)), "leave it out: only a property has a state")
    if "rule" in table:
        code = table.text("rule", pattern=_RULE, remedy="write domain.property.what, in small letters")
        return Cause(rule=code, of=of, hold=table.number("hold", 0, low=0, high=_DAY))
    if "hold" in table:
        raise table.refuse("hold", "leave it out: only the alarm of a rule explains for longer than it stands")
    if "late" in table:
        if not table.flag("late") or of == "self":
            raise table.refuse("late", "write late = true, of the parent or of those above")
        return Cause(of=of, late=True)
    if not compared:
        raise table.refuse("equals", "say what the state is: equals, below or over a number")
    name = table.text("property", pattern=_PROPERTY, remedy="write domain/property")
    return Cause(
        property=name,
        of=of,
        equals=compared.get("equals"),
        below=compared.get("below"),
        over=compared.get("over"),
    )


def check_causes(file: str, domain: str, rules: Mapping[str, RuleTemplate]) -> None:
    """Look that the causes of a domain's own rules are there, and that none explains itself, by whatever way.

    Raises
    ------
    DomainError
        A rule is not there, or rules of one Thing explain each other: none of them would ring.
    """
    for rule in rules.values():
        for cause in rule.suppressed_by:
            if cause.rule is not None and cause.rule.split(".")[0] == domain and cause.rule not in rules:
                raise DomainError(
                    f"domain file {file}: rule {rule.code!r} is suppressed by {cause.rule!r}, which is not there",
                    remedy=f"use one of {', '.join(rules)}",
                )
        if rule.code in _reached(rule.code, rules):
            raise DomainError(
                f"domain file {file}: rule {rule.code!r} explains itself (suppressed_by)",
                remedy="of two alarms of one Thing only one can explain the other",
            )


def _reached(code: str, rules: Mapping[str, RuleTemplate]) -> set[str]:
    """What explains a rule on the same Thing, through any number of others."""
    found: set[str] = set()
    waiting = [code]
    while waiting:
        rule = rules.get(waiting.pop())
        new = set() if rule is None else {c.rule for c in rule.suppressed_by if c.rule and c.of == "self"} - found
        found |= new
        waiting += new
    return found
