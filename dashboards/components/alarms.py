"""How an alarm looks and reads: symbol, line, row of the list, banner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dash.development.base_component import Component

from dashboards.components.readings import SIGNS
from dashboards.components.values import age
from dashboards.town import PRIORITIES, RANK, Town, milliseconds, waits
from dashboards.ui import button, div, hidden, icon, link, span
from dashboards.words import Words
from hypervision.domains import Catalogue
from hypervision.store.screens import AlarmRow, ThingRow


def symbol(priority: str, words: Words, *, state: str = "ACKED", quiet: bool = False) -> Component:
    """Shape, colour and letter of a priority.

    Parameters
    ----------
    state : str
        Of the alarm; what waits for an acknowledgement blinks (slowly, and not where the reader asked for
        reduced motion).
    quiet : bool
        Grey: a count of zero is no alarm.
    """
    cls = f"sym sym-{priority}"
    if quiet:
        cls += " sym-quiet"
    elif waits(state):
        cls += " sym-waiting"
    return span(
        span(words.t(f"letter.{priority}"), cls="sym-letter", aria_hidden="true"),
        hidden(words.t(f"priority.{priority}")),
        cls=cls,
    )


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """An alarm in words."""

    label: str
    code: str
    name: str
    place: str
    value: str
    consequence: str
    action: str
    state: str


def platform_text(words: Words, part: str) -> str:
    """The platform, or a part of it, in the operator's language."""
    whole = words.t("alarm.platform")
    if not part:
        return whole
    # A disk besides that of the data directory bears its folder.
    kind, _, folder = part.partition(" ")
    return f"{whole} · {words.known('part', kind)}{f' {folder}' if folder else ''}"


def describe(alarm: AlarmRow, town: Town, words: Words, catalogue: Catalogue) -> AlarmLine:
    """Put an alarm into words."""
    thing = town.thing_of(alarm)
    return AlarmLine(
        label=words.pick(alarm.label_fr, alarm.label_en),
        code="" if thing is None else thing.code,
        name=platform_text(words, alarm.part) if thing is None else _name(alarm, thing),
        place="" if thing is None else thing.place,
        value=_value(alarm, town, words, catalogue),
        consequence=words.pick(alarm.consequence_fr, alarm.consequence_en),
        action=words.pick(alarm.action_fr, alarm.action_en),
        state=_state(alarm, words),
    )


def _name(alarm: AlarmRow, thing: ThingRow) -> str:
    """Of the group, at the place of its Thing; or of the Thing."""
    return alarm.part if alarm.source_kind == "group" else thing.name or thing.code


def _state(alarm: AlarmRow, words: Words) -> str:
    told = words.t(f"state.{alarm.state}")
    if not alarm.escalated_to or not waits(alarm.state):
        return told
    return words.t("desk.escalated", state=told, role=words.t(f"role.{alarm.escalated_to}"))


def _value(alarm: AlarmRow, town: Town, words: Words, catalogue: Catalogue) -> str:
    prop = catalogue.judged(alarm.domain, alarm.property)
    if alarm.rule_kind == "silence":
        return words.t("alarm.silence")
    if alarm.value is None or prop is None:
        return ""
    if alarm.rule_kind == "state_equals" or prop.states:
        found = next((s for s in prop.states if s.value == alarm.value), None)
        return words.number(alarm.value) if found is None else words.pick(found.fr, found.en)
    stream = None if alarm.datastream_id is None else town.streams.get(alarm.datastream_id)
    unit = prop.unit if stream is None else stream.unit
    text = words.quantity(alarm.value, unit, prop.decimals)
    if alarm.limit is None:
        return text
    limit = words.quantity(alarm.limit, unit, prop.decimals)
    if alarm.rule_kind == "rate_of_change":
        # Both are changes per hour; people think of minutes.
        return " > ".join(f"{words.quantity(each / 60, unit, 2)}/min" for each in (alarm.value, alarm.limit))
    return f"{text} {SIGNS.get(alarm.rule_kind, '/')} {limit}"


def row(alarm: AlarmRow, town: Town, words: Words, catalogue: Catalogue) -> dict[str, object]:
    """An alarm as a row of the list: text already in the operator's language, times in ms."""
    line = describe(alarm, town, words, catalogue)
    domain = catalogue.ruled.get(alarm.domain)
    return {
        "id": str(alarm.alarm_id),
        "priority": alarm.priority,
        "rank": RANK.get(alarm.priority, 9),
        "letter": words.t(f"letter.{alarm.priority}"),
        "priority_label": words.t(f"priority.{alarm.priority}"),
        "state": alarm.state,
        "state_label": line.state,
        "waiting": waits(alarm.state),
        "raised": milliseconds(alarm.raised_at),
        "code": line.code,
        "name": line.name,
        "place": line.place,
        "domain": alarm.domain if domain is None else domain.label(words.language),
        "label": line.label,
        "value": line.value,
        "action": " → ".join(part for part in (line.consequence, line.action) if part),
        "by": alarm.acknowledged_by or "",
    }


