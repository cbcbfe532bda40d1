"""What a screen costs while it is left open: bytes a second, and memory over time."""

from __future__ import annotations

import time
from typing import Any, Final

from dashboards.bench.desk.bars import CHANGED, Sizes
from dashboards.bench.desk.browser import Screens
from dashboards.bench.desk.counting import growth
from dashboards.bench.desk.opening import Found
from dashboards.bench.desk.place import Place
from dashboards.bench.desk.town import spare

_LEFT_OPEN: Final = ("/", "/alarms", "/map")
# What a page needs until it is as it stays [s].
_SETTLES: Final = 5.0
# Alarms come and go during the replay: one every so many seconds.
_EVERY: Final = 6.0
_READINGS: Final = 2.0


def socket(place: Place, screens: Screens, sizes: Sizes, raw: dict[str, Any]) -> Found:
    """Count what the WebSocket brings to each page while readings change at a fixed pace."""
    before, place.replay.rate = place.replay.rate, CHANGED / _READINGS
    by_page: dict[str, dict[str, float]] = {}
    try:
        with screens.one("operator-4", "/") as screen:
            asset = f"/asset/{next(iter(place.town.kinds))}"
            for path in ("/", "/alarms", "/alarms/hidden", "/map", "/health", asset):
                screen.go(path)
                screen.wait(_SETTLES)
                began, first, busy = time.monotonic(), screen.ask("() => hvBench.told"), screen.busy()
                screen.wait(sizes.seconds)
                last, took = screen.ask("() => hvBench.told"), time.monotonic() - began
                by_page["/asset" if path == asset else path] = {
                    "kilobytes": (last["bytes"] - first["bytes"]) / took / 1000,
                    "messages": (last["messages"] - first["messages"]) / took,
                    "first": first["bytes"] / 1000,
                    "main_thread_percent": (screen.busy() - busy) / took * 100,
                }
    finally:
        place.replay.rate = before
    raw["by_page"] = by_page
    return {"bytes": [max(page["kilobytes"] for page in by_page.values())]}


def memory(place: Place, screens: Screens, sizes: Sizes, raw: dict[str, Any]) -> Found:
    """Leave screens open while readings and alarms come and go; what they hold afterwards and did not before."""
    opened = {}
    for number, path in enumerate(_LEFT_OPEN):
        opened[path] = screens.open()
        opened[path].log_in(f"operator-{number}", path)
    first = opened[_LEFT_OPEN[0]]
    first.wait(min(60.0, sizes.minutes * 15))
    heap_before = {path: screen.heap() for path, screen in opened.items()}
    held_before = screens.renderers()
    raw["course"] = [heap_before]
    things = spare(place.town, place.standing, "parking", 40)
    ends = time.monotonic() + sizes.minutes * 60
    noted, turn = time.monotonic(), 0
    while time.monotonic() < ends:
        key = (things[turn // 2 % len(things)], "battery")
        if turn % 2:
            place.clear([key])
        else:
            place.replay.put({key: 9.0})
        turn += 1
        first.wait(min(_EVERY, max(0.1, ends - time.monotonic())))
        if time.monotonic() - noted > 60:
            noted = time.monotonic()
            raw["course"].append({path: screen.heap() for path, screen in opened.items()})
    place.clear([(code, "battery") for code in things])
    first.wait(3.0)
    heap_after = {path: screen.heap() for path, screen in opened.items()}
    held_after = screens.renderers()
    raw["course"].append(heap_after)
    raw["renderers"] = [held_before, held_after]
    for screen in opened.values():
        screen.close()
    return {"heap": [growth(heap_before, heap_after)], "renderer": [growth(held_before, held_after)]}
