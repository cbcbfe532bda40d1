"""When the broker is asked for what a connection before held."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest

from hypervision.errors import ServiceError
from hypervision.services import broker as services
from hypervision.services.plan import Plan
from hypervision.settings import load
from ingest import nudge as module
from ingest.nudge import Nudge

Wait = Callable[..., None]


class Broker:
    """Stands in for the broker: each question waits until it is answered."""

    def __init__(self) -> None:
        self.asked = 0
        self.holding = True
        self.answers = threading.Semaphore(0)

    def nudge(self, *_: object) -> int:
        self.asked += 1
        assert self.answers.acquire(timeout=10)
        if self.asked == 1:
            raise ServiceError("the broker is away")
        return 0

    def held(self, *_: object) -> bool:
        return self.holding

    def at_it(self) -> bool:
        return any(thread.name == "nudge" for thread in threading.enumerate())


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    made = Broker()
    monkeypatch.setattr(module, "nudge", made.nudge)
    monkeypatch.setattr(module, "held", made.held)
    return made


def test_connection_that_stands_while_the_one_before_is_seen_to_is_seen_to_as_well(
    tmp_path: Path, broker: Broker, wait_until: Wait
) -> None:
    (tmp_path / "run").mkdir()
    Plan(8050, 1883, 4222, 5432).write(tmp_path)
    nudge = Nudge(load({}, overrides={"data_dir": tmp_path}), "collector")
    nudge.begin()
    wait_until(lambda: broker.asked == 1)
    # The line comes and goes; three connections want one more look, not three, and whatever became of the first.
    for _ in range(3):
        nudge.begin()
    broker.answers.release()
    wait_until(lambda: broker.asked == 2)
    broker.answers.release()
    wait_until(lambda: not broker.at_it())
    assert broker.asked == 2
    nudge.begin()
    wait_until(lambda: broker.asked == 3)
    broker.answers.release()
    wait_until(lambda: not broker.at_it())


def test_connection_after_one_that_left_nothing_needs_no_look(tmp_path: Path, broker: Broker, wait_until: Wait) -> None:
    """What it is given itself meanwhile would come twice."""
    (tmp_path / "run").mkdir()
    nudge = Nudge(load({}, overrides={"data_dir": tmp_path}), "collector")
    broker.holding = False
    nudge.look()
    nudge.begin()
    wait_until(lambda: broker.asked == 0 and not broker.at_it())  # it could not ask: there is no plan of this broker
    Plan(8050, 1883, 4222, 5432).write(tmp_path)
    nudge.look()
    nudge.begin()
    assert not broker.at_it()
    broker.holding = True
    nudge.look()
    nudge.begin()
    wait_until(lambda: broker.asked == 1)
    broker.answers.release()
    wait_until(lambda: not broker.at_it())


def test_broker_that_stands_still_in_the_middle_is_asked_until_every_filter_is_put_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connections outlive that, so that no other look would follow."""
    settings = load({}, overrides={"data_dir": tmp_path})
    usual = round(settings.broker.ack_wait * 1e9)
    waits = {"up": usual, "status": usual, "gone": usual}
    asked: list[str] = []

    class Stopped:
        """Answers until both filters are changed, and then not for eight connections."""

        def __init__(self, *_: object, **__: object) -> None:
            asked.append("connection")

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            return

        def consumers(self, _: str) -> list[dict[str, object]]:
            if 1 < len(asked) < 10:
                raise TimeoutError("timed out")
            return [{"name": n, "num_ack_pending": 1, "config": {"ack_wait": wait}} for n, wait in waits.items()]

        def wait_for(self, consumer: dict[str, str], seconds: float) -> None:
            waits[consumer["name"]] = round(seconds * 1e9)

    def sleep(_: float) -> None:
        waits.pop("gone", None)

    monkeypatch.setattr(module, "Jetstream", Stopped)
    monkeypatch.setattr(services, "passwords", lambda _: {services.PLATFORM: "x"})
    monkeypatch.setattr(time, "sleep", sleep)
    assert module.nudge(4222, settings, "collector") == 3
    assert waits == {"up": usual, "status": usual}
    assert len(asked) == 10
