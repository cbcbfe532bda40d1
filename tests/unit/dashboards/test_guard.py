"""What the guard adds to an answer, and whom it lets log out."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from dashboards.failures import FailureLog
from dashboards.guard import Guard
from dashboards.hosts import known_hosts
from dashboards.sessions import CALLER, Sessions
from hypervision.accounts import Account, Role
from hypervision.errors import TemporaryStoreError
from hypervision.settings import HttpSettings

VIEWER = Account(1, "viewer", Role.VIEWER)


def _answer(
    method: str,
    path: str,
    *,
    query: bytes = b"",
    status: int = 200,
    cookie: str = "",
    headers: Any = (),
    address: str = "10.0.0.1",
    host: str = "",
) -> tuple[int, dict[str, str]]:
    async def inner(_scope: Any, _receive: Any, send: Any) -> None:
        CALLER.get()
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": b""})

    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    asked = [(b"content-type", b"application/json")]
    asked += [(b"cookie", f"hypervision_session={cookie}".encode())] if cookie else []
    asked += [(b"host", host.encode())] if host else []
    scope = {
        "type": "http", "method": method, "path": path, "headers": asked, "query_string": query, "client": (address, 1),
    }  # fmt: skip
    outer = Guard(
        inner,
        Sessions(None),  # type: ignore[arg-type]
        language="en",
        health_open=False,
        hosts=frozenset({"localhost", "city.example"}),
        script_hashes=[],
        fits=lambda _asked: True,
        failures=FailureLog(),
    )
    asyncio.run(outer(scope, receive, send))
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(_sessions: Sessions, token: str) -> Account | None:
        if token == "away":
            raise TemporaryStoreError("away", remedy="wait")
        return VIEWER if token == "viewer" else None

    monkeypatch.setattr(Sessions, "ask", ask)


@pytest.mark.parametrize(
    ("path", "status", "cookie", "expected"),
    [
        ("/assets/10-ages.js", 200, "viewer", "private, max-age=31536000, immutable"),
        ("/assets/10-ages.js", 304, "viewer", "private, max-age=31536000, immutable"),
        ("/assets/10-ages.js", 200, "", "no-store"),
        ("/assets/10-ages.js", 404, "viewer", "no-store"),
        ("/assets/10-ages.js", 500, "viewer", "no-store"),
        ("/assets/10-ages.js", 200, "away", "no-store"),
        ("/_dash-component-suites/dash/deps/x.js", 200, "", "no-store"),
        ("/_dash-component-suites/dash/deps/x.js", 404, "viewer", "no-store"),
        ("/static/log-in.css", 404, "", "no-store"),
        ("/alarms", 200, "viewer", "no-store"),
    ],
)
def test_only_good_answers_are_kept_by_a_browser(path: str, status: int, cookie: str, expected: str) -> None:
    told, headers = _answer("GET", path, query=b"m=123", status=status, cookie=cookie)
    assert headers["cache-control"] == expected
    if cookie != "viewer" and path != "/static/log-in.css":
        assert told in (401, 503)


def test_failing_answer_that_says_it_may_be_kept_is_not_kept() -> None:
    kept = [(b"cache-control", b"public, max-age=9")]
    path = "/_dash-component-suites/dash/deps/x.js"
    assert _answer("GET", path, cookie="viewer", headers=kept)[1]["cache-control"] == "public, max-age=9"
    assert _answer("GET", path, cookie="viewer", headers=kept, status=500)[1]["cache-control"] == "no-store"


def test_who_holds_a_token_may_log_out_whatever_the_database_says() -> None:
    for cookie, expected in (("viewer", 204), ("away", 204), ("forgotten", 204), ("", 401)):
        assert _answer("POST", "/api/v1/logout", status=204, cookie=cookie)[0] == expected
    assert _answer("POST", "/api/v1/alarms/1/acknowledge", cookie="away")[0] == 503


@pytest.mark.parametrize("path", ["/api/health", "/metrics"])
def test_health_is_told_to_loopback_by_a_name_of_this_machine_only(path: str) -> None:
    for host, expected in (
        ("localhost:8050", 200), ("CITY.example", 200), ("evil.example:8050", 401), ("localhost.evil.example", 401),
        ("[localhost", 200), ("[evil.example]", 401), ("", 401),
    ):  # fmt: skip
        assert _answer("GET", path, address="127.0.0.1", host=host)[0] == expected, host
    assert _answer("GET", path, address="10.0.0.1", host="localhost")[0] == 401
    # Liveness tells nothing, and who is logged in may ask by any name: behind a proxy both go on.
    assert _answer("GET", "/api/health/live", address="10.0.0.1", host="evil.example")[0] == 200
    assert _answer("GET", "/alarms", address="127.0.0.1", host="town.example", cookie="viewer")[0] == 200


def test_names_of_this_machine_are_those_of_loopback_and_of_the_settings() -> None:
    assert known_hosts(HttpSettings()) == {"localhost", "127.0.0.1", "::1"}
    given = HttpSettings(host="10.1.2.3", hosts="Town.example , proxy")
    assert known_hosts(given) == {"localhost", "127.0.0.1", "::1", "10.1.2.3", "town.example", "proxy"}
    assert known_hosts(HttpSettings(host="0.0.0.0")) == known_hosts(HttpSettings())
