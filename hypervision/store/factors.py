"""Second factors and recovery codes in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from psycopg import Connection

from hypervision import totp
from hypervision.errors import AccessError
from hypervision.store.connection import mapped
from hypervision.store.sql import query


class Passed(Enum):
    """What became of a second factor."""

    NONE = auto()
    """The account has none."""
    MISSING = auto()
    """It has one, and no code was given."""
    WRONG = auto()
    """The code is wrong, of another time, or was used before."""
    RIGHT = auto()


@dataclass(frozen=True, slots=True)
class FactorState:
    """What an account has of a second factor.

    Attributes
    ----------
    has_password : bool
        Whether it can log in without a provider at all.
    """

    enrolled: bool
    recovery_codes: int
    has_password: bool


def spend(connection: Connection, account_id: int, code: str, *, now: datetime) -> Passed:
    """Use a code of the second factor, or a recovery code, up; the caller holds the transaction.

    Notes
    -----
    The account's row is held, so that of two log-ins with one code the second is refused.
    """
    row = connection.execute(query("factor_find"), {"account_id": account_id}).fetchone()
    if row is None or not row[1]:
        return Passed.NONE
    if not code.strip():
        return Passed.MISSING
    step = totp.step_of(bytes(row[0]), code, seconds=now.timestamp(), after=row[2])
    if step is not None:
        connection.execute(query("factor_step"), {"account_id": account_id, "step": step})
        return Passed.RIGHT
    code_hash = totp.recovery_hash(code)
    if code_hash is None:
        return Passed.WRONG
    values = {"account_id": account_id, "code_hash": code_hash, "now": now}
    return Passed.RIGHT if connection.execute(query("recovery_use"), values).fetchone() else Passed.WRONG


def enrol(connection: Connection, account_id: int, *, now: datetime) -> bytes:
    """Make a new secret, which counts once it is confirmed.

    Raises
    ------
    AccessError
        The account has a second factor.
    """
    values = {"account_id": account_id, "secret": totp.new_secret(), "now": now}
    with mapped(), connection.transaction():
        if connection.execute(query("factor_begin"), values).fetchone() is None:
            raise AccessError("the account has a second factor", remedy="remove it first")
    return values["secret"]  # type: ignore[return-value]


def confirm(connection: Connection, account_id: int, code: str, *, now: datetime) -> list[str]:
    """Let the second factor count from now on, since its owner's device shows the right code.

    Returns
    -------
    list of str
        New recovery codes, which nobody will see again.

    Raises
    ------
    AccessError
        None was begun, it counts already, or the code is wrong.
    """
    with mapped(), connection.transaction():
        row = connection.execute(query("factor_find"), {"account_id": account_id}).fetchone()
        if row is None or row[1]:
            raise AccessError("no second factor waits to be confirmed", remedy="begin anew", reason="begin")
        step = totp.step_of(bytes(row[0]), code, seconds=now.timestamp(), after=row[2])
        if step is None:
            raise AccessError(
                "the code is wrong",
                remedy="type the six digits shown now, and look whether the device's clock is right",
                reason="code",
            )
        connection.execute(query("factor_confirm"), {"account_id": account_id, "now": now, "step": step})
        connection.execute(query("recovery_remove"), {"account_id": account_id})
        codes = totp.new_recovery_codes()
        for code_hash in map(totp.recovery_hash, codes):
            connection.execute(query("recovery_add"), {"account_id": account_id, "code_hash": code_hash})
    return codes


def remove(connection: Connection, account_id: int) -> bool:
    """Take the second factor and its recovery codes away; whether there was one. The caller holds the transaction."""
    row = connection.execute(query("factor_remove"), {"account_id": account_id}).fetchone()
    connection.execute(query("recovery_remove"), {"account_id": account_id})
    return row is not None and bool(row[0])


def state(connection: Connection, account_id: int) -> FactorState:
    """What an account has of a second factor."""
    with mapped(), connection.transaction():
        row = connection.execute(query("factor_state"), {"account_id": account_id}).fetchone()
    return FactorState(*row) if row is not None else FactorState(enrolled=False, recovery_codes=0, has_password=False)
