"""Alarm quality, trends, notes, search and saved views over HTTP, on a real server and a real database."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pyarrow import parquet

from tests.browser.fake_town import FAULTS, Town, running
from tests.integration.served import call

pytestmark = pytest.mark.integration
PRESSURE = "water-001/water/pressure"


@pytest.fixture(scope="module")
def town(_database_server: tuple) -> Iterator[Town]:
    with running(_database_server) as made:
        made.collector.read(FAULTS)
        yield made


@pytest.fixture(scope="module")
def clients(town: Town) -> Iterator[dict[str, httpx.Client]]:
    with ExitStack() as stack:
        users = ("viewer", "operator", "engineer", "administrator", "agency")
        yield {user: stack.enter_context(town.session(user)) for user in users}


def drawn(client: httpx.Client, output: str, *inputs: tuple[str, str, object]) -> str:
    """What a callback draws."""
    given = [{"id": ident, "property": name, "value": value} for ident, name, value in inputs]
    answer = client.post("/_dash-update-component", json=call(output, given))
    assert answer.status_code == 200, answer.text
    return json.dumps(answer.json(), ensure_ascii=False)


def test_quality_is_told_in_every_format_and_of_one_s_own_alone(clients: dict[str, httpx.Client]) -> None:
    rows = clients["viewer"].get("/api/v1/alarm-quality", params={"span": "24h"}).json()["rows"]
    by = {(row["figure"], row["of"]): row["value"] for row in rows}
    assert by["alarms", "priority critical"] + by["alarms", "priority low"] > 0
    assert by["waiting", "all"] == len(FAULTS)
    assert by["standing", "all"] == len(FAULTS)
    assert any(row["figure"] == "bad_actor" and row["thing"] == "waste-003" for row in rows)
    own = clients["agency"].get("/api/v1/alarm-quality").json()["rows"]
    assert {(row["figure"], row["of"]): row["value"] for row in own}["waiting", "all"] == 0
    assert [row for row in own if row["thing"]] == []
    for form, begins in (("csv", b"figure,of"), ("xlsx", b"PK"), ("parquet", b"PAR1")):
        answer = clients["viewer"].get("/api/v1/alarm-quality", params={"span": "30d", "format": form})
        assert answer.content.startswith(begins)
        assert f'alarm-quality-30d.{form}"' in answer.headers["content-disposition"]
    assert clients["viewer"].get("/api/v1/alarm-quality", params={"span": "1y"}).status_code == 422


def test_quality_page_is_drawn_for_the_time_of_its_address(clients: dict[str, httpx.Client]) -> None:
    page = drawn(clients["operator"], "quality-set.tree", ("url", "search", "?span=7d"), ("quality-refresh", "data", 0))
    assert "/api/v1/alarm-quality?span=7d&format=csv" in page
    assert "/asset/waste-003" in page


def test_trends_come_as_rows_of_equal_steps(clients: dict[str, httpx.Client]) -> None:
    end = datetime.now(UTC)
    query = {"s": [PRESSURE, "water-001/water/flow"], "from": (end - timedelta(hours=6)).isoformat(),
             "to": end.isoformat(), "steps": 6}  # fmt: skip
    rows = clients["viewer"].get("/api/v1/trends", params=query).json()["rows"]
    assert {row["property"] for row in rows} == {"pressure", "flow"}
    pressure = [row for row in rows if row["property"] == "pressure"]
    assert 5 <= len(pressure) <= 6
    assert all(row["lowest"] <= row["mean"] <= row["highest"] for row in pressure)
    table = parquet.read_table(
        io.BytesIO(clients["viewer"].get("/api/v1/trends", params=query | {"format": "parquet"}).content)
    )
    assert table.num_rows == len(rows)
    book = clients["viewer"].get("/api/v1/trends", params=query | {"format": "xlsx"}).content
    assert zipfile.ZipFile(io.BytesIO(book)).testzip() is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "s"),
        ({"s": ["nonsense"]}, "s:"),
        ({"s": ["nowhere/water/flow"]}, "s:"),
        ({"s": [PRESSURE] * 9}, "s"),
        ({"s": [PRESSURE], "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "from:"),
        ({"s": [PRESSURE], "from": "0001-01-03T00:00:00Z"}, "from:"),
        ({"s": [PRESSURE], "steps": 0}, "steps"),
    ],
)
def test_trends_that_make_no_sense_are_refused_by_their_field(
    clients: dict[str, httpx.Client], query: dict[str, object], field: str
) -> None:
    answer = clients["viewer"].get("/api/v1/trends", params=query)
    assert answer.status_code == 422, answer.text
    assert field in answer.text


def test_trends_of_another_organisation_are_none(clients: dict[str, httpx.Client]) -> None:
    assert clients["agency"].get("/api/v1/trends", params={"s": [PRESSURE]}).status_code == 422
    assert clients["agency"].get("/api/v1/trends", params={"s": ["water-024/water/pressure"]}).status_code == 200
    page = drawn(
        clients["agency"], "trends-set.children", ("url", "search", f"?s={PRESSURE}"), ("trends-refresh", "data", 0),
        ("theme", "data", "dark"),
    )  # fmt: skip
    assert "Capteur" not in page


def test_note_is_written_read_beside_the_charts_and_taken_away(clients: dict[str, httpx.Client]) -> None:
    operator = clients["operator"]
    assert clients["viewer"].post("/api/v1/notes", json={"text": "x"}).status_code == 403
    for wrong in ({"text": " "}, {"text": "x", "at": "soon"}, {"text": "x", "thing": "nowhere"}, {"text": "x\x00"}, {}):
        assert operator.post("/api/v1/notes", json=wrong).status_code == 422, wrong
    told = operator.post("/api/v1/notes", json={"text": "<b>valve</b> opened", "thing": "water-001"}).json()
    assert (told["author"], told["thing"]) == ("operator", "water-001")
    charts = drawn(
        operator, "trends-set.children", ("url", "search", f"?s={PRESSURE}&s=no/such/one&range=hour"),
        ("trends-refresh", "data", 0), ("theme", "data", "light"),
    )  # fmt: skip
    assert "<b>valve</b> opened" in charts
    assert "no/such/one" in charts
    # Nobody else takes it away, but an administrator would.
    assert (
        clients["engineer"]
        .delete(f"/api/v1/notes/{told['id']}", headers={"content-type": "application/json"})
        .status_code
        == 404
    )
    assert [row["id"] for row in clients["agency"].get("/api/v1/notes").json()["rows"]] == []
    remove = {"headers": {"content-type": "application/json"}}
    assert operator.delete(f"/api/v1/notes/{told['id']}", **remove).status_code == 200
    assert operator.delete(f"/api/v1/notes/{told['id']}", **remove).status_code == 404
    assert operator.delete(f"/api/v1/notes/{10**17}", **remove).status_code == 404


def test_search_finds_things_alarms_and_pages_within_the_scope(clients: dict[str, httpx.Client]) -> None:
    def asked(user: str, q: str, **more: object) -> list[dict[str, str]]:
        return clients[user].get("/api/v1/search", params={"q": q, **more}).json()["rows"]

    assert [row["href"] for row in asked("viewer", "water-00") if row["kind"] == "thing"][:2] == [
        "/asset/water-001", "/asset/water-002",
    ]  # fmt: skip
    assert asked("viewer", "WATER-004")[0]["href"] == "/asset/water-004"
    # A server that was just started may not have read the alarms yet.
    deadline = time.monotonic() + 20
    while not [row for row in asked("viewer", "waste-003") if row["kind"] == "alarm"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert [row["kind"] for row in asked("agency", "water-001")] == []
    assert {row["kind"] for row in asked("viewer", "rejet")} == set()
    assert "page" in {row["kind"] for row in asked("engineer", "rejet")}
    assert asked("viewer", "water-001 press", kind="datastream")[0]["value"] == PRESSURE
    many = clients["viewer"].get("/api/v1/search", params={"q": "capteur"}).json()
    assert many["count"] <= 50
    for wrong in ({}, {"q": "x" * 101}, {"q": "a", "kind": "all"}, {"q": "a", "limit": 51}):
        assert clients["viewer"].get("/api/v1/search", params=wrong).status_code == 422


def test_view_is_kept_shared_and_forgotten(clients: dict[str, httpx.Client]) -> None:
    viewer, headers = clients["viewer"], {"content-type": "application/json"}
    view = {"name": "Nuit", "address": "/alarms?alarms-filter=pompe", "shared": True}
    kept = viewer.post("/api/v1/views", json=view).json()
    assert (kept["mine"], kept["address"]) == (True, view["address"])
    others = clients["operator"].get("/api/v1/views").json()["rows"]
    assert [(row["name"], row["owner"], row["mine"]) for row in others] == [("Nuit", "viewer", False)]
    assert clients["agency"].get("/api/v1/views").json()["rows"] == []
    assert clients["operator"].delete(f"/api/v1/views/{kept['id']}", headers=headers).status_code == 404
    again = viewer.post("/api/v1/views", json=view | {"shared": False}).json()
    assert again["id"] == kept["id"]
    assert clients["operator"].get("/api/v1/views").json()["rows"] == []
    for wrong in (
        {"address": "https://evil.example/"}, {"address": "/login"}, {"name": ""}, {"name": "a\u202eb"}, {"more": 1},
    ):  # fmt: skip
        assert viewer.post("/api/v1/views", json=view | wrong).status_code == 422, wrong
    assert viewer.delete(f"/api/v1/views/{kept['id']}", headers=headers).status_code == 200
    # A view of a page that one may not see is not offered.
    clients["engineer"].post("/api/v1/views", json={"name": "r", "address": "/rejected", "shared": True})
    assert viewer.get("/api/v1/views").json()["rows"] == []
