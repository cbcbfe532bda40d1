"""The town as the accounts of a scope may know it: its own Things and all that hangs on them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from dashboards.town import Own, Town
from hypervision.flowing import KEY as HELD
from hypervision.scope import Scope
from hypervision.store.screens import StreamRow, ThingRow

# A part that nobody asked for in this time is forgotten, and with it the town of then [s].
_IDLE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Members:
    """What a scope holds of the registry; it changes only when the registry does.

    Attributes
    ----------
    things : mapping
        Without the names of parents that are outside.
    """

    things: Mapping[int, ThingRow]
    codes: Mapping[str, int]
    streams: Mapping[int, StreamRow]
    streams_of: Mapping[int, tuple[int, ...]]

    @classmethod
    def of(cls, town: Town, scope: Scope) -> Members:
        """Ask the predicate of every Thing."""
        things = {i: t for i, t in town.things.items() if scope.holds(t)}
        codes = {t.code: i for i, t in things.items()}
        for i, thing in list(things.items()):
            if thing.parent is not None and thing.parent not in codes:
                things[i] = replace(thing, parent=None)
        streams_of = {i: town.streams_of[i] for i in things if i in town.streams_of}
        streams = {i: town.streams[i] for ids in streams_of.values() for i in ids}
        return cls(things, codes, streams, streams_of)


def seen_by(town: Town, scope: Scope, members: Members | None = None) -> Town:
    """What an account of a scope may know of the town.

    Parameters
    ----------
    members : Members, optional
        Of this registry and scope, where they are known.

    Notes
    -----
    Of the platform's parts it keeps whether each works; no counter, which would count everybody's messages, and
    nothing of the database.
    """
    if scope.is_whole:
        return town
    known = members or Members.of(town, scope)
    own = town.own.get(scope, Own())
    return replace(
        town,
        things=known.things,
        codes=known.codes,
        streams=known.streams,
        streams_of=known.streams_of,
        latest={i: town.latest[i] for i in known.streams if i in town.latest},
        alarms={i: a for i, a in town.alarms.items() if a.thing_id in known.things},
        activations=tuple(each for each in town.activations if each.thing_id in known.things),
        inhibitions=tuple(each for each in town.inhibitions if each.is_in(scope)),
        writers=tuple(
            replace(w, received=None, stored=None, duplicate=None, rejected=None, detail=_held(w.detail))
            for w in town.writers
        ),
        courses=own.courses,
        rejected=own.rejected,
        gaps=own.gaps,
        engine=None,
        own={},
        scope=scope,
    )


def _held(detail: dict[str, Any] | None) -> dict[str, Any] | None:
    """Of what a beat tells, what holds the timers: it names parts of the platform alone."""
    return None if detail is None or HELD not in detail else {HELD: detail[HELD]}


@dataclass(slots=True)
class _Known:
    whole: Town
    part: Town
    members: Members
    asked: float


class Parts:
    """The part of the town of every scope that somebody looks at, shared by all who have it.

    Notes
    -----
    A look of the reader makes the part anew when it is asked for; which Things and datastreams are in it is found out
    once a registry, so that a look costs what the part holds and not what the town does.
    """

    def __init__(self) -> None:
        self._known: dict[Scope, _Known] = {}

    def of(self, whole: Town, scope: Scope) -> Town:
        """The part of a scope; of the whole town it is that town itself."""
        if scope.is_whole:
            return whole
        known, now = self._known.get(scope), time.monotonic()
        if known is not None and known.whole is whole:
            known.asked = now
            return known.part
        members = None if known is None else known.members
        # The reader replaces what has changed and keeps what has not.
        if known is None or known.whole.things is not whole.things or known.whole.streams is not whole.streams:
            members = Members.of(whole, scope)
        assert members is not None
        part = seen_by(whole, scope, members)
        self._known[scope] = _Known(whole, part, members, now)
        for other in [each for each, one in list(self._known.items()) if now - one.asked > _IDLE]:
            self._known.pop(other, None)
        return part
