"""What a request gets when something fails: a sentence, never the insides of the platform."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from dash.exceptions import DependencyException, PreventUpdate
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.plain import mended
from hypervision.errors import PermanentStoreError, StoreError, UsageError

log = logging.getLogger(__name__)

UNEXPECTED: Final = "the platform failed: its log says why"
_AWAY: Final = "the database does not answer: try again in a moment"


class FailureLog:
    """Logs unexpected errors with their traceback, a few a minute, so that nobody can fill a disk by asking.

    Parameters
    ----------
    most : int
        Entries in `seconds` at most.
    seconds : float
        The time they are counted over [s].
    clock : callable
        Monotonic time [s].
    """

    def __init__(self, *, most: int = 5, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._since = clock()
        self._told = 0
        self._left_out = 0

    def note(self, error: BaseException, what: str) -> None:
        """Log one error, or only count it."""
        now = self._clock()
        if now - self._since >= self._seconds:
            if self._left_out:
                log.error("%d more unexpected errors were not logged", self._left_out)
            self._since, self._told, self._left_out = now, 0, 0
        if self._told >= self._most:
            self._left_out += 1
            return
        self._told += 1
        log.error("unexpected error: %s", mended(what)[:200], exc_info=error)


def register(app: FastAPI, failures: FailureLog) -> None:
    """Add the handlers of every error a route may raise; what they leave the guard catches."""

    @app.exception_handler(RequestValidationError)
    async def wrong_input(_request: Request, error: RequestValidationError) -> JSONResponse:
        # Neither the input nor its context comes back: it may hold a password, or what no JSON can.
        told = [
            {
                "type": one["type"],
                "loc": [mended(part) if isinstance(part, str) else part for part in one["loc"]],
                "msg": mended(one["msg"]),
            }
            for one in error.errors()
        ]
        return JSONResponse({"detail": told}, 422)

    @app.exception_handler(DependencyException)
    async def no_file(_request: Request, _error: DependencyException) -> JSONResponse:
        return JSONResponse({"detail": "there is no such file"}, 404)

    @app.exception_handler(UsageError)
    async def not_meant(_request: Request, error: UsageError) -> JSONResponse:
        return JSONResponse({"detail": mended(str(error))}, 422)

    @app.exception_handler(StoreError)
    async def store_failed(request: Request, error: StoreError) -> JSONResponse:
        if isinstance(error, PermanentStoreError):
            failures.note(error, f"{request.method} {request.url.path}")
            return JSONResponse({"detail": UNEXPECTED}, 500)
        # Only what the platform itself says goes out: the driver's words name hosts and users.
        return JSONResponse({"detail": _AWAY if error.__cause__ is not None else str(error)}, 503)

    # Added before Dash adds its own, and so inside it: Dash would answer every error, and log none.
    app.add_middleware(_LastResort, failures=failures)


class _LastResort:
    def __init__(self, app: ASGIApp, *, failures: FailureLog) -> None:
        self._app = app
        self._failures = failures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except PreventUpdate:
            # How a callback says that nothing changes.
            raise
        except Exception as error:
            if started:
                raise
            self._failures.note(error, f"{scope['method']} {scope['path']}")
            await JSONResponse({"detail": UNEXPECTED}, 500)(scope, receive, sending)
