"""Random towns and scopes: what a part holds, and what every page of it shows, against a predicate of its own."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from plotly.utils import PlotlyJSONEncoder

from dashboards.control_room import draw_page
from dashboards.scoped import Parts, seen_by
from dashboards.town import Town
from dashboards.views import Scene
from dashboards.words import Words
from hypervision.domains import load
from hypervision.scope import EVERYTHING, Scope
from hypervision.store.screens import AlarmRow, ReadingRow, StreamRow, ThingRow

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
CATALOGUE = load()
LEADING = {"water": "pressure", "lighting": "power", "parking": "occupied", "waste": "fill"}
DISTRICTS = ("Nord", "Sud", "Est", "")
SEEDS = range(25)


def town_of(seed: int) -> Town:
    """Some dozens of Things with parents, datastreams of any domain, readings and alarms; one alarm of the platform."""
    chance = random.Random(seed)
    things, streams, latest, alarms = {}, {}, {}, {}
    for i in range(1, chance.randrange(5, 60)):
        parent = chance.choice([None, *(t.code for t in things.values())])
        # No code is the beginning of another one.
        things[i] = ThingRow(
            i, f"thing-{i:04d}-x", f"name-{i:04d}-x", chance.choice(list(LEADING)), "", parent, 5.0 + i / 1e3, 47.0,
            f"place-{i:04d}-x", chance.choice([None, 1, 2]), None, None, None, chance.choice(DISTRICTS),
        )  # fmt: skip
        for domain in chance.sample(list(LEADING), chance.randrange(0, 3)):
            number = len(streams) + 1
            streams[number] = StreamRow(number, i, domain, LEADING[domain], "1", "gauge", 60.0)
            latest[number] = ReadingRow(number, NOW - timedelta(seconds=chance.randrange(300)), 1.0, 5)
            if chance.random() < 0.3:
                alarms[number] = AlarmRow(
                    number, chance.choice(["critical", "high", "low"]), chance.choice(["UNACK", "ACKED"]), "none",
                    "datastream", i, number, NOW, NOW, None, None, None, 1.0, 2.0, f"message-{i:04d}-x", "r", domain,
                    LEADING[domain], "high", "fr", "en", "", "",
                )  # fmt: skip
    alarms[9_999] = AlarmRow(
        9_999, "critical", "UNACK", "none", "system", None, None, NOW, NOW, None, None, None, None, None, "platform",
        "r", "water", None, "silence", "fr", "en", "", "",
    )  # fmt: skip
    of_thing: dict[int, tuple[int, ...]] = {}
    for stream in streams.values():
        of_thing[stream.thing_id] = (*of_thing.get(stream.thing_id, ()), stream.datastream_id)
    return Town(
        seq=seed + 1, proved_at=NOW, things=things, codes={t.code: i for i, t in things.items()}, streams=streams,
        streams_of=of_thing, latest=latest, alarms=alarms,
    )  # fmt: skip


def scopes_of(seed: int) -> list[Scope]:
    chance = random.Random(1000 + seed)

    def some(words: tuple[str, ...]) -> list[str] | None:
        return chance.sample(words, chance.randrange(1, len(words))) if chance.random() < 0.5 else None

    return [Scope.of(chance.choice([None, None, 1, 2, 3]), some(tuple(LEADING)), some(DISTRICTS[:3])) for _ in range(4)]


def visible(town: Town, scope: Scope) -> set[int]:
    """The predicate once more, in other words than the product's."""
    found = set(town.things)
    for i, thing in town.things.items():
        for limit, word in (
            (None if scope.organisation_id is None else [scope.organisation_id], thing.organisation_id),
            (scope.domains, thing.domain),
            (scope.districts, thing.district),
        ):
            if limit is not None and word not in limit:
                found.discard(i)
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_part_holds_what_is_visible_and_nothing_else(seed: int) -> None:
    town = town_of(seed)
    for scope in scopes_of(seed):
        own = visible(town, scope)
        part = seen_by(town, scope)
        assert set(part.things) == own
        assert set(part.codes.values()) == own
        if scope.is_whole:
            assert part is town
            continue
        assert {s.thing_id for s in part.streams.values()} <= own
        assert set(part.streams) == {i for i, s in town.streams.items() if s.thing_id in own}
        assert set(part.latest) == set(part.streams)
        assert set(part.alarms) == {i for i, a in town.alarms.items() if a.thing_id in own}
        assert {t.parent for t in part.things.values()} <= {None, *part.codes}
        assert {t.thing_id for t in town.visible_things(scope)} == own
        assert {a.alarm_id for a in town.visible_alarms(scope)} == set(part.alarms)


def told_on(scene: Scene, page: str) -> str:
    drawing = draw_page(scene, page)
    return json.dumps([drawing.fragments, drawing.rows], cls=PlotlyJSONEncoder)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_page_shows_a_thing_outside_of_the_scope(seed: int) -> None:
    town = town_of(seed)
    for scope in scopes_of(seed):
        own = visible(town, scope)
        scene = Scene(seen_by(town, scope), Words("fr", UTC), CATALOGUE, NOW, scope=scope)  # type: ignore[arg-type]
        outside = [t for i, t in town.things.items() if i not in own]
        pages = ["/", "/alarms", "/map", "/health", *(f"/asset/{t.code}" for t in outside[:2])]
        for page in pages:
            told = told_on(scene, page)
            shown = [t.code for t in outside if f"{t.thing_id:04d}-x" in told]
            assert shown == [], (page, scope)
            assert scope.is_whole or "platform" not in told
        for unknown in outside[:1]:
            known, never = (told_on(scene, f"/asset/{code}") for code in (unknown.code, "never-there"))
            assert known == never


@pytest.mark.parametrize("seed", SEEDS)
def test_parts_are_shared_and_never_old(seed: int) -> None:
    """However the town changes between two looks, a part is that of the newest one."""
    chance = random.Random(seed)
    town, parts = town_of(seed), Parts()
    scopes = [*scopes_of(seed), EVERYTHING]
    for look in range(6):
        for scope in scopes:
            part = parts.of(town, scope)
            assert part is parts.of(town, scope)
            assert set(part.things) == visible(town, scope)
            assert part == seen_by(town, scope)
        if chance.random() < 0.5:
            # A Thing is given to another organisation and moves.
            i = chance.choice(list(town.things))
            moved = replace(town.things[i], organisation_id=chance.choice([1, 2]), district=chance.choice(DISTRICTS))
            town = replace(town, things={**town.things, i: moved})
        readings = {i: r._replace(at=NOW + timedelta(seconds=look)) for i, r in town.latest.items()}
        town = replace(town, seq=town.seq + 1, latest=readings)
