from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import MutableMapping
from typing import Any

import pytest
from fastapi import FastAPI

from dashboards import failures, guard
from dashboards.failures import FailureLog
from dashboards.plain import mended, plain
from dashboards.sessions import Sessions
from hypervision.accounts import Account, Role
from hypervision.errors import PermanentStoreError, StoreError, TemporaryStoreError

SECRET = "password=quince host=10.1.2.3"


def _asked(failing: Exception, failed: FailureLog, *, bare: bool) -> tuple[int, str]:
    """What comes back through the guard from a route that fails, or from an application without handlers."""
    app = FastAPI()

    @app.get("/api/health/live")
    async def live() -> None:
        raise failing

    async def naked(scope: Any, receive: Any, send: Any) -> None:
        raise failing

    if not bare:
        failures.register(app, failed)
    outer = guard.Guard(
        naked if bare else app,
        Sessions(None),  # type: ignore[arg-type]
        language="en",
        health_open=True,
        hosts=frozenset(),
        script_hashes=[],
        fits=lambda _asked: True,
        failures=failed,
    )
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/api/health/live",
        "headers": [],
        "query_string": b"",
        "client": ("127.0.0.1", 1),
    }
    asyncio.run(outer(scope, receive, send))
    return sent[0]["status"], b"".join(m.get("body", b"") for m in sent[1:]).decode()


@pytest.mark.parametrize("bare", [False, True])
def test_unexpected_error_is_logged_and_answered_without_its_words(
    caplog: pytest.LogCaptureFixture, bare: bool
) -> None:
    status, body = _asked(RuntimeError(SECRET), FailureLog(), bare=bare)
    assert (status, json.loads(body)) == (500, {"detail": failures.UNEXPECTED})
    assert [record.exc_info is not None for record in caplog.records if record.name == failures.log.name] == [True]


@pytest.mark.parametrize(
    ("error", "status"), [(PermanentStoreError(f"database: {SECRET}"), 500), (TemporaryStoreError("x"), 503)]
)
def test_error_of_the_database_is_told_without_its_words(error: StoreError, status: int) -> None:
    error.__cause__ = OSError(SECRET)
    found, body = _asked(error, FailureLog(), bare=False)
    assert found == status
    assert SECRET not in body


def test_what_the_platform_itself_says_is_told() -> None:
    error = TemporaryStoreError("too many readings wait already", remedy="send fewer at a time")
    assert _asked(error, FailureLog(), bare=False) == (503, json.dumps({"detail": str(error)}, separators=(",", ":")))


def test_unexpected_errors_are_logged_a_few_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    failed = FailureLog(most=3, seconds=60.0, clock=lambda: now)
    for _ in range(10):
        failed.note(ValueError("x"), "GET /")
    assert len(caplog.records) == 3
    now = 61.0
    failed.note(ValueError("x"), "GET /")
    assert [r.getMessage() for r in caplog.records[3:]] == [
        "7 more unexpected errors were not logged",
        "unexpected error: GET /",
    ]
    assert all(record.levelno == logging.ERROR for record in caplog.records)


@pytest.mark.parametrize("text", ["a\x00b", "\x00", "\ud800", "x\udfff"])
def test_text_that_no_database_holds_is_refused_and_can_still_be_told(text: str) -> None:
    with pytest.raises(ValueError, match="leave it out"):
        plain(text)
    mended(text).encode("utf-8")
    assert plain("é 😀") == "é 😀"


def test_sockets_that_fail_are_logged_a_few_a_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("text")

    async def known(_sessions: Sessions, _token: str) -> Account:
        return Account(1, "viewer", Role.VIEWER)

    monkeypatch.setattr(Sessions, "ask", known)
    outer = guard.Guard(
        failing,
        Sessions(None),  # type: ignore[arg-type]
        language="en",
        health_open=False,
        hosts=frozenset({"localhost", "city.example"}),
        script_hashes=[],
        fits=lambda _asked: True,
        failures=FailureLog(most=2),
    )

    async def unused(*_message: Any) -> Any:
        raise AssertionError("the guard itself says nothing here")

    headers = [(b"host", b"h"), (b"origin", b"http://h"), (b"cookie", b"hypervision_session=x")]
    for _ in range(5):
        scope = {"type": "websocket", "path": "/live", "headers": headers, "client": ("127.0.0.1", 1)}
        asyncio.run(outer(scope, unused, unused))
    assert len([record for record in caplog.records if record.exc_info]) == 2
