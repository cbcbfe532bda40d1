"""The page of the audit log: its filters, its lines, and hostile names in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dash.development.base_component import Component

from dashboards.frame import frame
from dashboards.pages import audit as page
from dashboards.town import Town
from dashboards.views import Scene
from dashboards.words import Language, Words
from hypervision.accounts import Account, Role
from hypervision.auditing import BEGINNING, Line
from hypervision.domains import load

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
LINE = Line(
    7, NOW, "anna", "alarm.acknowledge", "alarm", "12", "192.0.2.7", "vu", '{"state": "UNACK"}', '{"state": "ACKED"}',
    "hypervision_serve", BEGINNING, BEGINNING,
)  # fmt: skip


def scene(language: Language = "en") -> Scene:
    return Scene(Town(), Words(language, PARIS), load(), NOW)


def texts(drawn: Component) -> str:
    told: list[str] = []
    for component in [drawn, *drawn._traverse()]:  # type: ignore[no-untyped-call]
        children = getattr(component, "children", None)
        told += [child for child in (children if isinstance(children, list) else [children]) if isinstance(child, str)]
    return " ".join(told)


def drawn(*lines: Line, language: Language = "en", given: dict[str, str] | None = None, **more: Any) -> Component:
    return page.listed(
        scene(language), given or {}, lines, ["alarm.acknowledge", "future.deed"], **{"older": False, "now": NOW} | more
    )


def test_line_tells_who_what_on_what_from_where_why_and_what_changed() -> None:
    said = texts(drawn(LINE))
    for part in ("7", "11:00:00", "anna", "192.0.2.7", "Alarm acknowledged", "vu", "alarm 12", "UNACK → ACKED"):
        assert part in said
    assert "Alarme acquittée" in texts(drawn(LINE, language="fr"))
    # What a newer version notes is told by its own name.
    assert "future.deed" in said


def test_hostile_text_stands_as_text() -> None:
    hostile = "<img src=x>\u202e=1+1"
    shown = texts(drawn(replace(LINE, actor=hostile, object_id=hostile, reason=hostile, after='{"\u202e": "\u202e"}')))
    assert "\u202e" not in shown
    assert "<img src=x>" in shown


def test_filters_are_kept_by_the_address_and_pages_go_on() -> None:
    made = drawn(*[replace(LINE, number=n) for n in range(99, 40, -1)], given={"actor": "a b"}, older=True)
    links = [getattr(part, "href", "") for part in made._traverse()]  # type: ignore[no-untyped-call]
    assert "/audit?actor=a+b&before=50" in links
    assert "/audit?actor=a+b&action=future.deed" in links
    assert "/audit" in links
    assert "No such line." in texts(drawn())


@pytest.mark.parametrize(
    ("search", "given", "before"),
    [
        ("", {}, None),
        ("?actor=a&action=b&kind=c&id=d&before=9", {"actor": "a", "action": "b", "kind": "c", "id": "d"}, 9),
        ("?before=99999999999999999999", {}, None),
        ("?before=٣", {}, None),
        ("?actor=&x=%00", {}, None),
    ],
)
def test_address_chooses_what_is_known(search: str, given: dict[str, str], before: int | None) -> None:
    assert page.chosen(search) == (given, before)


def test_only_who_may_see_the_log_is_led_to_it() -> None:
    for role in Role:
        shown = frame(Words("en", PARIS), Account(1, "x", role), accessibility="")
        links = [getattr(part, "href", "") for part in shown._traverse()]  # type: ignore[no-untyped-call]
        assert ("/audit" in links) is (role in ("administrator", "auditor"))
