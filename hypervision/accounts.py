"""Who may do what: the roles, the one table of rights, passwords, session tokens and the back-off of log-ins."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hypervision.errors import AccessError
from hypervision.scope import EVERYTHING, Scope


class Role(StrEnum):
    """What a person is here; each of the first four may do what the one before it may, and more.

    An auditor reads everything, what only engineers and administrators read too, and changes nothing.
    """

    VIEWER = "viewer"
    OPERATOR = "operator"
    ENGINEER = "engineer"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class Action(StrEnum):
    """Everything that can be asked of the platform over HTTP or WebSocket."""

    LOG_IN = "log_in"
    READ_LIVENESS = "read_liveness"
    READ_HEALTH = "read_health"
    READ_METRICS = "read_metrics"
    LOG_OUT = "log_out"
    OWN_ACCOUNT = "own_account"
    SEE_SCREENS = "see_screens"
    READ_DATA = "read_data"
    SEE_SYSTEM = "see_system"
    SEE_ALARM_QUALITY = "see_alarm_quality"
    SEE_TRENDS = "see_trends"
    SEARCH = "search"
    SEE_VIEWS = "see_views"
    KEEP_VIEW = "keep_view"
    SEE_NOTES = "see_notes"
    WRITE_NOTE = "write_note"
    ACKNOWLEDGE_ALARM = "acknowledge_alarm"
    SHELVE_ALARM = "shelve_alarm"
    PLACE_OUT_OF_SERVICE = "place_out_of_service"
    WRITE_OBSERVATION = "write_observation"
    CORRECT_OBSERVATION = "correct_observation"
    SEE_REJECTED = "see_rejected"
    REPLAY_REJECTED = "replay_rejected"
    SEE_ACCOUNTS = "see_accounts"
    MANAGE_ACCOUNTS = "manage_accounts"
    SEE_AUDIT = "see_audit"
    SEE_RULES = "see_rules"
    CHANGE_GROUP = "change_group"
    PROPOSE_RULE = "propose_rule"
    APPROVE_RULE = "approve_rule"


_ALL: Final = frozenset(Role)

# The one rights table. What is not here is forbidden to everybody.
RIGHTS: Final[Mapping[Action, frozenset[Role]]] = {
    Action.LOG_OUT: _ALL,
    Action.OWN_ACCOUNT: _ALL,
    Action.SEE_SCREENS: _ALL,
    Action.READ_DATA: _ALL,
    Action.SEE_SYSTEM: _ALL,
    Action.SEE_ALARM_QUALITY: _ALL,
    Action.SEE_TRENDS: _ALL,
    Action.SEARCH: _ALL,
    Action.SEE_VIEWS: _ALL,
    # One's own: nobody changes another's.
    Action.KEEP_VIEW: _ALL,
    Action.SEE_NOTES: _ALL,
    Action.WRITE_NOTE: frozenset({Role.OPERATOR, Role.ENGINEER, Role.ADMINISTRATOR}),
    Action.READ_HEALTH: _ALL,
    Action.READ_METRICS: _ALL,
    Action.ACKNOWLEDGE_ALARM: frozenset({Role.OPERATOR, Role.ENGINEER, Role.ADMINISTRATOR}),
    Action.SHELVE_ALARM: frozenset({Role.OPERATOR, Role.ENGINEER, Role.ADMINISTRATOR}),
    Action.PLACE_OUT_OF_SERVICE: frozenset({Role.OPERATOR, Role.ENGINEER, Role.ADMINISTRATOR}),
    Action.WRITE_OBSERVATION: frozenset({Role.ENGINEER, Role.ADMINISTRATOR}),
    Action.CORRECT_OBSERVATION: frozenset({Role.ENGINEER, Role.ADMINISTRATOR}),
    Action.SEE_REJECTED: frozenset({Role.ENGINEER, Role.ADMINISTRATOR, Role.AUDITOR}),
    Action.REPLAY_REJECTED: frozenset({Role.ENGINEER, Role.ADMINISTRATOR}),
    Action.SEE_ACCOUNTS: frozenset({Role.ADMINISTRATOR, Role.AUDITOR}),
    Action.MANAGE_ACCOUNTS: frozenset({Role.ADMINISTRATOR}),
    Action.SEE_AUDIT: frozenset({Role.ADMINISTRATOR, Role.AUDITOR}),
    Action.SEE_RULES: frozenset({Role.ENGINEER, Role.ADMINISTRATOR, Role.AUDITOR}),
    Action.CHANGE_GROUP: frozenset({Role.ENGINEER, Role.ADMINISTRATOR}),
    Action.PROPOSE_RULE: frozenset({Role.ENGINEER, Role.ADMINISTRATOR}),
    Action.APPROVE_RULE: frozenset({Role.ENGINEER, Role.ADMINISTRATOR}),
}

# Open without a log-in.
PUBLIC: Final = frozenset({Action.LOG_IN, Action.READ_LIVENESS})
# Open to callers on loopback besides (settings.http.health_open: to all).
LOCAL: Final = frozenset({Action.READ_HEALTH, Action.READ_METRICS})
# Of the whole town, counts over the Things of everybody, the rules that they are judged by, who has an account and who
# did what: not for an account of a part of it, wherever it calls from. So an administrator of a part administers no
# accounts, and can give nobody more than he has.
WHOLE: Final = frozenset({
    Action.READ_METRICS, Action.SEE_ACCOUNTS, Action.MANAGE_ACCOUNTS, Action.SEE_AUDIT, Action.SEE_RULES,
    Action.PROPOSE_RULE, Action.APPROVE_RULE,
})  # fmt: skip
# All that a log-in may do until it has the second factor that its role asks for.
ENROLLING: Final = frozenset({Action.OWN_ACCOUNT, Action.LOG_OUT})


@dataclass(frozen=True, slots=True)
class Account:
    """A person who logged in.

    Attributes
    ----------
    scope : Scope
        Only Things in it are shown.
    language : str or None
        `fr` or `en`; None: the installation's.
    granted : frozenset of Action or None
        Nothing else, whatever the role: what an API token was made for, or a log-in that still lacks its second factor
        may do; None: all that the role may.
    """

    account_id: int
    name: str
    role: Role
    scope: Scope = EVERYTHING
    language: str | None = None
    granted: frozenset[Action] | None = None


def may(account: Account | None, action: Action | None, *, loopback: bool = False) -> bool:
    """Whether the rights table lets this happen; an unknown action is never allowed.

    Examples
    --------
    >>> may(Account(1, "viewer", Role.VIEWER), Action.ACKNOWLEDGE_ALARM)
    False
    >>> may(None, Action.LOG_IN)
    True
    """
    if action is None or (action in WHOLE and account is not None and not account.scope.is_whole):
        return False
    if action in PUBLIC or (action in LOCAL and loopback):
        return True
    if account is None or (account.granted is not None and action not in account.granted):
        return False
    return account.role in RIGHTS.get(action, frozenset())


# OWASP's first choice for argon2id: 46 MiB would be m=47104,t=1; the library's default (64 MiB, t=3) is stronger.
_HASHER: Final = PasswordHasher()
SHORTEST_PASSWORD: Final = 10
NO_PASSWORD: Final = "!"  # noqa: S105 -- a hash that nothing has
"""The hash of an account that has no password here: its owner comes in by the provider."""


def hash_password(password: str) -> str:
    """The argon2id hash of a password, with its salt and parameters.

    Raises
    ------
    AccessError
        The password is too short to withstand guessing.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise AccessError(
            f"the password has {len(password)} characters",
            remedy=f"give at least {SHORTEST_PASSWORD}, for example four words",
            field="password",
            reason="short_password",
        )
    return _HASHER.hash(password)


