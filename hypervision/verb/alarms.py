"""`hypervision alarms`: the open ones, the shelf, out of service, maintenance windows."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime
from typing import Final

from hypervision.cli import instant, whole
from hypervision.endpoints import complete
from hypervision.errors import UsageError
from hypervision.settings import Settings
from hypervision.store.connection import Connection, url_of
from hypervision.store.inhibitions import Inhibition
from hypervision.store.versions import wait_for_schema
from hypervision.verb import PATIENCE

_WEEK: Final = 604_800
_ID: Final = whole(1, 2**62)
# Whose number tells the screens that something changed; there is none before the first server ran.
_TELLS: Final = "http"
_KINDS: Final = {"shelved": "shelved", "out_of_service": "out of service", "maintenance": "maintenance"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="list|acknowledge|shelve|unshelve|out|maintenance|placed|end"
    )
    listing = actions.add_parser("list", help="open alarms, the newest first")
    listing.add_argument("--hidden", action="store_true", help="only those that something hides, and what")
    listing.add_argument("--limit", type=whole(1, 100_000), default=100, metavar="N", help="how many (100)")
    acknowledge = actions.add_parser("acknowledge", help="take notice of alarms")
    acknowledge.add_argument("alarm", type=_ID, nargs="+", metavar="ID")
    acknowledge.add_argument("--comment", default="", help="kept with the name and the time")
    shelve = actions.add_parser("shelve", help="let an alarm not ring for a while; it comes back by itself")
    shelve.add_argument("alarm", type=_ID, metavar="ID")
    shelve.add_argument("--seconds", type=whole(1, _WEEK), metavar="S", help="as the settings allow for its priority")
    shelve.add_argument("--once", action="store_true", help="only until it has returned, if that is sooner")
    unshelve = actions.add_parser("unshelve", help="take an alarm off the shelf, acknowledged")
    unshelve.add_argument("alarm", type=_ID, metavar="ID")
    out = actions.add_parser("out", help="place a Thing, or one property of it, out of service until `end`")
    out.add_argument("thing", metavar="THING")
    out.add_argument("property", metavar="PROPERTY", nargs="?")
    window = actions.add_parser("maintenance", help="plan a window whose alarms ring at its end if still true")
    window.add_argument("thing", metavar="THING", nargs="*")
    window.add_argument("--domain", action="append", default=[], metavar="D", help="a whole domain")
    window.add_argument("--from", dest="since", type=instant, metavar="TIME", help="with an offset from UTC (now)")
    window.add_argument("--to", dest="until", type=instant, metavar="TIME", required=True, help="with an offset")
    for action in (out, window):
        action.add_argument("--children", action="store_true", help="with all Things below it")
    for action in (shelve, out, window):
        action.add_argument("--reason", required=True, help="why nobody should be rung up")
    placed = actions.add_parser("placed", help="shelves, Things out of service, windows: what stands, or is to come")
    placed.add_argument("--ended", action="store_true", help="those that have ended too")
    end = actions.add_parser("end", help="end one of them: what is still true rings")
    end.add_argument("number", type=_ID, metavar="N")
    for action in (acknowledge, shelve, unshelve, out, window, end):
        action.add_argument("--author", required=True, metavar="NAME", help="who answers for it, for the journal")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Run one action."""
    from hypervision.store import clocks, screens

    settings = complete(settings)
    with wait_for_schema(url_of(settings), application="alarms", wait=PATIENCE) as connection:
        if options.action == "list":
            return _list(connection, options)
        if options.action == "placed":
            return _placed(connection, options)
        now, writer = clocks.server_time(connection), screens.read_writer_id(connection, _TELLS)
        connection.rollback()
        return _ACTIONS[options.action](connection, options, settings, now, writer)


def _list(connection: Connection, options: argparse.Namespace) -> int:
    from hypervision.store.alarms import listed

    found = listed(connection, hidden=True if options.hidden else None, limit=options.limit)
    if not found:
        print("no alarm is hidden" if options.hidden else "no alarm is open")
    for row in found:
        hidden = "" if row.suppression == "none" else f"  [{row.suppression.replace('_', ' ')}{_until(row.until)}]"
        print(
            f"{row.alarm_id:<9}{row.priority:<9}{row.state:<6}{row.raised_at:%Y-%m-%d %H:%M:%S} UTC  {row.source}"
            f"  {row.message}{hidden}"
        )
    return 0


