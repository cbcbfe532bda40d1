"""Alarm messages in the installation's language."""

from __future__ import annotations

from typing import Final

from hypervision.domains import ObservedProperty
from hypervision.rules import Rule

# How a UCUM code is written for people where the two differ.
_SHOWN: Final = {
    "m3/h": "m³/h",
    "m3": "m³",
    "Cel": "°C",
    "uS/cm": "µS/cm",
    "{NTU}": "NTU",
    "kW.h": "kWh",
    "deg": "°",
    "{place}": "places",
    "1": "",
}


def unit_text(unit: str) -> str:
    """A UCUM code as people write it.

    Examples
    --------
    >>> unit_text("m3/h")
    'm³/h'
    """
    return _SHOWN.get(unit, unit)


def number_text(value: float, decimals: int, language: str) -> str:
    """A number with a fixed number of decimals.

    Examples
    --------
    >>> number_text(1234.5, 1, "fr")
    '1234,5'
    """
    text = f"{value:.{decimals}f}"
    return text.replace(".", ",") if language == "fr" else text


def value_text(prop: ObservedProperty, value: float, language: str) -> str:
    """A result with its unit, or the label of a state."""
    for state in prop.states:
        if state.value == value:
            return state.fr if language == "fr" else state.en
    unit = unit_text(prop.unit)
    return f"{number_text(value, prop.decimals, language)} {unit}".strip()


def alarm_message(
    rule: Rule, prop: ObservedProperty | None, value: float | None, limit: float | None, language: str
) -> str:
    """What the alarm list says.

    Parameters
    ----------
    value : float or None
        The reading that violated the limit; its change per hour for a rate; for silence the minutes since the last one.
    """
    label = rule.label(language)
    colon = "\u00a0: " if language == "fr" else ": "
    if rule.kind == "silence" and value is not None:
        return f"{label}{colon}{'depuis' if language == 'fr' else 'for'} {number_text(value, 0, language)} min"
    if rule.kind == "talking" and value is not None:
        told = "messages refusés en une minute" if language == "fr" else "messages refused in a minute"
        return f"{label}{colon}{number_text(value, 0, language)} {told}"
    if prop is None or value is None or rule.kind == "state_equals":
        return label
    if rule.formula is not None:
        return f"{label}{colon}{_computed(rule, value, limit, language)}"
    shown = value_text(prop, value, language)
    if rule.kind == "rate_of_change":
        each = [f"{number_text(x / 60, 2, language)} {unit_text(prop.unit)}/min" for x in (value, limit or 0.0)]
        return f"{label}{colon}{each[0]} > {each[1]}"
    if limit is None or rule.kind not in ("high", "low"):
        return f"{label}{colon}{shown}"
    sign = ">" if rule.kind == "high" else "<"
    return f"{label}{colon}{shown} {sign} {value_text(prop, limit, language)}"


def _computed(rule: Rule, value: float, limit: float | None, language: str) -> str:
    """The result of a formula, and its limit, in the unit of the formula."""
    unit = unit_text(str((rule.formula or {}).get("unit", "1")))
    told = [
        f"{float(f'{x:.4g}'):g} {unit}".strip().replace(".", "," if language == "fr" else ".")
        for x in (value, limit)
        if x is not None
    ]
    return f" {'>' if rule.kind == 'high' else '<'} ".join(told)


def stale_message(rule: Rule, minutes: float, language: str) -> str:
    """What the alarm list says of a Thing that is no longer overdue but stale."""
    label = rule.label(language)
    text = number_text(minutes, 0, language)
    if language == "fr":
        return f"{label}\u00a0: valeurs périmées, plus de {text} min sans mesure"
    return f"{label}: stale values, more than {text} min without a reading"
