"""Whether readings flow: every collector in service beats, reaches the broker and holds little."""

from __future__ import annotations

import pytest

from hypervision.collecting import FORGOTTEN, Seen, service
from hypervision.flowing import Flow, Held, holding

MOST = 10


def collector(part: str, *, age: float = 0.5, retired: bool = False, link: str = "connected", holds: int = 0) -> Flow:
    return Flow(f"collector-{part}", age, retired, link, holds)


NEW = (collector("1/2"), collector("2/2"))


@pytest.mark.parametrize(
    ("writers", "held"),
    [
        ((), Held("none", ())),
        (NEW, None),
        ((*NEW, collector("1/1", age=60.0)), Held("stopped", ("collector-1/1",))),
        # Nobody retired it when the number changed: after a day it is not waited for any more.
        ((*NEW, collector("1/1", age=FORGOTTEN + 1)), None),
        ((*NEW, collector("1/1", age=60.0, retired=True)), None),
        ((NEW[0], collector("2/2", age=FORGOTTEN + 1)), Held("untaken", ("collector-2/2",))),
        ((NEW[0],), Held("untaken", ("collector-2/2",))),
        ((collector("1/1", age=FORGOTTEN + 1),), Held("stopped", ("collector-1/1",))),
        ((collector("1/1", age=FORGOTTEN + 1, retired=True),), Held("none", ())),
        ((NEW[0], collector("2/2", link="connecting")), Held("unlinked", ("collector-2/2",))),
        ((NEW[0], collector("2/2", holds=MOST + 1)), Held("backlog", ("collector-2/2",))),
        ((*NEW, Flow("import", 14.0, False, "", 0)), Held("filling", ("import",))),
        ((*NEW, Flow("simulate", 16.0, False, "", 0)), None),
    ],
)
def test_what_holds_the_timers(writers: tuple[Flow, ...], held: Held | None) -> None:
    assert holding(writers, most=MOST) == held


def test_held_is_read_as_it_was_told_and_anything_else_is_nothing() -> None:
    held = Held("stopped", ("collector-1/1",), 421.04)
    assert Held.of({"held": held.told()}) == Held("stopped", ("collector-1/1",), 421.0)
    assert Held.of(None) is Held.of({}) is Held.of({"held": "long"}) is None
    assert Held.of({"held": {"names": 3, "seconds": "x"}}) == Held("None", ())


def test_the_longest_silent_collector_is_named_first() -> None:
    seen = [Seen("collector-1/2", 9.0, False), Seen("watch", 50.0, False), Seen("collector-2/2", 40.0, False)]
    assert service(seen, patience=3.0).stopped == ("collector-2/2", "collector-1/2")
