"""Dash's components with the few types we rely on: the one facade of an untyped corner."""

from __future__ import annotations

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.elements import Choice, Drawn
from dashboards.trees import tree_of

Node = Component | str | int | float | None
Fragments = dict[str, dict[str, Any]]
"""{component id: {property: value}}: what a push sets on a screen."""


def el(
    tag: str, *children: Node, cls: str = "", ident: str = "", style: dict[str, Any] | None = None, **attributes: Any
) -> Component:
    """An HTML element; `data_x` and `aria_x` become `data-x` and `aria-x`.

    Parameters
    ----------
    tag : str
        Name of the class in `dash.html`, for example `Div`.
    """
    props = {
        (k.replace("_", "-") if k.startswith(("data_", "aria_")) else k): v
        for k, v in attributes.items()
        if v is not None
    }
    if cls:
        props["className"] = cls
    if ident:
        props["id"] = ident
    if style:
        props["style"] = style
    inner: Any = None if not children else children[0] if len(children) == 1 else list(children)
    made: Component = getattr(html, tag)(inner, **props)
    return made


def div(*children: Node, **attributes: Any) -> Component:
    """A `div`."""
    return el("Div", *children, **attributes)


def span(*children: Node, **attributes: Any) -> Component:
    """A `span`."""
    return el("Span", *children, **attributes)


def drawn(ident: str, cls: str = "", *, first: Node = None, **attributes: str) -> Component:
    """The place of what changes: drawn by `assets/22-drawn.js`, of elements and links alone.

    Parameters
    ----------
    first : component, optional
        What stands there until something else is told.
    """
    given = {name.replace("_", "-"): value for name, value in attributes.items()}
    return Drawn(id=ident, className=cls, tree=tree_of(first), attributes=given)


def hidden(text: str) -> Component:
    """Text for screen readers alone."""
    return span(text, cls="vh")


def link(*children: Node, href: str, cls: str = "", **attributes: Any) -> Component:
    """A link inside the application: no page load."""
    props = {k.replace("_", "-"): v for k, v in attributes.items() if k.startswith(("data_", "aria_"))}
    rest = {k: v for k, v in attributes.items() if not k.startswith(("data_", "aria_"))}
    if props:
        # dcc.Link takes no data or aria attributes: they stand on an element inside.
        children = (span(*children, **{k: v for k, v in attributes.items() if k not in rest}),)
    made: Component = dcc.Link(list(children), href=href, className=cls or None, **rest)
    return made


def icon(name: str, cls: str = "") -> Component:
    """One of our own icons, in the colour of the text around it."""
    return span(cls=f"icon icon-{name} {cls}".strip(), aria_hidden="true")


def button(*children: Node, cls: str = "", **attributes: Any) -> Component:
    """A plain button; what it does is told by its data attributes to `assets/30-actions.js`."""
    return el("Button", *children, cls=f"btn {cls}".strip(), type="button", **attributes)


def segmented(ident: str, options: list[tuple[str, str]], value: str, label: str) -> Component:
    """A choice of one among few."""
    told = [{"value": key, "label": text} for key, text in options]
    return Choice(id=ident, options=told, value=value, label=label)
