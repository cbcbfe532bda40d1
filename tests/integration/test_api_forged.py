"""Forged requests for every page, callback and socket message by every role: answered as the one table says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from dashboards.assembly import create_server
from dashboards.routes import CALLBACKS, action_of_page
from hypervision.accounts import RIGHTS, WHOLE, Action, Role
from tests.browser.fake_town import ACCOUNTS, Town, running
from tests.integration.served import call

pytestmark = pytest.mark.integration

PAGES = ("/", "/alarms", "/map", "/health", "/rejected", "/administration", "/asset/water-001")
# An account of a part of the town of every role: what is of the whole town is not for it.
PARTS = {f"part-{role}": role for role in Role}


@pytest.fixture(scope="module")
def town(_database_server: tuple) -> Iterator[Town]:
    with running(_database_server) as made:
        for name, role in PARTS.items():
            made.add_account(name, role, domains=["water"])
        yield made


@pytest.fixture(scope="module")
def sessions(town: Town) -> Iterator[dict[str, httpx.Client]]:
    with ExitStack() as stack:
        yield {user: stack.enter_context(town.session(user)) for user in (*ACCOUNTS, *PARTS)}


def allowed(user: str, action: Action | None) -> bool:
    """The table, read without the function that the product asks."""
    role = PARTS.get(user) or ACCOUNTS[user]
    return action is not None and role in RIGHTS[action] and not (user in PARTS and action in WHOLE)


def _page(page: str) -> dict[str, object]:
    at = [{"id": "url", "property": "pathname", "value": page}, {"id": "frame", "property": "children"}]
    return call("page.children", at, state=[{"id": "url", "property": "search", "value": ""}])


def test_every_page_on_every_way_is_for_whom_the_table_names(town: Town, sessions: dict[str, httpx.Client]) -> None:
    assert {action_of_page(page) for page in PAGES} == {
        Action.SEE_SCREENS, Action.SEE_SYSTEM, Action.SEE_REJECTED, Action.SEE_ACCOUNTS,
    }  # fmt: skip
    wrong = []
    for user, client in sessions.items():
        cookie = {"Cookie": f"hypervision_session={client.cookies['hypervision_session']}"}
        for page in PAGES:
            good = allowed(user, action_of_page(page))
            told = {
                "document": client.get(page).status_code,
                "callback": client.post("/_dash-update-component", json=_page(page)).status_code,
                "poll": client.get("/api/v1/live", params={"page": page, "after": 0}).status_code,
                "socket": _pushed(town, cookie, page),
            }
            expected = dict.fromkeys(told, 200) if good else {**dict.fromkeys(told, 403), "socket": 4403}
            if told != expected:
                wrong.append((user, page, told))
    assert wrong == []


def _pushed(town: Town, cookie: dict[str, str], page: str) -> int:
    """200, or the code with which the socket was closed."""
    with connect(town.base.replace("http", "ws") + "/live", additional_headers=cookie, origin=town.base) as socket:
        socket.send(json.dumps({"page": page, "language": "en", "after": 0}))
        try:
            return 200 if json.loads(socket.recv(timeout=10))["page"] == page else 0
        except ConnectionClosed as closed:
            return 0 if closed.rcvd is None else closed.rcvd.code


def test_every_callback_is_for_whom_the_table_names(town: Town, sessions: dict[str, httpx.Client]) -> None:
    """Each call fits its callback, so that nothing but the table stands in its way."""
    declared = {entry["output"]: entry for entry in create_server(town.settings).dash._callback_list}
    assert set(declared) == set(CALLBACKS)
    wrong = []
    for user, client in sessions.items():
        for output, action in CALLBACKS.items():
            entry = declared[output]
            given = [{**each, "value": _value(each)} for each in entry["inputs"]]
            state = [{**each, "value": _value(each)} for each in entry["state"]]
            answer = client.post("/_dash-update-component", json=call(output, given, state=state))
            if (answer.status_code in (200, 204)) != allowed(user, action) or answer.status_code not in (200, 204, 403):
                wrong.append((user, output, answer.status_code))
    assert wrong == []


def _value(place: dict[str, str]) -> object:
    return {"pathname": "/", "search": "", "value": "day", "data": ""}.get(place["property"])


def test_rail_shows_the_pages_that_the_table_names(sessions: dict[str, httpx.Client]) -> None:
    for user, client in sessions.items():
        shown = "'/administration'" in str(client.get("/_dash-layout").json())
        assert shown is allowed(user, Action.SEE_ACCOUNTS), user


def test_auditor_changes_nothing_by_any_route(sessions: dict[str, httpx.Client]) -> None:
    client = sessions["auditor"]
    for method, path, body in (
        ("POST", "/api/v1/alarms/1/acknowledge", {}),
        ("POST", "/api/v1/observations?domain=water&thing=water-001", {"seq": 1, "flow": 1.0}),
        ("POST", "/api/v1/corrections", {"kind": "invalidate", "reason": "x", "thing": "water-001"}),
        ("POST", "/api/v1/rejected/replay", {"newest": 1}),
        ("POST", "/api/v1/accounts", {"name": "x", "password": "four words are enough", "role": "viewer"}),
        ("PATCH", "/api/v1/accounts/viewer", {"version": 1, "role": "administrator"}),
    ):
        assert client.request(method, path, json=body).status_code == 403, path
    for path in ("/api/v1/rejected", "/api/v1/accounts", "/api/v1/corrections", "/metrics", "/api/v1/things"):
        assert client.get(path).status_code == 200, path
