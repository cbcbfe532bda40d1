"""The quality of the alarms drawn: figures with their aims, the course, and what to mend first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from dash.development.base_component import Component

from dashboards.components.alarms import platform_text, symbol
from dashboards.components.spark import mask
from dashboards.components.tables import table
from dashboards.components.values import age
from dashboards.quality import SPANS, Measured
from dashboards.ui import Node, div, el, hidden, link, span
from dashboards.views import Scene
from dashboards.words import Words
from hypervision.alarm_quality import FLOOD, PRIORITIES, WINDOW_US, Actor, Figure, Load, Share
from hypervision.batch import Int64
from hypervision.clock import from_us
from hypervision.store.alarm_quality import Named

# Columns of the course: of more windows the greatest of several is drawn.
_COLUMNS: Final = 144
_WORST: Final = 10
# Lines of a list that names alarms.
_LINES: Final = 25
_LONG: Final = (("s", 1.0, 120.0), ("min", 60.0, 7_200.0), ("h", 3_600.0, 172_800.0))
_DAY: Final = 86_400.0
# Where a figure's alarms are named: the list below, or another page.
_LEADS: Final[Mapping[str, str]] = {"standing": "/alarms", "waiting": "/alarms"}


def duration(words: Words, seconds: float) -> str:
    """How long something took, in the unit that people would say it in.

    Examples
    --------
    >>> from datetime import UTC
    >>> [duration(Words("en", UTC), s).replace(chr(160), " ") for s in (42, 600, 86_400, 900_000)]
    ['42 s', '10 min', '24 h', '10 d']
    """
    for unit, length, until in _LONG:
        if seconds < until:
            return words.quantity(seconds / length, unit)
    return words.quantity(seconds / _DAY, words.t("unit.days"))


def quality(scene: Scene, found: Measured, chosen: str, *, rules: bool = False) -> Component:
    """Everything below the head of the page.

    Parameters
    ----------
    rules : bool
        Whether the reader may see the page of rules: the names of alarms lead there.
    """
    words = scene.words
    return div(
        div(
            _spans(words, chosen),
            span(
                span(words.t("kpi.since", at=words.clock(found.since))),
                span("·"),
                span(words.t("kpi.read")),
                age(found.read_at),
                cls="fresh muted note",
            ),
            *[
                el("A", form.upper(), href=f"/api/v1/alarm-quality?span={chosen}&format={form}", cls="btn", download="")
                for form in ("csv", "xlsx")
            ],
            cls="kpi-bar",
        ),
        div(*[_figure(words, figure) for figure in found.figures], cls="kpis"),
        _panel(words.t("kpi.course"), _course(scene, found), wide=True),
        _panel(words.t("kpi.by_priority"), _loads(scene, found.quality.priorities, _priorities(words), "priority")),
        _panel(words.t("kpi.by_shift"), _loads(scene, found.quality.shifts, _shifts(found), "shift")),
        _panel(words.t("kpi.bad_actors"), _shares(scene, found, found.quality.top, "none_rang", rules=rules)),
        _panel(
            words.t("kpi.chattering_list"),
            _shares(scene, found, found.quality.chattering, "none_chattering", rules=rules),
        ),
        _panel(words.t("kpi.standing_list"), _standing(scene, found, rules=rules), wide=True),
        cls="kpi-set",
    )


def _panel(title: str, inner: Node, *, wide: bool = False) -> Component:
    return el("Section", div(el("H2", title), cls="panel-head"), inner, cls="panel" + (" panel-wide" if wide else ""))


def _spans(words: Words, chosen: str) -> Component:
    """The time looked at, as links: the address keeps it."""
    return el(
        "Nav",
        *[
            link(
                words.t(f"kpi.span_{name}"),
                hidden(f" ({words.t('kpi.chosen')})") if name == chosen else None,
                href=f"/quality?span={name}",
                cls="choice is-on" if name == chosen else "choice",
            )
            for name in SPANS
        ],
        cls="choices",
        aria_label=words.t("kpi.span"),
    )


def value_text(words: Words, value: float | None, unit: str) -> str:
    """A figure in words; a dash where there is none."""
    if value is None:
        return words.t("value.none")
    if unit == "share":
        return words.quantity(100 * value, "%", 1)
    if unit == "seconds":
        return duration(words, value)
    return words.number(value, 0 if unit == "count" or float(value).is_integer() else 2)


def _figure(words: Words, figure: Figure) -> Component:
    met = figure.is_met
    if figure.at_most is not None:
        aim = words.t("kpi.at_most", value=value_text(words, figure.at_most, figure.unit))
    elif figure.at_least is not None:
        aim = words.t("kpi.at_least", value=value_text(words, figure.at_least, figure.unit))
    else:
        aim = words.t("kpi.no_aim")
    verdict = "" if met is None else words.t("kpi.met" if met else "kpi.missed")
    lead = _LEADS.get(figure.code)
    shown: Node = span(value_text(words, figure.value, figure.unit), cls="kpi-value num")
    return div(
        el("H2", words.t(f"kpi.{figure.code}"), cls="kpi-name"),
        link(shown, href=lead, cls="underlined") if lead else shown,
        div(span(aim, cls="muted"), span(verdict, cls="kpi-verdict") if verdict else None, cls="kpi-aim"),
        el("P", words.t(f"kpi.{figure.code}_means"), cls="muted note"),
        cls="panel kpi" + (" kpi-missed" if met is False else ""),
        data_figure=figure.code,
    )


def _course(scene: Scene, found: Measured) -> Component:
    """Activations by ten minutes, the greatest of several where there are many, and the worst of them as a table."""
    words, counts = scene.words, found.quality.counts
    drawn = columns(counts)
    limit = FLOOD * found.operators
    top = max(int(drawn.max(initial=0)), limit + 2)
    width = 100 / max(len(drawn), 1)
    path = "".join(
        f"M{i * width:.2f} 40v-{40 * int(n) / top:.2f}h{0.8 * width:.2f}V40z" for i, n in enumerate(drawn) if n
    )
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 40" preserveAspectRatio="none">'
        f'<path d="{path or "M0 40h100"}"/></svg>'
    )
    total = found.quality.total
    if total.peak_us is None:
        label = words.t("kpi.none_rang")
    else:
        label = words.t("kpi.peak_at", n=words.number(total.peak), at=words.clock(from_us(total.peak_us)))
    worst = np.argsort(-counts, kind="stable")[:_WORST]
    rows: list[list[Node]] = [
        [words.clock(from_us(found.quality.period.since_us + int(i) * WINDOW_US)), words.number(int(counts[i]))]
        for i in worst
        if counts[i]
    ]
    heads = [words.t("kpi.column_time"), words.t("kpi.column_count")]
    return div(
        div(
            div(cls="kpi-bars", style=mask(svg), role="img", aria_label=label),
            div(
                span(words.number(limit), cls="kpi-limit-name"), cls="kpi-limit", style={"bottom": f"{limit / top:.2%}"}
            ),
            cls="kpi-course",
        ),
        div(label, cls="muted note"),
        el(
            "Details",
            el("Summary", words.t("kpi.worst"), cls="muted note"),
            table(heads, rows, numeric=(1,)),
            cls="twin",
        )
        if rows
        else None,
    )


def columns(counts: Int64) -> Int64:
    """The greatest of as many windows as must share a column, so that no more than 144 are drawn; the newest whole.

    Examples
    --------
    >>> columns(np.arange(3)).tolist(), len(columns(np.arange(1008))), columns(np.arange(1008))[-1].item()
    ([0, 1, 2], 144, 1007)
    """
    several = -(-len(counts) // _COLUMNS)
    if several < 2:
        return counts
    missing = -len(counts) % several
    greatest: Int64 = np.concatenate([np.zeros(missing, np.int64), counts]).reshape(-1, several).max(axis=1)
    return greatest


def _priorities(words: Words) -> list[Node]:
    return [
        span(symbol(p, words), span(words.t(f"priority.{p}"), cls="strong", aria_hidden="true"), cls="kpi-named")
        for p in PRIORITIES
    ]


def _shifts(found: Measured) -> list[Node]:
    return [span(found.shifts.label(n), cls="num strong") for n in range(len(found.quality.shifts))]


def _loads(scene: Scene, loads: Sequence[Load], names: Sequence[Node], first: str) -> Component:
    """One line for each shift or priority."""
    words, total = scene.words, sum(load.alarms for load in loads)
    rows: list[list[Node]] = [
        [
            name,
            words.number(load.alarms),
            value_text(words, load.alarms / total if total else None, "share"),
            words.number(load.per_window, 2),
            words.number(load.peak),
            value_text(words, load.flood, "share"),
            value_text(words, load.p50, "seconds"),
            value_text(words, load.p95, "seconds"),
            words.number(load.waiting),
        ]
        for name, load in zip(names, loads, strict=True)
    ]
    keys = (first, "count", "share", "rate", "peak", "flood", "p50", "p95", "waiting")
    return table([words.t(f"kpi.column_{key}") for key in keys], rows, numeric=range(1, 9))


def _shares(scene: Scene, found: Measured, shares: Sequence[Share], none: str, *, rules: bool) -> Component:
    """Alarms by name, each with the way to its asset and its rule."""
    words = scene.words
    if not shares:
        return div(words.t(f"kpi.{none}"), cls="empty")
    rows: list[list[Node]] = [
        [
            *_names(scene, found.names.get(share.actor), share.actor, rules=rules),
            words.number(share.alarms),
            value_text(words, share.share, "share"),
            words.number(share.in_a_minute),
        ]
        for share in shares[:_LINES]
    ]
    heads = [words.t(f"kpi.column_{key}") for key in ("alarm", "asset", "count", "share", "minute")]
    return table(heads, rows, numeric=(2, 3, 4))


def _names(scene: Scene, named: Named | None, actor: Actor | None = None, *, rules: bool) -> list[Node]:
    words = scene.words
    if named is None:
        return [span(f"{actor.rule_id}" if actor else "", cls="muted"), words.t("alarm.platform")]
    label = words.pick(named.label_fr, named.label_en)
    rule = span(
        symbol(named.priority, words, quiet=True),
        link(label, href=f"/rules?rule={named.rule}", cls="strong underlined") if rules else span(label, cls="strong"),
        cls="kpi-named",
        title=named.rule,
    )
    if named.thing is None:
        return [rule, link(platform_text(words, named.name or ""), href="/health", cls="underlined")]
    return [rule, link(el("Bdi", named.name or named.thing), href=f"/asset/{named.thing}", cls="underlined")]


def _standing(scene: Scene, found: Measured, *, rules: bool) -> Component:
    """What has been open longest; what is stale or shelved says so."""
    words = scene.words
    rows: list[list[Node]] = []
    for alarm, named in found.standing[:_LINES]:
        state = "shelved_mark" if alarm.shelved else "stale_mark" if found.is_stale(alarm) else ""
        back = "" if alarm.active else words.t("kpi.returned_mark")
        told = " · ".join(text for text in (words.t(f"kpi.{state}") if state else "", back) if text)
        rows.append([*_names(scene, named, rules=rules), age(from_us(alarm.since_us)), span(told, cls="strong")])
    if not rows:
        return div(words.t("kpi.none_standing"), cls="empty")
    heads = [words.t(f"kpi.column_{key}") for key in ("alarm", "asset", "since", "mark")]
    more = len(found.standing) - _LINES
    return div(
        table(heads, rows, numeric=(2,)),
        link(words.n("kpi.more", more), href="/alarms", cls="muted note underlined") if more > 0 else None,
    )
