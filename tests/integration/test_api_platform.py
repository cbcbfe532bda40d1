"""Alarms of the platform from outside: on the desk of who sees the whole town, and nothing of them for anybody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
import pytest

from hypervision import minding
from hypervision.accounts import Role
from hypervision.intake import Intake
from hypervision.parts import Measure
from hypervision.store import groups
from hypervision.store.connection import connect, url_of
from hypervision.store.groups import Group
from tests.browser.fake_town import Town, running

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def town(_database_server: tuple) -> Iterator[Town]:
    with running(_database_server) as made:
        made.add_account("of-water", Role.OPERATOR, domains=["water"])
        began = datetime.now(UTC) - timedelta(seconds=70)
        with Intake.open(made.settings, writer="watch", wait=10.0) as intake:
            for seconds in range(0, 75, 15):
                full = [Measure("disk", "disk_used", 98.5), Measure("collector-1/1", "collector_state", 0.0)]
                step = partial(minding.step, measures=full, now=began + timedelta(seconds=seconds))
                intake.transact(step)
        yield made


def platform(client: httpx.Client, **asked: str) -> list[dict[str, object]]:
    rows = client.get("/api/v1/alarms", params=asked).json()["rows"]
    return [row for row in rows if row["source_kind"] == "system"]


def test_alarm_of_the_platform_is_listed_acknowledged_and_shelved_as_any_other(town: Town) -> None:
    with town.session("operator") as client:
        found = {row["rule"]: row for row in platform(client, domain="platform", open="true")}
        assert {rule: (row["source"], row["priority"], row["state"]) for rule, row in found.items()} == {
            "platform.disk.filling": ("platform/disk", "medium", "UNACK"),
            "platform.disk.full": ("platform/disk", "critical", "UNACK"),
            "platform.collector.stopped": ("platform/collector-1/1", "critical", "UNACK"),
        }
        disk, stopped = found["platform.disk.full"], found["platform.collector.stopped"]
        assert (disk["thing"], disk["property"], disk["value"], disk["limit_value"]) == (None, "disk_used", 98.5, 97.0)
        assert disk["consequence_fr"]
        assert disk["action_en"]
        done = client.post(f"/api/v1/alarms/{disk['id']}/acknowledge", json={"comment": "vu"})
        assert done.status_code == 200, done.text
        asked = {"seconds": 900, "reason": "travaux"}
        shelved = client.post(f"/api/v1/alarms/{stopped['id']}/shelve", json=asked)
        assert shelved.status_code == 200, shelved.text
        states = {row["rule"]: (row["state"], row["suppression"]) for row in platform(client)}
        assert states["platform.disk.full"] == ("ACKED", "none")
        assert states["platform.collector.stopped"] == ("UNACK", "shelved")
        assert client.get("/api/v1/inhibitions").status_code == 200
    with town.session("administrator") as client:
        lines = client.get("/api/v1/audit", params={"limit": 100}).json()["rows"]
        assert {"alarm.acknowledge", "alarm.shelve"} <= {line["action"] for line in lines}


def test_account_of_a_part_of_the_town_is_told_of_none(town: Town) -> None:
    with town.session("operator") as client:
        numbers = [row["id"] for row in platform(client)]
        assert numbers
    with town.session("of-water") as client:
        assert platform(client) == []
        assert platform(client, domain="platform") == []
        for number in numbers:
            assert client.get(f"/api/v1/alarms/{number}").status_code == 404
            assert client.get(f"/api/v1/alarms/{number}/transitions").status_code == 404
            assert client.post(f"/api/v1/alarms/{number}/acknowledge", json={}).status_code == 404
            asked = {"seconds": 900, "reason": "x"}
            assert client.post(f"/api/v1/alarms/{number}/shelve", json=asked).status_code == 404
        assert client.get("/api/v1/inhibitions").json()["rows"] == []


def test_groups_are_told_as_far_as_the_scope_goes(town: Town) -> None:
    with connect(url_of(town.settings), application="test") as connection:
        groups.put(connection, Group("zone-1", "Zone 1", "water-001", ("water-001", "water-002", "waste-001")))
        groups.put(connection, Group("round-1", "Round 1", "waste-001", ("waste-001", "waste-002")))
    with town.session("operator") as client:
        assert {row["code"]: row["things"] for row in client.get("/api/v1/groups").json()["rows"]} == {
            "round-1": ["waste-001", "waste-002"],
            "zone-1": ["waste-001", "water-001", "water-002"],
        }
    with town.session("of-water") as client:
        (row,) = client.get("/api/v1/groups").json()["rows"]
        assert row == {
            "code": "zone-1", "name": "Zone 1", "shown_at": "water-001", "things": ["water-001", "water-002"],
            "version": 1,
        }  # fmt: skip
    with town.session(None) as client:
        assert client.get("/api/v1/groups").status_code == 401


def test_engineer_makes_changes_and_removes_a_group_and_the_slower_one_is_told(town: Town) -> None:
    path = "/api/v1/groups/feeder-12"
    body = {"version": 0, "name": "Feeder 12", "shown_at": "lighting-001", "things": ["lighting-001", "lighting-002"]}
    plain = {"content-type": "application/json"}
    with town.session("operator") as operator:
        assert operator.put(path, json=body).status_code == 403
        assert operator.delete(path, params={"version": 1}, headers=plain).status_code == 403
    with town.session("engineer") as engineer:
        made = engineer.put(path, json=body)
        assert (made.status_code, made.json()["version"], made.json()["changed"]) == (200, 1, True)
        late = engineer.put(path, json={**body, "name": "Other"})
        assert (late.status_code, late.json()["by"]) == (409, "engineer")
        renamed = engineer.put(path, json={**body, "version": 1, "name": "Feeder twelve"}).json()
        assert (renamed["version"], renamed["name"]) == (2, "Feeder twelve")
        unknown = engineer.put(path, json={**body, "version": 2, "things": ["lighting-001", "nobody-9"]})
        assert (unknown.status_code, "there is no Thing nobody-9" in unknown.json()["detail"]) == (422, True)
        assert engineer.put(path, json={**body, "version": 2, "name": "\u202e"}).status_code == 422
        assert engineer.delete(path, params={"version": 2}, headers=plain).status_code == 204
        assert engineer.delete(path, params={"version": 3}, headers=plain).status_code == 409
    with town.session("administrator") as administrator:
        rows = administrator.get("/api/v1/audit", params={"kind": "group", "id": "feeder-12"}).json()["rows"]
        assert [(row["actor"], row["action"]) for row in rows][::-1] == [
            ("engineer", "group.put"), ("engineer", "group.put"), ("engineer", "group.remove")
        ]  # fmt: skip
