"""What is counted and judged of what a browser saw: pure functions."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

_INNER: Final = ("data", "blob", "about", "chrome-extension")
# How a row says it in French and in English; digits may be grouped by spaces, narrow ones among them, or commas.
_EXPLAINS: Final = re.compile(r"(?:explique|explains) ([\d\s,\u00a0\u202f]*\d)")


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that is not exceeded by such a share of all (nearest rank); NaN of none.

    Examples
    --------
    >>> percentile([4.0, 1.0, 3.0, 2.0], 0.5), percentile([1.0, 2.0], 0.95)
    (2.0, 2.0)
    """
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def foreign(addresses: Iterable[str], *, host: str) -> list[str]:
    """Those addresses that leave `host` (name and port).

    Examples
    --------
    >>> foreign(["http://127.0.0.1:80/a", "data:,x", "https://fonts.example/a.woff"], host="127.0.0.1:80")
    ['https://fonts.example/a.woff']
    """
    parts = [(address, urlsplit(address)) for address in addresses]
    return [address for address, part in parts if part.scheme not in _INNER and part.netloc != host]


def charts(addresses: Iterable[str]) -> list[str]:
    """Those addresses that fetch a library of charts.

    Examples
    --------
    >>> charts(["/_dash-component-suites/plotly/package_data/plotly.min.js?v=1", "/assets/20-live.js"])
    ['/_dash-component-suites/plotly/package_data/plotly.min.js?v=1']
    """
    return [address for address in addresses if "plotly" in urlsplit(address).path.lower()]


def explained_in(row: Mapping[str, Any]) -> int:
    """How many alarms a row of the list counts as consequences of its own.

    Examples
    --------
    >>> explained_in({"label": "Armoire hors tension · explique 1 050 alarmes"})
    1050
    >>> explained_in({"label": "Lamp failure"})
    0
    """
    found = _EXPLAINS.search(str(row.get("label", "")))
    return 0 if found is None else int(re.sub(r"\D", "", found[1]))


class HiddenAlarm(NamedTuple):
    """An alarm that is open and does not ring.

    Attributes
    ----------
    thing : str
        Its Thing's code.
    cause : int or None
        The alarm that explains it.
    """

    alarm_id: int
    thing: str
    cause: int | None


def unreachable(hidden: Sequence[HiddenAlarm], *, listed: Collection[str], counted: Mapping[int, int]) -> int:
    """How many hidden alarms an operator can neither find in the list of hidden ones nor count under their cause.

    Parameters
    ----------
    listed : collection of str
        Codes of Things with a line in the list of hidden alarms.
    counted : mapping of int to int
        What the row of an alarm that rings counts under it, by its id.
    """
    left = [alarm for alarm in hidden if alarm.thing not in listed]
    under = Counter(alarm.cause for alarm in hidden if alarm.cause is not None)
    return sum(alarm.cause is None or counted.get(alarm.cause, 0) < under[alarm.cause] for alarm in left)


class Ring(NamedTuple):
    """An alarm that a screen was told of as one that waits, for the first time at an instant [ms]."""

    alarm_id: int
    thing: str
    at: float


def misplaced(rings: Sequence[Ring], order: Sequence[str], *, parent: Mapping[str, str]) -> int:
    """How many consequences rang before their cause, or stand above one.

    Parameters
    ----------
    order : sequence of str
        Codes of the Things of the list on the screen, from its top.
    parent : mapping of str to str
        By Thing, the one that explains it.
    """
    first: dict[str, float] = {}
    for ring in rings:
        first[ring.thing] = min(ring.at, first.get(ring.thing, math.inf))
    early = {thing for thing, at in first.items() if thing in parent and at < first.get(parent[thing], math.inf)}
    causes = set(parent.values())
    last = max((place for place, thing in enumerate(order) if thing in causes), default=-1)
    above = {thing for place, thing in enumerate(order) if thing in parent and place < last}
    return len(early | above)


def growth(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """The most that one of several grew by; what is in one of both only is left out; 0 of none.

    Examples
    --------
    >>> growth({"a": 10.0, "b": 5.0}, {"a": 11.5, "c": 99.0})
    1.5
    """
    return max((after[name] - size for name, size in before.items() if name in after), default=0.0)
