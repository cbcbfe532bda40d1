"""`hypervision rules list|show|propose|approve|refuse|withdraw|rollback|replay`."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from hypervision.cli import instant, number, whole
from hypervision.domains import catalogue_of
from hypervision.domains.catalogue import PRIORITIES
from hypervision.endpoints import complete
from hypervision.errors import ConflictError, SettingError, UsageError
from hypervision.formulas import told
from hypervision.holidays import calendar_of
from hypervision.rehearsal import Stage
from hypervision.ruling import Definition, changes, edited, understand
from hypervision.settings import Settings
from hypervision.store import proposing, rehearsals, rulebook
from hypervision.store.connection import Connection, url_of
from hypervision.store.versions import wait_for_schema
from hypervision.verb import PATIENCE

_MOST: Final = 1e30
_MONTH: Final = 2_678_400
_DECIDED: Final = {"approve": "approved", "refuse": "refused", "withdraw": "withdrawn"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="list|show|propose|approve|refuse|withdraw|rollback|replay"
    )
    listing = actions.add_parser("list", help="rules as they stand, or what was proposed")
    listing.add_argument("--domain", help="only of this one")
    listing.add_argument("--proposals", action="store_true", help="what waits for a decision, or for its time")
    show = actions.add_parser("show", help="one rule with its versions and what each changed")
    show.add_argument("rule", metavar="RULE")
    show.add_argument("--json", action="store_true", help="the document of the rule, to edit and to propose")
    propose = actions.add_parser("propose", help="propose another limit, another delay, or a new rule")
    propose.add_argument("rule", metavar="RULE")
    propose.add_argument("--limit", type=number(-_MOST, _MOST), metavar="X", help="in the unit of the property")
    propose.add_argument("--deadband", type=number(0, _MOST), metavar="X", help="how far inside the alarm returns")
    propose.add_argument("--on-delay", type=number(0, _MONTH), metavar="S", help="a violation must last [s]")
    propose.add_argument("--off-delay", type=number(0, _MONTH), metavar="S", help="its end must last [s]")
    propose.add_argument("--priority", choices=PRIORITIES)
    propose.add_argument("--enabled", choices=("yes", "no"), help="whether it is judged at all")
    propose.add_argument("--thing", action="append", default=[], metavar="THING=X", help="another limit for one Thing")
    propose.add_argument("--file", type=Path, metavar="FILE", help="JSON with the fields that change, or a whole rule")
    propose.add_argument("--from", dest="since", type=instant, metavar="TIME", help="not in force before")
    for name, help_ in (("approve", "let a proposal come in force"), ("refuse", "turn a proposal down"),
                        ("withdraw", "take one's own proposal back")):  # fmt: skip
        action = actions.add_parser(name, help=help_)
        action.add_argument("proposal", type=whole(1, 2**62), metavar="N")
        action.add_argument("--remark", default="", help="what its author should know")
        action.add_argument("--author", required=True, metavar="NAME", help="who decides")
    back = actions.add_parser("rollback", help="give an old version back, at once")
    back.add_argument("rule", metavar="RULE")
    back.add_argument("version", type=whole(1, 2**31 - 1), metavar="VERSION")
    for action in (propose, back):
        action.add_argument("--reason", required=True, help="why, for who asks in a year")
        action.add_argument("--author", required=True, metavar="NAME", help="who answers for it")
    play = actions.add_parser("replay", help="what its alarms must have done, against what they did")
    play.add_argument("rule", metavar="RULE")
    play.add_argument("--thing", help="only of this one")
    play.add_argument("--from", dest="since", type=instant, metavar="TIME", help="a day ago when it is missing")
    play.add_argument("--to", dest="until", type=instant, metavar="TIME", help="now when it is missing")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Run one action."""
    settings = complete(settings)
    with wait_for_schema(url_of(settings), application="rules", wait=PATIENCE) as connection:
        connection.rollback()
        try:
            return _ACTIONS[options.action](options, settings, connection)
        except ConflictError as error:
            raise SettingError(error.what, remedy=error.remedy) from None


def _list(options: argparse.Namespace, settings: Settings, connection: Connection) -> int:
    if options.proposals:
        found = rulebook.proposals(connection, states=rulebook.WAITING)
        if not found:
            print("no proposal waits")
        for one in found:
            before = [rule.document for rule in rulebook.rules(connection, one.code)]
            print(
                f"{one.proposal_id:<6}{one.state:<10}{one.code:<32}{one.author}, {one.at:%Y-%m-%d %H:%M} UTC"
                f"{f', from {one.effective_from:%Y-%m-%d %H:%M} UTC' if one.effective_from else ''}: {one.reason}"
            )
            _print_changes(before[0] if before else {}, one.document)
        return 0
    if options.domain is not None and options.domain not in catalogue_of(settings).ruled:
        raise UsageError(
            f"there is no domain {options.domain[:64]!r}", remedy=f"use {', '.join(catalogue_of(settings).ruled)}"
        )
    for rule in rulebook.rules(connection):
        if options.domain in (None, rule.document["domain"]):
            print(_line(rule))
    return 0


def _line(rule: rulebook.Standing) -> str:
    document = rule.document
    told = [f"{rule.code:<32}v{rule.version:<4}{document['kind']:<16}{document['limit']:<10g}{document['priority']:<9}"]
    told += [] if document["enabled"] else ["off "]
    told += [f"{len(document[name])} {name} otherwise " for name in ("things", "classes") if document[name]]
    told += [f"{rule.active} active "] if rule.active else []
    told += [f"{rule.waiting_state} by {rule.waiting_author} "] if rule.waiting else []
    told += [f"WRONG: {rule.wrong}"] if rule.wrong else []
    return " ".join(told).rstrip()


