"""What the pages of the alarm desk share: their tabs, why an alarm is hidden, when it comes back, the dialogs."""

from __future__ import annotations

import json
from typing import Final

from dash import dcc
from dash.development.base_component import Component

from dashboards.hidden import hidden_alarms, placed
from dashboards.ui import Node, button, div, el, link, span
from dashboards.views import Scene
from dashboards.words import Words
from hypervision.store.screens import AlarmRow

TABS: Final = (("active", "/alarms"), ("hidden", "/alarms/hidden"), ("service", "/alarms/service"))
SAID: Final = (
    "shelved_n", "shelved_n_one", "shelved_before", "taken_off", "not_shelved", "failed", "placed", "ended",
    "ended_before", "reason_missing", "logged_out", "unsure", "time_wrong",
)  # fmt: skip
"""What `assets/46-desk.js` says, each with its values in braces."""
HOURS: Final = (0.25, 1, 4, 8, 12)
WINDOWS: Final = (1, 2, 4, 8, 24, 72, 168)


def tabs(scene: Scene, here: str) -> Component:
    """The three lists of alarms, each with its number: what is hidden is one click away, and counted."""
    words = scene.words
    numbers = {
        "active": len(scene.town.visible_alarms(scene.scope)),
        "hidden": len(hidden_alarms(scene.town, scene.scope)),
        "service": len(placed(scene.town)),
    }
    return el(
        "Nav",
        *[
            link(
                span(words.t(f"desk.tab_{name}")),
                span(words.number(numbers[name]), cls="num choice-count"),
                href=path,
                cls="choice is-on" if name == here else "choice",
            )
            for name, path in TABS
        ],
        cls="choices",
        aria_label=words.t("desk.tabs"),
    )


def said(words: Words) -> Component:
    """The texts of the page's script, and the place where it says what became of an action."""
    return div(
        ident="desk-said",
        cls="desk-said",
        role="status",
        aria_live="polite",
        **{f"data_{key}": words.t(f"desk.{key}") for key in SAID},
    )


def why(alarm: AlarmRow, words: Words) -> str:
    """What hides an alarm, by whom, and the reason."""
    kind = words.t(f"desk.{alarm.suppression}")
    if not alarm.hidden_by:
        return kind
    return words.t("desk.why", kind=kind, by=alarm.hidden_by, reason=alarm.hidden_reason or "")


def comes_back(alarm: AlarmRow, words: Words) -> str:
    """When a hidden alarm is shown again."""
    if alarm.suppression == "by_design":
        return words.t("desk.back_cause")
    if alarm.hidden_until is None:
        return words.t("desk.back_person")
    return words.t("desk.back_once" if alarm.once else "desk.back_at", at=words.clock(alarm.hidden_until))


def shelve_dialog(scene: Scene) -> Component:
    """Why, and for how long; times that the priorities of the chosen alarms forbid are left out by the script."""
    words = scene.words
    return el(
        "Dialog",
        el(
            "H2",
            ident="shelve-question",
            data_template=words.t("desk.shelve_n"),
            data_template_one=words.t("desk.shelve_n_one"),
        ),
        el("P", words.t("desk.shelve_text")),
        el("Label", words.t("desk.for"), htmlFor="shelve-for"),
        el(
            "Select",
            *[el("Option", hours(value, words), value=str(int(value * 3600))) for value in HOURS],
            el("Option", words.t("desk.once"), value="once"),
            ident="shelve-for",
            cls="select",
        ),
        el("Label", words.t("desk.reason"), htmlFor="shelve-reason"),
        text_field("shelve-reason", words.t("desk.reason_hint")),
        el("P", ident="shelve-error", cls="desk-bad", role="alert"),
        answers(words, cancel={"data_shelve_cancel": "1"}, go={"data_shelve_go": "1"}, text=words.t("desk.shelve")),
        ident="shelve-dialog",
        cls="dialog",
        aria_labelledby="shelve-question",
        data_limits=json.dumps(dict(scene.shelf_limits)),
    )


def acknowledge_dialog(words: Words) -> Component:
    """Several at once cannot be undone: how many, of which priorities, and yes or no."""
    return el(
        "Dialog",
        el(
            "H2",
            ident="ack-question",
            data_template=words.t("desk.acknowledge_n"),
            data_template_one=words.t("desk.acknowledge_n_one"),
        ),
        el("P", ident="ack-summary", cls="num"),
        el("P", words.t("desk.acknowledge_text"), cls="muted"),
        answers(words, cancel={"data_ack_cancel": "1"}, go={"data_ack_go": "1"}, text=words.t("action.acknowledge")),
        ident="ack-dialog",
        cls="dialog",
        aria_labelledby="ack-question",
    )


def answers(words: Words, *, cancel: dict[str, str], go: dict[str, str], text: str) -> Component:
    """The two buttons of a dialog."""
    return div(
        button(words.t("desk.cancel"), **cancel),
        button(text, cls="btn-strong", **go),
        cls="rejected-answers",
    )


def hours(value: float, words: Words) -> str:
    """A time that can be chosen."""
    return words.t("desk.minutes", n=words.number(value * 60)) if value < 1 else words.n("desk.hours", int(value))


def text_field(ident: str, hint: str, *, longest: int = 1_000) -> Component:
    """A line of text that the page's script reads."""
    made: Component = dcc.Input(id=ident, type="text", placeholder=hint, className="field", maxLength=longest)
    return made


def labelled(label: str, ident: str, field: Node, *, wide: bool = False) -> Component:
    """A field under its name."""
    cls = "rejected-field rejected-field-topic" if wide else "rejected-field"
    return div(el("Label", label, htmlFor=ident), field, cls=cls)
