"""An operator's hand, by mouse or by keyboard alone: what each step of a story takes is counted against its plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.browser.fake_town import Town

HANDS: Final = ("mouse", "keyboard")
Plan = Mapping[str, tuple[int, int]]
"""Of each step: clicks by the mouse, keys by the keyboard alone. What is typed as text counts for neither."""
_DIALOG: Final = "dialog[open]"
_FOCUSED: Final = "node => node === document.activeElement"


class Hand:
    """Does the steps of a plan by one means, and never by the other.

    Parameters
    ----------
    kind : str
        Of `HANDS`.
    """

    def __init__(self, kind: str, page: Page, plan: Plan) -> None:
        assert kind in HANDS
        self.page = page
        self.by_mouse = kind == "mouse"
        self._plan = plan
        self._done: list[str] = []
        self._taken = 0

    @contextmanager
    def step(self, name: str, page: Page | None = None) -> Iterator[None]:
        """One step of the plan, which must take exactly what is planned; `page`: on a colleague's screen."""
        assert name == list(self._plan)[len(self._done)], f"{name!r} is not the next step of the plan"
        before, own = self._taken, self.page
        self.page = page or own
        yield
        self.page = own
        planned = self._plan[name][0 if self.by_mouse else 1]
        taken = self._taken - before
        assert taken == planned, f"{name!r} took {taken} {'clicks' if self.by_mouse else 'keys'}, planned are {planned}"
        self._done.append(name)

    def finish(self) -> None:
        """Every step of the plan was done."""
        assert self._done == list(self._plan)

    def click(self, *places: Locator, times: int = 1, shift: bool = False) -> None:
        """Press the mouse on each; a double click is two."""
        assert self.by_mouse
        for place in places:
            place.click(click_count=times, modifiers=["Shift"] if shift else None)
            self._taken += times

    def choose(self, place: Locator, value: str) -> None:
        """Open a list of the browser's own and take a line of it; its lines are no part of the page."""
        assert self.by_mouse
        place.select_option(value)
        self._taken += 2

    def press(self, *keys: str) -> None:
        """Press keys one after the other; those held down with another one are no keys of their own."""
        assert not self.by_mouse
        for key in keys:
            self.page.keyboard.press(key)
            self._taken += 1
            if (
                key == "ArrowDown"
                and urlsplit(self.page.url).path == "/alarms"
                and not self.page.locator(_DIALOG).count()
            ):
                # Who moves by keys sees where the focus is before the next one.
                expect(self.page.locator("#alarm-grid [data-col]:focus")).to_have_count(1)

    def tab_to(self, place: Locator, *, most: int = 12) -> None:
        """Go there by Tab: by `most` of them, or it is too far for anybody."""
        expect(place).to_be_visible()
        passed = []
        for _ in range(most):
            self.press("Tab")
            if place.evaluate(_FOCUSED):
                return
            passed.append(self.page.evaluate("() => document.activeElement.outerHTML.slice(0, 90)"))
        raise AssertionError(f"{most} times Tab do not lead there, but over:\n" + "\n".join(passed))

    def do(self, *places: Locator, keys: Sequence[str]) -> None:
        """Press the mouse on each of the places, or else the keys."""
        if self.by_mouse:
            self.click(*places)
        else:
            self.press(*keys)

    def use(self, place: Locator, *, most: int = 12) -> None:
        """Press the mouse on it, or else go there by Tab and press Enter."""
        if self.by_mouse:
            self.click(place)
        else:
            self.tab_to(place, most=most)
            self.press("Enter")

    def type(self, text: str) -> None:
        """Write where the focus is."""
        self.page.keyboard.type(text)


class Ledger:
    """What the audit log says of a story: who did what, in order; log-ins left out."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._before = max((line["number"] for line in self._lines()), default=0)

    def _lines(self) -> Sequence[Mapping[str, Any]]:
        with self._town.client("auditor") as client:
            rows: list[dict[str, Any]] = client.get("/api/v1/audit", params={"limit": 200}).json()["rows"]
        return [row for row in rows if not row["action"].startswith("session.")]

    def told(self) -> list[tuple[str, str, str]]:
        """Actor, action and reason of each line since the beginning, the first one first."""
        new = [line for line in self._lines() if line["number"] > self._before]
        return [(line["actor"], line["action"], line["reason"] or "") for line in reversed(new)]


def journal(town: Town, thing: str) -> list[tuple[str, str]]:
    """State and actor of every step of the newest alarm of a Thing, in order."""
    with town.client("viewer") as client:
        newest = client.get("/api/v1/alarms", params={"thing": thing}).json()["rows"][0]
        steps = client.get(f"/api/v1/alarms/{newest['id']}/transitions").json()["rows"]
    return [(step["to_state"], step["actor"]) for step in steps]


def standing(town: Town) -> dict[str, tuple[str, str]]:
    """State and what hides it of every open alarm, by Thing."""
    with town.client("viewer") as client:
        rows = client.get("/api/v1/alarms", params={"open": "true"}).json()["rows"]
    return {row["thing"]: (row["state"], row["suppression"]) for row in rows}


def minutes_left(town: Town) -> float:
    """How long the only alarm that is put aside still is."""
    with town.client("viewer") as client:
        (row,) = client.get("/api/v1/alarms", params={"hidden": "true", "open": "true"}).json()["rows"]
    return (datetime.fromisoformat(row["hidden_until"]) - datetime.now(UTC)).total_seconds() / 60
