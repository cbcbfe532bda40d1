"""Consequences by their cause, and the declaration of accessibility, from outside: each account its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from hypervision.accounts import Role
from hypervision.store.connection import url_of
from tests.browser.fake_town import Town, running
from tests.integration.served import call

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def town(_database_server: tuple) -> Iterator[Town]:
    with running(_database_server) as made:
        with psycopg.connect(url_of(made.settings)) as connection:
            connection.execute(
                "UPDATE hv.thing SET parent_id = (SELECT thing_id FROM hv.thing WHERE code = 'lighting-001')"
                " WHERE code IN ('lighting-002', 'lighting-003')"
            )
            connection.execute("UPDATE hv.rule SET on_delay = interval '0' WHERE code = 'lighting.voltage.low'")
            connection.execute("UPDATE hv.rule_set SET version = version + 1")
        made.add_account("south", Role.OPERATOR, districts=["Sud"])
        yield made


def cut(town: Town, client: httpx.Client) -> int:
    """`lighting-001` loses its voltage and explains two lamps; the number of its alarm."""
    town.collector.read({("lighting", "lighting-001", "voltage"): 0.0})
    lamps = ("lighting-002", "lighting-003")
    town.collector.read({("lighting", lamp, "lamp_state"): 2.0 for lamp in lamps})
    asked = {"thing": "lighting-001", "open": "true"}
    return int(client.get("/api/v1/alarms", params=asked).json()["rows"][0]["id"])


def explained(client: httpx.Client, cause: int) -> set[str]:
    rows = client.get("/api/v1/alarms", params={"explained_by": cause, "open": "true"}).json()["rows"]
    return {row["thing"] for row in rows}


def chosen(client: httpx.Client, search: str) -> httpx.Response:
    inputs: list[dict[str, Any]] = [
        {"id": "url", "property": "search", "value": search},
        {"id": "hidden-refresh", "property": "data", "value": 0},
    ]
    return client.post("/_dash-update-component", json=call("hidden-chosen.children", inputs))


def test_consequences_are_asked_for_by_their_cause_and_each_account_gets_its_own(town: Town) -> None:
    with town.session("operator") as operator, town.session("south") as south:
        cause = cut(town, operator)
        assert explained(operator, cause) == {"lighting-002", "lighting-003"}
        # Things with an even number stand in the south, the cabinet does not.
        assert explained(south, cause) == {"lighting-002"}
        deadline = datetime.now(UTC) + timedelta(seconds=10)
        while "Armoire 3" not in chosen(operator, f"?cause={cause}").text and datetime.now(UTC) < deadline:
            pass
        assert "Armoire 3" in chosen(operator, f"?cause={cause}").text
        assert "Armoire 3" not in chosen(south, f"?cause={cause}").text
        assert "Armoire 1" not in chosen(south, f"?cause={cause}").text
        for search in ("?cause=999999999", "?cause=x", "?kind=out&page=7", "?kind=", ""):
            assert chosen(operator, search).status_code in (200, 204), search


@pytest.mark.parametrize("wrong", ["0", "-1", "x", "99999999999999999999"])
def test_cause_that_cannot_be_is_refused_with_its_field_named(town: Town, wrong: str) -> None:
    with town.session("operator") as operator:
        answer = operator.get("/api/v1/alarms", params={"explained_by": wrong})
    assert answer.status_code == 422
    assert "explained_by" in answer.text


@pytest.mark.parametrize(
    ("language", "title"), [("fr", "Déclaration d’accessibilité"), ("en", "Accessibility declaration")]
)
def test_declaration_is_read_by_nobody_in_particular(town: Town, language: str, title: str) -> None:
    with town.session(None) as nobody:
        answer = nobody.get("/accessibility", params={"language": language})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert f"<h1>{title}</h1>" in answer.text
        assert "content-security-policy" in answer.headers
        assert nobody.get("/accessibility", params={"language": "<script>"}).text.count("<script>") == 0
        assert 'href="/accessibility"' in nobody.get("/login").text
        assert nobody.post("/accessibility", json={}).status_code in (401, 404)
        assert nobody.get("/").status_code == 303
