"""`hypervision rejected list|replay`: look at quarantined messages, send them through again."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Final

from hypervision.cli import whole
from hypervision.endpoints import complete
from hypervision.replay import replay
from hypervision.settings import Settings
from hypervision.store import rejected
from hypervision.store.connection import url_of
from hypervision.store.rejected import Rejected
from hypervision.store.versions import wait_for_schema

# What one answer may hold in memory, payloads included.
_MOST: Final = 10_000
_GREATEST_ID: Final = 2**63 - 1


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|replay")
    listing = actions.add_parser("list", help="the newest first")
    listing.add_argument("--reason", help="only these, for example unknown_property")
    listing.add_argument("--limit", type=whole(1, _MOST), default=50, metavar="N", help=f"1 to {_MOST}")
    again = actions.add_parser("replay", help="send messages through again, after a fix")
    again.add_argument("--reason", help="only these")
    again.add_argument("--thing", help="only those of one Thing")
    again.add_argument(
        "--id", type=whole(1, _GREATEST_ID), action="append", metavar="N", help="only this one; may be repeated"
    )


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Run one action."""
    settings = complete(settings)
    if options.action == "list":
        with wait_for_schema(url_of(settings), application="rejected", wait=5.0) as connection:
            found = rejected.listed(connection, reason=options.reason, limit=options.limit)
        for message in found:
            print(line(message))  # noqa: T201
        if not found:
            print("no message was rejected")  # noqa: T201
        return 0
    done = replay(
        settings,
        clock=lambda: datetime.now(UTC),
        thing=options.thing,
        reason=options.reason,
        ids=tuple(options.id) if options.id else None,
    )
    print(f"{done.stored} of {done.messages} messages are stored now")  # noqa: T201
    return 0


def line(message: Rejected) -> str:
    """One message on one line, whatever is in it."""
    part = ""
    if message.partial:
        part = " (one value)" if message.count == 1 else f" ({message.count} values)"
    again = f" [sent again {message.replayed_at:%Y-%m-%d %H:%M}]" if message.replayed_at else ""
    shown = message.payload[:80].decode("utf-8", "backslashreplace")
    text = "".join(c if c.isprintable() else "·" for c in shown) + ("…" if message.payload_bytes > 80 else "")
    topic = "".join(c if c.isprintable() else "·" for c in message.topic)
    return (
        f"{message.rejected_id:>8}  {message.received_time:%Y-%m-%d %H:%M:%S} UTC  {message.reason}{part}{again}\n"
        f"          {topic}  {text}\n"
        f"          {message.detail}"
    )
