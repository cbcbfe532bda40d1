"""How soon an operator can work: log-in, first load, page after page, the map."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from dashboards.bench.desk.bars import CHANGES, Sizes
from dashboards.bench.desk.browser import Screen, Screens
from dashboards.bench.desk.counting import charts
from dashboards.bench.desk.place import Place
from dashboards.bench.desk.town import spare
from hypervision.errors import ServiceError

Found = dict[str, list[float]]
"""Runs of each figure."""
_HEAVIEST: Final = 6


def log_in(_place: Place, screens: Screens, sizes: Sizes, raw: dict[str, Any]) -> Found:
    """Log in to the alarm list with nothing kept, and again with what the browser keeps; weigh the first load."""
    found: Found = {"cold": [], "warm": [], "load": [], "plotly": []}
    for _ in range(sizes.rounds):
        with screens.one() as screen:
            wire = screen.wire()
            found["cold"].append(screen.log_in("operator-0", "/alarms"))
            # What the page fetches once it can be used belongs to its first load as well.
            screen.wait(2.0)
            found["load"].append(wire.total)
            loaded = screen.ask("() => window.Plotly !== undefined")
            found["plotly"].append(float(len(charts(wire.addresses.values())) + loaded))
            raw.setdefault("heaviest", wire.heaviest(_HEAVIEST))
            raw.setdefault("requests", []).append(len(wire.addresses))
            raw.setdefault("socket_bytes", []).append(screen.ask("() => hvBench.told.bytes"))
            screen.log_out()
            found["warm"].append(screen.log_in("operator-0", "/alarms"))
    return found


def pages(_place: Place, screens: Screens, sizes: Sizes, raw: dict[str, Any]) -> Found:
    """Go from page to page by the links that an operator has."""
    times: dict[str, list[float]] = {}
    with screens.one("operator-1", "/") as screen:
        rail = screen.ask("() => [...document.querySelectorAll('.rail-link')].map((a) => a.getAttribute('href'))")
        tour = [path for path in rail if path != "/"]
        steps = [f'.rail-link[href="{path}"]' for path in tour]
        # The page of the worst alarm's Thing, the hidden alarms, and back to where it began.
        steps += ['#frame-banner a[href^="/asset/"]', ".counter-hidden", '.rail-link[href="/"]']
        for _ in range(sizes.rounds):
            for step in steps:
                change = _change(screen, step)
                to = "/asset" if change["to"].startswith("/asset/") else change["to"]
                times.setdefault(to, []).append(change["took"] / 1000)
    raw["by_page"] = times
    every = [time for each in times.values() for time in each]
    return {"change": every, "change_worst": [max(every)]}


def _change(screen: Screen, selector: str) -> dict[str, Any]:
    # A person reads before going on; what is still being fetched for the page before must not count for the next.
    screen.wait(1.0)
    screen.hand.click(selector)
    screen.until("() => typeof hvBench.change?.took === 'number'")
    return dict(screen.ask("() => hvBench.change"))


def town_map(place: Place, screens: Screens, sizes: Sizes, raw: dict[str, Any]) -> Found:
    """Open the map with every Thing on it; let many change at once."""
    found: Found = {"map": [], "map_change": []}
    things = len(place.town.things)
    wrong = [(code, "battery") for code in spare(place.town, place.standing, "parking", CHANGES)]
    raw |= {"things": things, "changes": len(wrong), "committed_to_drawn": []}
    for _ in range(sizes.rounds):
        with screens.one("operator-2", "/alarms") as screen:
            screen.page.goto(f"{screen.base}/map?map-filter=all")
            _await_marks(screen, "marks", things)
            found["map"].append(screen.ask("() => hvBench.wanted.done.now") / 1000)
            before = screen.ask("() => hvBench.count('abnormal')")
            screen.ask(_WANTED, ["abnormal", before + len(wrong)])
            done = place.replay.put(dict.fromkeys(wrong, 9.0))
            screen.until("() => hvBench.wanted.done !== null")
            drawn = screen.ask("() => hvBench.wanted.done")
            found["map_change"].append((drawn["now"] - drawn["told"]) / 1000)
            raw["committed_to_drawn"].append(drawn["at"] / 1000 - done.ended)
        place.clear(wrong)
    return found


_WANTED: Final = "([name, least]) => hvBench.want(name, least)"


def _await_marks(screen: Screen, name: str, least: int) -> None:
    """Wait from the beginning of the load on: what was drawn before this is asked counts from when it was seen."""
    screen.until("() => window.hvBench !== undefined")
    if urlsplit(screen.page.url).path != "/map":
        raise ServiceError(f"the map is not where it was: {urlsplit(screen.page.url).path}")
    screen.ask(_WANTED, [name, least])
    screen.until("() => hvBench.wanted.done !== null")
