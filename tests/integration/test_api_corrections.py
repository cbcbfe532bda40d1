"""Corrections over HTTP, as engineers and their programs ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from hypervision.accounts import Role
from tests.browser.fake_town import Town, running

pytestmark = pytest.mark.integration
PATH = "/api/v1/corrections"


@pytest.fixture(scope="module")
def town(_database_server: tuple[Path, int]) -> Iterator[Town]:
    with running(_database_server) as made:
        yield made


@pytest.fixture
def engineer(town: Town) -> Iterator[httpx.Client]:
    with town.session("engineer") as client:
        yield client


def sent(engineer: httpx.Client, thing: str, value: float) -> dict[str, str]:
    """Post one reading; the range that holds it alone."""
    at = datetime.now(UTC).replace(microsecond=0)
    body = {"time": at.isoformat(), "pressure": value}
    posted = engineer.post("/api/v1/observations", params={"domain": "water", "thing": thing}, json=body)
    assert posted.status_code == 200, posted.text
    return {"from": at.isoformat(), "to": (at + timedelta(seconds=1)).isoformat()}


def reading(client: httpx.Client, thing: str, span: dict[str, str]) -> list[tuple[float, str]]:
    rows = client.get("/api/v1/observations", params={**span, "thing": thing, "property": "pressure"}).json()["rows"]
    return [(row["result"], row["quality"]) for row in rows]


def order(thing: str, span: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"thing": thing, "property": "pressure", "reason": "wrong", **span, **more}


def test_engineer_invalidates_corrects_restores_and_lists(engineer: httpx.Client) -> None:
    span = sent(engineer, "water-003", 3.25)
    done = engineer.post(PATH, json=order("water-003", span, kind="invalidate"))
    assert done.status_code == 200, done.text
    assert done.json() | {"id": 0} == {"id": 0, "thing": "water-003", "property": "pressure", "rows": 1, "steps": 0}
    assert reading(engineer, "water-003", span) == [(3.25, "bad")]
    results = [{"time": span["from"], "result": 3.5}]
    right = {"kind": "correct", "thing": "water-003", "property": "pressure", "reason": "read", "results": results}
    assert engineer.post(PATH, json=right).json()["rows"] == 1
    assert reading(engineer, "water-003", span) == [(3.5, "corrected")]
    rows = engineer.get(PATH, params={"thing": "water-003"}).json()["rows"]
    assert [(row["kind"], row["author"], row["rows"]) for row in rows] == [
        ("correct", "engineer", 1),
        ("invalidate", "engineer", 1),
    ]
    refused = engineer.post(PATH, json={"kind": "restore", "correction": done.json()["id"], "reason": "right"})
    assert refused.status_code == 422
    assert f"restore correction {rows[0]['id']} first" in refused.json()["detail"]
    for row in rows:
        assert (
            engineer.post(PATH, json={"kind": "restore", "correction": row["id"], "reason": "right"}).status_code == 200
        )
    assert reading(engineer, "water-003", span) == [(3.25, "good")]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "delete", "thing": "water-003", "property": "pressure", "reason": "x"},
        {"kind": "invalidate", "thing": "water-003", "property": "pressure", "reason": ""},
        {"kind": "invalidate", "thing": "nobody", "property": "pressure", "reason": "x", "from": "2026-01-01T00:00:00Z",
         "to": "2026-01-02T00:00:00Z"},
        {"kind": "invalidate", "thing": "water-003", "property": "pressure", "reason": "x", "from": "2026-01-01T00:00:00",
         "to": "2026-01-02T00:00:00Z"},
        {"kind": "correct", "thing": "water-003", "property": "pressure", "reason": "x", "vlaue": 3},
        {"kind": "restore", "correction": 99999, "reason": "x"},
    ],
)  # fmt: skip
def test_wrong_order_is_refused_with_the_reason(engineer: httpx.Client, body: dict[str, Any]) -> None:
    answer = engineer.post(PATH, json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_operator_may_not_and_an_organisation_only_its_own(town: Town, engineer: httpx.Client) -> None:
    span = sent(engineer, "water-005", 3.25)
    body = order("water-005", span, kind="invalidate")
    for user in ("viewer", "operator"):
        with town.session(user) as client:
            assert client.post(PATH, json=body).status_code == 403
            assert client.get(PATH).status_code == 200
    assert reading(engineer, "water-005", span) == [(3.25, "good")]
    assert engineer.post(PATH, json=body).status_code == 200
    town.add_account("agent", Role.ENGINEER, organisation="agency")
    done = engineer.get(PATH, params={"thing": "water-005"}).json()["rows"][0]["id"]
    own = sent(engineer, "water-024", 3.25)
    with town.session("agent") as client:
        assert client.get(PATH).json()["rows"] == []
        assert client.post(PATH, json=body).status_code == 404
        assert client.post(PATH, json={"kind": "restore", "correction": done, "reason": "x"}).status_code == 404
        # The Thing that is named beside does not lead to another one's correction.
        assert client.post(PATH, json=order("water-024", own, kind="restore", correction=done)).status_code == 404
        assert client.post(PATH, json=order("water-024", own, kind="invalidate")).status_code == 200
        assert [row["thing"] for row in client.get(PATH).json()["rows"]] == ["water-024"]
    assert reading(engineer, "water-005", span) == [(3.25, "bad")]


def test_correction_is_described_by_the_openapi_page(engineer: httpx.Client) -> None:
    told = engineer.get("/api/openapi.json").json()
    assert set(told["paths"][PATH]) == {"get", "post"}
    assert "reason" in told["components"]["schemas"]["NewCorrection"]["required"]
