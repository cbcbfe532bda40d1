"""Rejected messages drawn: filters, counts that lead to their messages, the table, and what can be done."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from dash import dcc
from dash.development.base_component import Component

from dashboards.choices import PARTS, SPANS, STATES, Choice, kept
from dashboards.components.tables import table
from dashboards.components.values import age
from dashboards.payloads import readable, visible
from dashboards.ui import Node, button, div, el, hidden, icon, link, span
from dashboards.views import Scene
from dashboards.words import Words
from hypervision.store.rejected import Chosen, Counted, Rejected

# Of a payload a row shows so many characters.
_SHOWN: Final = 180
# The fields that are typed.
_TYPED: Final = ("thing", "topic", "since", "until")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the database said of a choice.

    Attributes
    ----------
    more : bool
        Whether older ones follow.
    waiting : int
        Messages that can be sent through again, all of them if `all_counted`.
    newest : int
        The newest row there was.
    newest_at : datetime or None
        When the newest of any message was received; None: there is none at all.
    """

    read_at: datetime
    rows: Sequence[Rejected]
    more: bool
    reasons: Sequence[Counted]
    things: Sequence[Counted]
    waiting: int
    all_counted: bool
    newest: int
    newest_at: datetime | None
    chosen: Chosen
    may_replay: bool = True


def quarantine(scene: Scene, choice: Choice, found: Found) -> Component:
    """Everything below the head of the page."""
    words = scene.words
    return div(
        div(
            _choices(words, "span", choice, SPANS, is_on=not choice.is_timed),
            _choices(words, "state", choice, STATES),
            _choices(words, "part", choice, PARTS),
            _form(scene, choice),
            cls="rejected-filters",
        ),
        div(
            el(
                "Aside",
                _facet(scene, choice, "reason", found.reasons),
                _facet(scene, choice, "thing", found.things),
                cls="rejected-facets",
            ),
            el(
                "Section",
                _actions(scene, found),
                _remedy(words, choice),
                _table(scene, found.rows, remedies=not choice.reason) if found.rows else _empty(scene, choice, found),
                _pages(words, choice, found),
                cls="panel rejected-list",
            ),
            cls="rejected-columns",
        ),
    )


def _choices(words: Words, name: str, choice: Choice, known: Any, *, is_on: bool = True) -> Component:
    """A choice of one among few, as links: the address keeps it."""
    chosen = getattr(choice, name)
    entries = []
    for value in known:
        here = is_on and value == chosen
        changes = {name: value} | ({"since": "", "until": ""} if name == "span" else {})
        text = words.t(f"rejected.{name}_{value}")
        entries.append(
            link(text, *_mark(words, here), href=choice.href(**changes), cls="choice is-on" if here else "choice")
        )
    return el("Nav", *entries, cls="choices", aria_label=words.t(f"rejected.{name}"))


def _mark(words: Words, here: bool) -> list[Node]:
    return [hidden(f" ({words.t('rejected.chosen')})")] if here else []


def _form(scene: Scene, choice: Choice) -> Component:
    words = scene.words
    fields: list[Node] = [
        div(
            el("Label", words.t(f"rejected.{name}"), htmlFor=f"rejected-{name}"),
            _field(name, getattr(choice, name), words.t("rejected.time_hint") if name in ("since", "until") else ""),
            cls=f"rejected-field rejected-field-{name}",
        )
        for name in _TYPED
    ]
    wrong = choice.wrong(scene.words.zone)
    return div(
        el(
            "Form",
            *fields,
            el("Button", words.t("rejected.apply"), cls="btn", type="submit"),
            link(words.t("rejected.clear"), href="/rejected", cls="btn"),
            cls="rejected-form",
            ident="rejected-form",
            action="/rejected",
            method="get",
            data_kept=json.dumps(kept(choice, _TYPED)),
        ),
        div(words.t("rejected.wrong_time", text=", ".join(wrong)), cls="rejected-wrong", role="alert")
        if wrong
        else None,
    )


