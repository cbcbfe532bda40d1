"""`hypervision things waiting|admit|period|assign|group|groups`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from hypervision import topics
from hypervision.cli import number
from hypervision.domains import Catalogue, catalogue_of
from hypervision.endpoints import complete
from hypervision.errors import SettingError, UsageError
from hypervision.naming import name_of
from hypervision.settings import Settings
from hypervision.store import periods, registry
from hypervision.store.connection import url_of
from hypervision.store.versions import wait_for_schema
from hypervision.verb import PATIENCE, groups

# Longer than a collector goes without asking for an unknown Thing again, with its batch [s].
_TURNED_AWAY: Final = 2.0
# The longest time between two readings that are expected: a month [s].
_LONGEST: Final = 2_678_400


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="waiting|admit|period|assign|group|groups")
    actions.add_parser("waiting", help="Things that send and are not registered")
    admit = actions.add_parser("admit", help="let waiting Things in and store what they sent meanwhile")
    admit.add_argument("thing", nargs="+", metavar="THING")
    admit.add_argument("--domain", help="the domain; without it that of the Thing's topic")
    admit.add_argument("--name", help="what people call it")
    period = actions.add_parser("period", help="how often a Thing sends, where that is not what its domain says")
    period.add_argument("thing", metavar="THING")
    period.add_argument("property", nargs="*", metavar="PROPERTY", help="only of these")
    often = period.add_mutually_exclusive_group(required=True)
    often.add_argument("--seconds", type=number(1, _LONGEST), metavar="S", help=f"1 to {_LONGEST} [s]")
    often.add_argument("--usual", action="store_true", help="what the domain says")
    period.add_argument("--domain", help="only in this one")
    period.add_argument("--author", required=True, metavar="NAME", help="who answers for it, for the journal")
    assign = actions.add_parser("assign", help="say where Things stand and who operates them: scopes go by it")
    assign.add_argument("thing", nargs="+", metavar="THING")
    assign.add_argument("--district", metavar="NAME", help="the district that they stand in")
    assign.add_argument("--organisation", metavar="CODE", help="who operates them")
    groups.configure(actions)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Run one action."""
    if options.action == "admit" and options.name is not None:
        name_of(options.name, of=options.thing[0][:64])
    settings = complete(settings)
    if options.action == "period":
        return _period(options, settings)
    if options.action == "assign":
        return _assign(options, settings)
    if options.action in ("group", "groups"):
        return groups.run(options, settings)
    with wait_for_schema(url_of(settings), application="things", wait=PATIENCE) as connection:
        waiting = {thing.code: thing for thing in registry.waiting(connection)}
        connection.rollback()
        if options.action == "waiting":
            if not waiting:
                print("no Thing waits for its admission")
            for thing in waiting.values():
                print(
                    f"{thing.code:<32}{thing.domain:<12}{thing.messages:>8} messages,"
                    f" last {thing.last:%Y-%m-%d %H:%M:%S} UTC"
                )
            return 0
        # All are looked at before the first is let in.
        known = registry.registered(connection, options.thing)
        catalogue = catalogue_of(settings)
        new = [code for code in options.thing if code not in known]
        domains = {code: _domain(code, options.domain, waiting, catalogue) for code in new}
        for code in options.thing:
            added = code in domains and registry.admit(
                connection,
                code,
                domain=domains[code],
                name=code if options.name is None else options.name,
                now=datetime.now(UTC),
            )
            print(f"{code} is admitted to {domains[code]}" if added else f"{code} was registered already")
    from hypervision.replay import replay
    from hypervision.store.rejected import Chosen

    for code in options.thing:
        replayed = replay(settings, Chosen(thing=code, reason="unknown_thing"), clock=lambda: datetime.now(UTC))
        print(f"{code}: {replayed.stored} of {replayed.messages} waiting messages stored")
    # A collector may have taken the Thing for unknown a moment longer: what it turned away meanwhile comes in as well.
    time.sleep(_TURNED_AWAY)
    for code in options.thing:
        replay(settings, Chosen(thing=code, reason="unknown_thing"), clock=lambda: datetime.now(UTC))
    return 0


def _period(options: argparse.Namespace, settings: Settings) -> int:
    """Expect the readings of a Thing at its own pace."""
    catalogue = catalogue_of(settings)
    with wait_for_schema(url_of(settings), application="things", wait=PATIENCE) as connection:
        there = periods.streams(connection, options.thing, domain=options.domain)
        connection.rollback()
        usual = {one: prop.period for one in there if (prop := catalogue.find(one.domain, one.property)) is not None
                 and prop.period is not None and not prop.derived}  # fmt: skip
        for name in options.property:
            if name not in {one.property for one in usual}:
                raise UsageError(
                    f"no readings of {name!r} of {options.thing[:64]} are expected at a pace",
                    remedy=f"there are {', '.join(sorted({one.property for one in usual})) or 'none'}",
                )
        wanted = {
            one: period if options.usual else options.seconds
            for one, period in usual.items()
            if not options.property or one.property in options.property
        }
        if not wanted:
            raise UsageError(f"{options.thing[:64]} has sent nothing at a pace", remedy="let it send first")
        changed = periods.put(connection, wanted, actor=options.author, now=datetime.now(UTC))
    for one, period in wanted.items():
        before = "" if one in changed else ", as before"
        print(f"{options.thing}/{one.property} ({one.domain}) is expected every {period:g} s{before}")
    return 0


def _assign(options: argparse.Namespace, settings: Settings) -> int:
    """Say where Things stand and who operates them."""
    if not options.district and not options.organisation:
        raise UsageError("neither a district nor an organisation is given", remedy="name one or both")
    codes = list(dict.fromkeys(options.thing))
    with wait_for_schema(url_of(settings), application="things", wait=PATIENCE) as connection:
        done = registry.assign(
            connection, codes, district=options.district or None, organisation=options.organisation or None
        )
    if missing := [code[:64] for code in codes if code not in done]:
        raise UsageError(
            f"there is no Thing {', '.join(missing)}", remedy="nothing was changed; let it in with `things admit`"
        )
    told = ", ".join(word for word in (options.district, options.organisation) if word)
    for code in codes:
        print(f"{code} is assigned to {told}")
    return 0


def _domain(code: str, given: str | None, waiting: Mapping[str, registry.WaitingThing], catalogue: Catalogue) -> str:
    if topics.THING.fullmatch(code) is None:
        raise UsageError(
            f"{code[:64]!r} is no code of a Thing",
            remedy="use 1 to 64 letters, digits, '.', '_', ':' or '-', the first a letter or digit",
        )
    domain = given or (waiting[code].domain if code in waiting else None)
    if domain is None:
        raise SettingError(f"{code} never sent anything", remedy="name its domain with --domain")
    if domain not in catalogue:
        raise UsageError(f"there is no domain {domain!r}", remedy=f"use one of {', '.join(catalogue)}")
    return domain