def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether the password is right; an unknown name (None) costs the same time as a wrong password."""
    known = None if password_hash == NO_PASSWORD else password_hash
    try:
        return _HASHER.verify(known or _DECOY, password) and known is not None
    except (VerificationError, InvalidHashError):
        return False


# Made from a value nobody knows, once per process, so that it matches nothing.
_DECOY: Final = _HASHER.hash(secrets.token_urlsafe(32))


def new_token() -> str:
    """A session token with 256 random bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What the database keeps of a token; reading it gives no session away."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


# Failures within this window count [s].
FAILURE_WINDOW: Final = 900.0
_LONGEST: Final = 300.0


def back_off(failures: int, *, free: int) -> float:
    """How long after the last failed log-in the next is refused.

    Parameters
    ----------
    failures : int
        Failed log-ins within `FAILURE_WINDOW`.
    free : int
        Failures that cost nothing: people mistype.

    Returns
    -------
    float
        [s]; doubles with each failure past `free`, five minutes at most.

    Examples
    --------
    >>> [back_off(n, free=3) for n in (2, 3, 4, 6, 50)]
    [0.0, 1.0, 2.0, 8.0, 300.0]
    """
    if failures < free:
        return 0.0
    return min(2.0 ** min(failures - free, 30), _LONGEST)
