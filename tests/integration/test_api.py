"""The API from outside, on a real server and a real database."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pyarrow import parquet

from hypervision.store.connection import connect, url_of
from hypervision.store.outages import Outage, put
from tests.browser.fake_town import PASSWORD, Town, running
from tests.integration.served import call

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def town(_database_server: tuple) -> Iterator[Town]:
    with running(_database_server) as made:
        yield made


@pytest.fixture(scope="module")
def engineer(town: Town) -> Iterator[httpx.Client]:
    with town.session("engineer") as client:
        yield client


def test_health_is_ready_and_its_counters_add_up(town: Town) -> None:
    answer = httpx.get(f"{town.base}/api/health")
    told = answer.json()
    assert (answer.status_code, told["status"], told["failing"]) == (200, "ready", [])
    m = told["messages"]
    assert m["received"] == m["stored"] + m["duplicate"] + m["rejected"] + m["in_flight"] > 0
    assert {"database", "collector-1/1", "http"} <= {part["name"] for part in told["parts"]}


def test_metrics_are_prometheus_text(town: Town) -> None:
    text = httpx.get(f"{town.base}/metrics").text
    assert 'hypervision_part_up{part="database"} 1.0' in text
    assert re.search(r'hypervision_messages_total\{outcome="stored",writer="collector-1/1"\} [1-9]', text)


def test_things_come_as_json_csv_and_parquet(engineer: httpx.Client) -> None:
    query = {"domain": "water", "limit": 5}
    rows = engineer.get("/api/v1/things", params=query).json()["rows"]
    assert [row["code"] for row in rows] == ["district-north", "water-001", "water-002", "water-003", "water-004"]
    more = engineer.get("/api/v1/things", params={**query, "after": rows[-1]["code"]}).json()["rows"]
    assert more[0]["code"] == "water-005"
    as_csv = engineer.get("/api/v1/things", params=query, headers={"accept": "text/csv"})
    assert as_csv.headers["content-type"].startswith("text/csv")
    assert as_csv.text.splitlines()[0].startswith("code,name,domain")
    as_parquet = engineer.get("/api/v1/things", params={**query, "format": "parquet"})
    assert parquet.read_table(io.BytesIO(as_parquet.content)).column("code").to_pylist() == [r["code"] for r in rows]


def test_observations_are_bounded_by_time_and_limit(engineer: httpx.Client) -> None:
    now = datetime.now(UTC)
    query = {"thing": "water-001", "property": "pressure", "from": (now - timedelta(hours=2)).isoformat()}
    rows = engineer.get("/api/v1/observations", params=query).json()["rows"]
    times = [datetime.fromisoformat(row["phenomenon_time"]) for row in rows]
    assert 20 <= len(rows) <= 30
    assert times == sorted(times)
    assert times[0] >= now - timedelta(hours=2)
    assert {row["unit"] for row in rows} == {"bar"}
    assert len(engineer.get("/api/v1/observations", params={**query, "limit": 3}).json()["rows"]) == 3
    assert len(engineer.get("/api/v1/observations", params={"limit": 3}).json()["rows"]) == 3
    header = engineer.get("/api/v1/observations/daily", params={"format": "csv"}).text.split("\r\n")[0]
    assert header == "domain,thing,property,bucket,n,minimum,maximum,mean,total,unit,covered_seconds"
    assert engineer.get("/api/v1/observations/yearly").status_code == 404


def test_gaps_of_the_town_are_for_each_organisation_its_own_and_outages_for_all(town: Town) -> None:
    """water-024 is the agency's; both send a number too many, and a broker was away."""
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=50)
    with town.session("engineer") as engineer, town.session("agency") as agency:
        for thing, numbers in (("water-003", (1, 4)), ("water-024", (7, 9))):
            for i, seq in enumerate(numbers):
                reading = {"time": (began + timedelta(minutes=i, seconds=7)).isoformat(), "seq": seq, "flow": 12.5}
                target = {"domain": "water", "thing": thing}
                assert engineer.post("/api/v1/observations", params=target, json=reading).json()["outcome"] == "stored"
        with connect(url_of(town.settings), application="test") as connection:
            put(connection, "collector-1/1", Outage("broker", began, began + timedelta(minutes=2)))
        asked = {"from": (began - timedelta(seconds=1)).isoformat(), "to": (began + timedelta(minutes=5)).isoformat()}
        told = {}
        for name, client in (("engineer", engineer), ("agency", agency)):
            answer = client.get("/api/v1/gaps", params=asked)
            assert answer.status_code == 200, (answer.text, town.tail())
            rows = answer.json()["rows"]
            told[name] = [
                (r["thing"], r["property"], r["cause"], r["missing"]) for r in rows if r["cause"] != "silence"
            ]
        assert told["agency"] == [(None, None, "broker", None), ("water-024", None, "sequence", 1)]
        assert told["engineer"] == [
            (None, None, "broker", None), ("water-003", None, "sequence", 2), ("water-024", None, "sequence", 1),
        ]  # fmt: skip
        one = engineer.get("/api/v1/gaps", params={**asked, "thing": "water-003", "format": "csv"})
        assert one.text.splitlines()[0] == "thing,property,start,end,cause,missing"
        assert [line.split(",")[0] for line in one.text.splitlines()[1:] if "silence" not in line] == ["", "water-003"]
        assert agency.get("/api/v1/gaps", params={**asked, "thing": "water-003"}).json()["count"] == 1


