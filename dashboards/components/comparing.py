"""Series side by side: a chart each, on one line of time, with what happened beside them."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from dash.development.base_component import Component

from dashboards.comparing import MOST, Compared, Key, Series, Wanted
from dashboards.components.annotations import Annotation, happened_in, lines, marks
from dashboards.components.history import chart
from dashboards.components.readings import property_label
from dashboards.components.values import age
from dashboards.theme import colours
from dashboards.trends import RANGES, Trend, Trends
from dashboards.ui import Node, div, el, hidden, icon, link, span
from dashboards.views import Scene
from dashboards.words import Words

FORMATS: Final = ("csv", "xlsx", "parquet")


def compared(
    scene: Scene, wanted: Wanted, found: Compared, *, theme: str, reader: str = "", any_note: bool = False
) -> Component:
    """Everything below the head of the page.

    Parameters
    ----------
    reader : str
        Whose notes can be taken away; all of them with `any_note`.
    """
    words = scene.words
    happened = happened_in(scene, found, reader=reader, any_note=any_note)
    wrong = wanted.wrong(words.zone, now=found.read_at)
    return div(
        div(
            _ranges(words, wanted),
            span(
                span(f"{words.clock(found.since)} – {words.clock(found.until)}", cls="num"),
                span("·"),
                span(words.t("trend.read")),
                age(found.read_at),
                cls="fresh muted note",
            ),
            *_exports(found),
            cls="kpi-bar",
        ),
        div(words.t("trend.wrong_time", text=", ".join(wrong)), cls="rejected-wrong", role="alert") if wrong else None,
        *[_stranger(words, wanted, key) for key in found.strange],
        div(
            *[
                _one(scene, found, each, trend, without=_without(wanted, each.key), happened=happened, theme=theme)
                for each, trend in found.trends
            ],
            cls="trend-charts",
        )
        if found.trends
        else div(words.t("trend.empty", n=words.number(MOST)), cls="empty"),
        el(
            "Section",
            div(el("H2", words.t("trend.happened")), cls="panel-head"),
            lines(scene, happened),
            cls="panel",
        ),
        cls="trend-set",
    )


def _ranges(words: Words, wanted: Wanted) -> Component:
    """The usual times, as links: the address keeps them."""
    entries = []
    for name in RANGES:
        here = not wanted.is_timed and name == wanted.range
        entries.append(
            link(
                words.t(f"asset.{name}"),
                hidden(f" ({words.t('kpi.chosen')})") if here else None,
                href=wanted.href(range=name, since="", until=""),
                cls="choice is-on" if here else "choice",
            )
        )
    return el("Nav", *entries, cls="choices", aria_label=words.t("asset.range"))


def _exports(found: Compared) -> list[Node]:
    """What is drawn, as files: the same series and the same time."""
    keys = [each.key for each, _ in found.trends]
    if not keys:
        return []
    series = "&".join(f"s={quote(str(key), safe='/:')}" for key in keys)
    times = f"from={quote(found.since.isoformat())}&to={quote(found.until.isoformat())}"
    return [
        el("A", form.upper(), href=f"/api/v1/trends?{series}&{times}&format={form}", cls="btn", download="")
        for form in FORMATS
    ]


def _without(wanted: Wanted, key: Key) -> str:
    return wanted.href(series=tuple(each for each in wanted.series if each != key))


def _stranger(words: Words, wanted: Wanted, key: Key) -> Component:
    return div(
        span(words.t("trend.unknown", name=str(key))),
        link(words.t("trend.remove"), hidden(f" {key}"), href=_without(wanted, key), cls="underlined"),
        cls="panel trend-stranger",
        role="alert",
    )


def _one(
    scene: Scene,
    found: Compared,
    series: Series,
    trend: Trend,
    *,
    without: str,
    happened: list[Annotation],
    theme: str,
) -> Component:
    words = scene.words
    name = series.thing.name or series.thing.code
    head = div(
        link(el("Bdi", name), href=f"/asset/{series.thing.code}", cls="strong underlined"),
        span(series.thing.code, cls="code muted"),
        span(el("Bdi", series.thing.place), cls="muted note") if series.thing.place else None,
        link(
            span("×", aria_hidden="true"),
            hidden(words.t("trend.remove_named", name=f"{name}, {property_label(scene, series.stream)}")),
            href=without,
            cls="btn btn-small trend-remove",
        ),
        cls="trend-head",
    )
    if not trend.points:
        inner: Node = div(
            icon("unlink"), span(words.t("trend.no_readings", name=property_label(scene, series.stream))), cls="empty"
        )
    else:
        whole = Trends(found.since, found.until, [trend], found.alarms.get(series.thing.thing_id, []), [])
        inner = chart(scene, whole, trend, theme=theme, marks=marks(scene, happened, series, colours(theme)))
    return el("Section", head, inner, cls="panel trend", data_series=str(series.key))
