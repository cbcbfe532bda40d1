"""The system page: is the platform itself well?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from dash.development.base_component import Component

from dashboards import health
from dashboards import town as judge
from dashboards.components.tables import table
from dashboards.components.values import age
from dashboards.payloads import visible
from dashboards.town import NO_TIME
from dashboards.ui import Node, div, drawn, el, icon, link, span
from dashboards.views import Drawing, Scene
from hypervision.flowing import Held
from hypervision.store.screens import NewGapRow, RejectedRow
from hypervision.topics import thing_of

_OUTCOMES = ("received", "stored", "duplicate", "rejected", "in_flight")
# What is no writer's name has a name in the operator's language.
_PARTS = {
    "database": "health.database",
    "collectors": "health.collectors",
    "broker": "health.broker",
    "timers": "health.timers",
}


def layout(scene: Scene) -> Component:
    """The page; everything on it is live."""
    words = scene.words
    return div(
        el("H1", words.t("rail.health"), cls="vh"),
        _panel("health-parts", words.t("health.parts")),
        _panel("health-messages", words.t("health.messages"), words.t("health.identity")),
        _panel(
            "health-rejected",
            words.t("health.rejected_list"),
            "" if scene.may_see_rejected else words.t("health.rejected_newest"),
            more=link(words.t("health.rejected_all"), href="/rejected") if scene.may_see_rejected else None,
            wide=True,
        ),
        _panel("health-gaps", words.t("gap.title"), wide=True),
        _panel("health-refusals", words.t("health.refusals")),
        _panel("health-server", words.t("health.database")),
        cls="health",
    )


def _panel(ident: str, title: str, note: str = "", *, more: Node = None, wide: bool = False) -> Component:
    return el(
        "Section",
        div(el("H2", title), span(note, cls="muted note") if note else None, more, cls="panel-head"),
        drawn(ident),
        cls="panel" + (" panel-wide" if wide else ""),
    )


def draw(scene: Scene, _path: str) -> Drawing:
    """The live parts; what counts everybody's messages is not for the account of a part of the town."""
    if scene.scope.is_whole:
        of_all = [_messages(scene), _refusals(scene), _server(scene)]
    else:
        of_all = [div(scene.words.t("health.of_all"), cls="empty") for _ in range(3)]
    return Drawing(
        {
            "health-parts": {"children": _parts(scene)},
            "health-messages": {"children": of_all[0]},
            "health-rejected": {"children": _rejected(scene, scene.town.rejected)},
            "health-gaps": {"children": _gaps(scene)},
            "health-refusals": {"children": of_all[1]},
            "health-server": {"children": of_all[2]},
        }
    )


def _parts(scene: Scene) -> Component:
    words, town = scene.words, scene.town
    beats = {w.name: w.beat_at for w in town.writers}
    rows: list[list[Node]] = []
    for part in health.parts(town, now=scene.now):
        state = "working" if part.working else "failing" if part.needed else "gone"
        at = beats.get(part.name)
        if part.name == "database" and town.proved_at != NO_TIME:
            at = town.proved_at
        rows.append(
            [
                span(words.t(_PARTS[part.name]) if part.name in _PARTS else part.name, cls="strong"),
                span(
                    icon("check" if part.working else "unlink"),
                    span(words.t(f"health.{state}")),
                    cls=f"part part-{state}",
                ),
                age(at),
                span(_detail(part, scene), cls="muted"),
            ]
        )
    heads = [words.t(f"health.{key}") for key in ("part", "state", "beat", "link")]
    return table(heads, rows)


def _detail(part: health.Part, scene: Scene) -> str:
    """What a part says of itself, in the operator's language."""
    words, town = scene.words, scene.town
    if part.name == "database":
        return words.t("health.away") if town.failure else ""
    stuck = {w.name: held for w in town.writers if (held := judge.stuck(town, w, now=scene.now)) is not None}
    if part.name == "collectors":
        names = ", ".join(sorted(stuck))
        return words.t("health.collectors_stuck", names=names) if names else words.t("health.no_collector")
    if part.name == "broker":
        silent = [w for w in town.writers if w.link not in (None, "", "connected")]
        return "; ".join(
            words.t("health.broker_at", name=w.name, link=words.known("health", w.link or "")) for w in silent
        )
    if part.name == "timers":
        holds = next(h for w in town.writers if w.name == health.TIMERS and (h := Held.of(w.detail)) is not None)
        names = ", ".join(holds.names) or words.t("health.no_collector")
        return words.t("health.timers_held", minutes=words.number(round(holds.seconds / 60)), names=names)
    writer = next((w for w in town.writers if w.name == part.name), None)
    if writer is None or part.name in {gone.writer for gone in judge.in_service(town, now=scene.now).untaken}:
        return words.t("health.no_partition")
    if part.name in stuck and not town.whole:
        # How many messages it holds is of everybody.
        return ""
    if part.name in stuck:
        seconds = words.number(stuck[part.name])
        return words.t("health.stuck", n=words.number(writer.in_flight or 0), seconds=seconds)
    return words.known("health", writer.link or "")


def _messages(scene: Scene) -> Component:
    words = scene.words
    rows: list[list[Node]] = []
    for writer in scene.town.writers:
        if writer.received is not None:
            counted = [span(words.number(getattr(writer, name)), cls="num") for name in _OUTCOMES]
            rows.append([span(writer.name, cls="strong"), *counted, age(writer.beat_at)])
    total = health.messages(scene.town)
    rows.append(
        [
            span(words.t("health.sum"), cls="strong"),
            *[_total(scene, name, total[name]) for name in _OUTCOMES],
            age(max((w.beat_at for w in scene.town.writers if w.beat_at is not None), default=None)),
        ]
    )
    heads = [words.t("health.writer"), *[words.t(f"health.{name}") for name in (*_OUTCOMES, "beat")]]
    return table(heads, rows, numeric=range(1, 7))