def test_observations_without_offset_are_refused(engineer: httpx.Client) -> None:
    assert engineer.get("/api/v1/observations", params={"from": "2026-01-01T00:00:00"}).status_code == 422


def test_posted_reading_is_stored_once_and_a_wrong_one_says_why(engineer: httpx.Client) -> None:
    target = {"domain": "water", "thing": "water-002"}
    reading = {"time": (datetime.now(UTC) - timedelta(seconds=5)).isoformat(), "flow": 12.5}
    first = engineer.post("/api/v1/observations", params=target, json=reading)
    assert (first.status_code, first.json()["outcome"], first.json()["rows"]) == (200, "stored", 1)
    again = engineer.post("/api/v1/observations", params=target, json=reading)
    assert (again.status_code, again.json()["outcome"]) == (200, "duplicate")
    wrong = engineer.post("/api/v1/observations", params=target, json={"colour": 3})
    assert wrong.status_code == 422
    assert wrong.json()["refused"][0]["reason"] == "unknown_property"
    partly = engineer.post("/api/v1/observations", params=target, json={"seq": 4, "flow": 9.0, "colour": 3})
    assert (partly.json()["outcome"], partly.json()["refused"][0]["reason"]) == ("stored", "unknown_property")


def test_posting_malformed_or_hostile_input_never_breaks_the_server(engineer: httpx.Client, town: Town) -> None:
    headers = {"content-type": "application/json"}
    target = {"domain": "water", "thing": "water-002"}
    for body in (b"{", b"[" * 200 + b"]" * 200, b"\xff\xfe", b'{"flow": NaN}', b'{"flow": 1e999}', b""):
        answer = engineer.post("/api/v1/observations", params=target, content=body, headers=headers)
        assert answer.status_code == 422, (body, answer.text)
    for thing in ("../x", "a b", "", "x" * 65, "é"):
        answer = engineer.post("/api/v1/observations", params={**target, "thing": thing}, json={"flow": 1})
        assert answer.status_code == 422
    huge = engineer.post("/api/v1/observations", params=target, content=b"1" * 2_200_000, headers=headers)
    assert huge.status_code == 413
    assert httpx.get(f"{town.base}/api/health/live").status_code == 200


def test_alarm_is_acknowledged_once_by_name(town: Town) -> None:
    town.collector.read({("waste", "waste-005", "temperature"): 90.0})
    with town.session("operator") as client:
        alarm = client.get("/api/v1/alarms", params={"thing": "waste-005", "open": "true"}).json()["rows"][0]
        path = f"/api/v1/alarms/{alarm['id']}/acknowledge"
        assert client.post(path, json={"comment": "seen"}).json() == {
            "id": alarm["id"],
            "state": "ACKED",
            "changed": True,
            "by": "operator",
        }
        assert client.post(path, json={}).json()["changed"] is False
        steps = client.get(f"/api/v1/alarms/{alarm['id']}/transitions").json()["rows"]
        assert [(s["from_state"], s["to_state"]) for s in steps] == [("NORM", "UNACK"), ("UNACK", "ACKED")]
        assert client.post("/api/v1/alarms/999999/acknowledge", json={}).status_code == 404


