"""The alarm desk from outside: shelving, out of service, windows, on a real server and a real database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.browser.fake_town import Town, running

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def town(_database_server: tuple) -> Iterator[Town]:
    with running(_database_server) as made:
        yield made


@pytest.fixture(scope="module")
def operator(town: Town) -> Iterator[httpx.Client]:
    with town.session("operator") as client:
        yield client


def ring(town: Town, client: httpx.Client, thing: str, value: float = 9.0) -> int:
    """`parking.battery.low` rings below 15."""
    town.collector.read({("parking", thing, "battery"): value})
    return int(client.get("/api/v1/alarms", params={"thing": thing, "open": "true"}).json()["rows"][0]["id"])


def one(client: httpx.Client, number: int) -> dict[str, Any]:
    return client.get(f"/api/v1/alarms/{number}").json()


def test_alarm_is_shelved_and_taken_off_in_ones_own_name(town: Town, operator: httpx.Client) -> None:
    number = ring(town, operator, "parking-001")
    shelved = operator.post(f"/api/v1/alarms/{number}/shelve", json={"seconds": 900, "reason": "capteur bloqué"})
    assert shelved.status_code == 200, shelved.text
    assert (shelved.json()["changed"], shelved.json()["by"]) == (True, "operator")
    row = one(operator, number)
    assert (row["state"], row["suppression"], row["hidden_by"], row["hidden_reason"]) == (
        "UNACK", "shelved", "operator", "capteur bloqué",
    )  # fmt: skip
    assert row["consequence_fr"]
    assert row["action_en"]
    until = datetime.fromisoformat(row["hidden_until"]) - datetime.now(UTC)
    assert timedelta(minutes=14) < until <= timedelta(minutes=15)
    with town.session("engineer") as other:
        second = other.post(f"/api/v1/alarms/{number}/shelve", json={"seconds": 60, "reason": "x"}).json()
        assert (second["changed"], second["by"]) == (False, "operator")
    hidden = operator.get("/api/v1/alarms", params={"open": "true", "hidden": "true"}).json()["rows"]
    assert number in [each["id"] for each in hidden]
    assert operator.post(f"/api/v1/alarms/{number}/unshelve", json={}).json()["changed"] is True
    row = one(operator, number)
    assert (row["state"], row["suppression"], row["acknowledged_by"]) == ("ACKED", "none", "operator")
    steps = operator.get(f"/api/v1/alarms/{number}/transitions").json()["rows"]
    assert [(step["cause"], step["actor"], step["to_suppression"]) for step in steps] == [
        ("limit", "", None), ("shelved", "operator", "shelved"), ("unshelved", "operator", "none"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"seconds": 900}, "reason"),
        ({"seconds": 900, "reason": "   "}, "reason"),
        ({"seconds": 900, "reason": "a\x00b"}, "reason"),
        ({"reason": "x"}, "seconds"),
        ({"seconds": 1e9, "reason": "x"}, "seconds"),
        ({"seconds": 86_400, "reason": "x"}, "seconds"),
        ({"seconds": "soon", "reason": "x"}, "seconds"),
        ({"seconds": 900, "reason": "x", "until": "tomorrow"}, "until"),
    ],
)
def test_shelf_that_cannot_be_is_refused_with_its_field_named(
    town: Town, operator: httpx.Client, body: dict[str, Any], field: str
) -> None:
    number = ring(town, operator, "parking-002")
    answer = operator.post(f"/api/v1/alarms/{number}/shelve", json=body)
    assert answer.status_code == 422
    assert field in answer.text
    assert one(operator, number)["suppression"] == "none"


def test_alarm_that_is_not_there_or_over_cannot_be_shelved(town: Town, operator: httpx.Client) -> None:
    body = {"seconds": 900, "reason": "x"}
    assert operator.post("/api/v1/alarms/999999/shelve", json=body).status_code == 404
    number = ring(town, operator, "parking-003")
    town.collector.read({("parking", "parking-003", "battery"): 80.0})
    operator.post(f"/api/v1/alarms/{number}/acknowledge", json={})
    assert operator.post(f"/api/v1/alarms/{number}/shelve", json=body).status_code == 409
    with town.session("viewer") as viewer:
        assert viewer.post(f"/api/v1/alarms/{number}/shelve", json=body).status_code == 403


def test_second_acknowledgement_is_told_who_was_faster(town: Town, operator: httpx.Client) -> None:
    number = ring(town, operator, "parking-004")
    first = operator.post(f"/api/v1/alarms/{number}/acknowledge", json={}).json()
    with town.session("engineer") as other:
        second = other.post(f"/api/v1/alarms/{number}/acknowledge", json={}).json()
    assert (first["changed"], first["by"]) == (True, "operator")
    assert (second["changed"], second["by"]) == (False, "operator")


def test_thing_is_out_of_service_until_somebody_ends_it(town: Town, operator: httpx.Client) -> None:
    number = ring(town, operator, "parking-005")
    placed = operator.post(
        "/api/v1/inhibitions", json={"kind": "out_of_service", "things": ["parking-005"], "reason": "travaux"}
    )
    assert placed.status_code == 200, placed.text
    assert placed.json()["hidden"] == 1
    assert one(operator, number)["suppression"] == "out_of_service"
    listed = operator.get("/api/v1/inhibitions").json()["rows"]
    mine = next(each for each in listed if each["id"] == placed.json()["id"])
    assert (mine["about"][0]["thing"], mine["ends_at"], mine["hidden"]) == ("parking-005", None, 1)
    assert operator.post(f"/api/v1/inhibitions/{mine['id']}/end", json={}).json()["changed"] is True
    assert operator.post(f"/api/v1/inhibitions/{mine['id']}/end", json={}).json() == {
        "id": mine["id"], "changed": False, "by": "operator",
    }  # fmt: skip
    assert one(operator, number)["suppression"] == "none"
    assert mine["id"] not in [each["id"] for each in operator.get("/api/v1/inhibitions").json()["rows"]]
    assert operator.post("/api/v1/inhibitions/999999/end", json={}).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "holiday"}, "kind"),
        ({"things": []}, "things"),
        ({"things": ["nobody"]}, "nobody"),
        ({"property": "colour"}, "colour"),
        ({"domains": ["space"]}, "space"),
        ({"reason": ""}, "reason"),
        ({"to": "2030-01-01T00:00:00Z"}, "to"),
        ({"kind": "maintenance"}, "to"),
        ({"kind": "maintenance", "to": "2001-01-01T00:00:00Z"}, "to"),
        ({"kind": "maintenance", "to": "2001"}, "to"),
    ],
)
def test_window_that_cannot_be_is_refused_with_its_field_named(
    operator: httpx.Client, body: dict[str, Any], field: str
) -> None:
    given = {"kind": "out_of_service", "things": ["parking-006"], "reason": "x", **body}
    answer = operator.post("/api/v1/inhibitions", json=given)
    assert answer.status_code == 422
    assert field in answer.text


def test_account_of_an_organisation_places_and_sees_its_own_things_only(town: Town, operator: httpx.Client) -> None:
    theirs = operator.post(
        "/api/v1/inhibitions", json={"kind": "out_of_service", "things": ["parking-007"], "reason": "x"}
    ).json()["id"]
    with town.session("agency") as agency:
        for body in ({"things": ["parking-007"]}, {"domains": ["parking"]}):
            given = {"kind": "out_of_service", "reason": "x", **body}
            assert agency.post("/api/v1/inhibitions", json=given).status_code == 422
        assert agency.get("/api/v1/inhibitions").json()["rows"] == []
        assert agency.post(f"/api/v1/inhibitions/{theirs}/end", json={}).status_code == 404
        given = {"kind": "out_of_service", "things": ["parking-024"], "reason": "x"}
        own = agency.post("/api/v1/inhibitions", json=given).json()["id"]
        assert [each["id"] for each in agency.get("/api/v1/inhibitions").json()["rows"]] == [own]


def test_hidden_alarm_is_on_its_page_and_in_the_counter_of_every_page(town: Town, operator: httpx.Client) -> None:
    number = ring(town, operator, "parking-009")
    operator.post(f"/api/v1/alarms/{number}/shelve", json={"once": True, "reason": "<b>capteur</b> bloqué"})

    def told(page: str) -> str:
        return operator.get("/api/v1/live", params={"page": page, "after": 0, "language": "fr"}).text

    deadline = datetime.now(UTC) + timedelta(seconds=10)
    while "capteur" not in told("/alarms/hidden") and datetime.now(UTC) < deadline:
        pass
    assert "Place 9" in told("/alarms/hidden")
    assert "Mise de c" in told("/alarms/hidden")
    assert "counter-hidden" in told("/")
    rows = operator.get("/api/v1/live", params={"page": "/alarms", "after": 0, "language": "fr"}).json()["rows"]
    assert str(number) not in [row["id"] for row in rows]
