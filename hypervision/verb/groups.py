"""`hypervision things group` and `things groups`: Things that belong together and are no parent and child."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

from hypervision import topics
from hypervision.errors import UsageError
from hypervision.naming import name_of
from hypervision.settings import Settings
from hypervision.store import groups
from hypervision.store.connection import url_of
from hypervision.store.groups import Group
from hypervision.store.versions import wait_for_schema
from hypervision.verb import PATIENCE


def configure(actions: Any) -> None:
    """Add the actions."""
    actions.add_parser("groups", help="groups of Things")
    group = actions.add_parser("group", help="make a group of Things, change it, or let it be no more")
    group.add_argument("code", metavar="CODE")
    group.add_argument("--thing", nargs="+", metavar="THING", help="its members, all of them")
    group.add_argument("--at", metavar="THING", help="the Thing at which its alarms are shown; without it the first")
    group.add_argument("--name", help="what people call it; without it its code")
    group.add_argument("--remove", action="store_true", help="there is no such group any more")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Run one of them."""
    if options.action == "group":
        wanted = None if options.remove else _wanted(options)
    with wait_for_schema(url_of(settings), application="things", wait=PATIENCE) as connection:
        if options.action == "groups":
            found = groups.listed(connection)
            if not found:
                print("there is no group")
            for one in found:
                print(f"{one.code:<32}{one.name}, shown at {one.shown_at}: {', '.join(one.things)}")
            return 0
        if wanted is None:
            if not groups.remove(connection, options.code, now=datetime.now(UTC)):
                raise UsageError(f"there is no group {options.code[:64]!r}", remedy="see `hypervision things groups`")
            print(f"{options.code} is no group any more")
            return 0
        changed = groups.put(connection, wanted)
    print(f"{wanted.code} is a group of {len(set(wanted.things))} Things{'' if changed else ', as before'}")
    return 0


def _wanted(options: argparse.Namespace) -> Group:
    if topics.THING.fullmatch(options.code) is None:
        raise UsageError(
            f"{options.code[:64]!r} is no code of a group",
            remedy="use 1 to 64 letters, digits, '.', '_', ':' or '-', the first a letter or digit",
        )
    if not options.thing:
        raise UsageError(f"{options.code} has no members", remedy="name them with --thing, or remove it with --remove")
    name = options.code if options.name is None else name_of(options.name, of=options.code)
    return Group(options.code, name, options.at or options.thing[0], tuple(options.thing))