def test_account_of_an_organisation_sees_and_touches_only_its_own(town: Town, wait_until: Callable[..., None]) -> None:
    town.collector.read({("waste", "waste-006", "temperature"): 90.0, ("waste", "waste-024", "temperature"): 90.0})
    with town.session("agency") as client:
        codes = {row["code"] for row in client.get("/api/v1/things").json()["rows"]}
        assert codes == {"lighting-024", "parking-024", "waste-024", "water-024"}
        for path in ("datastreams", "observations", "alarms"):
            assert {row["thing"] for row in client.get(f"/api/v1/{path}").json()["rows"]} <= codes

        def listed() -> set[str]:
            told = client.get("/api/v1/live", params={"page": "/alarms", "after": 0, "language": "fr"}).json()
            return {row["code"] for row in told["rows"]}

        # A screen shows what its server saw at its last look at the database.
        wait_until(listed, tell=town.tail)
        assert listed() == {"waste-024"}
        unseen = client.get("/api/v1/live", params={"page": "/asset/waste-006", "after": 0}).json()
        assert not any(key.startswith("asset-") for key in unseen["set"])
        with town.session("administrator") as other:
            alarm = other.get("/api/v1/alarms", params={"thing": "waste-006", "open": "true"}).json()["rows"][0]["id"]
        assert client.get(f"/api/v1/alarms/{alarm}").status_code == 404
        assert client.post(f"/api/v1/alarms/{alarm}/acknowledge", json={}).status_code == 404


def _live(client: httpx.Client, page: str) -> dict[str, str]:
    """The parts of a page as text."""
    answer = client.get("/api/v1/live", params={"page": page, "after": 0, "language": "en"})
    assert answer.status_code == 200, answer.text
    return {key: json.dumps(props, ensure_ascii=False) for key, props in answer.json()["set"].items()}


def test_account_of_an_organisation_learns_nothing_of_another_on_any_screen(
    town: Town, engineer: httpx.Client, wait_until: Callable[..., None]
) -> None:
    wrong = {"domain": "waste", "thing": "waste-024"}
    assert engineer.post("/api/v1/observations", params=wrong, json={"seq": 1, "own": 3}).status_code == 422
    # So many that the newest of everybody are none of its own.
    for seq in range(55):
        engineer.post("/api/v1/observations", params={**wrong, "thing": "waste-001"}, json={"seq": seq, "other": seq})
    town.collector.read({("water", "water-001", "pressure"): 3.3})
    with town.session("agency") as agency:
        parent = agency.get("/api/v1/things", params={"thing": "water-024"}).json()["rows"][0]["parent"]
        assert parent is None
        assert "district-north" not in _live(agency, "/asset/water-024")["asset-head"]
        # An operator is told how many of its own for which reason, and nothing of what they held.
        wait_until(lambda: "unknown_property" in _live(agency, "/health")["health-rejected"], tell=town.tail)
        assert '{"class": "num"}, "1"]' in _live(agency, "/health")["health-rejected"]
        assert "waste-001" not in str(_live(agency, "/health"))
        wait_until(lambda: "waste-001" in _live(engineer, "/health")["health-rejected"], tell=town.tail)
        rows = agency.get("/api/v1/datastreams").json()["rows"]
        newest = max(datetime.fromisoformat(row["phenomenon_time"]) for row in rows).timestamp() * 1000

        def since() -> int:
            shown = re.search(r'"data-since": "(\d+)"', _live(agency, "/")["frame-status"])
            assert shown is not None
            return int(shown[1])

        wait_until(lambda: since() == int(newest), tell=lambda: f"{since()} instead of {int(newest)}")
        for domain in ("water", "lighting"):
            courses = [_live(client, "/")[f"course-{domain}"] for client in (agency, engineer)]
            assert all("maskImage" in course for course in courses)
            assert courses[0] != courses[1]
    assert engineer.get("/api/v1/things", params={"thing": "water-024"}).json()["rows"][0]["parent"] == "district-north"


