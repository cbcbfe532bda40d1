"""`hypervision accounts add|change|password|disable|enable|logout|list`, and what `hypervision/verb/logins.py` adds."""

from __future__ import annotations

import argparse
import getpass
import sys
from datetime import UTC, datetime
from pathlib import Path

from hypervision.administration import LANGUAGES, Given, ListedAccount, check_domains, check_name
from hypervision.domains import catalogue_of
from hypervision.endpoints import complete
from hypervision.errors import SettingError, UsageError
from hypervision.settings import Settings
from hypervision.store.connection import url_of
from hypervision.store.versions import wait_for_schema
from hypervision.verb import PATIENCE, logins

USUAL = "usual"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    from hypervision.accounts import Role

    actions = parser.add_subparsers(
        dest="action",
        required=True,
        metavar=f"add|change|password|disable|enable|logout|list|{'|'.join(logins.ACTIONS)}",
    )
    add = actions.add_parser("add", help="create an account")
    add.add_argument("name")
    add.add_argument("--role", choices=[role.value for role in Role], required=True)
    _scope(add)
    add.add_argument("--language", choices=LANGUAGES)
    add.add_argument("--if-missing", action="store_true", help="leave an account of this name as it is")
    change = actions.add_parser("change", help="give an account another role, scope or language")
    change.add_argument("name")
    change.add_argument("--role", choices=[role.value for role in Role])
    change.add_argument("--whole", action="store_true", help="show the whole town, but for what is named besides")
    _scope(change)
    change.add_argument("--language", choices=[*LANGUAGES, USUAL], help=f"{USUAL}: that of the installation")
    add.add_argument(
        "--by-provider", action="store_true", help="without a password: it is opened by the OpenID provider alone"
    )
    password = actions.add_parser("password", help="give an account a new password, and end its sessions")
    password.add_argument("name")
    for action in (add, password):
        action.add_argument(
            "--password-file", type=Path, help="read the password from this file; without it you are asked"
        )
    for name, what in (
        ("disable", "let nobody log in with it, and end its sessions"),
        ("enable", "let it in again"),
        ("logout", "end its sessions"),
    ):
        actions.add_parser(name, help=what).add_argument("name")
    actions.add_parser("list", help="show all accounts")
    logins.configure(actions)


def _scope(action: argparse.ArgumentParser) -> None:
    action.add_argument("--organisation", metavar="CODE", help="show only the Things of this organisation")
    action.add_argument(
        "--domain", metavar="DOMAIN", action="append", dest="domains", help="only of this one; may be given again"
    )
    action.add_argument(
        "--district", metavar="NAME", action="append", dest="districts", help="only in this one; may be given again"
    )


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Run one action."""
    from hypervision.accounts import Role
    from hypervision.store import administration as store

    now = datetime.now(UTC)
    if options.action == "add":
        check_name(options.name)
    if options.action in ("add", "change"):
        check_domains(options.domains, catalogue_of(settings))
    with wait_for_schema(url_of(complete(settings)), application="accounts", wait=PATIENCE) as connection:
        if options.action in logins.ACTIONS:
            return logins.run(connection, options, now=now)
        known = store.list_accounts(connection, now=now)
        if options.action == "list":
            for account in known:
                state = "" if account.disabled_at is None else f"  disabled {account.disabled_at:%Y-%m-%d}"
                print(f"{account.name:<24}{account.role:<15}{_told(account):<16}{state}".rstrip())
            return 0
        if options.action == "change":
            changed = store.change_account(connection, name=options.name, given=_given(options), now=now)
            print(f"{changed.name} is {changed.role} of {_told(changed)}")
            return 0
        if options.action == "logout":
            ended = store.end_sessions(connection, name=options.name, now=now)
            print(f"the sessions of {options.name} have ended: {ended}")
            return 0
        if options.action == "password":
            store.set_password(connection, name=options.name, password=_password(options.password_file), now=now)
            print(f"{options.name} has a new password; its sessions have ended")
            return 0
        if options.action in ("disable", "enable"):
            out = options.action == "disable"
            store.change_account(connection, name=options.name, given={"disabled": out}, now=now)
            print(f"{options.name} may {'not ' if out else ''}log in{'; its sessions have ended' if out else ''}")
            return 0
        if options.if_missing and any(account.name == options.name for account in known):
            return 0
        store.add_account(
            connection,
            name=options.name,
            password=None if options.by_provider else _password(options.password_file),
            role=Role(options.role),
            now=now,
            organisation=options.organisation,
            domains=options.domains,
            districts=options.districts,
            language=options.language,
        )
    print(f"{options.name} may log in as {options.role}")
    return 0


def _given(options: argparse.Namespace) -> Given:
    """What the options of `accounts change` change.

    Raises
    ------
    UsageError
        They change nothing.
    """
    from hypervision.accounts import Role

    given: Given = {}
    if options.role is not None:
        given["role"] = Role(options.role)
    if options.whole:
        given |= {"organisation": None, "domains": None, "districts": None}
    if options.organisation is not None:
        given["organisation"] = options.organisation
    if options.domains is not None:
        given["domains"] = options.domains
    if options.districts is not None:
        given["districts"] = options.districts
    if options.language is not None:
        given["language"] = None if options.language == USUAL else options.language
    if not given:
        raise UsageError("nothing is to be changed", remedy="name a role, a scope or a language")
    return given


def _told(account: ListedAccount) -> str:
    """The scope of an account in a word or some."""
    words = [account.organisation or "", ",".join(account.domains or ()), ",".join(account.districts or ())]
    return "; ".join(word for word in words if word) or "all"


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
