"""The log-in page and its two calls; it answers while the database is away, and says so."""

from __future__ import annotations

from datetime import timedelta
from html import escape
from math import ceil
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, Field

from dashboards import town as judge
from dashboards.declaration import mention
from dashboards.live import utc_now
from dashboards.plain import Plain
from dashboards.routes import is_page, page_of
from dashboards.server import Server, in_time
from dashboards.sessions import CALLER, COOKIE
from dashboards.words import Words, language_of
from hypervision.store import accounts as store
from hypervision.store.accounts import Login, Visit

# A log-in that takes longer waits for a database that hangs [s].
_PATIENCE: Final = 8.0
_LATER: Final = "you are logged out; the database does not answer and is told as soon as it does"
_WRONG: Final = "user or password is wrong"
BY_PROVIDER: Final = "hypervision_by_provider"
"""A cookie that tells whether a session came by the provider: only then a log-out goes there too."""
REFUSALS: Final = ("provider_away", "provider_refused", "provider_unknown", "provider_forged")
"""Why a log-in by the provider came to nothing, as the log-in page may say."""
_STATIC: Final = Path(__file__).parent / "static"

_PAGE: Final = """<!DOCTYPE html>
<html lang="{language}" data-theme="{theme}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light"><title>{title} · Hypervision</title>
<link rel="icon" type="image/svg+xml" href="/static/favicon.svg"><link rel="stylesheet" href="/static/log-in.css">
<script src="/static/log-in.js" defer></script></head>
<body><main>
<div class="brand" aria-hidden="true"></div>
<h1>Hypervision</h1><p class="muted">{lead}</p>
<form id="form" data-next="{next}" data-wrong="{wrong}" data-wait="{wait}" data-away="{away}" data-second="{second}"
data-second-wrong="{second_wrong}">
<label for="user">{user}</label>
<input id="user" name="user" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus>
<label for="password">{password}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<div id="second" hidden><label for="code">{code}</label>
<input id="code" name="code" autocomplete="one-time-code" inputmode="text" autocapitalize="none" spellcheck="false"
aria-describedby="code-help" maxlength="32"><p id="code-help" class="muted small">{code_help}</p></div>
<p id="error" role="alert">{failure}</p>
<button type="submit">{button}</button>
</form>
{provider}
<p class="tools"><a href="/accessibility">{accessibility}</a>
<button type="button" data-language="{other}" lang="{other}">{other_name}</button></p>
</main></body></html>"""


_PROVIDER: Final = """<p class="or" aria-hidden="true"><span>{other}</span></p>
<a class="provider" id="provider" href="/login/provider?next={next}">{label}</a>"""


class Credentials(BaseModel):
    """What a log-in sends."""

    user: Annotated[str, Plain] = Field(min_length=1, max_length=64)
    password: Annotated[str, Plain] = Field(min_length=1, max_length=1024)
    code: Annotated[str, Plain] = Field(
        default="", max_length=32, description="of the second factor, or a recovery code; the answer says when to ask"
    )


class LoggedIn(BaseModel):
    """Who is logged in now."""

    user: str
    role: str
    enrolling: bool = Field(description="true: nothing but the page /account answers, until it has a second factor")


def page(words: Words, *, theme: str, target: str, accessibility: str, failure: str = "", provider: str = "") -> str:
    """The log-in page.

    Parameters
    ----------
    target : str
        The page to open afterwards.
    accessibility : str
        What leads to the declaration of accessibility.
    failure : str
        What is said of the attempt before, or of the database.
    provider : str
        What the way in by a provider is called; empty where there is none.
    """
    other = "en" if words.language == "fr" else "fr"
    return _PAGE.format(
        language=words.language,
        theme=theme,
        title=escape(words.t("log_in.title")),
        lead=escape(words.t("log_in.lead")),
        next=escape(target_of(target)),
        user=escape(words.t("log_in.user")),
        password=escape(words.t("log_in.password")),
        button=escape(words.t("log_in.button")),
        wrong=escape(words.t("log_in.wrong")),
        wait=escape(words.t("log_in.wait")),
        away=escape(words.t("log_in.away")),
        second=escape(words.t("log_in.second")),
        second_wrong=escape(words.t("log_in.second_wrong")),
        code=escape(words.t("log_in.code")),
        code_help=escape(words.t("log_in.code_help")),
        failure=escape(failure),
        accessibility=escape(accessibility),
        provider=_PROVIDER.format(
            next=escape(quote(target_of(target), safe="/")),
            label=escape(words.t("log_in.provider", name=provider)),
            other=escape(words.t("log_in.or")),
        )
        if provider
        else "",
        other=other,
        other_name="English" if other == "en" else "Français",
    )


