"""The page of rejected messages: what could not be taken, why, what mends it, and a second try."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any, Final

from dash import Input, Output, dcc
from dash.development.base_component import Component

from dashboards import health
from dashboards.choices import Choice
from dashboards.components.quarantine import Found, quarantine
from dashboards.live import utc_now
from dashboards.server import PATIENCE, Server
from dashboards.sessions import CALLER, caller_account
from dashboards.ui import button, div, drawn, el, icon, span
from dashboards.views import Drawing, Scene
from hypervision.accounts import Action, may
from hypervision.errors import StoreError
from hypervision.store import rejected as store
from hypervision.store.rejected import Chosen

log = logging.getLogger(__name__)

PAGE: Final = 50
THINGS: Final = 12
# What `assets/45-rejected.js` says, each with its values in braces.
SAID: Final = ("progress", "result", "result_reasons", "nothing_sent", "stopped", "copied", "copy_failed")


def layout(scene: Scene) -> Component:
    """The page; the list is read by its callback, and again when it is asked for."""
    words = scene.words
    return div(
        div(
            el("H1", words.t("rejected.title")),
            span(words.t("rejected.lead"), cls="muted note"),
            drawn("rejected-total", cls="muted note rejected-total"),
            button(words.t("rejected.refresh"), data_rejected_refresh="1"),
            cls="page-head",
        ),
        div(
            ident="rejected-said",
            cls="rejected-said",
            role="status",
            aria_live="polite",
            **{f"data_{key}": words.t(f"rejected.{key}") for key in SAID},
        ),
        div(div(words.t("rejected.reading"), cls="empty"), ident="rejected-set"),
        _confirm(scene),
        dcc.Store(id="rejected-refresh", data=0),
        cls="rejected",
    )


def _confirm(scene: Scene) -> Component:
    words = scene.words
    return el(
        "Dialog",
        el("H2", ident="rejected-question", data_template=words.t("rejected.confirm")),
        el("P", words.t("rejected.confirm_text")),
        div(
            button(words.t("rejected.cancel"), data_rejected_cancel="1"),
            button(words.t("rejected.confirm_go"), data_rejected_go="1", cls="btn-strong"),
            cls="rejected-answers",
        ),
        ident="rejected-confirm",
        cls="dialog",
        aria_labelledby="rejected-question",
    )


def draw(scene: Scene, _path: str) -> Drawing:
    """The live part: how many were rejected in all, by the platform's counters; those are of everybody's Things."""
    if not scene.scope.is_whole:
        return Drawing({})
    total = scene.words.number(health.messages(scene.town)["rejected"])
    return Drawing({"rejected-total": {"children": scene.words.t("rejected.total", n=total)}})


def register(app: Any, server: Server) -> None:
    """Add the callback that reads the list of an address."""

    async def draw_set(search: object, _asked: object) -> Component:
        scene = server.scene_of(CALLER.get(), "/rejected")
        return await set_of(scene, server, Choice.of(str(search or "")))

    app.callback(
        Output("rejected-set", "children"),
        Input("url", "search"),
        Input("rejected-refresh", "data"),
    )(draw_set)


async def set_of(scene: Scene, server: Server, choice: Choice) -> Component:
    """The list with its counts; a sentence when the database is away."""
    account, now = caller_account(), utc_now()
    scope = account.scope
    chosen = choice.chosen(scope=scope, zone=server.settings.zone, now=now)

    def work() -> Found:
        with server.pool.connection() as connection:
            newest = store.newest(connection, scope=scope)
            before = int(choice.before) if choice.before else None
            rows = store.page(connection, chosen, before=before, limit=PAGE + 1)
            any_at_all = rows or store.page(connection, Chosen(scope=scope), limit=1, excerpt=0)
            messages, counted = (0, True)
            if rows and choice.state != "replayed":
                messages, counted = store.count_waiting(connection, chosen, newest=newest)
            return Found(
                read_at=utc_now(),
                rows=rows[:PAGE],
                more=len(rows) > PAGE,
                reasons=store.by_reason(connection, replace(chosen, reason=None)),
                things=store.by_thing(connection, replace(chosen, thing=None), top=THINGS),
                waiting=messages,
                all_counted=counted,
                newest=newest,
                newest_at=any_at_all[0].received_time if any_at_all else None,
                chosen=chosen,
                may_replay=may(account, Action.REPLAY_REJECTED),
            )

    try:
        found = await asyncio.wait_for(asyncio.to_thread(work), PATIENCE)
    except (StoreError, TimeoutError) as error:
        log.warning("the rejected messages cannot be read: %s", error)
        return div(icon("unlink"), span(scene.words.t("rejected.away")), cls="empty")
    return quarantine(scene, choice, found)
