"""What the routes, pages and callbacks of one server process share; they import it, it imports none of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI

from dashboards.guard import Guard
from dashboards.live import LiveReader, utc_now
from dashboards.push import Hub
from dashboards.sessions import Caller, Sessions, caller_account
from dashboards.town import Periods
from dashboards.views import Scene, ViewKey, Views
from dashboards.words import Words, language_of
from dashboards.writing import HttpWriter
from hypervision.domains import Catalogue
from hypervision.settings import Settings
from hypervision.store.pool import ScreenPool


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
    dash: Any = field(init=False)

    def scene(self, key: ViewKey) -> Scene:
        """What a view is drawn from, now."""
        return Scene(
            town=self.reader.town,
            words=Words(language_of(key.language), self.settings.zone),
            catalogue=self.catalogue,
            now=utc_now(),
            periods=Periods(stale=self.settings.alarms.stale_periods),
            organisation=key.organisation,
            may_acknowledge=key.may_acknowledge,
            data_dir=self.settings.data_dir,
        )

    def scene_of(self, caller: Caller, path: str) -> Scene:
        """What a page is drawn from for one caller, now."""
        return self.scene(ViewKey.of(path, caller.language, caller_account()))
