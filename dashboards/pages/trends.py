"""The page of trends: up to eight series of any Things on one line of time, with what happened beside them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from dash import Input, Output, dcc
from dash.development.base_component import Component

from dashboards.comparing import MOST, Compared, Wanted, compare
from dashboards.components.comparing import compared
from dashboards.components.room import combobox
from dashboards.live import utc_now
from dashboards.server import PATIENCE, Server
from dashboards.sessions import CALLER, caller_account
from dashboards.ui import button, div, el, icon, span
from dashboards.views import Drawing, Scene
from hypervision.accounts import Action, Role, may
from hypervision.errors import StoreError

log = logging.getLogger(__name__)

_EVERY: Final = 60
"""A page whose time ends now is drawn again after so long [s]."""
SAID: Final = ("note_written", "note_removed", "not_kept", "no_answer", "too_many")
# The fields of a note; the first one is asked for.
NOTE: Final = ("text", "at", "thing")


def layout(scene: Scene) -> Component:
    """The page; its charts are drawn by its callback."""
    words = scene.words
    return div(
        div(
            el("H1", words.t("rail.trends")),
            _picker(scene),
            button(words.t("trend.refresh"), data_refresh="trends-refresh", cls="kpi-refresh"),
            cls="page-head",
        ),
        div(
            _times(scene),
            _note(scene) if scene.may_write_note else None,
            cls="trend-forms",
        ),
        div(
            div(words.t("trend.reading"), cls="empty"),
            ident="trends-set",
            data_refresh_every=str(_EVERY),
            data_refreshes="trends-refresh",
        ),
        dcc.Store(id="trends-refresh", data=0),
        cls="trend-page",
    )


def _picker(scene: Scene) -> Component:
    """Where a series is found; `assets/62-search.js` fills the list."""
    words = scene.words
    return div(
        combobox(words, "trend-pick", words.t("trend.add"), words.t("trend.add_hint", n=MOST), kind="datastream"),
        **{f"data_{key}": words.t(f"trend.{key}") for key in SAID},
        cls="pick",
        ident="trend-said",
        data_most=str(MOST),
    )


def _times(scene: Scene) -> Component:
    words = scene.words
    return el(
        "Form",
        *[
            div(
                el("Label", words.t(f"trend.{name}"), htmlFor=f"trend-{name}"),
                _field(f"trend-{name}", name, words.t("rejected.time_hint")),
                cls="rejected-field",
            )
            for name in ("from", "to")
        ],
        el("Button", words.t("trend.apply"), cls="btn", type="submit"),
        cls="rejected-form",
        ident="trend-times",
    )


def _note(scene: Scene) -> Component:
    words = scene.words
    return el(
        "Details",
        el("Summary", words.t("trend.write_note"), cls="muted"),
        el(
            "Form",
            *[
                div(
                    el("Label", words.t(f"trend.note_{name}"), htmlFor=f"trend-note-{name}"),
                    _field(
                        f"trend-note-{name}",
                        name,
                        words.t("rejected.time_hint") if name == "at" else "",
                        longest=1_000 if name == "text" else 64,
                    ),
                    cls=f"rejected-field trend-note-{name}",
                )
                for name in NOTE
            ],
            el("Button", words.t("trend.keep_note"), cls="btn", type="submit"),
            cls="rejected-form",
            ident="trend-note",
        ),
        cls="trend-note-place",
    )


def _field(ident: str, name: str, hint: str, *, longest: int = 40) -> Component:
    made: Component = dcc.Input(
        id=ident, name=name, type="text", className="field", placeholder=hint, maxLength=longest, autoComplete="off"
    )
    return made


def draw(_scene: Scene, _path: str) -> Drawing:
    """Nothing on it is pushed: the charts are read again by the minute."""
    return Drawing({})


def register(app: Any, server: Server) -> None:
    """Add the callback that reads the series of an address."""

    async def draw_set(search: object, _asked: object, theme: object) -> Component:
        scene = server.scene_of(CALLER.get(), "/trends")
        return await set_of(scene, server, Wanted.of(str(search or "")), theme=str(theme))

    app.callback(
        Output("trends-set", "children"),
        Input("url", "search"),
        Input("trends-refresh", "data"),
        Input("theme", "data"),
    )(draw_set)


async def set_of(scene: Scene, server: Server, wanted: Wanted, *, theme: str) -> Component:
    """The charts; a sentence when the database is away."""
    account, now = caller_account(), utc_now()
    since, until = wanted.period(server.settings.zone, now=now)

    def work() -> Compared:
        with server.pool.connection() as connection:
            return compare(
                connection, scene.town, wanted.series, since=since, until=until,
                scope=account.scope, now=now,
            )  # fmt: skip

    try:
        found = await asyncio.wait_for(asyncio.to_thread(work), PATIENCE)
    except (StoreError, TimeoutError) as error:
        log.warning("the trends cannot be read: %s", error)
        return div(icon("unlink"), span(scene.words.t("trend.away")), cls="empty")
    writes = may(account, Action.WRITE_NOTE)
    return compared(
        scene,
        wanted,
        found,
        theme=theme,
        reader=account.name if writes else "",
        any_note=writes and account.role is Role.ADMINISTRATOR,
    )
