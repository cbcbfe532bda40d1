"""The colours that plotly must be told, as `assets/10-theme.css` has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

COLOURS: Final[Mapping[str, Mapping[str, str]]] = {
    "dark": {
        "panel": "#1b2024", "line": "#2e363c", "edge": "#6b7780", "text": "#dce1e5", "strong": "#f2f5f7",
        "muted": "#a2adb6", "ink": "#b4bfc8", "letter": "#14181b",
        "critical": "#ff5c52", "high": "#ff9a3c", "medium": "#f2cf3a", "low": "#56c8e8",
        "water": "#2b4250", "park": "#25332b", "street": "#4c5760", "pipe": "#456577", "district": "#56616a",
        "bg": "#14181b",
    },
    "light": {
        "panel": "#fafbfb", "line": "#d0d6da", "edge": "#7a868f", "text": "#22292f", "strong": "#0d1215",
        "muted": "#515c65", "ink": "#4a555e", "letter": "#ffffff",
        "critical": "#c8201a", "high": "#b85400", "medium": "#806300", "low": "#05708f",
        "water": "#bfd3de", "park": "#d3e0d3", "street": "#b5bfc5", "pipe": "#7fa3b6", "district": "#98a3ab",
        "bg": "#e8ebed",
    },
}  # fmt: skip


def colours(theme: str) -> Mapping[str, str]:
    """The colours of a theme; dark for any other word."""
    return COLOURS.get(theme, COLOURS["dark"])
