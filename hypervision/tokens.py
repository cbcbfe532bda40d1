"""API tokens: what they look like, and what each of their scopes allows."""

from __future__ import annotations

import secrets
import string
import zlib
from collections.abc import Iterable, Mapping
from typing import Final

from hypervision.accounts import Account, Action, may
from hypervision.errors import AccessError

PREFIX: Final = "hvpat_"
"""By which scanners for secrets find a token that somebody has published."""
_LETTERS: Final = string.digits + string.ascii_letters
# 40 letters of 62 are 238 random bits; the six at the end are a check that needs no database.
_RANDOM: Final = 40
_CHECK: Final = 6
LENGTH: Final = len(PREFIX) + _RANDOM + _CHECK

LONGEST_DAYS: Final = 366
LONGEST_NAME: Final = 64

SCOPES: Final[Mapping[str, frozenset[Action]]] = {
    "read": frozenset(
        {
            Action.READ_DATA,
            Action.READ_HEALTH,
            Action.READ_METRICS,
            Action.SEE_ALARM_QUALITY,
            Action.SEE_TRENDS,
            Action.SEE_NOTES,
            Action.SEARCH,
        }
    ),
    "acknowledge": frozenset({Action.ACKNOWLEDGE_ALARM}),
    "shelve": frozenset({Action.SHELVE_ALARM, Action.PLACE_OUT_OF_SERVICE}),
    "write": frozenset({Action.WRITE_OBSERVATION}),
    "correct": frozenset({Action.CORRECT_OBSERVATION}),
    "rejected": frozenset({Action.SEE_REJECTED, Action.REPLAY_REJECTED}),
}
"""What a token may be made for. What stands in no scope no token may do: its owner's account, screens, log-out."""


def new_api_token() -> str:
    """A new token; it is shown once, and only its hash is kept."""
    body = "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM))
    return PREFIX + body + _check(body)


def is_api_token(text: str) -> bool:
    """Whether a text has the form of a token, with the right letters at its end.

    Examples
    --------
    >>> is_api_token(new_api_token()), is_api_token(PREFIX + "0" * 46)
    (True, False)
    """
    if len(text) != LENGTH or not text.startswith(PREFIX) or not text.isascii():
        return False
    body = text.removeprefix(PREFIX)
    return body[_RANDOM:] == _check(body[:_RANDOM])


def bearer_of(header: str) -> str | None:
    """The token in an Authorization header: empty where it is none of ours, None where nobody claims to bear one.

    Examples
    --------
    >>> bearer_of("Basic YTpi") is None, bearer_of("Bearer abc")
    (True, '')
    """
    scheme, _, given = header.partition(" ")
    if scheme.lower() != "bearer":
        return None
    given = given.strip()
    return given if is_api_token(given) else ""


def granted(scopes: Iterable[str]) -> frozenset[Action]:
    """The actions of some scopes; a scope that is not known any more gives nothing."""
    return frozenset[Action]().union(*(SCOPES.get(scope, frozenset()) for scope in scopes))


def scopes_of(account: Account) -> list[str]:
    """The scopes of which an account may do every action: what it can hand to a token.

    Examples
    --------
    >>> from hypervision.accounts import Role
    >>> scopes_of(Account(1, "ana", Role.OPERATOR))
    ['read', 'acknowledge', 'shelve']
    """
    # An account of one organisation may not read the counters of everybody, and is refused them at each use.
    return [name for name, actions in SCOPES.items() if any(may(account, action) for action in actions)]


def check_scopes(account: Account, scopes: Iterable[str]) -> list[str]:
    """The scopes that are asked for, in the order of the list.

    Raises
    ------
    AccessError
        There is none, one of them does not exist, or the account itself may not do what it allows.
    """
    asked, own = set(scopes), scopes_of(account)
    if not asked:
        raise AccessError("the token has no scope", remedy=f"choose among {', '.join(own)}")
    wrong = sorted(asked - set(own))
    if wrong:
        known = wrong[0] in SCOPES
        raise AccessError(
            f"{account.name} cannot give a token the scope {wrong[0][:32]!r}"
            + ("" if known else ", which does not exist"),
            remedy=f"choose among {', '.join(own)}",
        )
    return [name for name in SCOPES if name in asked]


def check_token_name(name: str) -> str:
    """The name of a token, by which its owner knows it again.

    Raises
    ------
    AccessError
        It is empty, too long, or holds what has no shape or turns its neighbours round.
    """
    name = " ".join(name.split())
    if not name.isprintable():
        raise AccessError("the token's name holds characters without a shape", remedy="leave them out")
    if not 1 <= len(name) <= LONGEST_NAME:
        raise AccessError(
            f"the token's name has {len(name)} letters", remedy=f"give 1 to {LONGEST_NAME}: what the token is for"
        )
    return name


def _check(body: str) -> str:
    number, found = zlib.crc32(body.encode("ascii", "replace")), ""
    for _ in range(_CHECK):
        number, rest = divmod(number, len(_LETTERS))
        found = _LETTERS[rest] + found
    return found
