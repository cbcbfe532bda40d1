"""The page of rejected messages: what its address chooses, and how strangers' payloads are shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from dash.development.base_component import Component

from dashboards.choices import Choice
from dashboards.components.quarantine import Found, export, order, quarantine
from dashboards.pages import rejected as page
from dashboards.payloads import readable, visible
from dashboards.town import Town
from dashboards.views import Scene
from dashboards.words import Language, Words
from hypervision.domains import load
from hypervision.scope import EVERYTHING, Scope
from hypervision.store.rejected import Chosen, Counted, Rejected

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
HOSTILE = b'<img src=x onerror="alert(1)">'


def scene(language: Language = "en", **more: Any) -> Scene:
    return Scene(Town(codes={"p1": 1}), Words(language, PARIS), load(), NOW, **more)


def row(number: int, payload: bytes = b'{"xyz": 1}', **more: Any) -> Rejected:
    given = {
        "thing": "p1", "topic": "urban/v1/water/p1/up", "payload_bytes": len(payload), "reason": "unknown_property",
        "detail": "no such property", "count": 1, "partial": False, "replayed_at": None,
    }  # fmt: skip
    return Rejected(rejected_id=number, received_time=NOW, payload=payload, **(given | more))


def found(*rows: Rejected, **more: Any) -> Found:
    given: dict[str, Any] = {
        "more": False, "reasons": [Counted("unknown_property", 1, 7)], "things": [Counted("p1", 1, 7), Counted("", 1, 1)],
        "waiting": len(rows), "all_counted": True, "newest": 9, "newest_at": NOW if rows else None, "chosen": Chosen(),
    }  # fmt: skip
    return Found(read_at=NOW, rows=rows, **(given | more))


def texts(drawn: Component) -> str:
    told: list[str] = []
    for each in [drawn, *drawn._traverse()]:
        inner = each if isinstance(each, str) else getattr(each, "children", None)
        told += [inner] if isinstance(inner, str) else []
    return "\n".join(told)


def attributes(drawn: Component, name: str) -> list[str]:
    return [value for each in drawn._traverse() if (value := getattr(each, name, None)) is not None]


def test_choice_is_read_from_the_address_that_it_writes() -> None:
    choice = Choice(
        span="1h", state="all", part="values", reason="bad_time", thing="a:b", topic="urban/v1/é&=", since="x"
    )
    address = choice.href()
    assert Choice.of(f"?{urlsplit(address).query}") == choice
    assert "before" in parse_qs(urlsplit(choice.href(before="7")).query)
    assert Choice().href() == "/rejected"
    # Another filter begins at the newest again.
    assert Choice(before="7").href(reason="conflict") == "/rejected?reason=conflict"


@pytest.mark.parametrize(
    "search",
    ["?span=9y&state=x&part=y", "?before=-1", "?before=٣", f"?before={'9' * 19}", "?thing=%00", "?reason=%ff%fe", "nonsense", "?" + "a=1&" * 40],
)  # fmt: skip
def test_choice_of_a_senseless_address_can_be_asked_for(search: str) -> None:
    choice = Choice.of(search)
    assert (choice.span, choice.state, choice.part, choice.before, choice.thing) == ("7d", "waiting", "all", "", "")
    choice.chosen(scope=EVERYTHING, zone=PARIS, now=NOW)


def test_typed_times_are_local_and_replace_the_span() -> None:
    chosen = Choice(span="1h", since="2026-11-22 10:00", until="2026-11-23").chosen(scope=Scope(3), zone=PARIS, now=NOW)
    assert chosen.since == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert chosen.until == datetime(2026, 11, 22, 23, tzinfo=UTC)
    assert (chosen.scope, chosen.replayed, chosen.partial) == (Scope(3), False, None)
    assert Choice(span="1h").chosen(scope=EVERYTHING, zone=PARIS, now=NOW).since == NOW - timedelta(hours=1)
    assert Choice(since="soon", until="2026-11-22").wrong(PARIS) == ["soon"]
    assert "Not a time: soon" in texts(quarantine(scene(), Choice(since="soon"), found(row(1))))


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (HOSTILE, '<img src=x onerror="alert(1)">'),
        (b"\xff\x00", "ff00"),
        ("a\u202eb\x07".encode(), "a\\u202eb\\x07"),
        (b"", ""),
    ],
)
def test_payload_is_shown_as_text_and_nothing_of_it_is_run(payload: bytes, shown: str) -> None:
    drawn = quarantine(scene(), Choice(), found(row(1, payload)))
    code = [each for each in drawn._traverse() if type(each).__name__ == "Code"]
    assert [each.children for each in code] == [shown]
    assert not [each for each in drawn._traverse() if type(each).__name__ in ("Markdown", "DangerouslySetInnerHTML")]


def test_long_payload_is_cut_and_says_how_long_it_is() -> None:
    drawn = quarantine(scene(), Choice(), found(row(1, b"x" * 400, payload_bytes=70_000)))
    assert f"{'x' * 180}…" in texts(drawn)
    assert "70,000 bytes" in texts(drawn)
    assert readable("é".encode() * 200 + b"\xc3", whole=False)[1] == "utf-8"
    assert visible("a\nb") == "a\\nb"


def test_counts_are_filters_and_the_chosen_one_takes_itself_back() -> None:
    drawn = quarantine(scene(), Choice(), found(row(1)))
    links = attributes(drawn, "href")
    assert "/rejected?reason=unknown_property" in links
    assert "/rejected?thing=p1" in links
    assert "/asset/p1" in links
    chosen = quarantine(scene(), Choice(reason="unknown_property"), found(row(1)))
    on = [each.href for each in chosen._traverse() if getattr(each, "className", None) == "facet is-on"]
    assert on == ["/rejected"]
    # What mends the chosen reason is told once, not in every row.
    assert texts(chosen).count(Words("en", PARIS).t("remedy.unknown_property")) == 1


def test_replay_names_its_number_and_sends_the_shown_set() -> None:
    chosen = Chosen(reason="conflict", since=NOW, replayed=False, scope=Scope(4))
    drawn = quarantine(scene(), Choice(), found(row(1), row(2), chosen=chosen))
    (asked,) = attributes(drawn, "data-rejected-replay")
    assert json.loads(asked) == {"reason": "conflict", "from": NOW.isoformat(), "newest": 9}
    assert "Replay 2 messages" in texts(drawn)
    assert "Replay all (more than 9,000 messages)" in texts(
        quarantine(scene(), Choice(), found(row(1), waiting=9_000, all_counted=False))
    )
    assert not attributes(quarantine(scene(), Choice(), found(row(1), waiting=0)), "data-rejected-replay")
    assert parse_qs(export(chosen))["replayed"] == ["false"]
    assert "organisation" not in order(chosen)
    assert not attributes(quarantine(scene(), Choice(), found(row(1), may_replay=False)), "data-rejected-replay")


def test_empty_list_says_whether_there_is_anything_at_all() -> None:
    assert "Nothing was ever rejected." in texts(quarantine(scene(), Choice(), found()))
    told = quarantine(scene(), Choice(), found(newest_at=NOW))
    assert "The newest of all was received 22 Nov 2026 11:00:00." in texts(told)
    assert "/rejected?span=all&state=all" in attributes(told, "href")


def test_counters_of_everybody_are_not_told_to_an_organisation() -> None:
    assert page.draw(scene(scope=Scope(1)), "/rejected").fragments == {}
    assert page.draw(scene(), "/rejected").fragments == {
        "rejected-total": {"children": "0 rejected in all, by the counters"}
    }


def test_detail_is_told_in_the_language_of_the_screen_where_it_has_words() -> None:
    shown = found(
        row(1, detail="flow is 'wet', not a number"),
        row(2, detail="what a decoder of one's own says\u202e"),
        row(3, detail="there is no domain 'x\u202e'; there are 'water'"),
    )
    drawn = quarantine(scene("fr"), Choice(), shown)
    details = [one for one in drawn._traverse() if "cell-detail" in (getattr(one, "className", None) or "")]
    assert [(one.lang, texts(one)) for one in details] == [
        ("fr", "flow vaut 'wet', qui n’est pas un nombre"), ("en", "what a decoder of one's own says\\u202e"),
        # The space that French has before a semicolon is none of a device's tricks.
        ("fr", "il n’y a pas de domaine 'x\\u202e'\u00a0; il y a 'water'"),
    ]  # fmt: skip
    assert "flow is 'wet', not a number" in texts(quarantine(scene(), Choice(), shown))
