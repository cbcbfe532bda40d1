"""Every route, callback and socket, walked by every role and by nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from dashboards.assembly import create_server
from dashboards.routes import CALLBACKS, action_of, action_of_callback
from hypervision.accounts import LOCAL, RIGHTS, WHOLE, Action, Role
from tests.browser.fake_town import ACCOUNTS, PASSWORD, Town, running
from tests.integration.served import call, served

pytestmark = pytest.mark.integration

FILLED = {
    "{name}": "log-in.css", "{alarm_id}": "1", "{rejected_id}": "1", "{package_name}": "dash",
    "{fingerprinted_path:path}": "deps/polyfill@7.js", "{path:path}": "nowhere",
}  # fmt: skip


@pytest.fixture(scope="module")
def town(_database_server: tuple) -> Iterator[Town]:
    with running(_database_server) as made:
        yield made


@pytest.fixture(scope="module")
def sessions(town: Town) -> Iterator[dict[str | None, httpx.Client]]:
    """One open session for every role, and one for nobody."""
    with ExitStack() as stack:
        yield {user: stack.enter_context(town.session(user)) for user in (None, *ACCOUNTS)}


def _routes(town: Town) -> list[tuple[str, str]]:
    """Every (method, path) that the application has, from its own table."""
    found = []
    for route in create_server(town.settings).fastapi.routes:
        path = getattr(route, "path", "")
        for mark, value in FILLED.items():
            path = path.replace(mark, value)
        if hasattr(route, "methods"):
            found += [(method, path) for method in sorted(route.methods or ())]
    return found


PAGES = [
    ("GET", path) for path in ("/", "/alarms", "/map", "/health", "/rejected", "/asset/water-001", "/assets/10-ages.js")
]
UNKNOWN = [
    ("GET", "/nowhere"), ("GET", "/_reload-hash"), ("GET", "/_alive"), ("GET", "/_mcp"), ("POST", "/_mcp"), ("GET", "/docs"),
    ("GET", "/redoc"), ("GET", "/openapi.json"), ("PUT", "/api/v1/things"), ("DELETE", "/api/v1/alarms/1"),
    ("GET", "/assets/../server.py"), ("GET", "//assets/10-ages.js"), ("GET", "/api/v1/alarms/1/acknowledge"),
    ("GET", "/static/..%2fserver.py"), ("POST", "/"),
]  # fmt: skip


def _ask(client: httpx.Client, method: str, path: str) -> int:
    body = {"content": b"{}", "headers": {"content-type": "application/json"}} if method not in ("GET", "HEAD") else {}
    return client.request(method, path, **body).status_code


def test_every_role_gets_exactly_what_the_rights_table_says(
    town: Town, sessions: dict[str | None, httpx.Client]
) -> None:
    wrong = []
    for user in (None, *ACCOUNTS):
        role = None if user is None else ACCOUNTS[user]
        for method, path in [*_routes(town), *PAGES, *UNKNOWN]:
            action = action_of(method, path)
            # A callback is judged by what it names, in the next test.
            if (
                path == "/_dash-update-component"
                or action in {Action.LOG_IN, Action.LOG_OUT, Action.READ_LIVENESS} | LOCAL
            ):
                continue
            status = _ask(sessions[user], method, path)
            if role is None:
                good = status in (401, 303)
            elif action is None:
                good = status == 404
            elif role in RIGHTS[action]:
                good = status not in (401, 403)
            else:
                good = status == 403
            if not good:
                wrong.append((user, method, path, str(action), status))
    assert wrong == []


def test_every_callback_has_an_action_and_is_asked_for_it(town: Town) -> None:
    known = set(create_server(town.settings).dash.callback_map) | {
        entry["output"] for entry in create_server(town.settings).dash._callback_list
    }
    with town.session("viewer") as client:
        known |= {entry["output"] for entry in client.get("/_dash-dependencies").json()}
    assert known == set(CALLBACKS)
    assert all(action_of_callback({"output": output}) is not None for output in known)
    for output in (*CALLBACKS, "nothing.children", None, ["frame.children"]):
        body = json.dumps({"output": output, "inputs": [], "changedPropIds": []})
        headers = {"content-type": "application/json"}
        nobody = httpx.post(f"{town.base}/_dash-update-component", content=body, headers=headers)
        assert nobody.status_code == 401
        if output not in list(CALLBACKS):
            with town.session("administrator") as client:
                assert client.post("/_dash-update-component", content=body, headers=headers).status_code == 403


def _socket(town: Town, cookie: str | None, origin: str | None, path: str = "/live"):
    return _socket_at(town.base, cookie, origin, path)


def _socket_at(base: str, cookie: str | None, origin: str | None, path: str = "/live"):
    headers = {} if cookie is None else {"Cookie": f"hypervision_session={cookie}"}
    return connect(base.replace("http", "ws") + path, additional_headers=headers, origin=origin, open_timeout=10)


def _ways_to(base: str, client: httpx.Client, page: str) -> dict[str, int]:
    """What each of the four ways to a page answers; a socket that tells the page counts as 200."""
    at = [
        {"id": "url", "property": "pathname", "value": page},
        {"id": "frame", "property": "children", "value": None},
    ]
    drawing = call("page.children", at, state=[{"id": "url", "property": "search", "value": ""}])
    found = {
        "document": client.get(page).status_code,
        "callback": client.post("/_dash-update-component", json=drawing).status_code,
        "poll": client.get("/api/v1/live", params={"page": page, "after": 0}).status_code,
    }
    try:
        with _socket_at(base, client.cookies["hypervision_session"], base) as socket:
            socket.send(json.dumps({"page": page, "language": "en", "after": 0}))
            found["socket"] = 200 if json.loads(socket.recv(timeout=5))["page"] == page else 0
    except ConnectionClosed as closed:
        found["socket"] = 0 if closed.rcvd is None else closed.rcvd.code
    except InvalidStatus as refused:
        found["socket"] = 4000 + refused.response.status_code
    return found


@pytest.mark.parametrize("action", [Action.SEE_SYSTEM, Action.SEE_SCREENS])
def test_page_is_refused_on_every_way_to_who_may_not_see_it(
    town: Town, monkeypatch: pytest.MonkeyPatch, action: Action
) -> None:
    pages = {Action.SEE_SYSTEM: ["/health", "/%68ealth"], Action.SEE_SCREENS: ["/alarms", "/asset/water-001"]}
    with served(town.settings) as base:
        for user in ("viewer", "administrator"):
            with httpx.Client(base_url=base, timeout=20) as client:
                client.post("/api/v1/login", json={"user": user, "password": PASSWORD})
                client.get("/")
                monkeypatch.setitem(RIGHTS, action, frozenset({Role.ADMINISTRATOR}))
                for page in pages[action]:
                    told = _ways_to(base, client, page)
                    if user == "administrator":
                        assert set(told.values()) == {200}, (page, told)
                    else:
                        assert told == {"document": 403, "callback": 403, "poll": 403, "socket": 4403}, page
                monkeypatch.undo()
                assert set(_ways_to(base, client, "/health").values()) == {200}


def test_figures_of_the_whole_town_are_not_for_an_account_of_an_organisation(town: Town) -> None:
    """A caller on this machine needs no log-in for them; one that is logged in is who it is."""
    assert Action.READ_METRICS in WHOLE
    with town.session("agency") as agency, town.session("viewer") as viewer:
        assert agency.get("/metrics").status_code == 403
        assert "hypervision_messages_total" in viewer.get("/metrics").text
        assert "messages" in viewer.get("/api/health").json()
        told = agency.get("/api/health")
        assert (told.status_code, told.json()["status"]) == (200, "ready")
        assert "messages" not in told.json()
        assert {part["detail"] for part in told.json()["parts"]} == {""}


@pytest.mark.parametrize(
    ("who", "origin", "path"),
    [
        (None, "own", "/live"),
        ("forged", "own", "/live"),
        ("operator", "https://elsewhere.example", "/live"),
        ("operator", None, "/live"),
        ("operator", "own", "/_dash-ws-callback"),
        ("operator", "own", "/nowhere"),
    ],
)
def test_socket_is_refused_without_session_own_origin_and_known_path(
    town: Town, sessions: dict[str | None, httpx.Client], who: str | None, origin: str | None, path: str
) -> None:
    cookie = who
    if who == "operator":
        cookie = sessions["operator"].cookies["hypervision_session"]
    with (
        pytest.raises((InvalidStatus, ConnectionClosed)),
        _socket(town, cookie, town.base if origin == "own" else origin, path) as socket,
    ):
        socket.recv(timeout=5)


def test_socket_tells_the_page_asked_for_and_ends_with_the_session(town: Town) -> None:
    with town.session("operator") as client:
        with _socket(town, client.cookies["hypervision_session"], town.base) as socket:
            socket.send(json.dumps({"page": "/", "language": "en", "after": 0}))
            first = json.loads(socket.recv(timeout=5))
            assert first["full"]
            assert first["feed"]["state"] == "live"
            assert "tile-water" in first["set"]
            second = json.loads(socket.recv(timeout=5))
            assert second["seq"] >= first["seq"]
            assert not second["full"]
            client.post("/api/v1/logout", json={})
            with pytest.raises(ConnectionClosed) as closed:
                _read_on(socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


def _read_on(socket: ClientConnection) -> None:
    """Read until the socket is closed, for a while."""
    for _ in range(20):
        socket.recv(timeout=10)


@pytest.mark.parametrize(
    "message",
    [
        "x", "{}", '{"page": "/etc", "language": "fr", "after": 0}', '{"page": "/", "language": "fr", "after": true}',
        b"\x00\xff", b'{"page": "/", "language": "fr", "after": 0}',
    ],
)  # fmt: skip
def test_socket_message_that_makes_no_sense_closes_it(
    town: Town, sessions: dict[str | None, httpx.Client], message: str | bytes
) -> None:
    cookie = sessions["operator"].cookies["hypervision_session"]
    with _socket(town, cookie, town.base) as socket:
        socket.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4400


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://elsewhere.example", "content-type": "application/json"},
        {"sec-fetch-site": "cross-site", "content-type": "application/json"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "text/plain"},
    ],
)
def test_change_asked_for_by_another_site_is_refused(
    town: Town, sessions: dict[str | None, httpx.Client], headers: dict[str, str]
) -> None:
    answer = sessions["administrator"].post("/api/v1/alarms/1/acknowledge", content=b"{}", headers=headers)
    assert answer.status_code == 403


def test_every_answer_carries_the_security_headers(town: Town, sessions: dict[str | None, httpx.Client]) -> None:
    for path in ("/login", "/", "/api/health/live", "/nowhere", "/api/v1/things"):
        headers = sessions["operator"].get(path).headers
        policy = headers["content-security-policy"]
        assert "unsafe-inline" not in policy.split("style-src")[0]
        assert "unsafe-eval" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_development_tools_and_mcp_are_off(town: Town) -> None:
    app = create_server(town.settings).dash
    assert not app._enable_mcp
    assert not app._dev_tools.ui
    assert not app._dev_tools.hot_reload
    assert not app._websocket_callbacks


def test_rights_grow_with_the_role() -> None:
    order = [Role.VIEWER, Role.OPERATOR, Role.ENGINEER, Role.ADMINISTRATOR]
    for roles in RIGHTS.values():
        lowest = min(order.index(role) for role in roles)
        assert roles == frozenset(order[lowest:])


def test_rejected_messages_of_others_are_not_found_counted_nor_replayed(town: Town) -> None:
    topic = "urban/v1/water/%s/up"
    town.collector.refuse(
        *((topic % thing, b'=cmd|{"xyz": 1}', "malformed") for thing in ("water-001", "water-024", "stranger"))
    )
    town.add_account("agent", Role.ENGINEER, organisation="agency")
    path = "/api/v1/rejected"
    with town.session("engineer") as engineer, town.session("agent") as agent:
        every = engineer.get(path, params={"reason": "malformed"}).json()["rows"]
        assert {row["thing"] for row in every} == {"water-001", "water-024", "stranger"}
        assert every[0] | {"payload": '=cmd|{"xyz": 1}', "encoding": "utf-8", "payload_bytes": 15} == every[0]
        assert "'=cmd|" in engineer.get(path, params={"format": "csv"}).text
        (own,) = agent.get(path).json()["rows"]
        assert own["thing"] == "water-024"
        counts = agent.get(f"{path}/counts").json()
        assert counts["reasons"] == [{"reason": "malformed", "rows": 1, "count": 1}]
        assert counts["things"] == [{"thing": "water-024", "rows": 1, "count": 1}]
        assert counts["replayable"]["messages"] == 1
        ids = [row["id"] for row in every]
        assert [agent.get(f"{path}/{number}").status_code for number in ids if number != own["id"]] == [404, 404]
        assert agent.get(path, params={"before": ids[0]}).json()["rows"] in ([], [own])
        order = {"newest": counts["replayable"]["newest"], "ids": ids}
        done = agent.post(f"{path}/replay", json=order).json()
        assert done == {"messages": 1, "stored": 0, "refused": 1, "reasons": {"malformed": 1}, "next": None}
        for wrong in (
            {"reason": "foo"},
            {"domain": "gaz"},
            {"from": "2026-02-02T00:00:00Z", "to": "2026-02-01T00:00:00Z"},
        ):
            assert [engineer.get(url, params=wrong).status_code for url in (path, f"{path}/counts")] == [422, 422]
            assert engineer.post(f"{path}/replay", json={"newest": 1, **wrong}).status_code == 422
        for wrong in ({}, {"newest": 1, "colour": "red"}, {"newest": -1}, {"newest": 1, "thing": "\0"}):
            assert engineer.post(f"{path}/replay", json=wrong).status_code == 422
        again = [row["detail"] for row in engineer.get(path, params={"reason": "malformed"}).json()["rows"]]
        assert sum("refused again" in detail for detail in again) == 1


def test_session_cookie_is_closed_to_scripts_and_renewed_at_log_in(town: Town) -> None:
    with httpx.Client(base_url=town.base, timeout=20) as client:
        client.cookies.set("hypervision_session", "chosen-by-somebody-else")
        answer = client.post("/api/v1/login", json={"user": "operator", "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "chosen" not in cookie
        first = cookie.split(";")[0].split("=", 1)[1]
        again = client.post("/api/v1/login", json={"user": "operator", "password": PASSWORD}).headers["set-cookie"]
        assert again.split(";")[0].split("=", 1)[1] != first
        stale = httpx.get(f"{town.base}/api/v1/things", cookies={"hypervision_session": first})
        assert stale.status_code == 401
