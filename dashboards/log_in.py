"""The log-in page and its two calls; it answers while the database is away, and says so."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from html import escape
from math import ceil
from pathlib import Path
from typing import Annotated, Final

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, Field

from dashboards import town as judge
from dashboards.live import utc_now
from dashboards.plain import Plain
from dashboards.routes import is_page, page_of
from dashboards.server import Server, in_time
from dashboards.sessions import CALLER, COOKIE
from dashboards.words import Words, language_of
from hypervision.store import accounts as store
from hypervision.store.accounts import Login

# Each check takes 64 MiB for a moment: two at a time are enough for people, and no guesser gets more.
_AT_ONCE: Final = 2
# A log-in that takes longer waits for a database that hangs [s].
_PATIENCE: Final = 8.0
_LATER: Final = "you are logged out; the database does not answer and is told as soon as it does"
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
<form id="form" data-next="{next}" data-wrong="{wrong}" data-wait="{wait}" data-away="{away}">
<label for="user">{user}</label>
<input id="user" name="user" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus>
<label for="password">{password}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<p id="error" role="alert">{failure}</p>
<button type="submit">{button}</button>
</form>
<p class="tools"><button type="button" data-language="{other}" lang="{other}">{other_name}</button></p>
</main></body></html>"""


class Credentials(BaseModel):
    """What a log-in sends."""

    user: Annotated[str, Plain] = Field(min_length=1, max_length=64)
    password: Annotated[str, Plain] = Field(min_length=1, max_length=1024)


class LoggedIn(BaseModel):
    """Who is logged in now."""

    user: str
    role: str


def page(words: Words, *, theme: str, target: str, away: bool) -> str:
    """The log-in page.

    Parameters
    ----------
    target : str
        The page to open afterwards.
    away : bool
        Whether the database does not answer.
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
        failure=escape(words.t("log_in.away")) if away else "",
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
    at_once = asyncio.Semaphore(_AT_ONCE)

    @app.get("/login", include_in_schema=False)
    async def show(request: Request) -> Response:
        caller = CALLER.get()
        target = request.query_params.get("next", "/")
        if caller.account is not None:
            return RedirectResponse(target_of(target), 303)
        words = Words(language_of(caller.language), server.settings.zone)
        text = page(words, theme=caller.theme, target=target, away=judge.is_away(server.reader.town, now=utc_now()))
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
        async with at_once:
            login = await in_time(lambda: _check(server, credentials, caller.address), seconds=_PATIENCE)
        if login.wait > 0:
            seconds = ceil(login.wait)
            return JSONResponse(
                {"detail": f"too many failed log-ins: try again in {seconds} s"}, 429, {"Retry-After": str(seconds)}
            )
        if login.account is None:
            return JSONResponse({"detail": "user or password is wrong"}, 401)
        if caller.token:
            await server.sessions.end(caller.token)
        response = JSONResponse({"user": login.account.name, "role": login.account.role})
        response.set_cookie(
            COOKIE,
            login.token,
            max_age=int(server.settings.http.session_hours * 3600),
            httponly=True,
            secure=request.url.scheme == "https",
            samesite="lax",
            path="/",
        )
        return response

    @app.post(
        "/api/v1/logout",
        tags=["session"],
        status_code=204,
        responses={202: {"description": "ended here; the database is told as soon as it answers"}},
    )
    async def log_out() -> Response:
        """End the session at once, everywhere it is open; the browser forgets it in every case."""
        told = await server.sessions.end(CALLER.get().token)
        response = Response(status_code=204) if told else JSONResponse({"detail": _LATER}, 202)
        response.delete_cookie(COOKIE, path="/")
        return response


def _check(server: Server, credentials: Credentials, address: str) -> Login:
    with server.pool.connection() as connection:
        return store.log_in(
            connection,
            name=credentials.user,
            password=credentials.password,
            address=address,
            now=utc_now(),
            lasting=timedelta(hours=server.settings.http.session_hours),
        )
