"""A plain table."""

from __future__ import annotations

from collections.abc import Container, Sequence

from dash.development.base_component import Component

from dashboards.ui import Node, div, el


def table(heads: Sequence[str], rows: Sequence[Sequence[Node]], *, numeric: Container[int] = ()) -> Component:
    """A table with a head; empty heads make a list of facts.

    Parameters
    ----------
    numeric : container of int
        Columns set to the right.
    """
    top = el(
        "Thead",
        el("Tr", *[el("Th", text, cls="right" if i in numeric else "", scope="col") for i, text in enumerate(heads)]),
    )
    body = el(
        "Tbody",
        *[
            el(
                "Tr",
                *[
                    # On a phone the cells stand below each other, each beside the name of its column.
                    el("Td", cell, cls="right" if i in numeric else "", data_label=head or None)
                    for i, (head, cell) in enumerate(zip(heads, row, strict=True))
                ],
            )
            for row in rows
        ],
    )
    shown = [top, body] if any(heads) else [body]
    return div(el("Table", *shown, cls="table"), cls="table-place", tabIndex="0")
