from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dashboards.town import Town
from dashboards.views import Drawing, Scene, View, ViewKey, Views
from dashboards.words import Words
from hypervision.accounts import Account, Role
from hypervision.domains import load
from hypervision.scope import Scope

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SCENE = Scene(Town(seq=1), Words("fr", ZoneInfo("Europe/Paris")), load(), NOW)


def later(n: int) -> Scene:
    return replace(SCENE, town=replace(SCENE.town, seq=1 + n), now=NOW + timedelta(seconds=n))


def test_view_tells_everything_first_then_only_what_changed() -> None:
    drawings = iter(
        [
            Drawing({"a": {"children": "1"}, "b": {"children": "x"}}, {"7": {"id": "7"}}),
            Drawing({"a": {"children": "2"}, "b": {"children": "x"}}, {"7": {"id": "7"}, "8": {"id": "8"}}),
            Drawing({"a": {"children": "2"}, "b": {"children": "x"}}, {"8": {"id": "8", "state": "ACKED"}}),
        ]
    )
    view = View(lambda _scene: next(drawings))
    view.redraw(SCENE)
    first = view.after(0)
    assert (first["full"], set(first["set"]), first["rows"], first["gone"]) == (True, {"a", "b"}, [{"id": "7"}], [])
    view.redraw(later(1))
    second = view.after(first["seq"])
    assert (second["full"], second["set"], second["rows"]) == (False, {"a": {"children": ["2"]}}, [{"id": "8"}])
    view.redraw(later(2))
    third = view.after(second["seq"])
    assert (third["set"], third["rows"], third["gone"]) == ({}, [{"id": "8", "state": "ACKED"}], ["7"])
    behind = view.after(first["seq"])
    assert (set(behind["set"]), [row["id"] for row in behind["rows"]], behind["gone"]) == ({"a"}, ["8"], ["7"])


def test_view_is_not_drawn_twice_for_the_same_moment() -> None:
    drawn = []
    view = View(lambda scene: drawn.append(scene) or Drawing({}))  # type: ignore[func-returns-value]
    view.redraw(SCENE)
    view.redraw(SCENE)
    assert len(drawn) == 1


def test_readings_wait_for_the_next_second_and_alarms_do_not() -> None:
    drawn = []
    view = View(lambda scene: drawn.append(scene) or Drawing({}))  # type: ignore[func-returns-value]
    view.redraw(SCENE)
    read = replace(SCENE.town, seq=2, latest={7: None})
    view.redraw(replace(SCENE, town=read))
    assert len(drawn) == 1
    for news in ({"alarms": {}}, {"things": {}}, {"inhibitions": (None,)}, {"failure": "it does not answer"}):
        read = replace(read, seq=read.seq + 1, **news)
        view.redraw(replace(SCENE, town=read))
    assert len(drawn) == 5
    view.redraw(replace(SCENE, town=read, now=NOW + timedelta(seconds=1)))
    assert len(drawn) == 6
    assert drawn[-1].town.latest == {7: None}


def test_screen_of_an_earlier_process_or_a_forgotten_view_gets_everything() -> None:
    def draw(_scene: Scene) -> Drawing:
        return Drawing({"a": {"children": "1"}})

    old = View(draw)
    old.redraw(SCENE)
    number = old.after(0)["seq"]
    new = View(draw)
    new.redraw(SCENE)
    assert new.after(number)["full"] is True


def test_screen_whose_account_has_another_scope_by_now_gets_everything_of_its_view() -> None:
    """The other view was there before: a delta of it would leave on the screen what was told of the first."""
    views = Views(lambda scene, _path: Drawing({"a": {"children": str(scene.scope)}}, {}), later_of)
    one, other = (ViewKey.of("/", "fr", Account(1, "x", Role.VIEWER, Scope(number))) for number in (1, 2))
    views.after(other, 0)
    seq = views.after(one, 0)["seq"]
    assert views.after(one, seq)["full"] is False
    moved = views.after(other, seq)
    assert (moved["full"], list(moved["set"])) == (True, ["a"])
    assert views.after(other, moved["seq"])["full"] is False


def later_of(key: ViewKey) -> Scene:
    return replace(SCENE, scope=key.scope)


def test_views_are_shared_by_screens_with_the_same_rights() -> None:
    drawn = []

    def draw(_scene: Scene, path: str) -> Drawing:
        drawn.append(path)
        return Drawing({})

    views = Views(draw, lambda _key: SCENE)
    operator = ViewKey.of("/", "fr", Account(1, "operator", Role.OPERATOR))
    engineer = ViewKey.of("/", "fr", Account(2, "engineer", Role.ENGINEER))
    viewer = ViewKey.of("/", "fr", Account(3, "viewer", Role.VIEWER))
    agency_agent = ViewKey.of("/", "fr", Account(4, "agency", Role.OPERATOR, Scope(2)))
    for key in (operator, engineer, viewer, agency_agent):
        views.after(key, 0)
    assert len(drawn) == 3
