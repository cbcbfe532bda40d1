"""Alarms of the platform on the screens: named by their part, in both languages, for accounts of the whole town."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dashboards.components.alarms import describe, platform_text, row
from dashboards.components.quality import quality
from dashboards.control_room import draw_page
from dashboards.scoped import seen_by
from dashboards.searching import Index, search
from dashboards.town import Town
from dashboards.views import Scene
from dashboards.words import Language, Words
from hypervision.alarm_quality import Actor
from hypervision.domains import load
from hypervision.scope import EVERYTHING, Scope
from hypervision.store.alarm_quality import Named
from hypervision.store.inhibitions import About, Inhibition
from hypervision.store.screens import AlarmRow
from tests.unit.dashboards.test_pages import scene, text
from tests.unit.dashboards.test_room import hrefs, measured

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
DISK = AlarmRow(
    1, "medium", "UNACK", "none", "system", None, None, NOW, NOW, None, None, None, 91.25, 90.0, "m",
    "platform.disk.filling", "platform", "disk_used", "high", "Disque presque plein", "Disk nearly full", "Faire de la place",
    "Make room", "Plus rien ne sera enregistré", "Nothing is stored any more", part="disk",
)  # fmt: skip
STOPPED = replace(
    DISK, alarm_id=2, property="collector_state", rule_kind="state_equals", value=0.0, limit=0.0, part="collector-1/2"
)
TOWN = Town(alarms={1: DISK, 2: STOPPED})


@pytest.mark.parametrize(
    ("language", "name", "value", "domain"),
    [
        ("fr", "Plateforme · disque", "91,2 % > 90,0 %", "Plateforme"),
        ("en", "Platform · disk", "91.2 % > 90.0 %", "Platform"),
    ],
)
def test_alarm_of_the_platform_says_what_where_and_what_to_do(
    language: Language, name: str, value: str, domain: str
) -> None:
    words = Words(language, PARIS)
    line = describe(DISK, TOWN, words, load())
    assert (line.name, line.value.replace("\u00a0", " "), line.code, line.place) == (name, value, "", "")
    assert line.consequence
    assert line.action
    assert row(DISK, TOWN, words, load())["domain"] == domain


def test_process_that_stopped_is_named_with_its_state() -> None:
    line = describe(STOPPED, TOWN, Words("fr", PARIS), load())
    assert (line.name, line.value) == ("Plateforme · collector-1/2", "arrêté")


def test_disk_of_another_folder_bears_its_name() -> None:
    assert platform_text(Words("en", PARIS), "disk /srv/db") == "Platform · disk /srv/db"
    assert platform_text(Words("en", PARIS), "") == "Platform"


def test_account_of_a_part_of_the_town_sees_no_alarm_of_the_platform() -> None:
    assert [a.alarm_id for a in TOWN.visible_alarms(EVERYTHING)] == [2, 1]
    for scope in (Scope.of(1), Scope.of(domains=["platform", "water"]), Scope.of(districts=[""])):
        assert TOWN.visible_alarms(scope) == []
        assert seen_by(TOWN, scope).alarms == {}


def test_alarm_of_the_platform_is_found_by_its_part() -> None:
    hits, _ = search(Scene(TOWN, Words("fr", PARIS), load(), NOW), Index([]), "disque", pages={})
    assert [(hit.kind, hit.href) for hit in hits] == [("alarm", "/health"), ("alarm", "/health")]


def test_shelf_of_an_alarm_that_does_not_stand_now_names_the_part() -> None:
    shelf = Inhibition(
        3, "shelved", False, NOW, NOW + timedelta(hours=2), "travaux", "anna", NOW, None, "", "platform.disk.filling",
        "Disque presque plein", "Disk nearly full", "medium", (About(name="disk"),), 0,
    )  # fmt: skip
    drawn = draw_page(scene(inhibitions=(shelf,), alarms={}), "/alarms/hidden").fragments
    assert "Plateforme · disque" in text(drawn["hidden-list"]["children"])


def test_quality_names_the_part_and_leads_to_the_health_of_the_platform() -> None:
    named = Named("platform.broker.away", "Broker non joint", "Broker not reached", "critical", None, "broker")
    found = measured()
    page = quality(
        scene(), replace(found, standing=[(found.standing[0][0], named)], names={Actor(3, 7, 1): named}), "24h"
    )
    assert "Plateforme · broker" in text(page)
    assert "/health" in hrefs(page)


def test_alarm_of_a_group_bears_its_name_and_leads_to_the_thing_that_it_is_shown_at() -> None:
    drawn = scene()
    group = replace(
        DISK, source_kind="group", thing_id=1, domain="groups", property="in_alarm_share", value=75.0, limit=50.0,
        part="Départ 12",
    )  # fmt: skip
    line = describe(group, drawn.town, Words("fr", PARIS), load())
    assert (line.name, line.code, line.place) == ("Départ 12", "dev:eui:01", "rue Haute")
    assert line.value.replace("\u00a0", " ") == "75 % > 50 %"
    assert row(group, drawn.town, Words("fr", PARIS), load())["domain"] == "Groupes"