def _field(name: str, value: str, hint: str) -> Component:
    made: Component = dcc.Input(
        id=f"rejected-{name}", name=name, type="search", value=value, className="field", placeholder=hint, maxLength=300
    )
    return made


def _facet(scene: Scene, choice: Choice, name: str, counted: Sequence[Counted]) -> Component:
    """Counts that are filters; the chosen one takes itself back."""
    words = scene.words
    chosen = getattr(choice, name)
    most = max((each.count for each in counted), default=1)
    entries = []
    for each in counted:
        here = each.name == chosen
        label = words.known("reason", each.name) if name == "reason" else each.name or words.t("rejected.no_thing")
        inner: list[Node] = [
            # What a replay tells of a reason is said in these words.
            span(
                label, cls="facet-name", **({"data_reason": each.name, "data_word": label} if name == "reason" else {})
            ),
            span(words.number(each.count), cls="num facet-count"),
            span(cls="facet-bar", style={"width": f"{max(100 * each.count / most, 1):.1f}%"}, aria_hidden="true"),
        ]
        if name == "thing" and not each.name:
            entries.append(el("Li", span(*inner, cls="facet facet-still")))
            continue
        target = choice.href(**{name: "" if here else each.name})
        entries.append(el("Li", link(*inner, *_mark(words, here), href=target, cls="facet is-on" if here else "facet")))
    return el(
        "Section",
        div(
            el("H2", words.t(f"rejected.by_{name}")),
            link(words.t("rejected.all_of_them"), href=choice.href(**{name: ""})) if chosen else None,
            cls="panel-head",
        ),
        el("Ul", *entries, cls="facets") if entries else div(words.t("rejected.nothing_counted"), cls="muted note"),
        cls="panel",
    )


def _actions(scene: Scene, found: Found) -> Component:
    words = scene.words
    return div(
        _replay(words, found) if found.may_replay else None,
        span(span(words.t("rejected.read")), age(found.read_at), cls="fresh muted note"),
        el("A", words.t("rejected.csv"), href=f"/api/v1/rejected?{export(found.chosen)}", cls="btn", download="")
        if found.rows
        else None,
        cls="rejected-actions",
    )


def _replay(words: Words, found: Found) -> Component:
    if not found.waiting:
        return span(words.t("rejected.nothing_to_replay"), cls="muted note")
    if found.all_counted:
        text = words.n("rejected.replay", found.waiting)
    else:
        text = words.t("rejected.replay_many", n=words.number(found.waiting))
    return button(
        text,
        cls="btn-strong",
        data_rejected_replay=json.dumps(order(found.chosen) | {"newest": found.newest}),
        data_total=str(found.waiting) if found.all_counted else "",
        data_named=words.n("rejected.named", found.waiting)
        if found.all_counted
        else words.t("rejected.named_many", n=words.number(found.waiting)),
    )


def order(chosen: Chosen) -> dict[str, Any]:
    """The filters as `POST /api/v1/rejected/replay` takes them."""
    values = {
        "reason": chosen.reason, "thing": chosen.thing, "topic": chosen.topic, "partial": chosen.partial,
        "from": chosen.since and chosen.since.isoformat(), "to": chosen.until and chosen.until.isoformat(),
    }  # fmt: skip
    return {name: value for name, value in values.items() if value is not None}


def export(chosen: Chosen) -> str:
    """The filters as the query of `GET /api/v1/rejected`."""
    values = order(chosen) | {"replayed": chosen.replayed, "format": "csv", "limit": 10_000}
    return urlencode({k: str(v).lower() if isinstance(v, bool) else v for k, v in values.items() if v is not None})


