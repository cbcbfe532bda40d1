"""The figures of `bench desk`, what each is held to, and which part measures it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hypervision.bars import Bar

BARS: Final = (
    Bar("cold", "log-in to usable alarm list, nothing in the browser's cache", "s", 2, 1.2, 2, low=True),
    Bar("warm", "the same, logged in before", "s", 1, 0.6, 2, low=True),
    Bar("load", "first load of the alarm page, as it came over the wire", "MB", 0.9, 0.5, 2, low=True),
    Bar("plotly", "requests for plotly in it", "requests", 0, 0, low=True),
    Bar("change", "page change, half of them", "s", 1.5, 0.5, 2, low=True),
    Bar("change_worst", "page change, the worst", "s", 1.5, 0.5, 2, low=True),
    Bar("visible", "alarm committed to visible on 5 screens, 95 of 100", "s", 1.5, 0.5, 2, low=True),
    Bar("clicks", "clicks to acknowledge the worst alarm, from any page", "clicks", 2, 1, low=True),
    Bar("keys", "keys to acknowledge the worst alarm, from any page (Shift and a letter count as one)", "keys", 2, 1,
        low=True),
    Bar("map", "map of all Things, from the address to the last mark", "s", 3, 1.5, 2, low=True),
    Bar("map_change", "500 changes told to the map, to the marks on it", "s", 0.5, 0.15, 2, low=True),
    Bar("bytes", "WebSocket to one screen at 1,000 changes/s, the worst page, unpacked", "kB/s", 50, 10, 1, low=True),
    Bar("heap", "growth of JavaScript's heap over the time of replay, collected, the worst screen", "MB", 50, 10,
        1, low=True),
    Bar("renderer", "growth of the browser's own process in that time, the worst screen", "MB", 50, 10, 1, low=True),
    Bar("rings", "town-wide power cut: alarms that rang, with an unrelated one", "alarms", 45, 41, low=True),
    Bar("before", "its consequences that rang before their cause, or stood above one", "alarms", 0, 0, low=True),
    Bar("critical", "an unrelated critical alarm in the middle of it, to visible", "s", 2, 0.5, 2, low=True),
    Bar("unreachable", "hidden alarms that are neither listed nor counted under their cause", "alarms", 0, 0, low=True),
    Bar("foreign", "requests to foreign hosts, in all of it", "requests", 0, 0, low=True),
)  # fmt: skip

PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "log-in": ("cold", "warm", "load", "plotly"),
    "pages": ("change", "change_worst"),
    "alarms": ("visible",),
    "acknowledge": ("clicks", "keys"),
    "bytes": ("bytes",),
    "memory": ("heap", "renderer"),
    "map": ("map", "map_change"),
    "cut": ("rings", "before", "critical", "unreachable"),
}
"""The figures of every part, in the order in which they are measured; foreign requests are counted in each."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured.

    Attributes
    ----------
    things, alarms : int
        Of the town; alarms that stand from the beginning.
    rate : float
        Messages a second that are committed all the while, of two readings each.
    rounds : int
        Log-ins, tours through the pages, openings of the map.
    raised : int
        Alarms whose way to the screens is timed.
    seconds : float
        For which the WebSocket of each page is counted [s].
    minutes : float
        Of replay, for the browser's memory.
    """

    things: int = 10_000
    alarms: int = 200
    rate: float = 1_200.0
    rounds: int = 5
    raised: int = 40
    seconds: float = 20.0
    minutes: float = 30.0


QUICK: Final = Sizes(things=2_000, alarms=40, rate=300.0, rounds=2, raised=8, seconds=5.0, minutes=1.0)
SCREENS: Final = 5
CHANGES: Final = 500
CHANGED: Final = 1_000.0
"""Changes a second at which the WebSocket is counted."""
