"""Who is asking: sessions looked up in the database, and remembered for a few seconds."""

from __future__ import annotations

import asyncio
import time
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from typing import Final

from dashboards.live import utc_now
from hypervision.accounts import Account, token_hash
from hypervision.errors import TemporaryStoreError
from hypervision.store import accounts as store
from hypervision.store.pool import ScreenPool

COOKIE: Final = "hypervision_session"

# A session is asked for again after this [s]: so soon a disabled account is out.
_RECHECK: Final = 10.0
# While the database is away a session already seen goes on, so that the screen can say what is wrong [s].
_TRUSTED_WITHOUT: Final = 900.0
# A database that has not answered by then hangs [s].
_PATIENCE: Final = 3.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent the request in progress, and how they like it."""

    account: Account | None
    token: str
    language: str
    theme: str
    address: str
    loopback: bool


CALLER: ContextVar[Caller] = ContextVar("caller")
"""Set by the guard for every request and socket."""


def caller_account() -> Account:
    """The account of the request in progress; the guard has let it in."""
    account = CALLER.get().account
    assert account is not None
    return account


def cookies_of(header: str) -> dict[str, str]:
    """The cookies of a request; a broken header has none."""
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}


@dataclass(slots=True)
class _Known:
    account: Account
    expires_at: datetime
    asked: float


class Sessions:
    """Sessions of one server process.

    Parameters
    ----------
    pool : ScreenPool
        Where they are looked up.
    """

    def __init__(self, pool: ScreenPool) -> None:
        self._pool = pool
        self._known: dict[bytes, _Known] = {}

    def remembered(self, token: str) -> Account | None:
        """The account of a session asked for a moment ago; None: ask with `find`."""
        known = self._known.get(token_hash(token))
        if known is None or known.expires_at <= utc_now() or time.monotonic() - known.asked > _RECHECK:
            return None
        return known.account

    def find(self, token: str) -> Account | None:
        """The account behind a token, None when there is no such session.

        Raises
        ------
        TemporaryStoreError
            The database is away and the session was not seen lately.
        """
        if not token:
            return None
        key, now = token_hash(token), utc_now()
        try:
            with self._pool.connection() as connection:
                found = store.find_session(connection, token, now=now)
        except TemporaryStoreError:
            return self._trusted(token)
        if found is None:
            self._known.pop(key, None)
            return None
        if len(self._known) > 10_000:
            self._known.clear()
        self._known[key] = _Known(*found, time.monotonic())
        return found[0]

    async def ask(self, token: str) -> Account | None:
        """As `find`, without waiting for a database that hangs.

        Raises
        ------
        TemporaryStoreError
            The database is away or hangs, and the session was not seen lately.
        """
        account = self.remembered(token)
        if account is not None:
            return account
        try:
            return await asyncio.wait_for(asyncio.to_thread(self.find, token), _PATIENCE)
        except TimeoutError:
            return self._trusted(token)

    def _trusted(self, token: str) -> Account:
        known = self._known.get(token_hash(token))
        if known is None or known.expires_at <= utc_now() or time.monotonic() - known.asked >= _TRUSTED_WITHOUT:
            raise TemporaryStoreError("the database does not answer", remedy="wait until it is back")
        return known.account

    def forget(self, token: str) -> None:
        """A session that was ended: nothing of it counts any more."""
        self._known.pop(token_hash(token), None)
