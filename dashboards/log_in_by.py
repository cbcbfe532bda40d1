"""Log-in by the OpenID provider: there and back again; the local log-in stays beside it."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from dashboards.begun import Begun, ProviderError
from dashboards.log_in import BY_PROVIDER, base_of, set_session, target_of, visit
from dashboards.plain import mended
from dashboards.server import Server, in_time
from dashboards.sessions import CALLER
from hypervision.claims import Identity
from hypervision.errors import AccessError, StoreError
from hypervision.store import identities
from hypervision.store.accounts import Login, Visit

if TYPE_CHECKING:
    from dashboards.provider import Provider

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_COOKIE: Final = "hypervision_provider"
# So long may somebody take at the provider [s].
_LASTING: Final = 600
_AT_ONCE: Final = 4
_PATIENCE: Final = 15.0
_LONGEST: Final = 2000


def register(app: FastAPI, server: Server) -> None:
    """Add the way there and the way back."""
    # Threads of its own: a provider that hangs must not hold those in which the database is asked.
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="provider")

    async def asked(work: Callable[[], _T]) -> _T:
        try:
            return await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(pool, work), _PATIENCE)
        except TimeoutError:
            raise ProviderError("the provider does not answer in time", reason="provider_away") from None

    @app.get("/login/provider", include_in_schema=False)
    async def leave(request: Request) -> Response:
        target = target_of(request.query_params.get("next", "/"))
        provider, begun = server.provider, Begun.new()
        if provider is None:
            return RedirectResponse("/login", 303)
        back = base_of(server, request) + "/login/callback"
        try:
            address = await asked(lambda: provider.begin(begun, back=back))
        except (ProviderError, StoreError, ValueError) as error:
            return _refused(error, target)
        response = RedirectResponse(address, 303)
        response.set_cookie(
            _COOKIE,
            _packed(begun, target),
            max_age=_LASTING,
            httponly=True,
            secure=request.url.scheme == "https",
            # The provider leads the browser back from another site, by an address alone.
            samesite="lax",
            path="/login",
        )
        return response

    @app.get("/login/callback", include_in_schema=False)
    async def come_back(request: Request) -> Response:
        kept = _unpacked(request.cookies.get(_COOKIE, ""))
        provider = server.provider
        if provider is None or kept is None:
            return _refused(ProviderError("nobody was sent there", reason="provider_forged"), "/")
        begun, target = kept
        caller = CALLER.get()
        come = visit(server, caller.address, request.headers.get("user-agent", ""))
        back = base_of(server, request) + "/login/callback"
        given = dict(request.query_params)
        try:
            who = await asked(lambda: provider.finish(begun, given, back=back))
            login = await in_time(lambda: _opened(server, who, come))
        except (AccessError, StoreError, ValueError) as error:
            return _refused(error, target)
        if caller.token:
            await server.sessions.end(caller.token)
        if login.account is not None:
            server.sessions.forget(login.account.name)
        response = RedirectResponse(target, 303)
        set_session(response, login, server, request)
        response.set_cookie(
            BY_PROVIDER,
            "1",
            max_age=int(server.settings.http.session_hours * 3600),
            httponly=True,
            secure=request.url.scheme == "https",
            samesite="lax",
            path="/",
        )
        response.delete_cookie(_COOKIE, path="/login")
        return response


def provider_of(server: Server) -> Provider | None:
    """The provider of the settings; nobody is asked yet."""
    if not server.settings.oidc.issuer:
        return None
    # Imported here: without a provider nothing of it is needed.
    from dashboards.provider import Provider

    return Provider(server.settings.oidc)


def _opened(server: Server, who: Identity, come: Visit) -> Login:
    with server.pool.connection() as connection:
        return identities.log_in_by(connection, who, come, make=server.settings.oidc.accounts == "made")


def _refused(error: Exception, target: str) -> Response:
    """Back to the log-in page, which says why in the reader's language; the log says the rest."""
    log.warning("a log-in by the provider was refused: %s", mended(str(error))[:300])
    if isinstance(error, StoreError):
        reason = ""
    else:
        reason = error.reason if isinstance(error, ProviderError) else ""
        reason = reason or ("provider_unknown" if isinstance(error, AccessError) else "provider_away")
    asked = {"next": target} | ({"refused": reason} if reason else {})
    response = RedirectResponse(f"/login?{urlencode(asked)}", 303)
    # An answer counts once, whatever became of it.
    response.delete_cookie(_COOKIE, path="/login")
    return response


def _packed(begun: Begun, target: str) -> str:
    text = json.dumps([begun.state, begun.nonce, begun.verifier, target])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _unpacked(text: str) -> tuple[Begun, str] | None:
    if not 0 < len(text) <= _LONGEST:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or len(found) != 4 or not all(isinstance(one, str) and one for one in found):
        return None
    return Begun(*found[:3]), target_of(found[3])