def test_thing_with_a_colon_in_its_code_opens_as_the_browser_writes_its_address(
    town: Town, engineer: httpx.Client, wait_until: Callable[..., None]
) -> None:
    target = {"domain": "water", "thing": "dev:eui:01"}
    assert engineer.post("/api/v1/observations", params=target, json={"seq": 1, "flow": 3.25}).status_code == 200
    address = "/asset/dev%3Aeui%3A01"
    wait_until(lambda: "m³/h" in _live(engineer, address).get("asset-values", ""), tell=town.tail)
    assert _live(engineer, address)["asset-head"] == _live(engineer, "/asset/dev:eui:01")["asset-head"]
    at = [{"id": "url", "property": "pathname", "value": address}, {"id": "frame", "property": "children"}]
    state = [{"id": "url", "property": "search", "value": ""}]
    answer = engineer.post("/_dash-update-component", json=call("page.children", at, state=state))
    assert answer.status_code == 200
    # The page knows its own address again, letter by letter.
    assert f'"data-page": "{address}"' in json.dumps(answer.json())
    assert "asset-values" in answer.text
    assert engineer.get(address).status_code == 200
    nobody = httpx.get(town.base + address)
    assert (nobody.status_code, nobody.headers["location"]) == (303, "/login?next=/asset/dev%3Aeui%3A01")
    back = engineer.get(nobody.headers["location"])
    assert (back.status_code, back.headers["location"]) == (303, "/asset/dev:eui:01")
    for page in ("/asset/dev%253Aeui%253A01", "/asset/..%2Fx"):
        assert engineer.get("/api/v1/live", params={"page": page, "after": 0}).status_code == 422


def test_thing_of_two_domains_is_listed_and_counted_in_both(
    town: Town, engineer: httpx.Client, wait_until: Callable[..., None]
) -> None:
    def counted() -> str:
        return re.findall(r"(\d+) / (\d+)|(\d+) of (\d+)", _live(engineer, "/")["tile-parking"])[0]

    assert "lighting-002" not in _codes(engineer, "parking")
    before = counted()
    town.collector.read({("parking", "lighting-002", "occupied"): 1.0})
    assert "lighting-002" in _codes(engineer, "parking")
    assert "lighting-002" in _codes(engineer, "lighting")
    assert "lighting-002" not in _codes(engineer, "waste")
    wait_until(lambda: counted() != before, tell=lambda: _live(engineer, "/")["tile-parking"])


def _codes(client: httpx.Client, domain: str) -> set[str]:
    return {row["code"] for row in client.get("/api/v1/things", params={"domain": domain}).json()["rows"]}


def test_openapi_describes_every_public_route(engineer: httpx.Client) -> None:
    paths = engineer.get("/api/openapi.json").json()["paths"]
    assert {
        "/api/v1/login", "/api/v1/logout", "/api/v1/things", "/api/v1/datastreams", "/api/v1/observations",
        "/api/v1/observations/{level}",
        "/api/v1/alarms", "/api/v1/alarms/{alarm_id}", "/api/v1/alarms/{alarm_id}/acknowledge",
        "/api/v1/alarms/{alarm_id}/transitions", "/api/health", "/api/health/live",
    } <= set(paths)  # fmt: skip
    page = engineer.get("/api/docs").text
    assert re.findall(r'(?:src|href)="(https?:)?//', page) == []


def test_log_in_backs_off_after_failures_and_forgets_them_after_success(town: Town) -> None:
    statuses = []
    with httpx.Client(base_url=town.base, timeout=20) as client:
        for _ in range(7):
            answer = client.post("/api/v1/login", json={"user": "viewer", "password": "guess"})
            statuses.append(answer.status_code)
        assert statuses[0] == 401
        assert statuses[-1] == 429
        assert int(answer.headers["retry-after"]) >= 1
        deadline = time.monotonic() + 20
        while client.post("/api/v1/login", json={"user": "viewer", "password": PASSWORD}).status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.3)