def _show(options: argparse.Namespace, _settings: Settings, connection: Connection) -> int:
    rule = rulebook.one(connection, options.rule)
    if options.json:
        print(json.dumps(rule.document, indent=2, ensure_ascii=False))
        return 0
    print(f"{rule.code}, version {rule.version} by {rule.edited_by}")
    for name, value in rule.document.items():
        if name == "formula" and value:
            print(f"  {name}: {told(value['expression'])} [{value['unit']}]")
        elif value not in (None, "", {}, []) and name != "code":
            print(f"  {name}: {_text(value)}")
    if rule.wrong:
        print(f"  WRONG: {rule.wrong}")
    for one, before in rulebook.with_before(rulebook.versions(connection, rule.code)):
        by = f", approved by {one.approved_by}" if one.approved_by else ""
        print(f"version {one.version}, {one.at:%Y-%m-%d %H:%M:%S} UTC, {one.author}{by}: {one.reason}".rstrip(": "))
        if before is not None:
            _print_changes(before.document, one.document)
    return 0


def _propose(options: argparse.Namespace, settings: Settings, connection: Connection) -> int:
    found = rulebook.rules(connection, options.rule)
    fields = _fields(options)
    catalogue = catalogue_of(settings)
    if found:
        fields["things"] = {**found[0].document["things"], **_things(options.thing), **fields.get("things", {})}
        wanted: Definition = edited(understand(found[0].document, catalogue), fields, catalogue)
    else:
        wanted = understand({"code": options.rule, **fields, "things": _things(options.thing)}, catalogue)
    made = proposing.propose(
        connection,
        wanted,
        base=found[0].version if found else 0,
        author=options.author,
        reason=options.reason,
        now=datetime.now(UTC),
        effective_from=options.since,
    )
    print(f"proposal {made} of {options.rule} waits for its approval")
    _print_changes(found[0].document if found else {}, wanted.document())
    return 0


def _fields(options: argparse.Namespace) -> dict[str, Any]:
    """What the options say of the rule."""
    fields: dict[str, Any] = {}
    if options.file is not None:
        try:
            given = json.loads(options.file.read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"cannot read {options.file} ({error})", remedy="give a file of JSON in UTF-8") from None
        if not isinstance(given, dict):
            raise UsageError(f"{options.file} is no JSON object", remedy="write the fields of a rule")
        fields |= given
    for name in ("limit", "deadband", "on_delay", "off_delay", "priority"):
        if getattr(options, name) is not None:
            fields[name] = getattr(options, name)
    if options.enabled is not None:
        fields["enabled"] = options.enabled == "yes"
    return fields


def _things(words: list[str]) -> dict[str, Any]:
    found = {}
    for word in words:
        code, _, value = word.partition("=")
        try:
            found[code] = {"limit": number(-_MOST, _MOST)(value)}
        except argparse.ArgumentTypeError as error:
            raise UsageError(f"--thing {word[:80]}: {error}", remedy="write it as THING=12.5") from None
    return found


def _decide(options: argparse.Namespace, settings: Settings, connection: Connection) -> int:
    done = proposing.decide(
        connection,
        options.proposal,
        state=_DECIDED[options.action],
        actor=options.author,
        remark=options.remark,
        one_person=settings.rules.one_person,
        now=datetime.now(UTC),
    )
    when = ""
    if done.state == "approved":
        later = done.effective_from is not None and done.effective_from > datetime.now(UTC)
        when = f", in force from {done.effective_from:%Y-%m-%d %H:%M} UTC" if later else ": watch puts it in force"
    print(f"proposal {done.proposal_id} of {done.code} is {done.state}{when}")
    return 0


def _rollback(options: argparse.Namespace, _settings: Settings, connection: Connection) -> int:
    rule = rulebook.one(connection, options.rule)
    made = proposing.roll_back(
        connection,
        rule.code,
        options.version,
        base=rule.version,
        author=options.author,
        reason=options.reason,
        now=datetime.now(UTC),
    )
    print(f"{rule.code} goes back to version {options.version} (proposal {made}): watch puts it in force")
    return 0


def _replay(options: argparse.Namespace, settings: Settings, connection: Connection) -> int:
    until = options.until or datetime.now(UTC)
    stage = Stage(
        "",
        "",
        catalogue_of(settings),
        calendar_of(settings),
        round(settings.ingest.live_age * 1e6),
        round(settings.alarms.grace * 1e6),
    )
    streams = transitions = 0
    wrong = []
    since = options.since or until - timedelta(days=1)
    for one in rehearsals.compare(connection, options.rule, stage, since=since, until=until, thing=options.thing):
        streams += 1
        transitions += len(one.stored)
        if one.stored != one.played:
            wrong.append(one)
    for one in wrong:
        print(f"{one.thing}:")
        for mark, steps, others in (("stored", one.stored, one.played), ("played", one.played, one.stored)):
            for step in steps:
                if step not in others:
                    print(f"  {mark} only: {step.at.isoformat()}  {step.from_state} to {step.to_state}, {step.cause}")
    print(
        f"{streams} datastreams, {transitions} transitions: "
        + (f"{len(wrong)} datastreams differ" if wrong else "all the same")
    )
    return 1 if wrong else 0


def _print_changes(before: dict[str, Any], after: dict[str, Any]) -> None:
    for change in changes(before, after):
        print(f"      {change.field}: {_text(change.before)} -> {_text(change.after)}")


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


_ACTIONS: Final = {
    "list": _list,
    "show": _show,
    "propose": _propose,
    "approve": _decide,
    "refuse": _decide,
    "withdraw": _decide,
    "rollback": _rollback,
    "replay": _replay,
}
