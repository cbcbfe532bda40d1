"""The alarm list: every open alarm, acknowledged by keyboard or mouse in two actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dash import dcc
from dash.development.base_component import Component

from dashboards.causes import Mark, flood, look_first, marks_of
from dashboards.components import alarms as parts
from dashboards.components import desk
from dashboards.components import flood as signs
from dashboards.elements import AlarmList
from dashboards.hidden import chattering
from dashboards.kept import kept
from dashboards.town import milliseconds, urgency
from dashboards.ui import button, div, drawn, el, icon, span
from dashboards.views import Drawing, Scene, of_view
from dashboards.words import Words
from hypervision.store.screens import AlarmRow

# Chattering alarms in sight, and named at all: the rest comes up as these are dealt with.
_OFFERED: Final = 3
_NAMED: Final = 30
_COLUMNS: Final[Mapping[str, Mapping[str, Any]]] = {
    "rank": {"width": 124},
    "state_label": {"width": 150},
    "raised": {"width": 104},
    "name": {"grow": 2, "least": 130},
    "label": {"grow": 3, "least": 150},
    "value": {"grow": 2, "least": 120},
    "place": {"grow": 2, "least": 90},
    "action": {"grow": 3, "least": 180},
    # All of them in one, where they have no room.
    "brief": {"grow": 1, "least": 200, "brief": True},
}
"""Widths, and what a column takes at the least [px]; of what is left each takes a share."""


def layout(scene: Scene, rows: Sequence[Mapping[str, Any]]) -> Component:
    """The page with the rows known now."""
    words = scene.words
    return div(
        div(
            el("H1", words.t("rail.alarms")),
            drawn("alarms-tabs"),
            drawn("alarms-freshness", cls="muted"),
            div(
                el("Label", words.t("alarms.filter"), htmlFor="alarms-filter", cls="vh"),
                filter_field("alarms-filter", words.t("alarms.filter")),
                cls="alarms-filter",
            ),
            cls="page-head",
        ),
        desk.said(words),
        drawn("alarms-flood", role="status"),
        drawn("alarms-chattering"),
        signs.grouping(words),
        _actions(scene),
        div(grid(words, rows), _queued(words), cls="grid-place", ident="alarms-place"),
        desk.acknowledge_dialog(words),
        desk.shelve_dialog(scene),
        cls="alarms",
    )


def filter_field(ident: str, label: str) -> Component:
    """A text field that filters as one types."""
    made: Component = dcc.Input(id=ident, type="search", placeholder=label, className="field", debounce=False)
    return made


def _actions(scene: Scene) -> Component:
    words = scene.words
    allowed = scene.may_acknowledge
    return div(
        button(
            icon("check"),
            span(
                words.t("alarms.acknowledge_none"),
                ident="alarms-selected",
                data_template=words.t("alarms.acknowledge_n"),
                data_template_one=words.t("alarms.acknowledge_n_one"),
            ),
            el("Kbd", "A"),
            cls="btn-ack btn-bulk",
            ident="alarms-acknowledge",
            data_acknowledge_selected="1",
            disabled=True,
            data_allowed="1" if allowed else "0",
            title=None if allowed else words.t("action.not_allowed"),
        ),
        button(
            span(words.t("desk.shelve")),
            el("Kbd", "S"),
            ident="alarms-shelve",
            data_shelve_selected="1",
            disabled=True,
            data_allowed="1" if scene.may_shelve else "0",
            title=None if scene.may_shelve else words.t("action.not_allowed"),
        ),
        el("Label", words.t("alarms.comment"), htmlFor="alarms-comment", cls="vh"),
        comment_field(words),
        span(words.t("alarms.keys"), cls="muted keys"),
        cls="alarms-actions",
    )


def _queued(words: Words) -> Component:
    """What waits to come in; it lies over the heads of the columns, for what pushed the table down would move lines."""
    return button(
        icon("down"),
        span(
            words.t("alarms.queued"),
            data_template=words.t("alarms.queued_n"),
            data_template_one=words.t("alarms.queued_n_one"),
            ident="alarms-queued-text",
        ),
        cls="queued",
        ident="alarms-queued",
        data_show_queued="1",
    )


def comment_field(words: Words) -> Component:
    """The optional comment of one acknowledgement; `assets/40-grid.js` empties it afterwards."""
    made: Component = dcc.Input(
        id="alarms-comment",
        type="text",
        placeholder=words.t("alarms.comment"),
        className="field comment",
        maxLength=1000,
    )
    return made


def grid(words: Words, rows: Sequence[Mapping[str, Any]]) -> Component:
    """The table; cells are drawn by `assets/40-grid.js`, texts come ready from the server."""
    return AlarmList(
        id="alarm-grid",
        rows=list(rows),
        columns=[{"id": name, "label": words.t(f"column.{name}"), **size} for name, size in _COLUMNS.items()],
        texts={
            "label": words.t("alarms.list"),
            "none": words.t("alarms.none"),
            "all": words.t("alarms.selection"),
            "select": words.t("alarms.select"),
        },
    )


def draw(scene: Scene, _path: str) -> Drawing:
    """The rows and the proof that the list is fresh."""
    words, town = scene.words, scene.town
    shown = town.visible_alarms(scene.scope)
    found = flood(town, now=scene.now, operators=scene.operators)
    marks, rows = kept(
        ("rows", *of_view(scene)),
        (town.alarms, town.chattering, town.things, town.codes, town.streams, scene.catalogue),
        lambda: _rows(scene, shown),
    )
    waiting = sum(bool(r["waiting"]) for r in rows.values())
    text = words.n("alarms.open", len(rows), waiting=words.number(waiting))
    freshness = div(
        span(text),
        span("·"),
        span(words.t("alarms.checked")),
        span(cls="age num", data_since_message="1"),
        cls="fresh",
    )
    return Drawing(
        {
            "alarms-freshness": {"children": freshness},
            "alarms-tabs": {"children": desk.tabs(scene, "active")},
            "alarms-flood": {"children": signs.strip(scene, found, look_first(shown, marks), marks)},
            "alarms-chattering": {"children": _chattering(scene)},
        },
        rows,
    )


def _rows(scene: Scene, shown: Sequence[AlarmRow]) -> tuple[dict[int, Mark], dict[str, dict[str, object]]]:
    """What is told of every alarm besides itself, and the rows of the list."""
    town = scene.town
    marks = marks_of(town, scene.scope)
    rows = {}
    for alarm in shown:
        row = parts.row(alarm, town, scene.words, scene.catalogue)
        row |= signs.row_marks(marks[alarm.alarm_id], alarm, town, scene.words)
        waits, rank, alone, returned, *_newest = urgency(alarm)
        row["order"] = (waits * 50 + rank * 4 + alone * 2 + returned) * 1e13 - milliseconds(alarm.raised_at)
        rows[str(row["id"])] = row
    return marks, rows


def _chattering(scene: Scene) -> Component | None:
    """Alarms that ring again and again, each offered for the shelf."""
    words = scene.words
    found = chattering(scene.town, scene.scope)
    if not found:
        return None
    lines = [(parts.describe(alarm, scene.town, words, scene.catalogue), alarm, n) for alarm, n in found[:_NAMED]]
    buttons = [
        button(
            span(f"{line.label}, {line.name} · {words.n('desk.times', n)}"),
            span(words.t("desk.shelve"), cls="muted"),
            cls="btn-small",
            data_shelve_one=str(alarm.alarm_id),
            data_priority=alarm.priority,
            disabled=None if scene.may_shelve else True,
            title=None if scene.may_shelve else words.t("action.not_allowed"),
        )
        for line, alarm, n in lines
    ]
    others = words.n("desk.chattering_more", len(buttons) - _OFFERED) if len(buttons) > _OFFERED else ""
    return div(
        span(words.t("desk.chattering"), cls="strong"),
        *buttons[:_OFFERED],
        el("Details", el("Summary", others), div(*buttons[_OFFERED:], cls="chattering-more")) if others else None,
        cls="chattering",
    )
