"""What each screen gets and how deltas are told: every part carries the number at which it last changed.

A view is shared by all screens that show the same page in the same language with the same rights; the server
renders it once for all of them, and a screen asks for what changed after the number it has.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import operator
import sys
import time
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from plotly.utils import PlotlyJSONEncoder

from dashboards.limits import Periods
from dashboards.town import Town
from dashboards.trees import tree_of
from dashboards.ui import Fragments
from dashboards.words import Words
from hypervision.accounts import Account, Action, may
from hypervision.domains import Catalogue
from hypervision.scope import EVERYTHING, Scope


@dataclass(frozen=True, slots=True)
class Scene:
    """What a part of a page is drawn from."""

    town: Town
    words: Words
    catalogue: Catalogue
    now: datetime
    periods: Periods = field(default_factory=Periods)
    scope: Scope = EVERYTHING
    may_acknowledge: bool = False
    may_see_rejected: bool = False
    may_write_note: bool = False
    data_dir: Any = None
    may_shelve: bool = False
    shelf_limits: Mapping[str, float] = field(default_factory=dict)
    operators: int = 1

    def periods_of(self, domain: str, thing_id: int | None = None) -> Periods:
        """After how many expected periods values of a Thing, or of a domain's Things, are late and stale."""
        return self.town.limits.periods(domain, thing_id, stale=self.periods.stale)


def of_view(scene: Scene) -> tuple[Hashable, ...]:
    """What of a scene two views must share to be told the same of the same town, for `dashboards.kept`."""
    return scene.words.language, scene.scope, scene.may_acknowledge, scene.may_shelve, scene.words.zone


@dataclass(frozen=True, slots=True)
class ViewKey:
    """Screens with the same key see the same."""

    page: str
    language: str
    scope: Scope
    may_acknowledge: bool
    may_see_rejected: bool = False
    may_shelve: bool = False
    may_write_note: bool = False

    @classmethod
    def of(cls, page: str, language: str, account: Account) -> ViewKey:
        """The view of an account."""
        return cls(
            page,
            language,
            account.scope,
            may(account, Action.ACKNOWLEDGE_ALARM),
            # Nothing else tells of them; other pages stay shared by more screens.
            page == "/health" and may(account, Action.SEE_REJECTED),
            page.startswith("/alarms") and may(account, Action.SHELVE_ALARM),
            page == "/trends" and may(account, Action.WRITE_NOTE),
        )


@dataclass(frozen=True, slots=True)
class Drawing:
    """The live parts of a page: fragments by component id, and the rows of its alarm list if it has one."""

    fragments: Fragments
    rows: Mapping[str, Mapping[str, Any]] | None = None


# Shared by all views and above the numbers of every earlier process, so that no two views ever tell the same one.
_NUMBERS: Final = itertools.count(int(time.time() * 1000))
# Numbers that a view remembers to have told; it draws once a second at most.
_TOLD: Final = 256


class View:
    """One view and the number at which each of its parts last changed."""

    def __init__(self, draw: Callable[[Scene], Drawing]) -> None:
        self._draw = draw
        self._parts: dict[str, _Part] = {}
        self._rows: dict[str, _Part] = {}
        self._last_rows: object = None
        self._gone: dict[str, int] = {}
        self._has_rows = False
        self._told: deque[int] = deque(maxlen=_TOLD)
        self.drawn_at = 0.0
        self._drawn: tuple[tuple[Any, ...], int] | None = None
        self.seq = 0

    def redraw(self, scene: Scene) -> None:
        """Draw again when an alarm changed, or the second, and number what is different.

        Notes
        -----
        Readings come many times a second, and nobody reads numbers that change so often: drawn at each look of the
        reader, an overview would bring five times the bytes and keep alarms waiting.
        """
        self.drawn_at = time.monotonic()
        before, now = self._drawn, (_pressing(scene.town), int(scene.now.timestamp()))
        if before is not None and now[1] == before[1] and all(map(operator.is_, now[0], before[0])):
            return
        self._drawn = now
        self.seq = next(_NUMBERS)
        self._told.append(self.seq)
        drawing = self._draw(scene)
        for key, props in drawing.fragments.items():
            _update(self._parts, key, props, self.seq)
        if drawing.rows is not None and drawing.rows is not self._last_rows:
            self._last_rows = drawing.rows
            self._has_rows = True
            for key, row in drawing.rows.items():
                _update(self._rows, key, row, self.seq)
                self._gone.pop(key, None)
            for key in [k for k in self._rows if k not in drawing.rows]:
                del self._rows[key]
                self._gone[key] = self.seq

    def after(self, seq: int) -> dict[str, Any]:
        """What a screen that has number `seq` must still be told.

        Notes
        -----
        Everything where this view never told that number: a screen of an earlier process, of another server, whose
        view was forgotten, or whose account has another scope or role by now and was told another view so far.
        """
        full = seq not in self._told
        told: dict[str, Any] = {
            "seq": self.seq,
            "full": full,
            "set": {k: json.loads(p.text) for k, p in self._parts.items() if full or p.seq > seq},
        }
        if self._has_rows:
            told["rows"] = [json.loads(p.text) for p in self._rows.values() if full or p.seq > seq]
            told["gone"] = [] if full else [k for k, at in self._gone.items() if at > seq]
        return told


def _pressing(town: Town) -> tuple[Any, ...]:
    """What must not wait for the next second; the reader replaces each as a whole when it changes."""
    return town.alarms, town.inhibitions, town.things, sys.intern(town.failure)


class _Part(NamedTuple):
    """What was told of a part: since which number, made of what, in which words."""

    seq: int
    made_of: tuple[object, ...]
    digest: bytes
    text: str


def _update(parts: dict[str, _Part], key: str, props: Mapping[str, Any], seq: int) -> None:
    """Number what is different; what is made of the very same things is not even looked at."""
    known, made_of = parts.get(key), tuple(props.values())
    if known is not None and len(known.made_of) == len(made_of) and all(map(operator.is_, known.made_of, made_of)):
        return
    told = {**props, "children": tree_of(props["children"])} if "children" in props else props
    text = json.dumps(told, cls=PlotlyJSONEncoder)
    digest = hashlib.blake2b(text.encode(), digest_size=12).digest()
    same = known is not None and known.digest == digest
    parts[key] = _Part(known.seq if known is not None and same else seq, made_of, digest, text)


# A view nobody looked at for so long is forgotten [s].
_IDLE: Final = 60.0
# Views kept at most: who asks for pages of guessed codes makes one each. A screen whose view goes gets a new one whole.
_MOST: Final = 500


class Views:
    """Every view in use.

    Parameters
    ----------
    draw : callable
        `(scene, page path) -> Drawing`.
    scene : callable
        `(view key) -> Scene` of this moment.
    """

    def __init__(self, draw: Callable[[Scene, str], Drawing], scene: Callable[[ViewKey], Scene]) -> None:
        self._draw = draw
        self._scene = scene
        self._views: dict[ViewKey, View] = {}

    def after(self, key: ViewKey, seq: int) -> dict[str, Any]:
        """What changed in a view since number `seq`."""
        view = self._views.pop(key, None)
        if view is None:
            self._sweep()
            # The order of the dictionary is that of the last look.
            while len(self._views) >= _MOST:
                del self._views[next(iter(self._views))]
            view = self._views[key] = View(lambda scene: self._draw(scene, key.page))
        else:
            self._views[key] = view
        view.redraw(self._scene(key))
        return view.after(seq)

    def _sweep(self) -> None:
        limit = time.monotonic() - _IDLE
        for key in [k for k, v in self._views.items() if v.drawn_at < limit]:
            del self._views[key]
