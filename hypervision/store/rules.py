"""Rules in the database: read with their version, put in from the domain files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg.types.json import Jsonb

from hypervision.clock import to_us
from hypervision.domains import Catalogue, RuleTemplate
from hypervision.errors import RuleError
from hypervision.rules import Edit, Override, Rule, RuleSet
from hypervision.ruling import CLASS, Own, own_of
from hypervision.schedules import Window, read_windows
from hypervision.store.sql import query

COMPUTED: Final = "="
"""Before the property of a rule with a formula, in the database: an older process takes it for none that it knows."""


def _us(delay: timedelta) -> int:
    return delay // timedelta(microseconds=1)


class Held(NamedTuple):
    """What stays as it is until the commit, and the number of the transaction that holds it."""

    rules: int
    epoch: int
    transaction: str


def hold(connection: Connection) -> Held:
    """The version of the rules and the epoch of the roll-ups, held until the commit: whoever moves one waits."""
    row = connection.execute(query("hold_versions")).fetchone()
    assert row is not None
    return Held(*row)


def load(connection: Connection) -> RuleSet:
    """Read all rules in force and the version of the set they make.

    What of a rule cannot be understood is left out of it, and told by the set's faults: no rule stops another.
    """
    row = connection.execute(query("rule_set_version")).fetchone()
    assert row is not None
    faults: dict[int, str] = {}
    classes: dict[int, Mapping[str, Own]] = {}
    rules = tuple(_rule(r, classes, faults) for r in connection.execute(query("rules_all")).fetchall())
    overrides = [Override(*r) for r in connection.execute(query("rule_overrides_all")).fetchall()]
    if classes:
        overrides = _with_classes(connection, classes, overrides)
    edits = tuple(Edit(r[0], r[1], to_us(r[2])) for r in connection.execute(query("rulebook_edits")).fetchall())
    return RuleSet(row[0], rules, tuple(overrides), edits, faults)


def _rule(r: tuple[Any, ...], classes: dict[int, Mapping[str, Own]], faults: dict[int, str]) -> Rule:
    extra = r[15] if isinstance(r[15], dict) else {}
    windows: tuple[Window, ...] = ()
    try:
        if found := own_of("classes", extra.get("classes"), CLASS, "the kind of a class"):
            classes[r[0]] = found
        windows = read_windows(extra.get("schedule") or [])
    except RuleError as error:
        faults[r[0]] = str(error)
    formula = extra.get("formula")
    return Rule(
        rule_id=r[0], code=r[1], version=r[2], domain=r[3], property=r[4] and r[4].removeprefix(COMPUTED), kind=r[5],
        priority=r[6], limit=r[7], deadband=r[8], on_delay_us=_us(r[9]), off_delay_us=_us(r[10]), fr=r[11], en=r[12],
        enabled=r[13], latched=r[14], windows=windows, formula=formula,
    )  # fmt: skip


def _with_classes(
    connection: Connection, classes: Mapping[int, Mapping[str, Own]], overrides: Sequence[Override]
) -> list[Override]:
    """Overrides of single Things, and of all Things of a class; what a Thing has of its own comes first."""
    kinds = sorted({kind for found in classes.values() for kind in found})
    things: dict[str, list[int]] = {}
    for kind, thing_id in connection.execute(query("rulebook_class_things"), {"kinds": kinds}).fetchall():
        things.setdefault(kind, []).append(thing_id)
    own = {(one.rule_id, one.thing_id): one for one in overrides}
    for rule_id, found in classes.items():
        for kind, given in found.items():
            for thing_id in things.get(kind, ()):
                mine = own.get((rule_id, thing_id), Override(rule_id, thing_id, None, None, enabled=True))
                own[rule_id, thing_id] = Override(
                    rule_id,
                    thing_id,
                    given.limit if mine.limit is None else mine.limit,
                    given.deadband if mine.deadband is None else mine.deadband,
                    enabled=given.enabled and mine.enabled,
                )
    return list(own.values())


def install_defaults(connection: Connection, catalogue: Catalogue, *, now: datetime) -> int:
    """Put in the domains' default rules and state labels that the database does not have yet.

    A rule that is there keeps every edit made to it.

    Returns
    -------
    int
        How many rules are new.
    """
    labels = [
        {"domain": p.domain, "property": p.name, "result": state.value, "label": state.en}
        for p in catalogue.properties
        for state in p.states
    ]
    with connection.cursor() as cursor:
        cursor.executemany(query("put_state_label"), labels)
    new = filled = 0
    for domain in catalogue.ruled.values():
        for rule in domain.rules:
            document: dict[str, Any] = {
                "code": rule.code, "domain": rule.domain, "property": rule.property, "kind": rule.kind,
                "priority": rule.priority, "limit": rule.limit, "deadband": rule.deadband,
                "on_delay": rule.on_delay, "off_delay": rule.off_delay, "fr": rule.fr, "en": rule.en,
                "action_fr": rule.action_fr, "action_en": rule.action_en, **_of_the_desk(rule),
            }  # fmt: skip
            values = {**document, "suppressed_by": Jsonb(document["suppressed_by"])}
            row = connection.execute(query("put_default_rule"), values).fetchone()
            if row is None:
                # There since before the desk was: what nobody has said of it yet is taken from the domain.
                filled += connection.execute(query("fill_default_rule"), values).rowcount
            else:
                new += 1
                connection.execute(
                    query("note_rule_version"),
                    {
                        "rule_id": row[0],
                        "version": 1,
                        "at": now,
                        "actor": "default",
                        "document": Jsonb(document),
                    },
                )
    if new or filled:
        connection.execute(query("advance_rule_set"))
    return new


def _of_the_desk(rule: RuleTemplate) -> dict[str, Any]:
    return {
        "consequence_fr": rule.consequence_fr,
        "consequence_en": rule.consequence_en,
        "latched": rule.latched,
        "realarm_after": rule.realarm_after,
        "escalate_after": rule.escalate_after,
        "suppressed_by": [cause.document() for cause in rule.suppressed_by],
    }
