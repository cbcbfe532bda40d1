"""Who bears a token, who has one in a cookie, and who lacks a second factor, before the guard."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from dashboards.failures import FailureLog
from dashboards.guard import Guard
from dashboards.headers import security_headers
from dashboards.sessions import CALLER, Caller, Sessions
from hypervision import tokens
from hypervision.accounts import ENROLLING, Account, Role
from hypervision.tokens import granted

TOKEN = tokens.new_api_token()
REVOKED = tokens.new_api_token()
BEARER = Account(1, "ana", Role.ENGINEER, granted=granted(["read"]))
LATE = Account(2, "otto", Role.ADMINISTRATOR, granted=ENROLLING)
KNOWN = {TOKEN: BEARER, "session": Account(1, "ana", Role.ENGINEER), "late": LATE}


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []

    async def ask(_sessions: Sessions, token: str) -> Account | None:
        found.append(token)
        return KNOWN.get(token)

    monkeypatch.setattr(Sessions, "ask", ask)
    return found


def answer(method: str, path: str, *, scheme: str = "http", **headers: str) -> tuple[int, dict[str, str], list[Caller]]:
    callers: list[Caller] = []
    sent: list[MutableMapping[str, Any]] = []

    async def inner(_scope: Any, _receive: Any, send: Any) -> None:
        callers.append(CALLER.get())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    given = {"content-type": "application/json", "host": "city.example", **headers}
    scope = {
        "type": "http", "method": method, "path": path, "scheme": scheme, "query_string": b"", "client": ("10.0.0.1", 1),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }  # fmt: skip
    outer = Guard(
        inner, Sessions(None), language="en", health_open=False, hosts=frozenset(), script_hashes=["'sha256-x'"],  # type: ignore[arg-type]
        fits=lambda _asked: True, failures=FailureLog(),
    )  # fmt: skip
    asyncio.run(outer(scope, receive, send))
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}, callers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/things", 200),
        ("GET", "/api/health", 200),
        ("GET", "/metrics", 200),
        # Its owner may, and the token was not made for it.
        ("POST", "/api/v1/observations", 403),
        ("POST", "/api/v1/alarms/1/acknowledge", 403),
        ("GET", "/api/v1/rejected", 403),
        ("GET", "/", 403),
        ("GET", "/account", 403),
        ("GET", "/api/v1/account", 403),
        ("POST", "/api/v1/account/tokens", 403),
        ("POST", "/api/v1/logout", 403),
        ("POST", "/_dash-update-component", 403),
    ],
)
def test_token_opens_what_it_was_made_for_and_nothing_else(method: str, path: str, status: int) -> None:
    assert answer(method, path, authorization=f"Bearer {TOKEN}")[0] == status


def test_token_in_a_cookie_is_nobody(asked: list[str]) -> None:
    assert answer("GET", "/api/v1/things", cookie=f"hypervision_session={TOKEN}")[0] == 401
    assert asked == []


def test_session_that_is_borne_is_nobody(asked: list[str]) -> None:
    assert answer("GET", "/api/v1/things", authorization="Bearer session")[0] == 401
    assert asked == []


def test_who_bears_a_token_lends_nothing_from_a_cookie(asked: list[str]) -> None:
    cookie = "hypervision_session=session"
    assert answer("POST", "/api/v1/observations", authorization=f"Bearer {TOKEN}", cookie=cookie)[0] == 403
    assert answer("GET", "/api/v1/things", authorization=f"Bearer {REVOKED}", cookie=cookie)[0] == 401
    assert answer("GET", "/api/v1/things", authorization="Bearer nonsense", cookie=cookie)[0] == 401
    assert asked == [TOKEN, REVOKED]
    # What a proxy adds for itself does not take the session away.
    assert answer("GET", "/api/v1/things", authorization="Basic YTpi", cookie=cookie)[0] == 200


def test_token_is_no_session_that_could_be_ended() -> None:
    status, _headers, (caller,) = answer("GET", "/api/v1/things", authorization=f"Bearer {TOKEN}")
    assert (status, caller.token, caller.account) == (200, "", BEARER)


def test_change_by_a_foreign_page_is_refused_with_a_token_as_well() -> None:
    for headers in (
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"content-type": "text/plain"},
    ):
        assert answer("POST", "/api/v1/observations", **{"authorization": f"Bearer {TOKEN}", **headers})[0] == 403


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/account", 200),
        ("GET", "/api/v1/account", 200),
        ("POST", "/api/v1/account/second-factor", 200),
        ("POST", "/api/v1/logout", 200),
        ("GET", "/", 303),
        ("GET", "/rejected", 303),
        ("GET", "/api/v1/things", 403),
        ("POST", "/api/v1/alarms/1/acknowledge", 403),
        ("POST", "/_dash-update-component", 403),
        ("GET", "/assets/10-ages.js", 403),
    ],
)
def test_log_in_without_its_second_factor_is_led_to_it(method: str, path: str, status: int) -> None:
    told, headers, _ = answer(method, path, cookie="hypervision_session=late")
    assert told == status
    if status == 303:
        assert headers["location"] == "/account"


def test_browser_is_held_to_https_where_it_came_by_https() -> None:
    assert "strict-transport-security" not in answer("GET", "/login")[1]
    assert answer("GET", "/login", scheme="https")[1]["strict-transport-security"] == "max-age=31536000"


def test_policy_forbids_by_default_and_lets_nothing_run_from_elsewhere() -> None:
    headers = {name.decode(): value.decode() for name, value in security_headers(["'sha256-x'"])}
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == "'self' 'sha256-x'"
    assert policy["form-action"] == policy["connect-src"] == "'self'"
    assert "http" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
