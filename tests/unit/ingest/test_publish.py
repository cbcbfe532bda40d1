from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hypervision.domains import load
from hypervision.errors import SettingError
from hypervision.store.lookup import Place
from hypervision.store.rejected import Rejected
from ingest.publish import choose, value_of
from ingest.rejects import line

CATALOGUE = load()


def nobody(thing: str, domains: Sequence[str]) -> str:
    raise AssertionError(f"asked for {thing} among {domains}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("flow=3", ("flow", 3)),
        ("flow=-3.5e2", ("flow", -350.0)),
        ("flow=.5", ("flow", 0.5)),
        ("flow=1 L/s", ("flow", {"value": 1, "unit": "L/s"})),
        ("flow=12345678901234567890", ("flow", 12345678901234567890.0)),
        ("occupied=TRUE", ("occupied", True)),
        ("lamp_state=on", ("lamp_state", "on")),
        ("flow=", ("flow", "")),
    ],
)
def test_value_is_read_as_a_device_would_send_it(text: str, expected: tuple[str, object]) -> None:
    assert value_of(text) == expected


@pytest.mark.parametrize("text", ["flow", "=3", " =3"])
def test_reading_without_property_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match="PROPERTY=VALUE"):
        value_of(text)


def test_domain_follows_from_the_property_alone() -> None:
    assert choose(CATALOGUE, "x", ["flow"], None, ask=nobody) == "water"
    assert choose(CATALOGUE, "x", ["lamp_state", "power"], None, ask=nobody) == "lighting"


def test_domain_follows_from_the_things_datastreams_then_from_the_thing() -> None:
    used = Place("water", frozenset({("waste", "battery")}))
    assert choose(CATALOGUE, "x", ["battery"], used, ask=nobody) == "waste"
    own = Place("parking", frozenset())
    assert choose(CATALOGUE, "x", ["battery"], own, ask=nobody) == "parking"


def test_domain_is_asked_for_where_it_is_open() -> None:
    asked: list[Sequence[str]] = []

    def ask(_thing: str, domains: Sequence[str]) -> str:
        asked.append(domains)
        return domains[-1]

    chosen = choose(CATALOGUE, "x", ["battery"], None, ask=ask)
    assert asked == [["water", "parking", "waste"]]
    assert chosen == "waste"


@pytest.mark.parametrize("names", [["flux"], ["flow", "lamp_state"], ["flow_excess"]])
def test_property_of_no_domain_is_refused_with_the_list(names: list[str]) -> None:
    with pytest.raises(SettingError, match="water: flow, volume"):
        choose(CATALOGUE, "x", names, None, ask=nobody)


def test_rejected_line_is_printable_whatever_is_in_it() -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    message = Rejected(7, at, "", "a\x1b[31m", b"\x00\xff\x1b" + b"x" * 200, 203, "malformed", "why.", 1, True, at)
    shown = line(message)
    assert all(part.isprintable() for part in shown.split("\n"))
    assert "(one value)" in shown
    assert "(12 values)" in line(replace(message, count=12))
