"""What hides an alarm, and what becomes of its state when it comes back: pure functions, no I/O.

The states of `hypervision.alarms` say what the process does and what the operator has seen of it. On an axis of its
own an alarm is *shown*, or hidden for one of four reasons (ISA-18.2, OPC UA Part 9):

============== ===================================================== ===============================================
hidden         by                                                    until
============== ===================================================== ===============================================
shelved        an operator, one alarm, with a reason                 its time is over, or an operator takes it off;
                                                                     with `once` until the alarm returns, if sooner
out_of_service a person, a Thing or datastream, with a reason        a person ends it
maintenance    a window for Things, all below them, or a domain      the window is over, or a person ends it
by_design      another alarm, or a state, that explains it           the cause is gone, and its hold is over
============== ===================================================== ===============================================

Where several hold, the first of the table is told: what was meant for this alarm alone counts most. Hidden alarms go on
through their states, and are counted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, Literal, NamedTuple

from hypervision.alarms import State

Suppression = Literal["none", "shelved", "out_of_service", "maintenance", "by_design"]
ORDER: Final[tuple[Suppression, ...]] = ("shelved", "out_of_service", "maintenance", "by_design")


class Hidden(NamedTuple):
    """One thing that hides an alarm.

    Attributes
    ----------
    inhibition_id : int or None
        The shelf, the placing out of service or the window.
    explained_by : int or None
        The alarm that explains this one; None also where a state does.
    actor, comment : str
        Who hid it and why.
    """

    kind: Suppression
    inhibition_id: int | None = None
    explained_by: int | None = None
    actor: str = ""
    comment: str = ""


class Standing(NamedTuple):
    """An open alarm as far as hiding it goes.

    Attributes
    ----------
    inhibition_id, explained_by : int or None
        By what it is hidden now.
    born_hidden : bool
        Whether it was hidden from its first moment on.
    ended_by : str
        Who ended the inhibition that hides it; empty: nobody, it ends by itself or stands.
    """

    state: State
    suppression: Suppression
    inhibition_id: int | None = None
    explained_by: int | None = None
    born_hidden: bool = False
    ended_by: str = ""


class Move(NamedTuple):
    """What becomes of an alarm when what hides it changes.

    Attributes
    ----------
    to : Hidden or None
        None: it is shown.
    rings : bool
        Whether it waits for an operator from now on who has not seen it waiting before.
    acknowledges : bool
        Whether `actor` has thereby taken notice of it.
    """

    state: State
    to: Hidden | None
    cause: str
    actor: str
    comment: str
    rings: bool
    acknowledges: bool


_HIDES: Final[Mapping[Suppression, str]] = {
    "shelved": "shelved",
    "out_of_service": "out of service",
    "maintenance": "maintenance",
    "by_design": "suppressed by design",
}
_SHOWS: Final[Mapping[Suppression, tuple[str, str]]] = {
    "shelved": ("shelf ended", "unshelved"),
    "out_of_service": ("in service", "in service"),
    "maintenance": ("maintenance ended", "maintenance ended"),
    "by_design": ("cause ended", "cause ended"),
}


def foremost(found: Iterable[Hidden]) -> Hidden | None:
    """Which of several reasons is told; among equals the first in time, by its number.

    Examples
    --------
    >>> foremost([Hidden("by_design", None, 7), Hidden("shelved", 3)]).kind
    'shelved'
    >>> foremost([]) is None
    True
    """
    return min(
        found, key=lambda one: (ORDER.index(one.kind), one.inhibition_id or 0, one.explained_by or 2**63), default=None
    )


def move(standing: Standing, to: Hidden | None) -> Move | None:
    """What becomes of an open alarm that is to be hidden by `to`, or shown.

    Returns
    -------
    Move or None
        None when it is hidden by the same already, or shown already.

    Notes
    -----
    A shelf that a person ends leaves the alarm acknowledged, for that person has seen it; one that ends by itself
    leaves it unacknowledged, and what has returned on the shelf is over. What was born in maintenance or out of service
    and has returned there was never anybody's; neither is a consequence that went with its cause.

    Examples
    --------
    >>> shelved = Standing("ACKED", "shelved", 3)
    >>> move(shelved, None).state, move(shelved._replace(ended_by="operator", state="UNACK"), None).state
    ('UNACK', 'ACKED')
    """
    was = standing.suppression
    kind: Suppression = "none" if to is None else to.kind
    if kind == was and (to is None or to.inhibition_id == standing.inhibition_id):
        return None
    by_hand = standing.ended_by != ""
    state = standing.state
    if was == "shelved":
        state = _off_the_shelf(state, by_hand=by_hand, shown=to is None)
    elif to is None and state == "RTNUN" and (was == "by_design" or standing.born_hidden):
        state = "NORM"
    acknowledges = was == "shelved" and by_hand and state != standing.state
    if to is not None and kind != was:
        cause, actor, comment = _HIDES[kind], to.actor, to.comment
        if was == "shelved" and by_hand:
            cause, actor, comment = _SHOWS[was][1], standing.ended_by, ""
    elif to is not None:
        cause, actor, comment = _HIDES[kind], to.actor, to.comment
    else:
        cause, actor, comment = _SHOWS[was][by_hand], standing.ended_by, ""
    return Move(state, to, cause, actor, comment, to is None and state in ("UNACK", "RTNUN"), acknowledges)


def _off_the_shelf(state: State, *, by_hand: bool, shown: bool) -> State:
    if by_hand:
        return {"UNACK": "ACKED", "RTNUN": "NORM"}.get(state, state)  # type: ignore[return-value]
    if state == "ACKED":
        return "UNACK"
    return "NORM" if state == "RTNUN" and shown else state


def explanations(found: Mapping[int, Collection[int]]) -> dict[int, int]:
    """Which alarm is hidden by design for which other, so that no circle hides all of itself.

    Parameters
    ----------
    found : mapping of int to collection of int
        By alarm, the alarms that would explain it.

    Returns
    -------
    dict of int to int
        By explained alarm, the first of those that do. Of alarms that explain each other the first rings.

    Examples
    --------
    >>> explanations({12: [10, 11], 11: [10]})
    {12: 10, 11: 10}
    >>> explanations({1: [2], 2: [1]})
    {2: 1}
    """
    chosen: dict[int, int] = {}
    for alarm in sorted(found, reverse=True):
        # The later an alarm, the sooner it is taken for a consequence; each keeps a way to one that rings.
        cause = next((one for one in sorted(found[alarm]) if not _leads(one, alarm, chosen)), None)
        if cause is not None:
            chosen[alarm] = cause
    return chosen


def _leads(start: int, end: int, chosen: Mapping[int, int]) -> bool:
    at: int | None = start
    while at is not None:
        if at == end:
            return True
        at = chosen.get(at)
    return False
