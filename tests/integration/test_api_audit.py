"""The audit log over HTTP: what people do is told with who, when and from where; the chain is proved from the screen."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hypervision.store.connection import connect, url_of
from tests.browser.fake_town import PASSWORD, Town, running
from tests.integration.served import call

pytestmark = pytest.mark.integration
PATH = "/api/v1/audit"


@pytest.fixture(scope="module")
def town(_database_server: tuple[Path, int]) -> Iterator[Town]:
    with running(_database_server) as made:
        yield made


@pytest.fixture
def administrator(town: Town) -> Iterator[httpx.Client]:
    with town.session("administrator") as client:
        yield client


def told(client: httpx.Client, **chosen: str | int) -> list[dict[str, str]]:
    answer = client.get(PATH, params=chosen)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, str]] = answer.json()["rows"]
    return rows


def test_log_in_refusal_and_log_out_are_lines(town: Town, administrator: httpx.Client) -> None:
    with town.session("operator") as client:
        client.post("/api/v1/logout", json={})
    nobody = httpx.post(f"{town.base}/api/v1/login", json={"user": "operator", "password": "not that one"})
    assert nobody.status_code == 401
    rows = told(administrator, actor="operator", action="session", limit=3)
    assert [row["action"] for row in rows] == ["session.refuse", "session.log_out", "session.log_in"]
    assert {row["address"] for row in rows} == {"127.0.0.1"}
    # The server has the rights of a server and no more.
    assert {row["role"] for row in rows} == {"hypervision_serve"}
    assert PASSWORD not in str(rows)


def test_acknowledgement_and_correction_are_lines_with_what_changed(town: Town, administrator: httpx.Client) -> None:
    town.collector.read({("waste", "waste-007", "temperature"): 91.0})
    with town.session("operator") as operator:
        open_ones = operator.get("/api/v1/alarms", params={"open": "true", "limit": 50}).json()["rows"]
        number = next(row["id"] for row in open_ones if row["state"] == "UNACK")
        done = operator.post(f"/api/v1/alarms/{number}/acknowledge", json={"comment": "équipe en route"})
        assert done.status_code == 200, done.text
    [row] = told(administrator, kind="alarm", id=number)
    assert (row["actor"], row["action"], row["reason"]) == ("operator", "alarm.acknowledge", "équipe en route")
    assert (row["before"], row["after"]) == ('{"state": "UNACK"}', '{"state": "ACKED"}')


def test_who_may_not_see_the_log_gets_nothing_of_it(town: Town) -> None:
    for user in ("viewer", "operator", "engineer"):
        with town.session(user) as client:
            assert client.get(PATH).status_code == 403
            assert client.post(f"{PATH}/verify", json={}).status_code == 403
            assert client.get("/audit").status_code == 403
            asked = call("audit-set.children", [{"id": "url", "property": "search", "value": ""}])
            assert client.post("/_dash-update-component", json=asked).status_code == 403


def test_export_is_itself_a_line(administrator: httpx.Client) -> None:
    answer = administrator.get(PATH, params={"format": "csv", "limit": 5})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 5
    assert "attachment" in answer.headers["content-disposition"]
    [line] = told(administrator, action="audit.export", limit=1)
    assert (line["actor"], line["after"]) == ("administrator", '{"lines": 5, "format": "csv"}')
    before = told(administrator, limit=1)[0]["number"]
    assert told(administrator, limit=1)[0]["number"] == before


def test_chain_is_proved_and_a_broken_line_is_named(town: Town, administrator: httpx.Client) -> None:
    found = administrator.post(f"{PATH}/verify", json={}).json()
    assert (found["whole"], found["broken"], found["first"]) == (True, None, 1)
    kept = found["head"]
    assert administrator.post(f"{PATH}/verify", json={"heads": [kept]}).json()["whole"]
    other = kept.split(":")[0] + ":" + "0" * 64
    assert administrator.post(f"{PATH}/verify", json={"heads": [other]}).json()["fault"] == "other"
    assert administrator.post(f"{PATH}/verify", json={"heads": ["x"]}).status_code == 422
    assert administrator.post(f"{PATH}/verify", json={"heads": [1]}).status_code == 422
    with connect(url_of(town.settings), application="test") as connection:
        connection.execute("ALTER TABLE hv.audit DISABLE TRIGGER USER")
        connection.execute("UPDATE hv.audit SET reason = 'another' WHERE number = 2")
        connection.execute("ALTER TABLE hv.audit ENABLE TRIGGER USER")
        connection.commit()
        found = administrator.post(f"{PATH}/verify", json={}).json()
        assert (found["whole"], found["broken"], found["fault"]) == (False, 2, "changed")
        connection.execute("ALTER TABLE hv.audit DISABLE TRIGGER USER")
        connection.execute("UPDATE hv.audit SET reason = '' WHERE number = 2")
        connection.execute("ALTER TABLE hv.audit ENABLE TRIGGER USER")
        connection.commit()
    assert administrator.post(f"{PATH}/verify", json={}).json()["whole"]


@pytest.mark.parametrize(
    "query", ["", "?actor=operator", "?action=session&before=3", "?before=x&kind=%00&id=%F0%9F%98%80"]
)
def test_page_is_drawn_for_every_address(administrator: httpx.Client, query: str) -> None:
    assert administrator.get(f"/audit{query}").status_code == 200
    inputs = [
        {"id": "url", "property": "search", "value": query},
        {"id": "audit-refresh", "property": "data", "value": 0},
    ]
    answer = administrator.post("/_dash-update-component", json=call("audit-set.children", inputs))
    assert answer.status_code == 200, answer.text
    assert "audit-filter" in answer.text


@pytest.mark.parametrize(
    "wrong", [{"limit": 0}, {"before": 0}, {"from": "yesterday"}, {"actor": "x" * 201}, {"format": "xml"}]
)
def test_wrong_question_names_its_field(administrator: httpx.Client, wrong: dict[str, str]) -> None:
    answer = administrator.get(PATH, params=wrong)
    assert answer.status_code == 422
    assert next(iter(wrong)) in answer.text
