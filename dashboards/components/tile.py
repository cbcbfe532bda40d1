"""A domain in one tile: worst state, counts, who reports, key figures, its last day."""

from __future__ import annotations

from collections.abc import Sequence

from dash.development.base_component import Component

from dashboards import figures
from dashboards import town as judge
from dashboards.components.alarms import symbol
from dashboards.components.spark import sparkline
from dashboards.components.values import figure_row
from dashboards.town import PRIORITIES, RANK
from dashboards.ui import div, el, hidden, icon, link, span
from dashboards.views import Scene
from hypervision.domains import Domain
from hypervision.store.screens import AlarmRow, ThingRow


def tile(domain: Domain, things: Sequence[ThingRow], alarms: Sequence[AlarmRow], scene: Scene) -> Component:
    """Draw the tile of one domain.

    Parameters
    ----------
    things, alarms
        Of this domain, as far as the account may see them.
    """
    words, town = scene.words, scene.town
    told = judge.reporting(town, things, now=scene.now, periods=scene.periods)
    found = figures.key_figures(town, domain, things, now=scene.now, periods=scene.periods)
    worst = min(alarms, key=lambda a: (RANK.get(a.priority, 9), *judge.urgency(a)), default=None)
    missing = told.expected - told.reporting
    label = domain.label(words.language)
    return el(
        "Section",
        div(
            icon(domain.icon, "tile-icon"),
            el("H2", link(label, href=f"/map?domain={domain.code}"), cls="tile-name"),
            _counts(alarms, scene),
            cls="tile-head",
        ),
        div(
            span(
                words.t("tile.reporting", n=words.number(told.reporting), total=words.number(told.expected)),
                cls="tile-reporting" + (" tile-missing" if missing else ""),
            ),
            cls="tile-sub",
        ),
        div(*[figure_row(f, words, scene.periods) for f in found], cls="figures")
        if found
        else div(words.t("tile.nothing"), cls="empty"),
        _course(domain, scene),
        cls="tile hv-live" + (f" tile-{worst.priority}" if worst and worst.state != "ACKED" else ""),
        aria_label=label,
    )


def _counts(alarms: Sequence[AlarmRow], scene: Scene) -> Component:
    words = scene.words
    counted = judge.by_priority(alarms)
    shown = [p for p in PRIORITIES if counted[p][0]]
    if not shown:
        return span(words.t("tile.no_alarm"), cls="tile-quiet muted")
    return div(
        *[
            span(
                symbol(p, words, state="UNACK" if counted[p][1] else "ACKED"),
                span(str(counted[p][0]), cls="num strong"),
                cls="tile-count",
            )
            for p in shown
        ],
        hidden(words.t("tile.alarms", n=len(alarms))),
        cls="tile-counts",
    )


def _course(domain: Domain, scene: Scene) -> Component:
    course = scene.town.courses.get(domain.code)
    prop = None if course is None else domain.properties.get(course.property)
    if course is None or prop is None:
        return sparkline((), scene.words.t("tile.day"))
    label = scene.words.t("tile.course", property=prop.label(scene.words.language))
    return sparkline(course.values, label)
