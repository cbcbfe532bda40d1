"""What a flood of alarms looks like: a sign on every page, what to look at first, and the marks of one alarm."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from dash.development.base_component import Component

from dashboards.causes import Mark
from dashboards.components import alarms as parts
from dashboards.town import Town
from dashboards.ui import button, div, icon, link, segmented, span
from dashboards.views import Scene
from dashboards.words import Words
from hypervision.flood import Flood
from hypervision.store.screens import AlarmRow

GROUPS: Final = ("none", "district", "place", "cause")
"""By what the list is put together."""
GROUPED: Final = (
    "no_district", "no_place", "no_event", "count", "count_one", "explains", "explains_one", "fold", "unfold",
)  # fmt: skip
"""What `assets/42-groups.js` says."""


def sign(found: Flood, words: Words) -> Component | None:
    """On every page while a flood lasts, one click from the list; nothing otherwise."""
    if found.since is None:
        return None
    return link(
        icon("bell"),
        span(words.t("flood.sign"), cls="counter-word"),
        span(words.number(found.rang), cls="num"),
        href="/alarms",
        cls="counter counter-flood",
        title=words.t("flood.told", n=words.number(found.rang), limit=found.limit, at=words.clock(found.since)),
    )


def strip(scene: Scene, found: Flood, first: Sequence[AlarmRow], marks: Mapping[int, Mark]) -> Component | None:
    """Above the list: how many came, since when, and what to look at first."""
    if found.since is None:
        return None
    words = scene.words
    told = words.t("flood.told", n=words.number(found.rang), limit=found.limit, at=words.clock(found.since))
    return div(
        div(span(words.t("flood.title"), cls="strong"), span(told)),
        div(
            span(words.t("flood.look") if first else words.t("flood.nothing"), cls="strong"),
            *[_look(scene, alarm, marks[alarm.alarm_id]) for alarm in first],
            cls="flood-first",
        ),
        cls="flood",
    )


def _look(scene: Scene, alarm: AlarmRow, mark: Mark) -> Component:
    words = scene.words
    line = parts.describe(alarm, scene.town, words, scene.catalogue)
    told = [text for text in (first_text(mark, alarm, words), explains_text(mark, words)) if text]
    return button(
        parts.symbol(alarm.priority, words, state=alarm.state),
        span(", ".join(part for part in (line.label, line.name) if part)),
        span(" · ".join(told), cls="muted") if told else None,
        data_look=str(alarm.alarm_id),
        title=words.t("flood.look_title"),
    )


def first_text(mark: Mark, alarm: AlarmRow, words: Words) -> str:
    """That an alarm came first of its event; empty for all others."""
    return words.t("flood.first", n=words.number(mark.size)) if mark.first == alarm.alarm_id and mark.size > 1 else ""


def after_text(mark: Mark, alarm: AlarmRow, town: Town, words: Words) -> str:
    """Which alarm came before this one in its event; empty for the first, and for one that stands alone."""
    first = town.alarms.get(mark.first)
    if mark.size < 2 or first is None or first.alarm_id == alarm.alarm_id:
        return ""
    thing = town.thing_of(first)
    name = "" if thing is None else thing.name or thing.code
    return words.t("flood.after", what=f"{words.pick(first.label_fr, first.label_en)}, {name}")


def explains_text(mark: Mark, words: Words) -> str:
    """How many consequences an alarm has; empty without any."""
    return words.n("desk.explains", mark.explains) if mark.explains else ""


def mark_line(mark: Mark, alarm: AlarmRow, town: Town, words: Words) -> Component | None:
    """The marks of one alarm where there is room for a line: first-out, consequences one click away, chattering."""
    told = [first_text(mark, alarm, words) or after_text(mark, alarm, town, words)]
    rings = words.n("desk.times", mark.rings) if mark.rings else ""
    explains = explains_text(mark, words)
    shown = [span(text, cls="aside") for text in (*told, rings) if text]
    if explains:
        shown.append(link(explains, href=f"/alarms/hidden?cause={alarm.alarm_id}", cls="aside underlined"))
    return div(*shown, cls="asides") if shown else None


def row_marks(mark: Mark, alarm: AlarmRow, town: Town, words: Words) -> dict[str, object]:
    """The marks of one alarm as fields of its row of the list."""
    thing = town.thing_of(alarm)
    event = town.alarms.get(mark.event)
    return {
        "first": first_text(mark, alarm, words),
        "after": after_text(mark, alarm, town, words),
        "explains": explains_text(mark, words),
        "consequences": mark.explains,
        "rings": words.n("desk.times", mark.rings) if mark.rings else "",
        "district": "" if thing is None else thing.district,
        "event": str(mark.event) if mark.size > 1 or mark.explains else "",
        "event_label": "" if event is None else _event_label(event, town, words),
    }


def _event_label(event: AlarmRow, town: Town, words: Words) -> str:
    thing = town.thing_of(event)
    name = words.t("alarm.platform") if thing is None else thing.name or thing.code
    return f"{words.pick(event.label_fr, event.label_en)}, {name}"


def grouping(words: Words) -> Component:
    """The choice by what the list is put together, and the buttons that fold all of it."""
    return div(
        span(words.t("flood.group"), cls="muted", ident="alarms-group-label"),
        segmented(
            "alarms-group", [(key, words.t(f"flood.by_{key}")) for key in GROUPS], "none", words.t("flood.group")
        ),
        button(words.t("flood.fold_all"), cls="btn-small", data_fold_all="1"),
        button(words.t("flood.unfold_all"), cls="btn-small", data_fold_all="0"),
        ident="alarms-groups",
        cls="alarms-groups",
        data_texts=json.dumps({key: words.t(f"flood.{key}") for key in GROUPED}, ensure_ascii=False),
    )
