"""The form in which a change of a rule is written; `assets/46-rules.js` sends it and shows what is wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from dash import dcc
from dash.development.base_component import Component

from dashboards.components.rule_texts import unit_of
from dashboards.ui import Node, button, div, el, segmented, span
from dashboards.views import Scene
from hypervision.domains.catalogue import PRIORITIES
from hypervision.store.rulebook import Proposal, Standing

SAID: Final = (
    "proposed", "draft", "approve", "refuse", "withdraw", "rollback", "failed", "log_in", "away", "wrong_line",
    "wrong_json", "wrong_number", "wrong_time", "forbidden",
)  # fmt: skip
"""What `assets/46-rules.js` may say."""
NUMBERS: Final = ("limit", "deadband", "on_delay", "off_delay")
TEXTS: Final = ("fr", "en", "action_fr", "action_en", "consequence_fr", "consequence_en")
PAUSES: Final = ("realarm_after", "escalate_after")
LINES: Final = ("things", "classes")
JSON: Final = ("schedule", "formula", "suppressed_by")
NEW: Final = ("code", "domain", "property", "kind")


def form(scene: Scene, rule: Standing | None, document: Mapping[str, Any], draft: Proposal | None) -> Component:
    """The form with what stands now, or the reader's draft.

    Parameters
    ----------
    rule : Standing or None
        None: a new one.
    """
    words = scene.words
    code = "" if rule is None else rule.code
    fields: list[Node] = []
    if rule is None:
        fields += [_text(scene, name, str(document.get(name) or "")) for name in NEW]
    fields += [_number(scene, name, document) for name in NUMBERS]
    fields.append(_choice(scene, "priority", [(p, words.t(f"priority.{p}")) for p in PRIORITIES], document["priority"]))
    on = [("true", words.t("rules.on")), ("false", words.t("rules.off"))]
    fields.append(_choice(scene, "enabled", on, "true" if document["enabled"] else "false"))
    more: list[Node] = [_text(scene, name, str(document.get(name) or "")) for name in TEXTS]
    more += [_number(scene, name, document) for name in PAUSES]
    ends = [("false", words.t("rules.ends_itself")), ("true", words.t("rules.ends_latched"))]
    more.append(_choice(scene, "latched", ends, "true" if document.get("latched") else "false"))
    more += [_lines(scene, name, _lines_of(document.get(name) or {})) for name in LINES]
    more += [_lines(scene, name, _json_of(document.get(name)), mono=True) for name in JSON]
    return el(
        "Form",
        div(*fields, cls="rules-grid"),
        el(
            "Details",
            el("Summary", words.t("rules.more")),
            div(*more, cls="rules-grid"),
            open=True if rule is None else None,
        ),
        div(
            _text(scene, "reason", "" if draft is None else draft.reason),
            _text(scene, "effective_from", "", hint=words.t("rules.time_hint")),
            cls="rules-grid",
        ),
        div(cls="rules-wrong", ident="rules-form-wrong", role="alert"),
        div(
            el("Button", words.t("rules.send"), cls="btn btn-strong", type="submit"),
            button(words.t("rules.keep_draft"), data_rules_draft="1"),
            cls="rules-actions",
        ),
        ident="rules-form",
        cls="rules-form",
        data_code=code,
        data_base=str(0 if rule is None else rule.version),
    )


def _field(scene: Scene, name: str, inner: Component, *, cls: str = "", note: str = "") -> Component:
    words = scene.words
    return div(
        el("Label", words.t(f"rules.field_{name}"), htmlFor=f"rules-{name}"),
        inner,
        span(note, cls="muted note") if note else None,
        el("P", cls="rules-wrong", ident=f"rules-{name}-wrong", role="alert"),
        cls=f"rules-field {cls}".strip(),
    )


def _number(scene: Scene, name: str, document: Mapping[str, Any]) -> Component:
    value = document.get(name)
    typed: Component = dcc.Input(
        id=f"rules-{name}", name=name, type="text", inputMode="numeric", className="field", maxLength=40,
        value="" if value is None else f"{value:.12g}",
    )  # fmt: skip
    unit = unit_of(scene, document) if name in ("limit", "deadband") else scene.words.t("rules.unit_seconds")
    return _field(scene, name, typed, note=unit)


def _text(scene: Scene, name: str, value: str, *, hint: str = "") -> Component:
    typed: Component = dcc.Input(
        id=f"rules-{name}", name=name, type="text", className="field", maxLength=1000, value=value, placeholder=hint
    )
    return _field(scene, name, typed, cls="rules-wide" if name in (*TEXTS, "reason") else "")


def _lines(scene: Scene, name: str, value: str, *, mono: bool = False) -> Component:
    words = scene.words
    typed: Component = dcc.Textarea(
        id=f"rules-{name}", name=name, value=value, rows=4, className="rules-lines mono" if mono else "rules-lines"
    )
    return _field(scene, name, typed, cls="rules-wide", note=words.t("rules.json_hint" if mono else "rules.lines_hint"))


def _choice(scene: Scene, name: str, options: list[tuple[str, str]], value: str) -> Component:
    label = scene.words.t(f"rules.field_{name}")
    return div(
        span(label, cls="rules-label"),
        div(segmented(f"rules-{name}", options, value, label), ident=f"rules-{name}-box"),
        el("P", cls="rules-wrong", ident=f"rules-{name}-wrong", role="alert"),
        cls="rules-field",
    )


def _lines_of(given: Mapping[str, Any]) -> str:
    r"""What Things or classes have otherwise, one a line: `p1 = 2.5 / 0.3`, `p2 = off`.

    Examples
    --------
    >>> _lines_of({"p1": {"limit": 2.5, "deadband": 0.3}, "p2": {"enabled": False}, "p3": {"deadband": 1}})
    'p1 = 2.5 / 0.3\np2 = off\np3 = / 1'
    """
    lines = []
    for name, own in given.items():
        if own.get("enabled") is False:
            lines.append(f"{name} = off")
            continue
        limit = "" if own.get("limit") is None else f"{own['limit']:.12g}"
        deadband = "" if own.get("deadband") is None else f" / {own['deadband']:.12g}"
        lines.append(f"{name} = {f'{limit}{deadband}'.strip()}")
    return "\n".join(lines)


def _json_of(given: Any) -> str:
    return json.dumps(given, indent=1, ensure_ascii=False) if given else ""
