"""The page of administration: who may log in, as what, and what of the town each may know."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final
from urllib.parse import parse_qs

from dash import Input, Output, dcc
from dash.development.base_component import Component

from dashboards.components.accounts import NEW, Found, accounts
from dashboards.live import utc_now
from dashboards.server import PATIENCE, Server
from dashboards.sessions import CALLER, caller_account
from dashboards.ui import div, el, icon, span
from dashboards.views import Drawing, Scene
from hypervision.accounts import Action, may
from hypervision.errors import StoreError
from hypervision.store import administration as store

log = logging.getLogger(__name__)

# What `assets/46-administration.js` says, each with its values in braces.
SAID: Final = (
    "saved", "added", "password_set", "logged_out", "disabled", "enabled", "nothing", "conflict", "conflict_nobody",
    "expired", "forbidden", "away", "unsure", "failed", "wrong", "log_in",
)  # fmt: skip
WHY: Final = (
    "own_account", "last_administrator", "name_taken", "bad_name", "short_password", "unknown_organisation",
    "unknown_district", "unknown_domain", "empty_scope", "unknown_account",
)  # fmt: skip
"""Why a change is refused, as `hypervision.errors.AccessError.reason` has it."""


def layout(scene: Scene) -> Component:
    """The page; the list is read by its callback, and again after each change."""
    words = scene.words
    said = {f"data_{key}": words.t(f"accounts.{key}") for key in SAID}
    why = {f"data_why_{key}": words.t(f"accounts.why_{key}") for key in WHY}
    return div(
        div(
            el("H1", words.t("rail.administration")),
            span(words.t("accounts.lead"), cls="muted note"),
            cls="page-head",
        ),
        div(ident="accounts-said", cls="accounts-said", role="status", aria_live="polite", **said, **why),
        div(div(words.t("accounts.reading"), cls="empty"), ident="accounts-set"),
        dcc.Store(id="accounts-refresh", data=0),
        cls="accounts",
    )


def draw(_scene: Scene, _path: str) -> Drawing:
    """Nothing on the page is live: what somebody types must not be drawn anew under his hands."""
    return Drawing({})


def register(app: Any, server: Server) -> None:
    """Add the callback that reads the accounts."""

    async def draw_set(search: object, _asked: object) -> Component:
        scene = server.scene_of(CALLER.get(), "/administration")
        return await set_of(scene, server, str(search or ""))

    app.callback(
        Output("accounts-set", "children"),
        Input("url", "search"),
        Input("accounts-refresh", "data"),
    )(draw_set)


async def set_of(scene: Scene, server: Server, search: str) -> Component:
    """The accounts; a sentence when the database is away."""
    asked = parse_qs(search.removeprefix("?")[:500], max_num_fields=10)
    caller = caller_account()

    def work() -> Found:
        now = utc_now()
        with server.pool.connection() as connection:
            return Found(
                store.list_accounts(connection, now=now), store.read_choices(connection), now, caller.name,
                may(caller, Action.MANAGE_ACCOUNTS),
            )  # fmt: skip

    try:
        found = await asyncio.wait_for(asyncio.to_thread(work), PATIENCE)
    except (StoreError, TimeoutError) as error:
        log.warning("the accounts cannot be read: %s", error)
        return div(icon("unlink"), span(scene.words.t("accounts.unread")), cls="empty")
    return accounts(scene, found, next(iter(asked.get("account", ())), ""), new=NEW in asked)
