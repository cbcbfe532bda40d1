"""The page of hidden alarms: what does not ring, why, by whom, and when it comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from dash import Input, Output, dcc
from dash.development.base_component import Component

from dashboards.causes import Mark, explained_by, marks_of
from dashboards.components import alarms as parts
from dashboards.components import desk
from dashboards.components import flood as signs
from dashboards.components.tables import table
from dashboards.components.values import age
from dashboards.hidden import Chosen, chosen_in, consequences, hidden_alarms, quiet_shelves
from dashboards.server import Server
from dashboards.sessions import CALLER
from dashboards.ui import Node, button, div, drawn, el, icon, link, span
from dashboards.views import Drawing, Scene
from hypervision.store.inhibitions import About, Inhibition
from hypervision.store.screens import AlarmRow

# Lines of one section that every screen is told each second; the others are one click away.
_IN_SIGHT: Final = 10
# From so many consequences on, as in a power cut, only their causes are told.
_FLOOD: Final = 100
_PAGE: Final = 100


def layout(scene: Scene) -> Component:
    """The page with what is known now; a choice of its address is drawn by its callback."""
    words = scene.words
    return div(
        div(
            el("H1", words.t("desk.hidden_title")),
            drawn("alarms-tabs"),
            span(words.t("desk.hidden_lead"), cls="muted note"),
            cls="page-head",
        ),
        desk.said(words),
        div(ident="hidden-chosen", data_refresh_every="10", data_refreshes="hidden-refresh"),
        dcc.Store(id="hidden-refresh", data=0),
        drawn("hidden-list"),
        cls="desk",
    )


def draw(scene: Scene, _path: str) -> Drawing:
    """The live parts."""
    found = hidden_alarms(scene.town, scene.scope)
    quiet = quiet_shelves(scene.town)
    if not found and not quiet:
        listed: Component = div(icon("check"), span(scene.words.t("desk.nothing_hidden")), cls="empty")
    else:
        marks = marks_of(scene.town, scene.scope)
        shelved = [a for a in found if a.suppression == "shelved"]
        out = [a for a in found if a.suppression in ("out_of_service", "maintenance")]
        designed = [a for a in found if a.suppression == "by_design"]
        listed = div(
            _kind(scene, marks, "shelved", scene.words.t("desk.shelved"), shelved) if shelved else None,
            _quiet(scene, quiet) if quiet else None,
            _explained(scene, marks, designed) if designed else None,
            _kind(scene, marks, "out", scene.words.t("desk.tab_service"), out) if out else None,
            cls="desk-sections",
        )
    return Drawing({"alarms-tabs": {"children": desk.tabs(scene, "hidden")}, "hidden-list": {"children": listed}})


def register(app: Any, server: Server) -> None:
    """Add the callback that draws all alarms of one section, page by page."""

    async def draw_chosen(search: object, _asked: object) -> Component | None:
        chosen = chosen_in(str(search or ""))
        return None if chosen is None else _chosen(server.scene_of(CALLER.get(), "/alarms/hidden"), chosen)

    app.callback(
        Output("hidden-chosen", "children"), Input("url", "search"), Input("hidden-refresh", "data")
    )(draw_chosen)  # fmt: skip


def _chosen(scene: Scene, chosen: Chosen) -> Component:
    """Every alarm of one section: of one cause, or hidden in one way."""
    words, town = scene.words, scene.town
    unseen = hidden_alarms(town, scene.scope)
    visible = {alarm.alarm_id: alarm for alarm in (*town.visible_alarms(scene.scope), *unseen)}
    if chosen.cause is not None:
        found = explained_by(visible, chosen.cause)
        title = _title(scene, visible.get(chosen.cause), none=chosen.cause == 0)
        if chosen.cause == 0:
            found = [a for a in unseen if a.suppression == "by_design" and a.explained_by is None]
    else:
        kinds = ("shelved",) if chosen.kind == "shelved" else ("out_of_service", "maintenance")
        found = [alarm for alarm in unseen if alarm.suppression in kinds]
        title = words.t("desk.shelved" if chosen.kind == "shelved" else "desk.tab_service")
    marks = marks_of(town, scene.scope)
    pages = max(1, -(-len(found) // _PAGE))
    page = min(chosen.page, pages)
    shown = found[(page - 1) * _PAGE : page * _PAGE]
    cause = visible.get(chosen.cause or 0)
    telling = None if cause is None else signs.mark_line(marks[cause.alarm_id], cause, town, words)
    turn = [
        link(words.t(f"desk.page_{name}"), href=f"/alarms/hidden?{chosen.query(to)}", cls="underlined")
        for name, to in (("before", page - 1), ("after", page + 1))
        if 1 <= to <= pages
    ]
    return div(
        div(
            link(words.t("desk.hidden_all"), href="/alarms/hidden", cls="underlined"),
            span(words.t("desk.page", page=page, pages=pages), cls="num muted") if pages > 1 else None,
            *turn,
            cls="desk-turn",
        ),
        parts.short_list(
            [cause], town, words, scene.catalogue, allowed=scene.may_acknowledge, marks={cause.alarm_id: telling}
        )
        if cause is not None and cause.suppression == "none"
        else None,
        _section(scene, marks, title, shown, of=len(found))
        if found
        else div(icon("check"), span(words.t("desk.nothing_explained")), cls="empty"),
        cls="hidden-chosen",
    )


def _kind(scene: Scene, marks: Mapping[int, Mark], kind: str, title: str, found: Sequence[AlarmRow]) -> Component:
    shown = found if len(found) <= _FLOOD else found[:_IN_SIGHT]
    return _section(scene, marks, title, shown, of=len(found), more=Chosen(kind=kind))


def _section(
    scene: Scene,
    marks: Mapping[int, Mark],
    title: str,
    found: Sequence[AlarmRow],
    *,
    of: int,
    more: Chosen | None = None,
) -> Component:
    """Some alarms under their title, with how many there are; `more` leads to those that are not in sight."""
    words = scene.words
    keys = ("priority", "what", "where", "state", "since", "why", "back", "do")
    heads = [words.t(f"desk.column_{key}") for key in keys]
    others = more is not None and len(found) < of
    return el(
        "Section",
        div(
            el("H2", title),
            span(words.number(of), cls="num muted"),
            link(words.n("desk.show_all", of), href=f"/alarms/hidden?{more.query()}", cls="underlined")
            if more is not None and others
            else None,
            cls="panel-head",
        ),
        table(heads, [_row(scene, alarm, marks[alarm.alarm_id]) for alarm in found]) if found else None,
        cls="panel",
    )


def _row(scene: Scene, alarm: AlarmRow, mark: Mark) -> list[Node]:
    words = scene.words
    line = parts.describe(alarm, scene.town, words, scene.catalogue)
    where: Node = link(line.name, href=f"/asset/{line.code}", cls="underlined") if line.code else line.name
    return [
        parts.symbol(alarm.priority, words),
        span(
            span(line.label, cls="strong"),
            span(f" {line.value}", cls="num muted"),
            signs.mark_line(mark, alarm, scene.town, words),
        ),
        span(where, span(f" {line.place}", cls="muted")),
        line.state,
        age(alarm.raised_at),
        desk.why(alarm, words),
        desk.comes_back(alarm, words),
        _take_off(scene, alarm, f"{line.label}, {line.name}") if alarm.suppression == "shelved" else "",
    ]


def _take_off(scene: Scene, alarm: AlarmRow, what: str) -> Component:
    words = scene.words
    return button(
        words.t("desk.take_off"),
        cls="btn-small",
        data_unshelve=str(alarm.alarm_id),
        disabled=None if scene.may_shelve else True,
        title=words.t("desk.take_off_title") if scene.may_shelve else words.t("action.not_allowed"),
        aria_label=words.t("action.about", action=words.t("desk.take_off"), what=what),
    )


def _explained(scene: Scene, marks: Mapping[int, Mark], found: Sequence[AlarmRow]) -> Component:
    """Consequences under their causes, those with most of them first."""
    counted = consequences(found)
    in_sight = _IN_SIGHT if len(found) <= _FLOOD else 0

    def cause_of(alarm: AlarmRow) -> int:
        return alarm.explained_by or 0

    groups = {cause: list(each) for cause, each in groupby(sorted(found, key=cause_of), key=cause_of)}
    ordered = sorted(groups, key=lambda cause: (-counted[cause], cause))
    return div(
        *[
            _section(
                scene,
                marks,
                _title(scene, scene.town.alarms.get(cause), none=cause == 0),
                sorted(groups[cause], key=_first)[:in_sight],
                of=counted[cause] or len(groups[cause]),
                more=Chosen(cause=cause),
            )
            for cause in ordered
        ],
        cls="desk-sections",
    )


def _title(scene: Scene, cause: AlarmRow | None, *, none: bool) -> str:
    if cause is None:
        return scene.words.t("desk.explained_by_state" if none else "desk.explained_by_other")
    line = parts.describe(cause, scene.town, scene.words, scene.catalogue)
    return scene.words.t("desk.explained_by", what=f"{line.label}, {line.name}")


def _first(alarm: AlarmRow) -> tuple[float, int]:
    """First-out: what came first stands first."""
    return alarm.raised_at.timestamp(), alarm.alarm_id


def _quiet(scene: Scene, found: Sequence[Inhibition]) -> Component:
    """Shelves whose alarm does not stand now."""
    words = scene.words
    rows: list[list[Node]] = []
    for each in found:
        about = each.about[0] if each.about else None
        rows.append(
            [
                span(words.pick(each.label_fr or "", each.label_en or ""), cls="strong"),
                _where(scene, about) if about else "",
                words.t("desk.why", kind=words.t("desk.shelved"), by=each.author, reason=each.reason),
                "" if each.ends_at is None else words.t("desk.back_at", at=words.clock(each.ends_at)),
                end_button(scene, each.inhibition_id, words.t("desk.take_off")),
            ]
        )
    heads = [words.t(f"desk.column_{key}") for key in ("what", "where", "why", "back", "do")]
    title = el("H2", words.t("desk.quiet_shelves"))
    return el("Section", div(title, cls="panel-head"), table(heads, rows), cls="panel")


def _where(scene: Scene, about: About) -> str:
    return (about.name or about.thing) if about.thing else parts.platform_text(scene.words, about.name or "")


def end_button(scene: Scene, number: int, text: str) -> Component:
    """The button that ends an inhibition; dead, and saying why, for who may not."""
    return button(
        text,
        cls="btn-small",
        data_end_inhibition=str(number),
        disabled=None if scene.may_shelve else True,
        title=None if scene.may_shelve else scene.words.t("action.not_allowed"),
    )
