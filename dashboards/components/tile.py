"""A domain in one tile: worst state, counts, who reports, key figures, its last day."""

from __future__ import annotations

from collections.abc import Sequence

from dash.development.base_component import Component

from dashboards import figures
from dashboards import town as judge
from dashboards.columns import reporting
from dashboards.components.alarms import symbol
from dashboards.components.spark import sparkline
from dashboards.components.values import figure_row
from dashboards.town import PRIORITIES, RANK
from dashboards.ui import div, drawn, el, hidden, icon, link, span
from dashboards.views import Scene
from hypervision.domains import Domain
from hypervision.store.screens import AlarmRow


def box(code: str) -> Component:
    """The place of a tile: its figures change each second, its head now and then, its day every few minutes."""
    return el(
        "Section",
        drawn(f"tile-{code}"),
        drawn(f"figures-{code}", cls="tile-top"),
        drawn(f"course-{code}"),
        ident=f"box-{code}",
        cls="tile",
        aria_labelledby=f"name-{code}",
    )


def box_class(alarms: Sequence[AlarmRow]) -> str:
    """The tile's class: its upper edge has the colour of the worst alarm nobody has acknowledged."""
    worst = min((RANK.get(a.priority, 9) for a in alarms if a.state != "ACKED"), default=None)
    return "tile" + ("" if worst is None or worst > 3 else f" tile-{PRIORITIES[worst]}")


def tile(domain: Domain, alarms: Sequence[AlarmRow], scene: Scene) -> Component:
    """Draw what is told of a domain: how many alarms, who reports.

    Parameters
    ----------
    alarms
        Of this domain, as far as the account may see them.
    """
    words = scene.words
    told = reporting(scene.town, scene.scope, now=scene.now, periods=scene.periods, domain=domain.code)
    missing = told.expected - told.reporting
    label = domain.label(words.language)
    return div(
        div(
            icon(domain.icon, "tile-icon"),
            el("H2", link(label, href=f"/map?domain={domain.code}"), cls="tile-name", id=f"name-{domain.code}"),
            _counts(alarms, scene),
            cls="tile-head",
        ),
        div(
            span(
                words.n("tile.reporting", told.reporting, total=words.number(told.expected)),
                cls="tile-reporting" + (" tile-missing" if missing else ""),
            ),
            cls="tile-sub",
        ),
    )


def tile_figures(domain: Domain, scene: Scene) -> Component:
    """Draw the key figures of a domain."""
    words, periods = scene.words, scene.periods_of(domain.code)
    found = figures.key_figures(scene.town, domain, scope=scene.scope, now=scene.now, periods=periods)
    if not found:
        return div(words.t("tile.nothing"), cls="empty")
    return div(*[figure_row(f, words, periods) for f in found], cls="figures")


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
        hidden(words.n("tile.alarms", len(alarms))),
        cls="tile-counts",
    )


def course(domain: Domain, scene: Scene) -> Component:
    """The last day of a domain."""
    found = scene.town.courses.get(domain.code)
    prop = None if found is None else domain.properties.get(found.property)
    if found is None or prop is None:
        return sparkline((), scene.words.t("tile.day"))
    label = scene.words.t("tile.course", property=prop.label(scene.words.language))
    return sparkline(found.values, label)
