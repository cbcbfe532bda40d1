"""A town-wide power cut: every cabinet dead, its lamps silent, and something else happens in the middle of it."""

from __future__ import annotations

import time
from typing import Any, Final

from dashboards.bench.desk.bars import Sizes
from dashboards.bench.desk.browser import Screen, Screens
from dashboards.bench.desk.counting import Ring, explained_in, misplaced, unreachable
from dashboards.bench.desk.opening import Found
from dashboards.bench.desk.place import Place
from dashboards.bench.desk.town import spare
from hypervision.errors import ServiceError

# A lamp is overdue after two of these; a cabinet without voltage rings after 60 s (lighting.voltage.low) [s].
_PERIOD: Final = 45.0
# Silence is judged once readings have flowed for a minute (hypervision.watch) [s].
_FLOWS: Final = 75.0
_LIMIT: Final = 180.0
# What comes late comes within so long after the last consequence [s].
_SETTLES: Final = 15.0
_ROWS: Final = "() => hv.alarmList().visible()"
_LISTED: Final = """() => [...document.querySelectorAll('#hidden-list a[href^="/asset/"]')]
    .map((link) => decodeURIComponent(link.getAttribute("href").slice("/asset/".length)))"""


def power(place: Place, screens: Screens, sizes: Sizes, raw: dict[str, Any]) -> Found:
    """Cut the power, and follow what the list of alarms makes of it."""
    town, replay = place.town, place.replay
    lamps, cabinets = town.of("lamp"), town.of("cabinet")
    other = spare(town, place.standing, "waste", 1)[0]
    turn = len(town.things) / sizes.rate
    place.expect(lamps, "power", max(_PERIOD, 3 * turn))
    codes = place.codes()
    known = {alarm.alarm_id for alarm in place.alarms()}
    with screens.one("operator-5", "/alarms") as screen:
        screen.wait(_FLOWS)
        screen.ask("() => (hvBench.listens = true)")
        replay.silence(lamps)
        began = replay.put({(code, "voltage"): 0.0 for code in cabinets}).ended
        _await_hidden(place, screen, known, len(lamps) // 2, raw, began=began)
        struck = replay.put({(other, "temperature"): 88.0}).ended
        number = next(a.alarm_id for a in place.alarms() if codes.get(a.thing_id or 0) == other)
        screen.until("(id) => typeof hvBench.seen[id] === 'number'", str(number))
        critical = screen.ask("(id) => hvBench.seen[id]", str(number)) / 1000 - struck
        # Lamps of which something was wrong before have a silence of their own as well.
        _await_hidden(place, screen, known, len(lamps), raw, began=began)
        screen.wait(_SETTLES)
        told = screen.ask("() => hvBench.rings").items()
        rings = [Ring(int(key), one["thing"], one["at"]) for key, one in told if int(key) not in known]
        rows = [row for row in screen.ask(_ROWS) if int(row["id"]) not in known]
        counted = {int(row["id"]): explained_in(row) for row in rows}
        hidden = [one for one in place.hidden(codes) if one.alarm_id not in known]
        opened = screen.go("/alarms/hidden")
        listed = set(screen.ask(_LISTED))
    raw |= {
        "cabinets": len(cabinets), "lamps": len(lamps), "hidden": len(hidden), "listed": len(listed),
        "counted": sum(counted.values()), "rang": sorted(ring.thing for ring in rings)[:60],
        "list_of_hidden_opened_s": opened["took"] / 1000,
    }  # fmt: skip
    replay.silence(lamps, silent=False)
    place.clear([*((code, "voltage") for code in cabinets), (other, "temperature")])
    return {
        "rings": [float(len(rings))],
        "before": [float(misplaced(rings, [row["code"] for row in rows], parent=town.parent))],
        "critical": [critical],
        "unreachable": [float(unreachable(hidden, listed=listed, counted=counted))],
    }


def _await_hidden(
    place: Place, screen: Screen, known: set[int], least: int, raw: dict[str, Any], *, began: float
) -> None:
    """Wait until so many new alarms are hidden."""
    found = 0
    while time.time() < began + _LIMIT:
        found = sum(a.suppression != "none" and a.alarm_id not in known for a in place.alarms())
        if found >= least:
            raw.setdefault("hidden_after_s", []).append([found, time.time() - began])
            return
        screen.wait(0.25)
    raise ServiceError(f"{found} alarms are hidden {_LIMIT:.0f} s after the cut, {least} were waited for")
