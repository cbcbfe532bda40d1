"""`hypervision rejected`: look at quarantined messages, count them, send them through again, remove old ones."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from hypervision.auditing import ORIGIN
from hypervision.choosing import check
from hypervision.cli import instant, whole
from hypervision.domains import catalogue_of
from hypervision.endpoints import complete
from hypervision.explaining import explained
from hypervision.purging import YOUNGEST, purge
from hypervision.replay import replay
from hypervision.settings import Settings
from hypervision.store import rejected
from hypervision.store.connection import Connection, url_of
from hypervision.store.rejected import Chosen, Counted, Rejected
from hypervision.store.versions import wait_for_schema

# What one answer may hold in memory, payloads included.
_MOST: Final = 10_000
_GREATEST_ID: Final = 2**63 - 1
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


_NOT_AGAIN: Final = (
    "nothing was sent again: no second try can mend what fits (messages cut at 64 KiB, topics that are no device's,"
    " answers to no command, messages beyond the pace of a Thing, lines of an import)"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|count|replay|purge")
    listing = actions.add_parser("list", help="the newest first")
    listing.add_argument("--limit", type=whole(1, _MOST), default=50, metavar="N", help=f"1 to {_MOST} (50)")
    listing.add_argument(
        "--before", type=whole(1, _GREATEST_ID), metavar="N", help="go on after the last one of the list before"
    )
    listing.add_argument("--language", choices=["fr", "en"], help="of the reasons told in words (that of the platform)")
    count = actions.add_parser("count", help="how many, by reason and by Thing")
    count.add_argument("--top", type=whole(1, 1_000), default=20, metavar="N", help="so many Things (20)")
    again = actions.add_parser("replay", help="send messages through again, after a fix")
    again.add_argument(
        "--id", type=whole(1, _GREATEST_ID), action="append", metavar="N", help="only this one; may be repeated"
    )
    again.add_argument("--author", default="", metavar="NAME", help="who asked for it (the user of the machine)")
    for action in (listing, count, again):
        _add_filters(action, replays=action is again)
    old = actions.add_parser("purge", help="remove what was received long ago; counters stay")
    old.add_argument("--older-than", type=_age, required=True, metavar="AGE", help="90d, 12w or 48h; a day at least")
    old.add_argument("--reason", help="only these")
    old.add_argument("--dry-run", action="store_true", help="tell what would go")
    old.add_argument("--author", required=True, metavar="NAME", help="who answers for it, for the journal")


def _add_filters(parser: argparse.ArgumentParser, *, replays: bool) -> None:
    parser.add_argument("--reason", help="only these, for example unknown_property")
    parser.add_argument("--thing", help="only those of one Thing")
    parser.add_argument("--domain", help="only those whose topic has this domain")
    parser.add_argument("--topic", metavar="PREFIX", help="only those whose topic begins so")
    parser.add_argument("--from", dest="since", type=instant, metavar="TIME", help="time of receipt, with an offset")
    parser.add_argument("--to", dest="until", type=instant, metavar="TIME", help="itself not included")
    parts = parser.add_mutually_exclusive_group()
    parts.add_argument("--partial", action="store_true", help="only refused values of stored messages")
    parts.add_argument("--whole", action="store_true", help="only messages that were refused whole")
    if not replays:
        done = parser.add_mutually_exclusive_group()
        done.add_argument("--replayed", action="store_true", help="only those that a second try took")
        done.add_argument("--waiting", action="store_true", help="only those that it did not")


def chosen_by(options: argparse.Namespace) -> Chosen:
    """Which messages the options name."""
    replayed = True if getattr(options, "replayed", False) else False if getattr(options, "waiting", False) else None
    ids: Sequence[int] | None = getattr(options, "id", None)
    return Chosen(
        thing=options.thing,
        reason=options.reason,
        domain=options.domain,
        topic=options.topic,
        since=options.since,
        until=options.until,
        replayed=replayed,
        partial=True if options.partial else False if options.whole else None,
        ids=tuple(ids) if ids else None,
    )


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Run one action."""
    settings = complete(settings)
    if options.action == "replay":
        return _replay(options, settings)
    with wait_for_schema(url_of(settings), application="rejected", wait=5.0) as connection:
        if options.action == "purge":
            _check(connection, Chosen(reason=options.reason), settings)
            return _purge(options, connection)
        chosen = chosen_by(options)
        _check(connection, chosen, settings)
        if options.action == "count":
            return _count(chosen, connection, top=options.top)
        found = rejected.page(connection, chosen, before=options.before, limit=options.limit, excerpt=80)
    for message in found:
        print(line(message, options.language or settings.language))  # noqa: T201
    if not found:
        print("no message was rejected" if chosen == Chosen() else "no rejected message fits")  # noqa: T201
    return 0


