"""What changes on a page is told as short arrays of elements and links alone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from dash import dcc

from dashboards.control_room import fill
from dashboards.elements import Drawn
from dashboards.town import Town
from dashboards.trees import tree_of
from dashboards.ui import button, div, drawn, el, link, span
from dashboards.views import Drawing, Scene, View
from dashboards.words import Words
from hypervision.domains import load

SCENE = Scene(Town(), Words("en", ZoneInfo("UTC")), load(), datetime(2026, 11, 22, tzinfo=UTC))


def test_tree_keeps_texts_names_and_order() -> None:
    made = div(
        el("Td", "<b>", colSpan=2, aria_hidden=True, cls="x"),
        button("go", data_ack="7", disabled=True, title=None),
        None,
        5,
        link(span("a"), "b", href="/map", cls="underlined"),
        style={"left": "1%"},
    )
    assert tree_of(made) == [
        [
            "div",
            {"style": {"left": "1%"}},
            ["td", {"colspan": "2", "aria-hidden": "true", "class": "x"}, "<b>"],
            ["button", {"type": "button", "data-ack": "7", "disabled": "", "class": "btn"}, "go"],
            "5",
            ["a", {"href": "/map", "class": "underlined", "data-inside": "1"}, ["span", {}, "a"], "b"],
        ]
    ]
    assert tree_of(None) == []


def test_tree_refuses_what_dash_alone_can_draw() -> None:
    with pytest.raises(TypeError, match="Graph is drawn by Dash alone"):
        tree_of(div(dcc.Graph(id="chart")))


def test_page_is_whole_before_the_first_push() -> None:
    page = div(drawn("a", cls="c", data_held="later"), div(ident="b"))
    fill(page, Drawing({"a": {"children": span("x")}, "b": {"className": "loud"}}))
    place, other = page.children
    assert isinstance(place, Drawn)
    assert (place.tree, place.attributes) == ([["span", {}, "x"]], {"data-held": "later"})
    assert other.className == "loud"


def test_part_that_is_the_very_same_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr("dashboards.views.tree_of", lambda node: told.append(node) or tree_of(node))  # type: ignore[func-returns-value]
    same, rows = span("x"), {"7": {"id": "7"}}
    view = View(lambda _scene: Drawing({"a": {"children": same}}, rows))
    view.redraw(SCENE)
    first = view.after(0)
    view.redraw(Scene(Town(), SCENE.words, SCENE.catalogue, datetime(2026, 11, 22, 0, 0, 1, tzinfo=UTC)))
    second = view.after(first["seq"])
    assert (first["set"], second["set"], second["rows"]) == ({"a": {"children": [["span", {}, "x"]]}}, {}, [])
    assert told == [same]