def _total(scene: Scene, name: str, n: int) -> Component:
    text = scene.words.number(n)
    if name == "rejected" and scene.may_see_rejected:
        return link(text, href="/rejected?span=all&state=all", cls="num strong underlined")
    return span(text, cls="num strong")


def _rejected(scene: Scene, newest: Sequence[RejectedRow]) -> Component:
    """What was rejected last, to who may see it; to everybody else how much of it for which reason."""
    own = {t.code for t in scene.town.visible_things(scene.scope)}
    known = [row for row in newest if scene.scope.is_whole or thing_of(row.topic) in own]
    if not known:
        return div(scene.words.t("health.no_rejected"), cls="empty")
    return _rejected_rows(scene, known) if scene.may_see_rejected else _rejected_counts(scene, known)


def _rejected_rows(scene: Scene, rejected: Sequence[RejectedRow]) -> Component:
    words = scene.words
    rows: list[list[Node]] = []
    for row in rejected:
        partly = f" ({words.t('health.partial')})" if row.partial else ""
        detail, language = words.refusal(visible(row.detail))
        rows.append(
            [
                age(row.received_time),
                span(row.topic, cls="code"),
                _reason(scene, row.reason, partly),
                span(detail, lang=language),
                span(row.excerpt[:120], cls="code muted"),
                span(words.number(row.count), cls="num"),
            ]
        )
    heads = [words.t(f"health.{key}") for key in ("time", "topic", "reason", "detail", "payload", "count")]
    return table(heads, rows, numeric=(5,))


def _rejected_counts(scene: Scene, rejected: Sequence[RejectedRow]) -> Component:
    counted: Counter[str] = Counter()
    newest: dict[str, datetime] = {}
    for row in rejected:
        counted[row.reason] += row.count
        newest[row.reason] = max(row.received_time, newest.get(row.reason, NO_TIME))
    rows: list[list[Node]] = [
        [age(newest[reason]), _reason(scene, reason), span(scene.words.number(n), cls="num")]
        for reason, n in sorted(counted.items(), key=lambda each: (-each[1], each[0]))
    ]
    return table([scene.words.t(f"health.{key}") for key in ("time", "reason", "count")], rows, numeric=(2,))


def _reason(scene: Scene, reason: str, more: str = "") -> Component:
    return div(span(f"{scene.words.known('reason', reason)}{more}", cls="strong"), div(reason, cls="code muted"))


def _gaps(scene: Scene) -> Component:
    """What is missing since yesterday: the platform's own outages stand among the others."""
    words = scene.words
    rows: list[list[Node]] = [
        [
            span(words.t(f"gap.{gap.cause}"), cls="strong"),
            link(gap.thing, href=f"/asset/{gap.thing}", cls="underlined") if gap.thing else "—",
            _property(scene, gap),
            span(words.clock(gap.began), cls="num"),
            span(words.clock(gap.ended), cls="num"),
            span("—" if gap.missing is None else words.number(gap.missing), cls="num"),
        ]
        for gap in scene.town.gaps
    ]
    if not rows:
        return div(words.t("gap.none"), cls="empty")
    heads = [words.t(f"gap.{key}") for key in ("what", "asset", "property", "from", "to", "missing")]
    return table(heads, rows, numeric=(5,))


def _property(scene: Scene, gap: NewGapRow) -> str:
    prop = scene.catalogue.find(gap.domain or "", gap.property or "")
    return gap.property or "—" if prop is None else scene.words.pick(prop.fr, prop.en)


def _refusals(scene: Scene) -> Component:
    """What the broker would not take, as the collectors read it from its log."""
    words = scene.words
    rows: list[list[Node]] = [
        [
            span(writer.name, cls="strong"),
            div(span(words.known("refusal", reason)), div(reason, cls="code muted")),
            span(words.number(count), cls="num"),
        ]
        for writer in scene.town.writers
        for reason, count in refusals_of(writer.detail)
    ]
    if not rows:
        return div(words.t("health.no_refusals"), cls="empty")
    return table([words.t(f"health.{key}") for key in ("writer", "reason", "count")], rows, numeric=(2,))


def refusals_of(detail: dict[str, object] | None) -> list[tuple[str, int]]:
    """The broker's refusals in a writer's detail: `{"broker_refused": {reason: count}}`.

    Examples
    --------
    >>> refusals_of({"broker_refused": {"payload too large": 2}})
    [('payload too large', 2)]
    """
    found = (detail or {}).get("broker_refused")
    if not isinstance(found, dict):
        return []
    return [(str(reason), int(n)) for reason, n in found.items() if isinstance(n, int) and n > 0]


def _server(scene: Scene) -> Component:
    words, town = scene.words, scene.town
    facts: list[list[Node]] = []
    if town.engine is not None:
        version, size, connections, engine = town.engine
        facts.append([words.t("health.engine"), span(f"{engine or 'PostgreSQL'} · {version}", cls="strong")])
        facts.append([words.t("health.size"), words.quantity(size / 1e6, words.t("unit.megabytes"), 1)])
        facts.append([words.t("health.connections"), words.number(connections)])
        # The reader looks at these every few seconds, and at the database every second.
        facts.append([words.t("health.read"), age(None if town.proved_at == NO_TIME else town.proved_at)])
    facts.append([words.t("health.things"), words.number(len(town.things))])
    facts.append([words.t("health.datastreams"), words.number(len(town.streams))])
    if town.failure:
        facts.append([words.t("health.state"), words.t("health.away")])
    return table(["", ""], facts)