def _remedy(words: Words, choice: Choice) -> Component | None:
    """What the chosen reason means and what mends it."""
    text = words.known("remedy", choice.reason)
    if not choice.reason or text == choice.reason:
        return None
    return div(
        span(words.known("reason", choice.reason), cls="strong"),
        span(choice.reason, cls="code muted"),
        el("P", text),
        cls="rejected-remedy",
    )


def _table(scene: Scene, rows: Sequence[Rejected], *, remedies: bool) -> Component:
    words = scene.words
    heads = [words.t(f"rejected.column_{key}") for key in ("time", "source", "reason", "payload", "count")]
    return table(heads, [_row(scene, row, remedies=remedies) for row in rows], numeric=(4,))


def _row(scene: Scene, row: Rejected, *, remedies: bool) -> list[Node]:
    words = scene.words
    state: Node = None
    if row.replayed_at is not None:
        state = div(words.t("rejected.replayed_at", at=words.clock(row.replayed_at)), cls="muted note")
    thing: Node = span(words.t("rejected.no_thing"), cls="muted")
    if row.thing in scene.town.codes:
        thing = link(row.thing, href=f"/asset/{row.thing}", cls="underlined strong")
    elif row.thing:
        thing = span(row.thing, cls="strong")
    remedy = words.known("remedy", row.reason)
    detail, language = words.refusal(visible(row.detail))
    day, time = words.moment(row.received_time)
    return [
        div(
            div(time, cls="num strong"), div(day, cls="num muted note"), age(row.received_time), state, cls="cell-time"
        ),
        div(thing, div(visible(row.topic), cls="code muted"), cls="cell-source"),
        div(
            span(words.known("reason", row.reason), cls="strong"),
            span(f" · {words.t('health.partial')}", cls="muted") if row.partial else None,
            div(remedy, cls="note") if remedies and remedy != row.reason else None,
            div(detail, lang=language, cls="muted note cell-detail"),
            cls="cell-reason",
        ),
        _payload(words, row),
        span(words.number(row.count), cls="num"),
    ]


def _payload(words: Words, row: Rejected) -> Component:
    text, encoding = readable(row.payload, whole=len(row.payload) == row.payload_bytes)
    shown = visible(text)
    cut = len(shown) > _SHOWN or len(row.payload) < row.payload_bytes
    size = words.n("rejected.bytes", row.payload_bytes)
    notes = [size, *([words.t("rejected.hex")] if encoding == "hex" and row.payload else [])]
    return div(
        el("Code", shown[:_SHOWN] + ("…" if cut else ""), cls="code payload"),
        div(
            span(" · ".join(notes), cls="muted note"),
            button(words.t("rejected.copy"), hidden(f" {row.rejected_id}"), cls="btn-small",
                   data_rejected_copy=str(row.rejected_id)) if row.payload else None,
            cls="payload-foot",
        ),
        cls="cell-payload",
    )  # fmt: skip


def _empty(scene: Scene, choice: Choice, found: Found) -> Component:
    """Why there is nothing, since when, and where there is something."""
    words = scene.words
    if found.newest_at is None:
        return div(icon("check"), span(words.t("rejected.never")), cls="empty")
    elsewhere = Choice(span="all", state="all")
    return div(
        div(
            div(words.t("rejected.none_fit")),
            div(words.t("rejected.newest_at", at=" ".join(words.moment(found.newest_at))), cls="note"),
            link(words.t("rejected.show_all"), href=elsewhere.href(), cls="underlined")
            if choice != elsewhere
            else None,
            cls="rejected-none",
        ),
        cls="empty",
    )


def _pages(words: Words, choice: Choice, found: Found) -> Component | None:
    links = []
    if choice.before:
        links.append(link(words.t("rejected.newest"), href=choice.href(), cls="btn"))
    if found.more:
        links.append(
            link(words.t("rejected.older"), href=choice.href(before=str(found.rows[-1].rejected_id)), cls="btn")
        )
    return el("Nav", *links, cls="rejected-pages", aria_label=words.t("rejected.pages")) if links else None
