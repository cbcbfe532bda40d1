"""`hypervision accounts first|token|tokens|revoke|lost`: ways in beside the password."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hypervision.cli import whole
from hypervision.errors import AccessError
from hypervision.store.connection import Connection
from hypervision.tokens import LONGEST_DAYS

if TYPE_CHECKING:
    from argparse import _SubParsersAction

ACTIONS: Final = ("first", "token", "tokens", "revoke", "lost")


def configure(actions: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the actions."""
    first = actions.add_parser("first", help="make the link with which the first administrator makes an account, once")
    first.add_argument("--file", type=Path, help="keep its token in this file, which only you can read")
    token = actions.add_parser("token", help="make an API token for a program, in the name of an account")
    token.add_argument("name")
    token.add_argument("--for", dest="purpose", required=True, metavar="WHAT", help="what the token is for")
    token.add_argument("--scope", action="append", required=True, help="what it may do; may be given several times")
    token.add_argument("--days", type=whole(1, LONGEST_DAYS), default=90, help="how long it counts (default 90)")
    actions.add_parser("tokens", help="show the API tokens of an account").add_argument("name")
    revoke = actions.add_parser("revoke", help="end an API token at once")
    revoke.add_argument("name")
    revoke.add_argument("number", type=whole(1, 2**31 - 1), help="as `accounts tokens` shows it")
    forget = "take away the second factor of who has lost it, and end the sessions of the account"
    actions.add_parser("lost", help=forget).add_argument("name")


def run(connection: Connection, options: argparse.Namespace, *, now: datetime) -> int:
    """Run one action."""
    if options.action == "first":
        return _first(connection, options.file, now=now)
    from hypervision.store import own, tokens

    if options.action == "lost":
        had = own.reset_factor(connection, options.name)
        print(
            f"{options.name} {'has no second factor any more' if had else 'had no second factor'}; its sessions ended"
        )
        return 0
    account = own.account_named(connection, options.name)
    if options.action == "token":
        _number, made = tokens.make(
            connection,
            account,
            name=options.purpose,
            scopes=options.scope,
            now=now,
            lasting=timedelta(days=options.days),
        )
        # Alone on its line, so that it can be piped into a file; nobody will see it again.
        print(made)
        return 0
    if options.action == "tokens":
        for one in tokens.listed(connection, account.account_id, now=now):
            used = "never used" if one.used_at is None else f"used {one.used_at:%Y-%m-%d %H:%M}"
            until = f"{'expired' if one.expires_at <= now else 'until'} {one.expires_at:%Y-%m-%d}"
            print(f"{one.token_id:<6}{one.name:<32}{','.join(one.scopes):<28}{until:<20}{used}")
        return 0
    name = tokens.revoke(connection, account.account_id, options.number, now=now)
    if name is None:
        raise AccessError(
            f"{options.name} has no token {options.number}", remedy=f"see `hypervision accounts tokens {options.name}`"
        )
    print(f"the token {options.number} ({name}) opens nothing any more")
    return 0


def _first(connection: Connection, file: Path | None, *, now: datetime) -> int:
    """Make the link, unless there is an administrator, or the file holds a token that still works."""
    from hypervision.services.secrets import write_private
    from hypervision.store import invitations

    if invitations.has_administrator(connection):
        if file is not None:
            # Whoever is administrator now needs it no more.
            file.unlink(missing_ok=True)
        print("there is an administrator")
        return 0
    if file is not None and file.exists():
        kept = file.read_text("utf-8", "replace").strip()
        if invitations.is_open(connection, kept, now=now):
            print("kept")
            return 0
    token = invitations.invite(connection, now=now)
    hours = int(invitations.LASTING.total_seconds() // 3600)
    if file is None:
        print(f"open within {hours} hours, once, in the control room: /welcome#{token}")
    else:
        write_private(file, token + "\n")
        print("made")
    return 0
