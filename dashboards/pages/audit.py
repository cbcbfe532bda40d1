"""The page of the audit log: who did what, on what, from where and why; and whether the chain is whole."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlencode

from dash import Input, Output, dcc
from dash.development.base_component import Component

from dashboards.components.tables import table
from dashboards.components.values import age
from dashboards.payloads import visible
from dashboards.server import PATIENCE, Server
from dashboards.sessions import CALLER
from dashboards.ui import Node, button, div, el, icon, link, span
from dashboards.views import Scene
from dashboards.words import Words
from hypervision.auditing import Line
from hypervision.errors import StoreError
from hypervision.store import audit as store
from hypervision.store.audit import Wanted

log = logging.getLogger(__name__)

PAGE: Final = 50
# What the address keeps; the same names as those of `GET /api/v1/audit`.
FIELDS: Final = ("actor", "action", "kind", "id")
# What `assets/46-audit.js` says, each with its values in braces.
SAID: Final = (
    "proving", "whole", "empty", "broken", "unknown", "head", "failed", "fault_changed", "fault_removed",
    "fault_unlinked", "fault_beginning", "fault_cut", "fault_other",
)  # fmt: skip
_GREATEST: Final = 2**63


def layout(scene: Scene) -> Component:
    """The page; the list is read by its callback, and again when it is asked for."""
    words = scene.words
    return div(
        div(
            el("H1", words.t("audit.title")),
            span(words.t("audit.lead"), cls="muted note"),
            button(words.t("audit.refresh"), data_audit_refresh="1"),
            cls="page-head",
        ),
        el(
            "Section",
            el("H2", words.t("audit.proof")),
            el("P", words.t("audit.proof_text"), cls="muted note"),
            el(
                "Form",
                el("Label", words.t("audit.kept_head"), htmlFor="audit-head"),
                dcc.Input(id="audit-head", name="head", type="text", className="field", maxLength=100, value=""),
                el("Button", words.t("audit.verify"), cls="btn btn-strong", type="submit"),
                ident="audit-verify",
                cls="audit-form",
            ),
            div(
                ident="audit-said",
                cls="audit-said",
                role="status",
                aria_live="polite",
                **{f"data_{key}": words.t(f"audit.{key}") for key in SAID},
            ),
            cls="panel",
        ),
        div(div(words.t("audit.reading"), cls="empty"), ident="audit-set"),
        dcc.Store(id="audit-refresh", data=0),
        cls="audit",
    )


def chosen(search: str) -> tuple[dict[str, str], int | None]:
    """The filters and the last number of the page before, from the query of an address; what is none is left out.

    Examples
    --------
    >>> chosen("?actor=anna&before=12&x=1")
    ({'actor': 'anna'}, 12)
    >>> chosen("?before=-1")
    ({}, None)
    """
    asked = {name: values[0] for name, values in parse_qs(search.lstrip("?")).items()}
    before = asked.get("before", "")
    number = int(before) if before.isascii() and before.isdigit() and len(before) < 20 else 0
    given = {name: asked[name][:200].replace("\0", "") for name in FIELDS if asked.get(name)}
    return given, number if 0 < number < _GREATEST else None


def register(app: Any, server: Server) -> None:
    """Add the callback that reads the list of an address."""

    async def draw_set(search: object, _asked: object) -> Component:
        scene = server.scene_of(CALLER.get(), "/audit")
        return await set_of(scene, server, str(search or ""))

    app.callback(Output("audit-set", "children"), Input("url", "search"), Input("audit-refresh", "data"))(draw_set)


async def set_of(scene: Scene, server: Server, search: str) -> Component:
    """The list; a sentence when the database is away."""
    given, before = chosen(search)
    wanted = Wanted(
        actor=given.get("actor"), action=given.get("action"), object_kind=given.get("kind"), object_id=given.get("id")
    )

    def work() -> tuple[list[Line], list[str]]:
        with server.pool.connection() as connection:
            return store.page(connection, wanted, before=before, limit=PAGE + 1), store.actions(connection)

    try:
        lines, actions = await asyncio.wait_for(asyncio.to_thread(work), PATIENCE)
    except (StoreError, TimeoutError) as error:
        log.warning("the audit log cannot be read: %s", error)
        return div(icon("unlink"), span(scene.words.t("audit.away")), cls="empty")
    return listed(scene, given, lines, actions, older=before is not None, now=scene.now)


def listed(
    scene: Scene, given: dict[str, str], lines: Sequence[Line], actions: Sequence[str], *, older: bool, now: datetime
) -> Component:
    """Filters and lines."""
    words = scene.words
    shown = lines[:PAGE]
    heads = [words.t(f"audit.column_{key}") for key in ("number", "at", "actor", "action", "object", "change")]
    export = urlencode({**given, "format": "csv", "limit": 10_000})
    links: list[Node] = []
    if older:
        links.append(link(words.t("audit.newest"), href=_href(given), cls="btn"))
    if len(lines) > PAGE:
        links.append(link(words.t("audit.older"), href=_href({**given, "before": str(shown[-1].number)}), cls="btn"))
    return div(
        _form(words, given, actions),
        el(
            "Section",
            div(
                span(span(words.t("audit.read")), age(now), cls="fresh muted note"),
                el("A", words.t("audit.csv"), href=f"/api/v1/audit?{export}", cls="btn", download=""),
                cls="audit-actions",
            ),
            table(heads, [_row(words, line) for line in shown], numeric=(0,))
            if shown
            else div(icon("check"), span(words.t("audit.none")), cls="empty"),
            el("Nav", *links, cls="audit-pages", aria_label=words.t("audit.pages")) if links else None,
            cls="panel audit-list",
        ),
    )


def _href(given: dict[str, str]) -> str:
    return f"/audit?{urlencode(given)}" if given else "/audit"


def _form(words: Words, given: dict[str, str], actions: Sequence[str]) -> Component:
    fields: list[Node] = []
    for name in FIELDS:
        field: Component = dcc.Input(
            id=f"audit-{name}", name=name, type="search", value=given.get(name, ""), className="field", maxLength=200
        )
        fields.append(div(el("Label", words.t(f"audit.{name}"), htmlFor=f"audit-{name}"), field, cls="audit-field"))
    facets = [
        link(_action(words, action), href=_href({**given, "action": action}), cls="choice")
        for action in actions
        if action != given.get("action")
    ]
    return div(
        el(
            "Form",
            *fields,
            el("Button", words.t("audit.apply"), cls="btn", type="submit"),
            link(words.t("audit.clear"), href="/audit", cls="btn"),
            ident="audit-filter",
            cls="audit-form",
            action="/audit",
            method="get",
        ),
        el("Nav", *facets, cls="choices", aria_label=words.t("audit.actions")) if facets else None,
    )


def _action(words: Words, action: str) -> str:
    code = action.replace(".", "_")
    text = words.known("audit_action", code)
    return action if text == code else text


def _row(words: Words, line: Line) -> list[Node]:
    day, time = words.moment(line.at)
    target = " ".join(part for part in (line.object_kind, line.object_id) if part)
    thing: Node = span(visible(target), cls="code")
    if line.object_kind == "thing":
        thing = link(visible(line.object_id), href=f"/asset/{quote(line.object_id)}", cls="underlined strong")
    return [
        span(str(line.number), cls="num"),
        div(div(time, cls="num strong"), div(day, cls="num muted note"), cls="cell-time"),
        div(
            link(visible(line.actor), href=_href({"actor": line.actor}), cls="underlined strong"),
            div(visible(line.address), cls="muted note code"),
            cls="cell-source",
        ),
        div(
            span(_action(words, line.action), cls="strong"),
            div(visible(line.reason), cls="note") if line.reason else None,
            cls="cell-reason",
        ),
        thing,
        div(*_change(words, line), cls="cell-change"),
    ]


def _change(words: Words, line: Line) -> list[Node]:
    was, now_is = (_fields(text) for text in (line.before, line.after))
    shown: list[Node] = []
    for name in dict.fromkeys([*was, *now_is]):
        text = visible(now_is.get(name, "–"))
        if name in was:
            text = words.t("audit.from_to", was=visible(was[name]), now=text)
        shown.append(div(span(f"{visible(name)}: ", cls="muted"), span(text), cls="note"))
    return shown


def _fields(text: str | None) -> dict[str, str]:
    """What stands in a document, each value as text."""
    found = json.loads(text) if text else {}
    # What is no text stands as JSON.
    return {k: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for k, v in found.items()}
