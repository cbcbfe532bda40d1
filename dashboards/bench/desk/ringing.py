"""How soon an alarm is on every screen, and what it costs to acknowledge the worst."""

from __future__ import annotations

import random
import time
from typing import Any, Final

from dashboards.bench.desk.bars import SCREENS, Sizes
from dashboards.bench.desk.browser import Screen, Screens
from dashboards.bench.desk.counting import percentile
from dashboards.bench.desk.opening import Found
from dashboards.bench.desk.place import Place
from dashboards.bench.desk.town import spare
from hypervision.errors import ServiceError

# Who works on what: the list, and pages whose banner tells.
_SHOWN: Final = ("/alarms", "/", "/map", "/health", "/alarms/hidden")
_BANNER: Final = "#frame-banner [data-ack]"
_STATE: Final = "async (id) => { const one = await (await fetch(`/api/v1/alarms/${id}`)).json(); return one.state; }"
_KEY: Final = "Shift+A"
_MOST_TABS: Final = 200
# A banner is read for so long before anybody acts on it [s].
_READING: Final = 1.5


def alarms(place: Place, screens: Screens, sizes: Sizes, raw: dict[str, Any]) -> Found:
    """Raise critical alarms at chance moments; each is the worst, so that every page shows it."""
    chance = random.Random(3)  # noqa: S311 -- no secret
    shown = []
    for number in range(SCREENS):
        screen = screens.open()
        screen.log_in(f"operator-{number}", _SHOWN[number % len(_SHOWN)])
        shown.append(screen)
    raised = [(code, "temperature") for code in spare(place.town, place.standing, "waste", sizes.raised)]
    seconds: list[float] = []
    by_page: dict[str, list[float]] = {}
    codes = place.codes()
    for key in raised:
        shown[0].wait(chance.uniform(0.7, 2.0))
        done = place.replay.put({key: 88.0})
        number = next(a.alarm_id for a in place.alarms() if codes.get(a.thing_id or 0) == key[0])
        for screen, page in zip(shown, _SHOWN, strict=False):
            screen.until("(id) => typeof hvBench.seen[id] === 'number'", str(number))
            took = screen.ask("(id) => hvBench.seen[id]", str(number)) / 1000 - done.ended
            seconds.append(took)
            by_page.setdefault(page, []).append(took)
        place.acknowledge([number])
    for screen in shown:
        screen.close()
    raw |= {
        "by_page_p95": {page: percentile(times, 0.95) for page, times in by_page.items()},
        "half": percentile(seconds, 0.5), "worst": max(seconds), "alarms": len(raised), "screens": len(shown),
    }  # fmt: skip
    place.clear(raised)
    return {"visible": [percentile(seconds, 0.95)]}


def acknowledge(place: Place, screens: Screens, _sizes: Sizes, raw: dict[str, Any]) -> Found:
    """Acknowledge the worst alarm on every page, by pointer and by keyboard, and see that it is."""
    clicks: dict[str, int] = {}
    keys: dict[str, int] = {}
    with screens.one("operator-3", "/") as screen:
        rail = screen.ask("() => [...document.querySelectorAll('.rail-link')].map((a) => a.getAttribute('href'))")
        asset = f"/asset/{next(iter(place.town.kinds))}"
        for path in [*rail, "/alarms/hidden", asset]:
            screen.go(path)
            clicks[path] = _by_pointer(screen)
            keys[path] = _by_key(screen)
    raw |= {"clicks": clicks, "keys": keys}
    return {"clicks": [float(max(clicks.values()))], "keys": [float(max(keys.values()))]}


def _by_pointer(screen: Screen) -> int:
    number = _worst(screen)
    screen.hand.clicks = 0
    for _ in range(3):
        screen.hand.click(f'#frame-banner [data-ack="{number}"]')
        if _acknowledged(screen, number):
            # Away from where the next alarm will stand.
            screen.page.mouse.move(5, 450)
            return screen.hand.clicks
    raise ServiceError(f"alarm {number} is not acknowledged by three clicks on {screen.page.url}")


def _by_key(screen: Screen) -> int:
    number = _worst(screen)
    screen.hand.keys = 0
    screen.hand.press(_KEY)
    if _acknowledged(screen, number):
        return screen.hand.keys
    # Without the shortcut: as anybody would who knows no other key.
    for _ in range(_MOST_TABS):
        screen.hand.press("Tab")
        if screen.ask("() => document.activeElement?.dataset?.ack ?? ''") == number:
            screen.hand.press("Enter")
            if _acknowledged(screen, number):
                return screen.hand.keys
    raise ServiceError(f"alarm {number} cannot be acknowledged by keyboard on {screen.page.url}")


def _worst(screen: Screen) -> str:
    """The alarm of the banner, once it has stood there for as long as a person takes to read it."""
    screen.until(f"() => document.querySelector('{_BANNER}') !== null")
    found, since = "", 0.0
    while True:
        seen = str(screen.ask(f"() => document.querySelector('{_BANNER}')?.dataset.ack ?? ''"))
        if seen != found or not seen:
            found, since = seen, time.monotonic()
        elif time.monotonic() - since > _READING:
            return found
        screen.wait(0.1)


def _acknowledged(screen: Screen, number: str) -> bool:
    for _ in range(25):
        if screen.ask(_STATE, number) in ("ACKED", "NORM"):
            return True
        screen.wait(0.2)
    return False
