"""The frame around every page: rail, top bar, banner, status line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dash import dcc
from dash.development.base_component import Component

from dashboards import town as judge
from dashboards.causes import flood
from dashboards.columns import last_of, newest, reporting
from dashboards.components import alarms as parts
from dashboards.components import flood as signs
from dashboards.components import room
from dashboards.components.values import age
from dashboards.hidden import hidden_alarms
from dashboards.kept import kept
from dashboards.ui import Fragments, button, div, drawn, el, hidden, icon, link, span
from dashboards.views import Drawing, Scene, of_view
from dashboards.words import Words
from hypervision.accounts import Account, Action, may


@dataclass(frozen=True, slots=True)
class Entry:
    """A place in the rail, for whom it is there."""

    path: str
    key: str
    icon: str
    action: Action = Action.SEE_SCREENS
    letter: str = ""
    """Leads there after G; empty: no key does."""


RAIL: Final = (
    Entry("/", "overview", "overview", letter="o"),
    Entry("/alarms", "alarms", "bell", letter="a"),
    Entry("/map", "map", "map", letter="m"),
    Entry("/trends", "trends", "chart", Action.SEE_TRENDS, letter="t"),
    Entry("/quality", "quality", "gauge", Action.SEE_ALARM_QUALITY, letter="q"),
    Entry("/rules", "rules", "rules", Action.SEE_RULES, letter="r"),
    Entry("/health", "health", "pulse", Action.SEE_SYSTEM, letter="s"),
    Entry("/administration", "administration", "people", Action.SEE_ACCOUNTS, letter="d"),
    Entry("/audit", "audit", "audit", Action.SEE_AUDIT, letter="u"),
)

SAID: Final = (
    "done", "done_n", "already", "already_by", "not_done", "partly", "forbidden", "missing", "refused", "away",
    "failed", "unsure", "changed",
)  # fmt: skip
"""What `assets/30-actions.js` may say."""
LEAVING: Final = ("title", "text", "retry")
"""What `assets/35-leave.js` shows while a log-out is not confirmed."""
AGAIN: Final = (
    "title", "lead", "user", "password", "code", "button", "other", "leave", "wrong", "second", "wait", "away",
)  # fmt: skip
"""What `assets/36-again.js` shows when a log-in has ended."""


def shell(words: Words, account: Account, *, theme: str, accessibility: str) -> Component:
    """The whole document: what is inside is drawn by language and by path."""
    return div(
        dcc.Location(id="url", refresh="callback-nav"),
        dcc.Store(id="language", data=words.language),
        dcc.Store(id="theme", data=theme),
        div(frame(words, account, accessibility=accessibility), ident="frame"),
        div(ident="toasts", role="status", aria_live="polite"),
        ident="shell",
    )


def frame(words: Words, account: Account, *, accessibility: str) -> Component:
    """Everything but the page itself, in one language.

    Parameters
    ----------
    accessibility : str
        What leads to the declaration of accessibility.
    """
    return div(
        el("A", words.t("frame.skip"), href="#page", cls="skip"),
        _rail(words, account),
        el(
            "Header",
            div(
                drawn("frame-counters"),
                drawn("frame-feed"),
                _clocks(words),
                _who(words, account),
                cls="top-row",
            ),
            drawn("frame-banner", data_held=words.t("banner.held")),
            cls="top",
        ),
        _lost(words),
        span(
            ident="texts",
            hidden=True,
            **{f"data_{key}": words.t(f"action.{key}") for key in SAID},
            **{f"data_leave_{key}": words.t(f"leave.{key}") for key in LEAVING},
            **{f"data_again_{key}": words.t(f"again.{key}") for key in AGAIN},
            data_again_who=account.name,
            data_again_role=str(account.role),
        ),
        el("Main", div(ident="page"), cls="main", tabIndex="-1", id="main"),
        el(
            "Footer",
            drawn("frame-status"),
            # A page of its own, outside of Dash: the link loads it.
            el("A", accessibility, href="/accessibility", cls="status-link"),
            cls="status",
        ),
        *room.dialogs(
            words,
            [
                *[(entry.letter, entry.path, words.t(f"rail.{entry.key}")) for entry in RAIL if entry.letter],
                ("h", "/alarms/hidden", words.t("desk.hidden_title")),
            ],
        ),
        cls="frame",
        data_language=words.language,
    )


def _rail(words: Words, account: Account) -> Component:
    """The places that the account may go to."""
    return el(
        "Nav",
        div(icon("city"), cls="brand", title="Hypervision"),
        *[
            link(icon(e.icon), span(words.t(f"rail.{e.key}")), href=e.path, cls="rail-link")
            for e in RAIL
            if may(account, e.action)
        ],
        cls="rail",
        aria_label=words.t("rail.label"),
    )


def _clocks(words: Words) -> Component:
    return div(
        div(span(cls="clock-local num", data_clock="local"), span(words.t("clock.local"), cls="muted"), cls="clock"),
        div(span(cls="clock-utc num", data_clock="utc"), span("UTC", cls="muted"), cls="clock"),
        cls="clocks",
    )


def _who(words: Words, account: Account) -> Component:
    other = "en" if words.language == "fr" else "fr"
    role = words.t(f"role.{account.role}")
    if not account.scope.is_whole:
        role = f"{role} · {words.t('frame.part')}"
    return div(
        *room.tools(words),
        button(
            icon("theme"),
            hidden(words.t("frame.theme")),
            cls="btn-icon",
            data_theme_switch="1",
            title=words.t("frame.theme"),
        ),
        button(
            span(other.upper(), aria_hidden="true"),
            hidden(words.t("frame.language")),
            cls="btn-icon",
            data_language_switch=other,
            title=words.t("frame.language"),
            lang=other,
        ),
        # A page of its own, outside of Dash: the link loads it.
        el(
            "A",
            span(account.name, cls="strong"),
            span(role, cls="muted"),
            href="/account",
            cls="who",
            title=words.t("account.title"),
        ),
        button(
            icon("logout"),
            hidden(words.t("frame.log_out")),
            cls="btn-icon",
            data_log_out="1",
            title=words.t("frame.log_out"),
        ),
        cls="tools",
    )


def _lost(words: Words) -> Component:
    """The strip that covers the page's top when the screen's data are not alive; shown by `assets/20-live.js`."""
    return div(
        icon("unlink"),
        div(
            *[
                span(words.t(f"lost.{cause}"), cls=f"lost-cause lost-{cause}")
                for cause in ("link", "database", "collector", "none")
            ],
            span(words.t("lost.since")),
            span(cls="age num", ident="lost-age"),
            span(words.t("lost.meaning"), cls="lost-meaning"),
        ),
        cls="lost",
        ident="lost",
        role="alert",
    )


def live(scene: Scene) -> Fragments:
    """The parts of the frame that change; the same on every page, and drawn for all of them once a second."""
    what = ("frame", int(scene.now.timestamp()), scene.operators, *of_view(scene))
    return kept(what, (scene.town,), lambda: _live(scene))


def _live(scene: Scene) -> Fragments:
    town, words = scene.town, scene.words
    shown = town.visible_alarms(scene.scope)
    worst = judge.worst_unacknowledged(shown)
    counted = judge.by_priority(shown)
    waiting = sum(n for _open, n in counted.values())
    told = reporting(town, scene.scope, now=scene.now, periods=scene.periods)
    unseen = parts.hidden_counter(len(hidden_alarms(town, scene.scope)), words)
    sign = signs.sign(flood(town, now=scene.now, operators=scene.operators), words)
    banner = parts.banner(worst, max(waiting - 1, 0), town, words, scene.catalogue, allowed=scene.may_acknowledge)
    return {
        "frame-banner": {"children": banner},
        "frame-counters": {"children": div(parts.counters(counted, words), unseen, sign, cls="counters")},
        "frame-feed": {"children": _feed(scene)},
        "frame-status": {"children": _status(told, scene)},
    }


def _feed(scene: Scene) -> Component:
    """The state of the link; `assets/20-live.js` overrides it when nothing comes at all."""
    words = scene.words
    return div(
        span(cls="feed-dot", aria_hidden="true"),
        span(words.t("feed.live"), cls="feed-text feed-text-live"),
        span(words.t("feed.lost"), cls="feed-text feed-text-lost"),
        span(cls="age num", data_since_message="1"),
        cls="feed",
        title=words.t("feed.title"),
    )


def _status(told: judge.Reporting, scene: Scene) -> Component:
    words = scene.words
    return div(
        span(words.t("status.newest")),
        age(last_of(newest(scene.town, scene.scope).at)),
        span("·", cls="muted"),
        span(words.t("status.reporting", n=words.number(told.reporting), total=words.number(told.expected))),
        cls="status-line",
    )


def page_parts(drawing: Drawing, scene: Scene) -> Drawing:
    """A page's parts with the frame's."""
    return Drawing({**live(scene), **drawing.fragments}, drawing.rows)