def _replay(options: argparse.Namespace, settings: Settings) -> int:
    chosen = chosen_by(options)
    with wait_for_schema(url_of(settings), application="rejected", wait=5.0) as connection:
        _check(connection, chosen, settings)
        left = rejected.page(connection, replace(chosen, replayed=False), limit=1, excerpt=0)
    done = replay(settings, chosen, clock=lambda: datetime.now(UTC), actor=options.author or ORIGIN.get().actor)
    if not done.messages:
        print(_NOT_AGAIN if left else "no rejected message waits")  # noqa: T201
        return 1 if left else 0
    print(f"{done.stored} of {done.messages} messages are stored now")  # noqa: T201
    if done.refused:
        reasons = ", ".join(f"{reason} {n}" for reason, n in sorted(done.reasons.items()))
        print(f"{done.refused} were refused again, whole or in part, and wait on: {reasons}")  # noqa: T201
    return 0


def _check(connection: Connection, chosen: Chosen, settings: Settings) -> None:
    check(connection, chosen, domains=tuple(catalogue_of(settings)))


def _count(chosen: Chosen, connection: Connection, *, top: int) -> int:
    for head, found in (
        ("reason", rejected.by_reason(connection, chosen)),
        ("Thing", rejected.by_thing(connection, chosen, top=top)),
    ):
        _table(head, found)
    return 0


def _table(head: str, found: Sequence[Counted]) -> None:
    print(f"{'count':>12}{'rows':>12}  {head}")  # noqa: T201
    for each in found:
        print(f"{each.count:>12}{each.rows:>12}  {_plain(each.name) or '(none)'}")  # noqa: T201


def _purge(options: argparse.Namespace, connection: Connection) -> int:
    if options.dry_run:
        found = rejected.old(connection, before=datetime.now(UTC) - options.older_than, reason=options.reason)
        _table("reason", found)
        print(f"{sum(each.rows for each in found)} rows would go")  # noqa: T201
        return 0
    done = purge(
        connection,
        older_than=options.older_than,
        reason=options.reason,
        actor=options.author,
        clock=lambda: datetime.now(UTC),
    )
    print(f"{done.rows} rows removed, which stood for {done.count} messages or values")  # noqa: T201
    return 0


def _age(text: str) -> timedelta:
    """How old, as `90d`, `12w` or `48h`."""
    found = re.fullmatch(r"([1-9]\d{0,4})([hdw])", text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no age: write 90d, 12w or 48h")
    age = int(found[1]) * _UNITS[found[2]]
    if age < YOUNGEST:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is younger than a day: nothing so young is removed")
    return age


def line(message: Rejected, language: str = "en") -> str:
    """One message on three lines, whatever is in it; why it was refused in a language."""
    part = ""
    if message.partial:
        part = " (one value)" if message.count == 1 else f" ({message.count} values)"
    again = f" [sent again {message.replayed_at:%Y-%m-%d %H:%M}]" if message.replayed_at else ""
    shown = message.payload[:80].decode("utf-8", "backslashreplace")
    text = _plain(shown) + ("…" if message.payload_bytes > 80 else "")
    return (
        f"{message.rejected_id:>8}  {message.received_time:%Y-%m-%d %H:%M:%S} UTC  {message.reason}{part}{again}\n"
        f"          {_plain(message.topic)}  {text}\n"
        f"          {explained(message.detail, language)}"
    )


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else "·" for c in text)
