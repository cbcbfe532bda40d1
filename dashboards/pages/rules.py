"""The page of rules: what every one says, what is wrong with it, who changed it, what waits, and the way back."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from dash import Input, Output, dcc
from dash.development.base_component import Component

from dashboards.components.rule_form import SAID
from dashboards.components.rules import Found, drawn
from dashboards.live import utc_now
from dashboards.rule_choice import RuleChoice
from dashboards.server import PATIENCE, Server
from dashboards.sessions import CALLER, caller_account
from dashboards.ui import button, div, el, icon, span
from dashboards.views import Scene
from hypervision.errors import StoreError
from hypervision.store import rulebook

log = logging.getLogger(__name__)

_VERSIONS: Final = 100


def layout(scene: Scene) -> Component:
    """The page; the list is read by its callback, and again after every change."""
    words = scene.words
    return div(
        div(
            el("H1", words.t("rules.title")),
            span(words.t("rules.lead"), cls="muted note"),
            button(words.t("rules.refresh"), data_rules_refresh="1"),
            cls="page-head",
        ),
        div(
            ident="rules-said",
            cls="rules-said",
            role="status",
            aria_live="polite",
            **{f"data_{key}": words.t(f"rules.said_{key}") for key in SAID},
        ),
        div(div(words.t("rules.reading"), cls="empty"), ident="rules-set"),
        _confirm(scene),
        dcc.Store(id="rules-refresh", data=0),
        cls="rules",
    )


def _confirm(scene: Scene) -> Component:
    """The second click of whatever is decided."""
    words = scene.words
    reason: Component = dcc.Input(id="rules-why", type="text", className="field", maxLength=1000)
    return el(
        "Dialog",
        el("H2", ident="rules-question"),
        div(el("Label", words.t("rules.why"), htmlFor="rules-why"), reason, cls="rules-field"),
        el("P", cls="rules-wrong", ident="rules-why-wrong", role="alert"),
        div(
            button(words.t("rules.cancel"), data_rules_cancel="1"),
            button(words.t("rules.go"), data_rules_go="1", cls="btn-strong"),
            cls="rules-answers",
        ),
        ident="rules-confirm",
        cls="dialog",
        aria_labelledby="rules-question",
    )


def register(app: Any, server: Server) -> None:
    """Add the callback that reads the rules of an address."""

    async def draw_set(search: object, _asked: object) -> Component:
        scene = server.scene_of(CALLER.get(), "/rules")
        return await set_of(scene, server, RuleChoice.of(str(search or "")))

    app.callback(
        Output("rules-set", "children"),
        Input("url", "search"),
        Input("rules-refresh", "data"),
    )(draw_set)


async def set_of(scene: Scene, server: Server, choice: RuleChoice) -> Component:
    """The list, or one rule; a sentence when the database is away."""
    reader = caller_account().name

    def work() -> Found:
        with server.pool.connection() as connection:
            states = (*rulebook.WAITING, "draft")
            return Found(
                read_at=utc_now(),
                rules=rulebook.rules(connection),
                proposals=rulebook.proposals(connection, states=states, reader=reader),
                versions=rulebook.versions(connection, choice.rule, limit=_VERSIONS) if choice.rule else [],
                reader=reader,
                one_person=server.settings.rules.one_person,
            )

    try:
        found = await asyncio.wait_for(asyncio.to_thread(work), PATIENCE)
    except (StoreError, TimeoutError) as error:
        log.warning("the rules cannot be read: %s", error)
        return div(icon("unlink"), span(scene.words.t("rules.away")), cls="empty")
    return drawn(scene, choice, found)