def _placed(connection: Connection, options: argparse.Namespace) -> int:
    from hypervision.store.inhibitions import listed

    found = listed(connection, ended=options.ended)
    if not found:
        print("nothing is shelved, out of service or in maintenance")
    for each in found:
        ended = (
            ""
            if each.ended_at is None
            else f", ended {each.ended_at:%Y-%m-%d %H:%M} UTC by {each.ended_by or 'itself'}"
        )
        print(
            f"{each.inhibition_id:<7}{_KINDS[each.kind]:<15}{_about(each)}  from {each.began_at:%Y-%m-%d %H:%M} UTC"
            f"{_until(each.ends_at)}  {each.author}: {each.reason} ({each.hidden} alarms hidden{ended})"
        )
    return 0


def _acknowledge(
    connection: Connection, options: argparse.Namespace, _settings: Settings, now: datetime, writer: int | None
) -> int:
    from hypervision.store.alarms import acknowledge

    failed = 0
    for number in options.alarm:
        done = acknowledge(connection, number, actor=options.author, comment=options.comment, now=now, writer_id=writer)
        connection.commit()
        failed += not done.found
        before = f"was acknowledged by {done.by} before" if done.by else "is over"
        print(f"{number} " + ("is acknowledged" if done.changed else before if done.found else "is no alarm"))
    return 1 if failed else 0


def _shelve(
    connection: Connection, options: argparse.Namespace, settings: Settings, now: datetime, writer: int | None
) -> int:
    from hypervision import inhibiting

    done = inhibiting.shelve(
        connection,
        settings.alarms,
        options.alarm,
        seconds=options.seconds,
        once=options.once,
        reason=options.reason,
        actor=options.author,
        now=now,
        writer_id=writer,
    )
    if not done.found:
        raise UsageError(f"there is no alarm {options.alarm}", remedy="`hypervision alarms list` has their numbers")
    if not done.changed:
        print(
            f"{options.alarm} " + (f"is shelved by {done.by}{_until(done.until)} already" if done.open else "is over")
        )
        return 1
    print(f"{options.alarm} is shelved{_until(done.until)}")
    return 0


def _unshelve(
    connection: Connection, options: argparse.Namespace, _settings: Settings, now: datetime, writer: int | None
) -> int:
    from hypervision.store.inhibitions import unshelve

    done = unshelve(connection, options.alarm, actor=options.author, now=now, writer_id=writer)
    if not done.found:
        raise UsageError(f"there is no alarm {options.alarm}", remedy="`hypervision alarms list` has their numbers")
    print(f"{options.alarm} " + ("is back, acknowledged" if done.changed else "was not shelved"))
    return 0


def _place(
    connection: Connection, options: argparse.Namespace, settings: Settings, now: datetime, writer: int | None
) -> int:
    from hypervision import inhibiting
    from hypervision.domains import catalogue_of

    out = options.action == "out"
    planned = inhibiting.Planned(
        kind="out_of_service" if out else "maintenance",
        reason=options.reason,
        things=[options.thing] if out else options.thing,
        property=options.property if out else None,
        children=options.children,
        domains=() if out else options.domain,
        began=None if out else options.since,
        until=None if out else options.until,
    )
    number, hidden = inhibiting.place(
        connection, planned, actor=options.author, now=now, domains=catalogue_of(settings), writer_id=writer
    )
    print(f"{number}: {_KINDS[planned.kind]}, {hidden} open alarms hidden (`hypervision alarms end {number}` ends it)")
    return 0


def _end(
    connection: Connection, options: argparse.Namespace, _settings: Settings, now: datetime, writer: int | None
) -> int:
    from hypervision.store.inhibitions import end

    done = end(connection, options.number, actor=options.author, now=now, writer_id=writer)
    if not done.found:
        raise UsageError(f"there is no number {options.number}", remedy="`hypervision alarms placed` lists them")
    print(f"{options.number} " + ("has ended" if done.changed else f"had ended before, by {done.by or 'itself'}"))
    return 0


_ACTIONS: Final[dict[str, Callable[[Connection, argparse.Namespace, Settings, datetime, int | None], int]]] = {
    "acknowledge": _acknowledge,
    "shelve": _shelve,
    "unshelve": _unshelve,
    "out": _place,
    "maintenance": _place,
    "end": _end,
}


def _until(at: datetime | None) -> str:
    return "" if at is None else f" until {at:%Y-%m-%d %H:%M} UTC"


def _about(each: Inhibition) -> str:
    named = [
        one.domain
        or f"{one.thing or f'platform/{one.name}'}{'/' + one.property if one.property else ''}"
        f"{' and below' if one.children else ''}"
        for one in each.about
    ]
    return ", ".join(named) + (f" ({each.rule})" if each.rule else "")
