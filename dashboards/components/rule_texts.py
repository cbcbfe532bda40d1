"""What a rule says, in words: its limit, its delays, what differs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from dashboards.views import Scene
from dashboards.words import Words
from hypervision.domains import ObservedProperty
from hypervision.formulas import told
from hypervision.ruling import FIELDS

_SIGNS: Final = {"high": ">", "low": "<", "rate_of_change": "±", "state_equals": "="}


def exact(words: Words, value: float) -> str:
    """A number with the decimals that it has, six at most."""
    decimals = len(f"{value:.6f}".rstrip("0").partition(".")[2])
    return words.number(value, decimals)


def property_of(scene: Scene, document: Mapping[str, Any]) -> ObservedProperty | None:
    """What the rule is about."""
    return scene.catalogue.judged(document["domain"], document.get("property"))


def unit_of(scene: Scene, document: Mapping[str, Any]) -> str:
    """The unit of its limit, as people write it."""
    words, prop, formula = scene.words, property_of(scene, document), document.get("formula")
    if document["kind"] == "silence":
        return words.t("rules.unit_periods")
    if document["kind"] == "talking":
        return words.t("rules.unit_messages")
    if isinstance(formula, Mapping):
        return words.unit(str(formula.get("unit", "")))
    unit = "" if prop is None else words.unit(prop.unit)
    return f"{unit}/h" if document["kind"] == "rate_of_change" else unit


def limit_text(scene: Scene, document: Mapping[str, Any]) -> str:
    """The limit of a rule with what it is of."""
    words, prop, kind = scene.words, property_of(scene, document), document["kind"]
    formula = document.get("formula")
    if kind in ("silence", "talking"):
        return f"{words.t(f'rules.kind_{kind}')} {_quantity(scene, document, document['limit'])}"
    named = document.get("property") or ""
    if isinstance(formula, Mapping):
        named = told(formula.get("expression"))
    elif prop is not None:
        named = prop.label(words.language)
    return f"{named} {_SIGNS.get(kind, kind)} {_quantity(scene, document, document['limit'])}"


def _quantity(scene: Scene, document: Mapping[str, Any], value: float) -> str:
    prop = property_of(scene, document)
    if document["kind"] == "state_equals" and prop is not None:
        for state in prop.states:
            if state.value == value:
                return scene.words.pick(state.fr, state.en)
    unit = unit_of(scene, document)
    return exact(scene.words, value) + (f"\u00a0{unit}" if unit else "")


def delay_text(scene: Scene, document: Mapping[str, Any]) -> str:
    """How long a violation and its end must last, and how far inside the alarm returns."""
    words = scene.words
    parts = [words.t("rules.delay_on", s=exact(words, document["on_delay"]))]
    parts.append(words.t("rules.delay_off", s=exact(words, document["off_delay"])))
    if document["deadband"]:
        parts.append(words.t("rules.deadband", x=_quantity(scene, document, document["deadband"])))
    return " · ".join(parts)


def otherwise_text(scene: Scene, document: Mapping[str, Any]) -> str:
    """How much of it is otherwise for Things, classes and hours."""
    words = scene.words
    parts = []
    if document["things"]:
        parts.append(words.n("rules.has_things", len(document["things"])))
    if document["classes"]:
        parts.append(words.n("rules.has_classes", len(document["classes"])))
    if document["schedule"]:
        parts.append(words.n("rules.has_windows", len(document["schedule"])))
    return ", ".join(parts)


def field_text(scene: Scene, field: str) -> str:
    """The name of a field, with the Thing or the class that it is of."""
    name, _, of = field.partition(".")
    text = scene.words.t(f"rules.field_{name}") if name in FIELDS else name
    return f"{text} {of}".strip()


def change_text(scene: Scene, document: Mapping[str, Any], field: str, value: Any) -> str:
    """One side of a difference."""
    words = scene.words
    if value is None or value in ([], {}):
        return "—"
    if field in ("limit", "deadband") and isinstance(value, int | float):
        return _quantity(scene, document, value)
    if field in ("on_delay", "off_delay", "realarm_after", "escalate_after") and isinstance(value, int | float):
        return words.t("rules.seconds", s=exact(words, value))
    if field == "latched":
        return words.t("rules.ends_latched" if value else "rules.ends_itself")
    if field == "enabled":
        return words.t("rules.on") if value else words.t("rules.off")
    if field == "priority" and value in ("critical", "high", "medium", "low"):
        return words.t(f"priority.{value}")
    if field == "formula" and isinstance(value, Mapping):
        return f"{told(value.get('expression'))} [{value.get('unit', '')}]"
    if isinstance(value, Mapping):
        return ", ".join(_own_text(scene, document, name, each) for name, each in value.items())
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)


def _own_text(scene: Scene, document: Mapping[str, Any], name: str, value: Any) -> str:
    text = change_text(scene, document, name, value)
    return text if name == "limit" else f"{field_text(scene, name)} {text}"
