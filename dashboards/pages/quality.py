"""The page of the quality of alarms: do they help those who must act on them?"""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from urllib.parse import parse_qs

from dash import Input, Output, dcc
from dash.development.base_component import Component

from dashboards.components.quality import quality
from dashboards.live import utc_now
from dashboards.quality import SPANS, USUAL, Measured, read_quality
from dashboards.routes import action_of_page
from dashboards.server import PATIENCE, Server
from dashboards.sessions import CALLER, caller_account
from dashboards.trees import Tree, tree_of
from dashboards.ui import button, div, drawn, el, icon, span
from dashboards.views import Drawing, Scene
from hypervision.accounts import may
from hypervision.errors import StoreError

log = logging.getLogger(__name__)


def layout(scene: Scene) -> Component:
    """The page; its figures are measured by its callback, and again when it is asked for."""
    words = scene.words
    return div(
        div(
            el("H1", words.t("rail.quality")),
            span(words.t("kpi.lead"), cls="muted note"),
            button(words.t("kpi.refresh"), data_refresh="quality-refresh", cls="kpi-refresh"),
            cls="page-head",
        ),
        drawn("quality-set", first=div(words.t("kpi.reading"), cls="empty")),
        dcc.Store(id="quality-refresh", data=0),
        cls="kpi-page",
    )


def draw(_scene: Scene, _path: str) -> Drawing:
    """Nothing on it is live: a figure over days does not change by the second."""
    return Drawing({})


def span_of(search: str) -> str:
    """The time that an address asks for; a day for what makes no sense.

    Examples
    --------
    >>> span_of("?span=7d"), span_of("?span=9y"), span_of("")
    ('7d', '24h', '24h')
    """
    asked = parse_qs(search.removeprefix("?")[:2_000]).get("span", [USUAL])[0]
    return asked if asked in SPANS else USUAL


def register(app: Any, server: Server) -> None:
    """Add the callback that measures the time of an address."""

    async def draw_set(search: object, _asked: object) -> Tree:
        scene = server.scene_of(CALLER.get(), "/quality")
        return tree_of(await set_of(scene, server, span_of(str(search or ""))))

    app.callback(
        Output("quality-set", "tree"),
        Input("url", "search"),
        Input("quality-refresh", "data"),
    )(draw_set)


async def set_of(scene: Scene, server: Server, chosen: str) -> Component:
    """The figures; a sentence when the database is away."""
    account = caller_account()
    scope = account.scope

    def work() -> Measured:
        with server.pool.connection() as connection:
            return read_quality(connection, server.settings, chosen, now=utc_now(), scope=scope)

    try:
        found = await asyncio.wait_for(asyncio.to_thread(work), PATIENCE)
    except (StoreError, TimeoutError) as error:
        log.warning("the quality of the alarms cannot be measured: %s", error)
        return div(icon("unlink"), span(scene.words.t("kpi.away")), cls="empty")
    return quality(scene, found, chosen, rules=may(account, action_of_page("/rules")))
