"""Rules over HTTP: proposed by one, approved by another, in force, given back; refusals name field and person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from hypervision.accounts import Role
from hypervision.intake import Intake
from hypervision.watch import Watch
from tests.browser.fake_town import Town, running

pytestmark = pytest.mark.integration
RULE = "/api/v1/rules/waste.fill.high"


@pytest.fixture(scope="module")
def town(_database_server: tuple) -> Iterator[Town]:
    with running(_database_server) as made:
        yield made


def tick(town: Town) -> None:
    """The timers run once: what is approved comes in force."""
    intake = Intake.open(town.settings, writer="watch", wait=10.0)
    try:
        Watch(intake, town.settings).tick(datetime.now(UTC))
    finally:
        intake.close()


def test_rule_is_proposed_approved_and_given_back(town: Town) -> None:
    with town.session("engineer") as ada, town.session("administrator") as ben, town.session("operator") as operator:
        before = ada.get(RULE).json()
        assert before["version"] == 1
        body = {"base": 1, "rule": {"limit": 70, "on_delay": 60}, "reason": "fuller bins in summer"}
        proposed = ada.post(f"{RULE}/proposals", json=body)
        assert proposed.status_code == 200, proposed.text
        number = proposed.json()["id"]
        assert ada.get(RULE).json()["waiting"] == {"id": number, "state": "proposed", "author": "engineer"}
        path = f"/api/v1/rules/proposals/{number}"
        assert operator.post(f"{path}/approve", json={}).status_code == 403
        own = ada.post(f"{path}/approve", json={})
        assert (own.status_code, "engineer proposed it" in own.json()["detail"]) == (403, True)
        second = ben.post(f"{RULE}/proposals", json={**body, "reason": "mine"})
        assert (second.status_code, second.json()["by"]) == (409, "engineer")
        assert ben.post(f"{path}/approve", json={"remark": "good"}).json()["state"] == "approved"
        again = ben.post(f"{path}/approve", json={})
        assert (again.status_code, again.json()["by"]) == (409, "administrator")
        tick(town)
        after = ada.get(RULE).json()
        assert (after["version"], after["rule"]["limit"], after["rule"]["on_delay"]) == (2, 70, 60)
        assert after["versions"][0]["approved_by"] == "administrator"
        assert {change["field"] for change in after["versions"][0]["changes"]} == {"limit", "on_delay"}
        stale = ben.post(f"{RULE}/proposals", json=body)
        assert (stale.status_code, stale.json()["by"]) == (409, "engineer")
        back = ada.post(f"{RULE}/rollback", json={"version": 1, "base": 2, "reason": "too early"})
        assert (back.status_code, back.json()["state"]) == (200, "approved")
        tick(town)
        assert ada.get(RULE).json()["rule"] == before["rule"]
        states = {row["state"] for row in ada.get("/api/v1/rules/proposals").json()["rows"]}
        assert states == {"in_force"}
        assert (
            ada.get("/api/v1/rules", params={"domain": "waste"}).json()["count"]
            < ada.get("/api/v1/rules").json()["count"]
        )


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"limit": "high"}, "limit"),
        ({"limit": 170}, "limit"),
        ({"things": {"nobody": {"limit": 60}}}, "things.nobody"),
        ({"schedule": [{"from": "25:00"}]}, "schedule.0.from"),
        ({"formula": {"expression": {"of": "fill"}, "unit": "bar"}}, "formula.unit"),
        ({"colour": 1}, "colour"),
    ],
)
def test_refusal_names_the_field(town: Town, rule: dict, field: str) -> None:
    with town.session("engineer") as client:
        version = client.get(RULE).json()["version"]
        answer = client.post(f"{RULE}/proposals", json={"base": version, "rule": rule, "reason": "x"})
        assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text


def test_what_is_no_proposal_is_refused(town: Town) -> None:
    with town.session("engineer") as client:
        assert client.post(f"{RULE}/proposals", json={"base": 1, "rule": {"limit": 3}}).status_code == 422
        assert client.post(f"{RULE}/proposals", json={"base": 1, "rule": [], "reason": "x"}).status_code == 422
        assert client.post("/api/v1/rules/proposals/99999/approve", json={}).status_code == 422
        assert client.post(f"{RULE}/rollback", json={"version": 99, "base": 1, "reason": "x"}).status_code == 422
        assert client.get("/api/v1/rules/waste.nothing").status_code == 404
        # No name of another page's object, no path.
        assert client.get("/api/v1/rules/../things").status_code in (200, 404)
        assert client.get("/api/v1/rules/WASTE").status_code == 404


def test_account_of_one_organisation_has_no_rules(town: Town) -> None:
    town.add_account("agency-engineer", Role.ENGINEER, organisation="agency")
    with town.session("agency-engineer") as client:
        assert client.get("/rules").status_code == 403
        assert client.get("/api/v1/rules").status_code == 403
        body = {"base": 1, "rule": {"limit": 3}, "reason": "x"}
        assert client.post(f"{RULE}/proposals", json=body).status_code == 403
