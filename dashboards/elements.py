"""Elements of our own that Dash draws as it draws its own; `assets/24-elements.js` says how."""

from __future__ import annotations

from typing import Any

from dash.development.base_component import Component


class _Own(Component):
    """What Dash must know of an element besides its properties."""

    _namespace = "hypervision_elements"
    PROPERTIES: tuple[str, ...] = ()

    def __init__(self, **properties: Any) -> None:
        self._prop_names = self.available_properties = list(self.PROPERTIES)
        self._valid_wildcard_attributes = self.available_wildcard_properties = list[str]()
        super().__init__(**properties)  # type: ignore[no-untyped-call]


class Choice(_Own):
    """One of a few, as radio buttons side by side.

    Attributes
    ----------
    options : list of dict
        Each with `value` and `label`.
    value : str
        The chosen one; callbacks may listen to it.
    label : str
        The name of the whole.
    """

    _type = "Choice"
    PROPERTIES = ("id", "options", "value", "label")


class Drawn(_Own):
    """The place of what changes: drawn by `assets/22-drawn.js`, of elements and links alone.

    Attributes
    ----------
    tree : list
        As `dashboards.trees` has it: what stands there from the beginning.
    attributes : dict
        Of the place itself.
    """

    _type = "Drawn"
    PROPERTIES = ("id", "className", "tree", "attributes")
    tree: list[Any]
    attributes: dict[str, str]


class AlarmList(_Own):
    """The table of alarms.

    Attributes
    ----------
    columns : list of dict
        Each with `id`, `label`, and a `width` [px] or, of what is left, a share `grow` and the `least` [px]; the one
        that is `brief` stands for all others where they have no room.
    rows : list of dict
        As they are now; later ones come by the live link.
    texts : dict
        `label` of the table, `none` where it is empty, `select` with `{name}`.
    """

    _type = "AlarmList"
    PROPERTIES = ("id", "columns", "rows", "texts")
