"""One gate in front of everything, HTTP and WebSocket: log-in, rights, origin, size, headers."""

from __future__ import annotations

import ipaddress
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final
from urllib.parse import quote, urlsplit

from dashboards.callbacks import Fits
from dashboards.failures import UNEXPECTED, FailureLog
from dashboards.headers import SECURE, security_headers
from dashboards.hosts import name_of
from dashboards.routes import action_of, action_of_callback, is_page
from dashboards.sessions import CALLER, COOKIE, Caller, Sessions, cookies_of, origin_of
from dashboards.words import language_of
from hypervision.accounts import ENROLLING, Account, Action, may
from hypervision.auditing import ORIGIN
from hypervision.errors import StoreError
from hypervision.tokens import bearer_of, is_api_token

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# As large as a message may be over MQTT.
_LARGEST: Final = 2_097_152
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_CLOSE_LOG_IN, _CLOSE_FORBIDDEN = 4401, 4403
# What is answered also while the database cannot say who is asking.
_WITHOUT_DATABASE: Final = frozenset(
    {Action.LOG_IN, Action.LOG_OUT, Action.READ_LIVENESS, Action.READ_HEALTH, Action.READ_METRICS}
)
# Answers that a browser may keep.
_GOOD: Final = (200, 304)


class Guard:
    """An ASGI application around another.

    Parameters
    ----------
    app : ASGI application
        What is protected.
    sessions : Sessions
        Who is asking.
    language : str
        The installation's, for who has chosen none.
    health_open : bool
        Whether health and metrics answer callers from elsewhere without log-in.
    hosts : set of str
        By which of its names this machine is asked for them without log-in: a page of elsewhere whose name was made
        to lead here asks by that name. Health and metrics alone tell anything to who is nobody.
    script_hashes : sequence of str
        Hashes of the inline scripts that Dash cannot do without, as the policy writes them.
    fits : callable
        Whether the body of a callback's call is whole.
    failures : FailureLog
        Told of every error that nothing else caught.
    """

    def __init__(
        self,
        app: App,
        sessions: Sessions,
        *,
        language: str,
        health_open: bool,
        hosts: AbstractSet[str],
        script_hashes: Sequence[str],
        fits: Fits,
        failures: FailureLog,
    ) -> None:
        self._fits = fits
        self._failures = failures
        self._app = app
        self._sessions = sessions
        self._language = language
        self._health_open = health_open
        self._hosts = hosts
        self._headers = security_headers(script_hashes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._caught(scope, receive, self._with_headers(scope, send))
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)

    async def _caught(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def sending(message: MutableMapping[str, Any]) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._http(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 -- the last resort: whatever it is, it is logged and answered
            self._failures.note(error, f"{scope['method']} {scope['path']}")
            if not started:
                await _answer(sending, 500, {"detail": UNEXPECTED})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        action = action_of(method, path)
        headers = headers_of(scope)
        if method not in _SAFE and (reason := refused_origin(headers)):
            await _answer(send, 403, {"detail": reason})
            return
        try:
            caller = await self._caller(scope, headers)
        except StoreError as error:
            if action not in _WITHOUT_DATABASE:
                await self._nobody(scope, send, 503, str(error))
                return
            caller = self._anonymous(scope, headers)
        loopback = self._health_open or (caller.loopback and name_of(headers.get("host", "")) in self._hosts)
        # Who holds a session's token may end it, also where nobody can say whose it is or whether it still stands.
        ends_own = action is Action.LOG_OUT and caller.token != ""
        if not ends_own and not may(caller.account, action, loopback=loopback):
            await self._refuse(scope, send, caller.account, action)
            return
        if method not in _SAFE:
            body = await _body(receive, headers)
            if body is None:
                await _answer(send, 413, {"detail": f"the body is larger than {_LARGEST} bytes: send it in parts"})
                return
            if path == "/_dash-update-component":
                asked = _callback_of(body)
                if not may(caller.account, action_of_callback(asked)):
                    await _answer(send, 403, {"detail": "this callback is not allowed"})
                    return
                if not self._fits(asked):
                    await _answer(send, 422, {"detail": "the call does not fit the callback: load the page again"})
                    return
            receive = _replay(body, receive)
        token, origin = CALLER.set(caller), ORIGIN.set(origin_of(caller))
        try:
            await self._app(scope, receive, send)
        finally:
            ORIGIN.reset(origin)
            CALLER.reset(token)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        action = action_of("WEBSOCKET", scope["path"])
        code = 0
        caller = self._anonymous(scope, headers)
        if action is None or not headers.get("origin") or refused_origin(headers, json_only=False):
            code = _CLOSE_FORBIDDEN
        else:
            try:
                caller = await self._caller(scope, headers)
            except StoreError:
                code = _CLOSE_LOG_IN
            if not code and not may(caller.account, action):
                code = _CLOSE_LOG_IN if caller.account is None else _CLOSE_FORBIDDEN
        if code:
            await receive()
            await send({"type": "websocket.close", "code": code, "reason": "log in first"})
            return
        token, origin = CALLER.set(caller), ORIGIN.set(origin_of(caller))
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 -- as for HTTP; the server would log every one with its traceback
            self._failures.note(error, f"WEBSOCKET {scope['path']}")
        finally:
            ORIGIN.reset(origin)
            CALLER.reset(token)

    async def _caller(self, scope: Scope, headers: dict[str, str]) -> Caller:
        cookies, token, borne = _shown(headers)
        asked = token if borne is None else borne
        account = await self._sessions.ask(asked) if asked else None
        return self._made(scope, cookies, account, token)

    def _anonymous(self, scope: Scope, headers: dict[str, str]) -> Caller:
        cookies, token, _borne = _shown(headers)
        return self._made(scope, cookies, None, token)

    def _made(self, scope: Scope, cookies: dict[str, str], account: Account | None, token: str) -> Caller:
        address = str((scope.get("client") or ("", 0))[0])
        chosen = cookies.get("hypervision_language") or (account.language if account else None)
        return Caller(
            account=account,
            token=token,
            language=language_of(chosen, self._language),
            theme="light" if cookies.get("hypervision_theme") == "light" else "dark",
            address=address,
            loopback=is_loopback(address),
        )

    async def _refuse(self, scope: Scope, send: Send, account: Account | None, action: Action | None) -> None:
        if account is None:
            await self._nobody(scope, send, 401, "log in first")
        elif action is None:
            await _answer(send, 404, {"detail": "there is no such page or method"})
        elif account.granted == ENROLLING:
            # The password was right, and the role asks for more: nothing is answered before.
            if scope["method"] in _SAFE and is_page(scope["path"]):
                await _lead(send, "/account")
            else:
                await _answer(send, 403, {"detail": "set up your second factor first, on the page /account"})
        elif account.granted is not None:
            await _answer(send, 403, {"detail": f"this token, or its owner, may not {action.replace('_', ' ')}"})
        else:
            await _answer(send, 403, {"detail": f"your role ({account.role}) may not {action.replace('_', ' ')}"})

    async def _nobody(self, scope: Scope, send: Send, status: int, detail: str) -> None:
        if scope["method"] in _SAFE and is_page(scope["path"]):
            await _lead(send, log_in_address(scope["path"], scope.get("query_string", b"")))
            return
        await _answer(send, status, {"detail": detail})

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        cached = scope["path"].startswith("/assets/") and b"m=" in scope.get("query_string", b"")
        public = scope["path"].startswith(("/_dash-component-suites/", "/static/"))
        added = [*self._headers, SECURE] if scope.get("scheme") == "https" else self._headers

        async def sending(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", []), *added]
                good = message["status"] in _GOOD
                if cached or not good:
                    headers = [(name, value) for name, value in headers if name.lower() != b"cache-control"]
                if cached and good:
                    headers.append((b"cache-control", b"private, max-age=31536000, immutable"))
                elif not good or not (public or any(name.lower() == b"cache-control" for name, _ in headers)):
                    headers.append((b"cache-control", b"no-store"))
                message = {**message, "headers": headers}
            await send(message)

        return sending


def log_in_address(path: str, query: bytes) -> str:
    """Where who is nobody logs in, to come back to the page that was asked for with all that its address chooses.

    Examples
    --------
    >>> log_in_address("/", b""), log_in_address("/quality", b"span=7d")
    ('/login', '/login?next=/quality%3Fspan%3D7d')
    """
    asked = path + (f"?{query.decode('latin-1')}" if query else "")
    return "/login" if asked == "/" else f"/login?next={quote(asked)}"


def headers_of(scope: Scope) -> dict[str, str]:
    """The request's headers by lower-case name."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def refused_origin(headers: dict[str, str], *, json_only: bool = True) -> str:
    """Why a request that changes something is not ours; empty when it is.

    Notes
    -----
    A browser always tells the origin of such a request; a form of a foreign page cannot send JSON.
    """
    origin, host = headers.get("origin", ""), headers.get("host", "")
    if origin and _host_of(origin) != host:
        return f"the request comes from {origin[:100]}, not from this platform"
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return "the request comes from another site"
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    if json_only and not (kind.startswith("application/") and kind.endswith("json")):
        return f"the content type is {kind[:60]!r}: send application/json"
    return ""


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def is_loopback(address: str) -> bool:
    """Whether an address is of this machine."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _callback_of(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return asked if isinstance(asked, dict) else {}


async def _body(receive: Receive, headers: dict[str, str]) -> bytes | None:
    length = headers.get("content-length", "0")
    if length.isdigit() and int(length) > _LARGEST:
        return None
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > _LARGEST:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting = [body]

    async def replayed() -> MutableMapping[str, Any]:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return replayed


def _shown(headers: dict[str, str]) -> tuple[dict[str, str], str, str | None]:
    """The cookies, the session's token among them, and the API token that is borne.

    Notes
    -----
    Who bears a token is asked for nothing else: a browser adds cookies by itself, a program means its token. An API
    token in a cookie is none: a browser would send it for whoever leads it here.
    """
    cookies = cookies_of(headers.get("cookie", ""))
    borne = bearer_of(headers.get("authorization", ""))
    token = cookies.get(COOKIE, "") if borne is None else ""
    return cookies, "" if is_api_token(token) else token, borne


async def _lead(send: Send, target: str) -> None:
    await send({"type": "http.response.start", "status": 303, "headers": [(b"location", target.encode())]})
    await send({"type": "http.response.body", "body": b""})


async def _answer(send: Send, status: int, document: dict[str, Any]) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", b"application/json; charset=utf-8")],
        }
    )
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})
