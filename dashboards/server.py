"""What the routes, pages and callbacks of one server process share; they import it, it imports none of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from fastapi import FastAPI

from dashboards.guard import Guard
from dashboards.limits import Periods
from dashboards.live import LiveReader, utc_now
from dashboards.push import Hub
from dashboards.scoped import Parts
from dashboards.sessions import Caller, Sessions, caller_account
from dashboards.town import Town
from dashboards.views import Scene, ViewKey, Views
from dashboards.words import Words, language_of
from dashboards.writing import HttpWriter
from hypervision.attending import by_priority
from hypervision.domains import Catalogue
from hypervision.errors import TemporaryStoreError
from hypervision.scope import Scope
from hypervision.settings import Settings
from hypervision.store.pool import ScreenPool

if TYPE_CHECKING:
    from dashboards.provider import Provider

_T = TypeVar("_T")
# Longer than any statement may take: a database that has not answered by then hangs [s].
PATIENCE: Final = 20.0


async def in_time(work: Callable[[], _T], *, seconds: float | None = None) -> _T:
    """What a thread finds out from the database, which may hang for ever.

    Raises
    ------
    TemporaryStoreError
        It did not answer within `seconds`, or `PATIENCE`.
    """
    try:
        return await asyncio.wait_for(asyncio.to_thread(work), PATIENCE if seconds is None else seconds)
    except TimeoutError:
        raise TemporaryStoreError("the database does not answer", remedy="try again in a moment") from None


@dataclass(slots=True)
class Server:
    """What the routes of one server process share.

    Attributes
    ----------
    pool : ScreenPool
        Connections for requests.
    reader : LiveReader
        The town in memory.
    writer : HttpWriter
        Readings that are posted.
    app : Guard
        The whole, as ASGI.
    provider : Provider or None
        The OpenID provider of the settings.
    """

    settings: Settings
    catalogue: Catalogue
    pool: ScreenPool
    reader: LiveReader
    sessions: Sessions
    writer: HttpWriter
    views: Views = field(init=False)
    hub: Hub = field(init=False)
    app: Guard = field(init=False)
    fastapi: FastAPI = field(init=False)
    provider: Provider | None = None
    # Each check of a password takes 64 MiB for a moment: two at a time are enough for people, and no guesser gets more.
    proving: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    dash: Any = field(init=False)
    _parts: Parts = field(init=False, default_factory=Parts)

    def town_for(self, scope: Scope) -> Town:
        """The town as the accounts of a scope may know it."""
        self.reader.want(scope)
        return self._parts.of(self.reader.town, scope)

    @property
    def periods(self) -> Periods:
        """After how many expected periods values are late and stale."""
        return Periods(stale=self.settings.alarms.stale_periods)

    def scene(self, key: ViewKey) -> Scene:
        """What a view is drawn from, now: nothing that its account may not know."""
        return Scene(
            town=self.town_for(key.scope),
            words=Words(language_of(key.language), self.settings.zone),
            catalogue=self.catalogue,
            now=utc_now(),
            periods=self.periods,
            scope=key.scope,
            may_acknowledge=key.may_acknowledge,
            may_see_rejected=key.may_see_rejected,
            may_write_note=key.may_write_note,
            data_dir=self.settings.data_dir,
            may_shelve=key.may_shelve,
            shelf_limits=by_priority(self.settings.alarms, "shelve"),
            operators=self.settings.alarms.operators,
        )

    def scene_of(self, caller: Caller, path: str) -> Scene:
        """What a page is drawn from for one caller, now."""
        return self.scene(ViewKey.of(path, caller.language, caller_account()))
