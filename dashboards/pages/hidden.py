"""The page of hidden alarms: what does not ring, why, by whom, and when it comes back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from dash.development.base_component import Component

from dashboards.components import alarms as parts
from dashboards.components import desk
from dashboards.components.tables import table
from dashboards.components.values import age
from dashboards.hidden import consequences, hidden_alarms, quiet_shelves
from dashboards.ui import Node, button, div, drawn, el, icon, link, span
from dashboards.views import Drawing, Scene
from hypervision.store.inhibitions import About, Inhibition
from hypervision.store.screens import AlarmRow


def layout(scene: Scene) -> Component:
    """The page with what is known now."""
    words = scene.words
    return div(
        div(
            el("H1", words.t("desk.hidden_title")),
            div(ident="alarms-tabs"),
            span(words.t("desk.hidden_lead"), cls="muted note"),
            cls="page-head",
        ),
        desk.said(words),
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
        shelved = [a for a in found if a.suppression == "shelved"]
        out = [a for a in found if a.suppression in ("out_of_service", "maintenance")]
        designed = [a for a in found if a.suppression == "by_design"]
        listed = div(
            _section(scene, scene.words.t("desk.shelved"), shelved) if shelved else None,
            _quiet(scene, quiet) if quiet else None,
            _explained(scene, designed) if designed else None,
            _section(scene, scene.words.t("desk.tab_service"), out) if out else None,
            cls="desk-sections",
        )
    return Drawing({"alarms-tabs": {"children": desk.tabs(scene, "hidden")}, "hidden-list": {"children": listed}})


def _section(scene: Scene, title: str, found: Sequence[AlarmRow]) -> Component:
    words = scene.words
    keys = ("priority", "what", "where", "state", "since", "why", "back", "do")
    heads = [words.t(f"desk.column_{key}") for key in keys]
    return el(
        "Section",
        div(el("H2", title), span(words.number(len(found)), cls="num muted"), cls="panel-head"),
        table(heads, [_row(scene, alarm) for alarm in found]),
        cls="panel",
    )


def _row(scene: Scene, alarm: AlarmRow) -> list[Node]:
    words = scene.words
    line = parts.describe(alarm, scene.town, words, scene.catalogue)
    where: Node = link(line.name, href=f"/asset/{line.code}", cls="underlined") if line.code else line.name
    return [
        parts.symbol(alarm.priority, words),
        span(span(line.label, cls="strong"), span(f" {line.value}", cls="num muted")),
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


def _explained(scene: Scene, found: Sequence[AlarmRow]) -> Component:
    """Consequences under their causes, those with most of them first."""
    counted = consequences(found)

    def cause_of(alarm: AlarmRow) -> int:
        return alarm.explained_by or 0

    groups = {cause: list(each) for cause, each in groupby(sorted(found, key=cause_of), key=cause_of)}
    ordered = sorted(groups, key=lambda cause: (-counted[cause], cause))
    return div(
        *[_section(scene, _title(scene, cause), sorted(groups[cause], key=_first)) for cause in ordered],
        cls="desk-sections",
    )


def _title(scene: Scene, cause: int) -> str:
    alarm = scene.town.alarms.get(cause)
    if alarm is None:
        return scene.words.t("desk.explained_by_state" if cause == 0 else "desk.explained_by_other")
    line = parts.describe(alarm, scene.town, scene.words, scene.catalogue)
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
