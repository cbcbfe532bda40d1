"""What every page has besides its content: search, saved views, keys, sound; drawn by `assets/6*.js` in these words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from dash.development.base_component import Component

from dashboards.components.tables import table
from dashboards.town import PRIORITIES
from dashboards.ui import Node, button, div, el, hidden, icon, span
from dashboards.words import Words

KINDS: Final = ("page", "domain", "place", "alarm", "rule", "thing", "datastream")
SEARCHED: Final = ("found", "found_one", "more", "nothing", "failed", *(f"kind_{kind}" for kind in KINDS))
"""What `assets/62-search.js` says."""
VIEWED: Final = (
    "name", "shared", "keep", "kept", "mine", "of_others", "no_views", "forget", "forgotten", "by", "refused", "failed",
)  # fmt: skip
"""What `assets/64-views.js` says."""
HEARD: Final = ("sound_on", "test", "volume", "mute", "muted")
"""What `assets/68-sound.js` says."""
# Key, and what it does; those of the pages stand before.
KEYS: Final = (
    ("/", "key_search"), ("?", "key_keys"), ("⇧ A", "key_acknowledge"), ("A", "key_selected"), ("↑ ↓", "key_rows"),
    ("␣", "key_select"), ("Ctrl A", "key_all"), ("S", "key_shelve"), ("C", "key_consequences"), ("↵", "key_asset"),
    ("Esc", "key_close"),
)  # fmt: skip
TOOLS: Final = {"search": "search", "views": "bookmark", "sound": "sound", "keys": "keys"}
"""Dialogs with the icons of their buttons."""


def combobox(words: Words, ident: str, label: str, hint: str, *, kind: str) -> Component:
    """The place of a field that looks up as one types; `assets/62-search.js` builds field and list.

    Parameters
    ----------
    kind : str
        `any` or `datastream`: what is looked for.
    """
    return div(
        ident=ident,
        cls="combo",
        data_combo=kind,
        data_label=label,
        data_hint=hint,
        data_texts=_texts(words, SEARCHED),
    )


def _texts(words: Words, keys: Sequence[str]) -> str:
    return json.dumps({key: words.t(f"room.{key}") for key in keys}, ensure_ascii=False)


def tools(words: Words) -> list[Component]:
    """The buttons in the bar, each for who uses no keys."""
    badge = button(
        icon("mute"),
        span(words.t("room.blocked")),
        cls="sound-badge",
        ident="sound-badge",
        data_sound_unblock="1",
        hidden=True,
    )
    return [
        badge,
        *[
            button(
                icon(picture),
                hidden(words.t(f"room.{name}")),
                cls=f"btn-icon tool-{name}",
                data_open=f"room-{name}",
                title=words.t(f"room.{name}"),
            )
            for name, picture in TOOLS.items()
        ],
    ]


def dialogs(words: Words, pages: Sequence[tuple[str, str, str]]) -> list[Component]:
    """The dialogs of every page.

    Parameters
    ----------
    pages : sequence of (str, str, str)
        Letter, path and name of each.
    """
    search = combobox(words, "room-find", words.t("room.search"), words.t("room.search_hint"), kind="any")
    priorities = {name: words.t(f"priority.{name}") for name in PRIORITIES}
    return [
        _dialog(words, "search", search),
        _dialog(words, "views", div(ident="room-views-set"), data_texts=_texts(words, VIEWED)),
        _dialog(words, "keys", _keys(words, pages), data_go=json.dumps({letter: path for letter, path, _ in pages})),
        _dialog(
            words,
            "sound",
            el("P", words.t("room.sound_lead"), cls="muted note"),
            div(ident="room-sound-set"),
            data_texts=_texts(words, HEARD),
            data_priorities=json.dumps(priorities, ensure_ascii=False),
        ),
    ]


def _dialog(words: Words, name: str, *inner: Node, **more: Any) -> Component:
    return el(
        "Dialog",
        div(
            el("H2", words.t(f"room.{name}"), ident=f"room-{name}-title"),
            button(
                span("×", aria_hidden="true"),
                hidden(words.t("room.close")),
                cls="btn-icon",
                data_close="1",
                title=words.t("room.close"),
            ),
            cls="panel-head",
        ),
        *inner,
        ident=f"room-{name}",
        cls=f"dialog room-dialog room-dialog-{name}",
        aria_labelledby=f"room-{name}-title",
        **more,
    )


def _keys(words: Words, pages: Sequence[tuple[str, str, str]]) -> Component:
    rows: list[list[Node]] = [
        [span(el("Kbd", "G"), " ", el("Kbd", letter.upper()), cls="keys"), words.t("room.key_go", page=name)]
        for letter, _path, name in pages
    ]
    rows += [[span(el("Kbd", key), cls="keys"), words.t(f"room.{what}")] for key, what in KEYS]
    return div(
        table([words.t("room.key"), words.t("room.does")], rows),
        button(
            words.t("room.shortcuts_off"),
            ident="room-shortcuts",
            data_shortcuts="1",
            data_on=words.t("room.shortcuts_on"),
            data_off=words.t("room.shortcuts_off"),
        ),
        el("P", words.t("room.shortcuts_lead"), cls="muted note"),
    )