def target_of(address: str) -> str:
    """Where a log-in leads: a page of this platform, whatever the address asks for.

    Examples
    --------
    >>> target_of("/asset/dev%3Aeui%3A01"), target_of("/quality?span=7d"), target_of("//elsewhere.example")
    ('/asset/dev:eui:01', '/quality?span=7d', '/')
    """
    path, asks, query = address.partition("?")
    page = page_of(path) or (path if is_page(path) else "")
    return f"{page}{asks}{query}" if page else "/"


def register(app: FastAPI, server: Server) -> None:
    """Add the page, its static files, log-in and log-out."""

    @app.get("/login", include_in_schema=False)
    async def show(request: Request) -> Response:
        caller = CALLER.get()
        target = request.query_params.get("next", "/")
        if caller.account is not None:
            return RedirectResponse(target_of(target), 303)
        words = Words(language_of(caller.language), server.settings.zone)
        away = judge.is_away(server.reader.town, now=utc_now())
        refused = request.query_params.get("refused", "")
        failure = words.t("log_in.away") if away else words.t(f"refused.{refused}") if refused in REFUSALS else ""
        oidc = server.settings.oidc
        text = page(
            words,
            theme=caller.theme,
            target=target,
            accessibility=mention(words, server.settings.accessibility),
            failure=failure,
            provider=(oidc.label or urlsplit(oidc.issuer).hostname or "") if oidc.issuer else "",
        )
        return Response(text, media_type="text/html")

    @app.get("/static/{name}", include_in_schema=False)
    async def static(name: str) -> Response:
        known = {entry.name: entry for entry in _STATIC.iterdir()}
        if name not in known:
            return JSONResponse({"detail": "there is no such file"}, 404)
        return FileResponse(known[name], headers={"cache-control": "public, max-age=3600"})

    @app.post("/api/v1/login", tags=["session"], response_model=LoggedIn)
    async def log_in(credentials: Credentials, request: Request) -> Response:
        """Open a session; the answer sets its cookie."""
        caller = CALLER.get()
        agent = request.headers.get("user-agent", "")
        async with server.proving:
            login = await in_time(
                lambda: _check(server, credentials, visit(server, caller.address, agent)), seconds=_PATIENCE
            )
        if login.wait > 0:
            seconds = ceil(login.wait)
            return JSONResponse(
                {"detail": f"too many failed log-ins: try again in {seconds} s"}, 429, {"Retry-After": str(seconds)}
            )
        if login.account is None:
            detail = "the code of the second factor is missing or wrong" if login.second else _WRONG
            return JSONResponse({"detail": detail, "second": login.second}, 401)
        if caller.token:
            await server.sessions.end(caller.token)
        told = LoggedIn(user=login.account.name, role=login.account.role, enrolling=login.account.granted is not None)
        response = JSONResponse(told.model_dump())
        set_session(response, login, server, request)
        return response

    @app.post(
        "/api/v1/logout",
        tags=["session"],
        status_code=204,
        responses={
            200: {"description": "ended; the browser may end it at the provider too, at the address `provider`"},
            202: {"description": "ended here; the database is told as soon as it answers"},
        },
    )
    async def log_out(request: Request) -> Response:
        """End the session at once, everywhere it is open; the browser forgets it in every case."""
        told = await server.sessions.end(CALLER.get().token)
        came = server.provider is not None and request.cookies.get(BY_PROVIDER) == "1"
        address = server.provider.log_out_address(base_of(server, request)) if came and server.provider else ""
        if not told:
            response: Response = JSONResponse({"detail": _LATER}, 202)
        elif address:
            response = JSONResponse({"provider": address})
        else:
            response = Response(status_code=204)
        response.delete_cookie(COOKIE, path="/")
        response.delete_cookie(BY_PROVIDER, path="/")
        return response


def visit(server: Server, address: str, agent: str) -> Visit:
    """From where somebody comes now, and what the settings say of a session."""
    return Visit(
        now=utc_now(),
        lasting=timedelta(hours=server.settings.http.session_hours),
        address=address,
        # What a browser calls itself is shown to its owner: nothing without a shape, nothing that turns others round.
        agent="".join(letter for letter in agent if letter.isprintable()),
        factor_roles=server.settings.log_in.factor_roles,
    )


def base_of(server: Server, request: Request) -> str:
    """The address at which this browser reaches the platform, without a path."""
    return server.settings.oidc.public_url or f"{request.url.scheme}://{request.headers.get('host', '')}"


def set_session(response: Response, login: Login, server: Server, request: Request) -> None:
    """Give the browser the session's cookie, which no script can read."""
    response.set_cookie(
        COOKIE,
        login.token,
        max_age=int(server.settings.http.session_hours * 3600),
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="lax",
        path="/",
    )


def _check(server: Server, credentials: Credentials, come: Visit) -> Login:
    with server.pool.connection() as connection:
        return store.log_in(
            connection, name=credentials.user, password=credentials.password, code=credentials.code, visit=come
        )
