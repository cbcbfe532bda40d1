"""Elements as short arrays, `[tag, attributes, child, …]`: what the live link sends, and `assets/22-drawn.js` draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dash.development.base_component import Component

# What HTML calls otherwise than Dash does.
_NAMES: Final = {
    "className": "class", "htmlFor": "for", "tabIndex": "tabindex", "colSpan": "colspan", "rowSpan": "rowspan",
}  # fmt: skip
_DRAWN: Final = "dash_html_components"
_LINK: Final = ("dash_core_components", "Link")
Tree = list[Any]
"""Children: texts, and elements as arrays."""


def tree_of(node: object) -> Tree:
    """The children that a node, a list of nodes or nothing makes.

    Parameters
    ----------
    node : component, str, number, list or None
        HTML elements and links within the control room, at any depth.

    Raises
    ------
    TypeError
        Another component is in it: Dash alone can draw that.

    Examples
    --------
    >>> from dashboards.ui import div, link, span
    >>> tree_of(div("5 < 6", span(cls="age"), None, hidden=True))
    [['div', {'hidden': ''}, '5 < 6', ['span', {'class': 'age'}]]]
    >>> tree_of(link("Map", href="/map")) == [["a", {"href": "/map", "data-inside": "1"}, "Map"]]
    True
    """
    found: Tree = []
    _add(node, found)
    return found


def _add(node: object, found: Tree) -> None:
    if node is None:
        return
    if isinstance(node, list | tuple):
        for each in node:
            _add(each, found)
    elif isinstance(node, Component):
        found.append(_element(node))
    else:
        found.append(str(node))


def _element(node: Component) -> Tree:
    kind = (node._namespace, node._type)  # noqa: SLF001 -- by these two Dash itself tells them apart
    if kind != _LINK and kind[0] != _DRAWN:
        raise TypeError(f"{kind[1]} is drawn by Dash alone: put it into the layout, not into a part that is told live")
    made: Tree = ["a" if kind == _LINK else kind[1].lower(), _attributes(vars(node))]
    if kind == _LINK:
        made[1]["data-inside"] = "1"
    _add(getattr(node, "children", None), made)
    return made


def _attributes(given: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in given.items():
        # What Dash notes of a component for itself stands among its properties.
        if value is None or value is False or name == "children" or name.startswith(("_", "available_")):
            continue
        if value is True:
            value = "true" if name.startswith("aria-") else ""  # noqa: PLW2901
        elif name != "style":
            value = str(value)  # noqa: PLW2901
        found[_NAMES.get(name, name)] = value
    return found
