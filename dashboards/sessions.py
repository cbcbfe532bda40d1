"""Who is asking: sessions looked up in the database, and remembered for a few seconds."""

from __future__ import annotations

import asyncio
import logging
import time
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from typing import Final

from dashboards.live import utc_now
from hypervision.accounts import Account, token_hash
from hypervision.auditing import ORIGIN, Origin
from hypervision.errors import StoreError, TemporaryStoreError
from hypervision.store import accounts as store
from hypervision.store import tokens as token_store
from hypervision.store.pool import ScreenPool
from hypervision.tokens import is_api_token

log = logging.getLogger(__name__)

COOKIE: Final = "hypervision_session"

# A session is asked for again after this [s]: so soon a disabled account is out.
_RECHECK: Final = 10.0
# While the database is away a session already seen goes on, so that the screen can say what is wrong [s].
_TRUSTED_WITHOUT: Final = 900.0
# A database that has not answered by then hangs [s].
_PATIENCE: Final = 3.0
# A screen is told something each second: it waits no longer than this for news of a session that is known [s].
_GLANCE: Final = 0.25
# A session whose end the database could not be told is tried again after [s].
_AGAIN: Final = 1.0
# Ended sessions remembered at most: what is looked up while a log-out is under way must not bring one back.
_ENDED: Final = 10_000
# A longer token is none of ours.
_LONGEST: Final = 100


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent the request in progress, and how they like it.

    Attributes
    ----------
    token : str
        Of the session, from the cookie; empty for who bears an API token, which is no session.
    """

    account: Account | None
    token: str
    language: str
    theme: str
    address: str
    loopback: bool


CALLER: ContextVar[Caller] = ContextVar("caller")
"""Set by the guard for every request and socket."""


def origin_of(caller: Caller) -> Origin:
    """Who acts, and from where, for the audit log."""
    return Origin("" if caller.account is None else caller.account.name, caller.address)


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
        self._looking: dict[bytes, asyncio.Task[Account | None]] = {}
        self._ended: dict[bytes, str] = {}
        self._untold: dict[bytes, str] = {}
        # Who ended which, from where: one task tells the database for all of them.
        self._origins: dict[bytes, Origin] = {}
        self._telling: asyncio.Task[None] | None = None

    def remembered(self, token: str) -> Account | None:
        """The account of a session asked for a moment ago; None: ask with `find`."""
        key = token_hash(token)
        known = None if self._is_ended(key) else self._known.get(key)
        if known is None or known.expires_at <= utc_now() or time.monotonic() - known.asked > _RECHECK:
            return None
        return known.account

    def find(self, token: str) -> Account | None:
        """The account behind a session's or an API token, None when there is no such one.

        Which of both it may be, and whether it came as a cookie or was borne, the guard has looked at.

        Raises
        ------
        TemporaryStoreError
            The database is away and the session was not seen lately.
        """
        key, now = token_hash(token), utc_now()
        if not token or self._is_ended(key):
            return None
        try:
            with self._pool.connection() as connection:
                look = token_store.find if is_api_token(token) else store.find_session
                found = look(connection, token, now=now)
        except TemporaryStoreError:
            return self._trusted(token)
        if found is None or self._is_ended(key):
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

        Notes
        -----
        One look-up of a session is under way at a time. Who asks for a session that is known waits a moment for the
        first, and not at all while it lasts: a screen goes on being told why it stands still.
        """
        account = self.remembered(token)
        if account is not None:
            return account
        key = token_hash(token)
        if self._is_ended(key):
            return None
        looking, patience = self._looking.get(key), _PATIENCE
        if key in self._known:
            patience = 0.0 if looking is not None else _GLANCE
        if looking is None:
            looking = self._looking[key] = asyncio.create_task(asyncio.to_thread(self.find, token))
            looking.add_done_callback(lambda done: self._looked(key, done))
        done, _ = await asyncio.wait({looking}, timeout=patience)
        return looking.result() if done else self._trusted(token)

    def _looked(self, key: bytes, done: asyncio.Task[Account | None]) -> None:
        self._looking.pop(key, None)
        # Who waited has the error already; nobody may have.
        if not done.cancelled() and not isinstance(done.exception(), StoreError | None):
            log.error("a session could not be looked up", exc_info=done.exception())

    def _trusted(self, token: str) -> Account:
        known = self._known.get(token_hash(token))
        if known is None or known.expires_at <= utc_now() or time.monotonic() - known.asked >= _TRUSTED_WITHOUT:
            raise TemporaryStoreError("the database does not answer", remedy="wait until it is back")
        return known.account

    def forget(self, name: str) -> None:
        """Ask for the sessions and tokens of an account anew: what it is or may has changed."""
        for known in list(self._known.values()):
            if known.account.name == name:
                # Not gone: while the database is away it goes on as it was last seen.
                known.asked = min(known.asked, time.monotonic() - _RECHECK - 1.0)

    async def end(self, token: str) -> bool:
        """End a session: here at once, everywhere as soon as the database can be told, which is tried until then.

        Returns
        -------
        bool
            Whether the database has been told.
        """
        if not 0 < len(token) <= _LONGEST:
            return True
        key = token_hash(token)
        self._known.pop(key, None)
        for kept in (self._ended, self._untold):
            while len(kept) >= _ENDED:
                oldest = next(iter(kept))
                kept.pop(oldest)
                self._origins.pop(oldest, None)
        self._ended[key] = self._untold[key] = token
        self._origins[key] = ORIGIN.get()
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())
        deadline = time.monotonic() + _PATIENCE
        while key in self._untold and not self._telling.done() and time.monotonic() < deadline:
            await asyncio.wait({self._telling}, timeout=0.05)
        return key not in self._untold

    async def _tell(self) -> None:
        failed = False
        while self._untold:
            for key, token in list(self._untold.items()):
                try:
                    await asyncio.to_thread(self._log_out, token, self._origins.get(key))
                except StoreError as error:
                    if not failed:
                        log.warning("a session that was ended still stands in the database: %s", error)
                    failed = True
                    await asyncio.sleep(_AGAIN)
                else:
                    self._untold.pop(key, None)
                    self._origins.pop(key, None)

    def _is_ended(self, key: bytes) -> bool:
        return key in self._ended or key in self._untold

    def _log_out(self, token: str, origin: Origin | None) -> None:
        if origin is not None:
            ORIGIN.set(origin)
        with self._pool.connection() as connection:
            store.log_out(connection, token)
