"""What browser tests do to the town behind the screen."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.conftest import Screen
from tests.browser.fake_town import FAULTS, Town

Open = Callable[..., Screen]
# What the faults break that no Thing of the town tells otherwise: the pump runs again.
MENDED = {key: 1.0 for key in FAULTS if key[2] == "pump_state"}


def clear(town: Town) -> None:
    """Nothing is wrong and nothing waits."""
    town.collector.read(town.collector.normal() | MENDED)
    with town.client("administrator") as client:
        for alarm in client.get("/api/v1/alarms", params={"open": "true"}).json()["rows"]:
            client.post(f"/api/v1/alarms/{alarm['id']}/acknowledge", json={})


def ring(town: Town, thing: str = "waste-007", value: float = 91.0) -> None:
    town.collector.read({("waste", thing, "temperature"): value})


def states(town: Town, thing: str) -> set[str]:
    with town.client("viewer") as client:
        return {
            row["state"] for row in client.get("/api/v1/alarms", params={"open": "true", "thing": thing}).json()["rows"]
        }