def acknowledge_button(alarm: AlarmRow, words: Words, *, allowed: bool, label: str) -> Component:
    """The button that acknowledges one alarm; dead, and saying why, for who may not."""
    text = words.t("action.acknowledge")
    return button(
        icon("check"),
        span(text),
        cls="btn-ack",
        data_ack=str(alarm.alarm_id),
        disabled=None if allowed else True,
        title=None if allowed else words.t("action.not_allowed"),
        aria_label=words.t("action.about", action=text, what=label),
    )


def banner(
    alarm: AlarmRow | None, others: int, town: Town, words: Words, catalogue: Catalogue, *, allowed: bool
) -> Component:
    """The worst alarm nobody has acknowledged yet, on every page."""
    if alarm is None:
        return div(icon("check", "muted"), span(words.t("banner.none"), cls="muted"), cls="banner banner-none")
    line = describe(alarm, town, words, catalogue)
    more = words.n("banner.more", others) if others else ""
    name: Component = span(line.name, cls="strong")
    if line.code:
        name = link(line.name, href=f"/asset/{line.code}", cls="strong")
    return div(
        symbol(alarm.priority, words, state=alarm.state),
        span(line.label, cls="banner-label"),
        name,
        span(line.place, cls="muted banner-place"),
        span(line.value, cls="num"),
        age(alarm.raised_at),
        span(line.state, cls="strong") if alarm.escalated_to else None,
        link(more, href="/alarms", cls="muted banner-more") if more else None,
        acknowledge_button(alarm, words, allowed=allowed, label=f"{line.label}, {line.name}"),
        cls=f"banner banner-{alarm.priority}",
    )


def counters(counted: dict[str, tuple[int, int]], words: Words) -> Component:
    """Open alarms by priority; zero is quiet."""
    return div(
        *[
            link(
                symbol(p, words, quiet=counted[p][0] == 0, state="UNACK" if counted[p][1] else "ACKED"),
                span(str(counted[p][0]), cls="num"),
                href="/alarms",
                cls="counter" + ("" if counted[p][0] else " counter-zero"),
                title=words.n("counter.title", counted[p][0], priority=words.t(f"priority.{p}"), waiting=counted[p][1]),
            )
            for p in PRIORITIES
        ],
        cls="counters",
    )


def hidden_counter(number: int, words: Words) -> Component:
    """How many open alarms are hidden, on every page: one click from where they are told."""
    return link(
        span(words.t("desk.hidden_short"), cls="counter-word"),
        span(words.number(number), cls="num"),
        href="/alarms/hidden",
        cls="counter counter-hidden" + ("" if number else " counter-zero"),
        title=words.n("desk.hidden_count", number),
    )


def short_list(
    alarms: list[AlarmRow],
    town: Town,
    words: Words,
    catalogue: Catalogue,
    *,
    allowed: bool,
    marks: Mapping[int, Component | None] | None = None,
) -> Component:
    """The few worst alarms, each with its action and its button.

    Parameters
    ----------
    marks : mapping, optional
        By alarm, what else is told of it.
    """
    if not alarms:
        return div(icon("check"), span(words.t("alarm.no_waiting")), cls="empty")
    told = marks or {}
    return div(
        *[_short(a, town, words, catalogue, allowed=allowed, mark=told.get(a.alarm_id)) for a in alarms],
        cls="short-list",
    )


def _short(
    alarm: AlarmRow, town: Town, words: Words, catalogue: Catalogue, *, allowed: bool, mark: Component | None
) -> Component:
    line = describe(alarm, town, words, catalogue)
    waiting = waits(alarm.state)
    return div(
        symbol(alarm.priority, words, state=alarm.state),
        div(
            div(
                link(line.name, href=f"/asset/{line.code}", cls="strong")
                if line.code
                else span(line.name, cls="strong"),
                age(alarm.raised_at),
                cls="short-head",
            ),
            div(span(line.label), span(line.value, cls="num muted"), cls="short-what"),
            mark,
            div(line.consequence, cls="short-action") if line.consequence else None,
            div(line.action, cls="short-action muted"),
            cls="short-text",
        ),
        acknowledge_button(alarm, words, allowed=allowed, label=f"{line.label}, {line.name}")
        if waiting
        else span(words.t("alarm.by", name=alarm.acknowledged_by or ""), cls="muted"),
        cls=f"short short-{alarm.priority}" if waiting else "short",
    )