@pytest.mark.parametrize(
    "credentials",
    [
        b'{"user": "a\\u0000", "password": "x"}',
        b'{"user": "a", "password": "x\\u0000"}',
        b'{"user": "\\ud800", "password": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'["\\ud800"]',
        b"[" * 5000,
    ],
)
def test_log_in_with_text_that_is_none_is_refused_in_plain_words(town: Town, credentials: bytes) -> None:
    answer = httpx.post(
        f"{town.base}/api/v1/login", content=credentials, headers={"content-type": "application/json"}, timeout=10
    )
    assert answer.status_code in (400, 422), answer.text
    answer.content.decode("utf-8")
    assert "\\ud8" not in answer.text
    assert "database" not in answer.text


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("things", "thing=%00"),
        ("things", "domain=%00"),
        ("things", "after=%00"),
        ("datastreams", "property=a%00b"),
        ("observations", "thing=%00"),
        ("observations", "to=0001-01-01T00:00:00Z"),
        ("observations", "from=0001-01-01T00:00:00%2B14:00"),
        ("observations", "to=9999-12-31T23:59:59-14:00"),
        ("alarms", "from=0001-01-01T00:00:00%2B14:00"),
        ("alarms", "domain=%00"),
    ],
)
def test_query_that_no_database_can_hold_is_refused(engineer: httpx.Client, path: str, query: str) -> None:
    answer = engineer.get(f"/api/v1/{path}?{query}")
    assert answer.status_code == 422, answer.text
    assert {"type", "loc", "msg"} == set(answer.json()["detail"][0])


@pytest.mark.parametrize("comment", ["a\\u0000b", "\\ud800"])
def test_comment_that_no_database_can_hold_is_refused(town: Town, comment: str) -> None:
    with town.session("operator") as client:
        alarm = client.get("/api/v1/alarms", params={"limit": 1}).json()["rows"][0]
        answer = client.post(
            f"/api/v1/alarms/{alarm['id']}/acknowledge",
            content=f'{{"comment": "{comment}"}}'.encode(),
            headers={"content-type": "application/json"},
        )
    assert answer.status_code == 422, answer.text


def test_posted_names_that_are_no_text_do_not_break_the_writer(engineer: httpx.Client) -> None:
    target, headers = {"domain": "water", "thing": "water-003"}, {"content-type": "application/json"}
    for body in (b'{"a\\u0000b": 1}', b'{"\\ud800": 1}', b'{"flow": "\\u0000"}', b'[{"n": "\\u0000", "v": 1}]'):
        answer = engineer.post("/api/v1/observations", params=target, content=body, headers=headers, timeout=10)
        assert answer.status_code == 422, (body, answer.text)
    assert engineer.post("/api/v1/observations", params=target, json={"seq": 9, "flow": 1.0}).status_code == 200


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "http://[x]:1"])
def test_origin_that_is_no_address_is_refused(town: Town, origin: str) -> None:
    answer = httpx.post(f"{town.base}/api/v1/login", json={"user": "a", "password": "b"}, headers={"origin": origin})
    assert answer.status_code == 403


@pytest.mark.parametrize("name", ["dash/nope.js", "os/path.py", "dash/../x.py", "dash/deps/", "numpy/__init__.py"])
def test_component_file_that_is_none_is_not_found(town: Town, name: str) -> None:
    with town.session("viewer") as client:
        answer = client.get(f"/_dash-component-suites/{name}")
    assert answer.status_code == 404
    assert "registered" not in answer.text


def test_callback_called_with_a_part_of_its_inputs_is_refused(town: Town) -> None:
    theme = {"id": "theme", "property": "data", "value": "dark"}
    wrong = [
        {"output": "page.children"},
        call("page.children", []),
        call("map-graph.figure", []),
        call("map-graph.figure", [None]),
        call("map-graph.figure", [{"id": "theme"}]),
        call("map-graph.figure", [theme, theme]),
        call("map-graph.figure", {"0": theme}),
        call("map-graph.figure", [theme], changedPropIds=7),
        call("map-graph.figure", [theme], outputs=[1]),
        call("asset-trends.children", [theme]),
    ]
    with town.session("viewer") as client:
        for body in wrong:
            assert client.post("/_dash-update-component", json=body).status_code == 422, body
        for value in ("dark", None, 7, ["x"], {"a": 1}):
            answer = client.post("/_dash-update-component", json=call("map-graph.figure", [{**theme, "value": value}]))
            assert answer.status_code in (200, 422), (value, answer.text)
            language = {"id": "language", "property": "data", "value": value}
            answer = client.post("/_dash-update-component", json=call("frame.children", [language]))
            assert answer.status_code in (200, 422), (value, answer.text)
            at = [{"id": "url", "property": "pathname", "value": value}, {"id": "frame", "property": "children"}]
            state = [{"id": "url", "property": "search", "value": value}]
            answer = client.post("/_dash-update-component", json=call("page.children", at, state=state))
            assert answer.status_code in (200, 422), (value, answer.text)
