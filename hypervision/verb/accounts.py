"""`hypervision accounts add|password|disable|enable|list`, and what `hypervision/verb/logins.py` adds."""

from __future__ import annotations

import argparse
import getpass
import sys
from datetime import UTC, datetime
from pathlib import Path

from hypervision.endpoints import complete
from hypervision.errors import SettingError
from hypervision.settings import Settings
from hypervision.store.connection import url_of
from hypervision.store.versions import wait_for_schema
from hypervision.verb import PATIENCE, logins


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    from hypervision.accounts import Role

    actions = parser.add_subparsers(
        dest="action", required=True, metavar=f"add|password|disable|enable|list|{'|'.join(logins.ACTIONS)}"
    )
    add = actions.add_parser("add", help="create an account")
    add.add_argument("name")
    add.add_argument("--role", choices=[role.value for role in Role], required=True)
    add.add_argument("--organisation", metavar="CODE", help="show only the Things of this organisation")
    add.add_argument("--language", choices=["fr", "en"])
    add.add_argument("--if-missing", action="store_true", help="leave an account of this name as it is")
    add.add_argument(
        "--by-provider", action="store_true", help="without a password: it is opened by the OpenID provider alone"
    )
    password = actions.add_parser("password", help="give an account a new password, and end its sessions")
    password.add_argument("name")
    for action in (add, password):
        action.add_argument(
            "--password-file", type=Path, help="read the password from this file; without it you are asked"
        )
    for name, what in (("disable", "let nobody log in with it, and end its sessions"), ("enable", "let it in again")):
        actions.add_parser(name, help=what).add_argument("name")
    actions.add_parser("list", help="show all accounts")
    logins.configure(actions)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Run one action."""
    from hypervision.accounts import Role
    from hypervision.store import accounts as store

    if options.action == "add":
        store.check_name(options.name)
    with wait_for_schema(url_of(complete(settings)), application="accounts", wait=PATIENCE) as connection:
        if options.action in logins.ACTIONS:
            return logins.run(connection, options, now=datetime.now(UTC))
        known = store.list_accounts(connection)
        if options.action == "list":
            for account in known:
                state = "" if account.disabled_at is None else f"  disabled {account.disabled_at:%Y-%m-%d}"
                print(f"{account.name:<24}{account.role:<15}{account.organisation or 'all':<16}{state}".rstrip())
            return 0
        if options.action == "password":
            store.set_password(connection, name=options.name, password=_password(options.password_file))
            print(f"{options.name} has a new password; its sessions have ended")
            return 0
        if options.action in ("disable", "enable"):
            at = datetime.now(UTC) if options.action == "disable" else None
            store.set_disabled(connection, name=options.name, at=at)
            print(f"{options.name} may {'not ' if at else ''}log in{'; its sessions have ended' if at else ''}")
            return 0
        if options.if_missing and any(account.name == options.name for account in known):
            return 0
        store.add_account(
            connection,
            name=options.name,
            password=None if options.by_provider else _password(options.password_file),
            role=Role(options.role),
            now=datetime.now(UTC),
            organisation=options.organisation,
            language=options.language,
        )
    print(f"{options.name} may log in as {options.role}")
    return 0


def _password(path: Path | None) -> str:
    if path is not None:
        try:
            return path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingError(f"cannot read --password-file {path} ({error})", remedy="check the path") from None
    if not sys.stdin.isatty():
        try:
            given = sys.stdin.readline().rstrip("\n")
        except UnicodeDecodeError:
            raise SettingError("the password on standard input is not text", remedy="write it in UTF-8") from None
        if not given:
            raise SettingError(
                "no password stands on standard input", remedy="write it there, or into the file of --password-file"
            )
        return given
    first = getpass.getpass("Password: ")
    if first != getpass.getpass("Again: "):
        raise SettingError("the two passwords differ", remedy="type the same twice")
    return first
