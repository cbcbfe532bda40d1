"""What an account of a part of the town may know of it, and Things of several domains."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboards import scoped
from dashboards import town as judge
from dashboards import views as module
from dashboards.control_room import draw_page
from dashboards.courses import read_courses
from dashboards.health import messages, report
from dashboards.limits import Periods
from dashboards.scoped import Parts, seen_by
from dashboards.town import Course, Own, Reporting, Town
from dashboards.views import Drawing, Scene, ViewKey, Views
from dashboards.words import Words
from hypervision.accounts import Account, Role
from hypervision.domains import load
from hypervision.progress import Progress
from hypervision.scope import EVERYTHING, Scope
from hypervision.store import screens
from hypervision.store.screens import AlarmRow, ReadingRow, RejectedRow, StreamRow, ThingRow, WriterRow

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
OWN, OTHER = Scope(1), Scope(2)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def thing(thing_id: int, of: Scope, *, parent: str | None = None, domain: str = "lighting") -> ThingRow:
    return ThingRow(
        thing_id, f"t{thing_id}", "", domain, "", parent, 5.0, 47.0, "", of.organisation_id, None, None, None
    )  # fmt: skip


def stream(stream_id: int, thing_id: int, domain: str, name: str) -> StreamRow:
    return StreamRow(stream_id, thing_id, domain, name, "1", "gauge", 60.0)


def rejected(number: int, code: str) -> RejectedRow:
    return RejectedRow(number, NOW, f"urban/v1/water/{code}/up", 1, "unknown_property", "secret", 1, False, None, "x")


def alarm(alarm_id: int, thing_id: int | None) -> AlarmRow:
    return AlarmRow(
        alarm_id, "high", "UNACK", "none", "datastream", thing_id, 1, NOW, NOW, None, None, None, 1.0, 2.0, "m",
        "r", "lighting", "power", "high", "fr", "en", "", "",
    )  # fmt: skip


WRITER = WriterRow(1, "collector-1/1", 1, 1, NOW, 0.5, 900, 700, 100, 90, 10, "connected", {"broker_refused": {"x": 4}})
TOWN = Town(
    seq=5,
    proved_at=NOW,
    things={1: thing(1, OWN, parent="t2"), 2: thing(2, OTHER), 3: thing(3, OWN, parent="t1")},
    codes={"t1": 1, "t2": 2, "t3": 3},
    streams={1: stream(1, 1, "lighting", "power"), 2: stream(2, 2, "lighting", "power")},
    streams_of={1: (1,), 2: (2,)},
    latest={1: ReadingRow(1, ago(30), 3.0, 5), 2: ReadingRow(2, ago(5), 9.0, 5)},
    alarms={7: alarm(7, 1), 8: alarm(8, 2), 9: alarm(9, None)},
    writers=(WRITER,),
    progress={"collector-1/1": Progress(890, ago(3))},
    courses={"lighting": Course("power", (6.0,))},
    rejected=(rejected(1, "t2"),),
    engine=("18", 12_345_678, 9, "PostgreSQL"),
    own={OWN: Own({"lighting": Course("power", (3.0,))}, (rejected(2, "t1"),)), OTHER: Own()},
)


def test_part_of_a_scope_holds_nothing_of_another() -> None:
    part = seen_by(TOWN, OWN)
    assert (set(part.things), set(part.codes), set(part.streams), set(part.latest), set(part.alarms)) == (
        {1, 3}, {"t1", "t3"}, {1}, {1}, {7},
    )  # fmt: skip
    assert [part.things[i].parent for i in (1, 3)] == [None, "t1"]
    assert part.courses["lighting"].values == (3.0,)
    assert [row.rejected_id for row in part.rejected] == [2]
    assert part.engine is None
    assert sum(messages(part).values()) == 0
    assert part.writers[0].detail is None
    # Whether the platform works is for everybody.
    assert judge.feed(part, now=NOW) == judge.feed(TOWN, now=NOW)
    stuck = replace(TOWN, progress={"collector-1/1": Progress(890, ago(40))})
    assert judge.feed(seen_by(stuck, OWN), now=NOW).state == "collector"


def test_health_of_a_scope_tells_that_parts_work_and_counts_nothing() -> None:
    whole, part = report(TOWN, now=NOW), report(seen_by(TOWN, OWN), now=NOW)
    assert whole["messages"]["received"] == 900
    assert "messages" not in part
    assert (part["status"], part["failing"]) == (whole["status"], whole["failing"])
    stuck = replace(TOWN, progress={"collector-1/1": Progress(890, ago(40))})
    told = report(seen_by(stuck, OWN), now=NOW)
    assert "collectors" in told["failing"]
    assert "10 messages" not in str(told)


@pytest.mark.parametrize("page", ["/", "/alarms", "/map", "/health", "/asset/t1"])
def test_no_page_of_a_scope_shows_another(page: str) -> None:
    words = Words("fr", UTC)  # type: ignore[arg-type]
    scene = Scene(seen_by(TOWN, OWN), words, load(), NOW, scope=OWN, may_see_rejected=page == "/health")
    drawing = draw_page(scene, page)
    told = module.json.dumps([drawing.fragments, drawing.rows], cls=module.PlotlyJSONEncoder)
    assert "t1" in told or page == "/"
    for secret in ("t2", "12,3", "900"):
        assert secret not in told, secret
    # The newest reading is 30 s old here, 5 s old elsewhere.
    assert str(int(ago(30).timestamp() * 1000)) in told
    assert str(int(ago(5).timestamp() * 1000)) not in told


def test_course_is_read_from_the_datastreams_of_the_part(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []

    def read(_connection: Any, streams: list[int], **_span: Any) -> list[tuple[int, float]]:
        asked.append(streams)
        return []

    monkeypatch.setattr(screens, "read_course", read)
    for town in (TOWN, seen_by(TOWN, OWN)):
        read_courses(None, town, load(), now=NOW)  # type: ignore[arg-type]
    assert asked == [[1, 2], [1]]


def test_thing_of_two_domains_reports_in_each_by_its_own_datastreams() -> None:
    """A lamp post whose parking sensor is silent."""
    pole = thing(1, OWN)
    town = Town(
        proved_at=NOW,
        things={1: pole},
        streams={1: stream(1, 1, "lighting", "power"), 2: stream(2, 1, "parking", "occupied")},
        streams_of={1: (1, 2)},
        latest={1: ReadingRow(1, ago(10), 3.0, 5), 2: ReadingRow(2, ago(900), 1.0, 5)},
    )

    def told(domain: str | None) -> Reporting:
        return judge.reporting(town, [pole], now=NOW, periods=Periods(), domain=domain)

    assert [told(d) for d in ("lighting", "parking", "water")] == [Reporting(1, 1), Reporting(0, 1), Reporting(0, 0)]
    assert told(None) == Reporting(1, 1)


def test_views_of_guessed_codes_do_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 10)
    scene = Scene(TOWN, Words("fr", UTC), load(), NOW)  # type: ignore[arg-type]
    views = Views(lambda _scene, _path: Drawing({"a": {"children": "1"}}), lambda _key: scene)
    account = Account(1, "operator", Role.OPERATOR)
    used = ViewKey.of("/", "fr", account)
    number = views.after(used, 0)["seq"]
    for guess in range(200):
        views.after(ViewKey.of(f"/asset/x{guess}", "fr", account), 0)
        # The view in use stays, and its screen is told changes only.
        assert views.after(used, number)["full"] is False
    assert len(views._views) == 10


def test_registry_of_a_part_is_made_once_for_many_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    holds = Scope.holds
    monkeypatch.setattr(Scope, "holds", lambda self, thing: asked.append(1) or holds(self, thing))
    parts, town = Parts(), TOWN
    for look in range(5):
        town = replace(town, seq=look)
        assert set(parts.of(town, OWN).things) == {1, 3}
    assert len(asked) == len(TOWN.things)
    assert parts.of(town, EVERYTHING) is town


def test_part_that_nobody_looks_at_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0, 55.0, 100.0])
    monkeypatch.setattr(scoped.time, "monotonic", lambda: next(clock))
    parts = Parts()
    for seq, scope in enumerate((OWN, OTHER, OTHER, OTHER)):
        parts.of(replace(TOWN, seq=seq), scope)
    assert set(parts._known) == {OTHER}
