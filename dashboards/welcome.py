"""The way in of the first administrator: a link that is printed once and makes one account."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from dashboards import account_page
from dashboards.live import utc_now
from dashboards.plain import Plain
from dashboards.server import Server, in_time
from dashboards.sessions import CALLER
from dashboards.words import Words, language_of
from hypervision.accounts import Role
from hypervision.errors import AccessError
from hypervision.store import invitations

_PATIENCE: Final = 8.0


class Welcome(BaseModel):
    """The token of the link, and the account that it shall make."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, Plain] = Field(min_length=1, max_length=100)
    user: Annotated[str, Plain] = Field(min_length=1, max_length=64)
    password: Annotated[str, Plain] = Field(min_length=1, max_length=1024)


class Welcomed(BaseModel):
    """Who may log in now."""

    user: str
    role: str


def register(app: FastAPI, server: Server) -> None:
    """Add the page and its call."""

    @app.get("/welcome", include_in_schema=False)
    async def show() -> Response:
        caller = CALLER.get()
        words = Words(language_of(caller.language), server.settings.zone)
        return Response(account_page.welcome(words, theme=caller.theme), media_type="text/html")

    @app.post("/api/v1/welcome", tags=["session"], response_model=Welcomed, status_code=201)
    async def welcome(body: Welcome) -> Response:
        """Make the account of a link, which works once; 422 says why it made none."""

        def work() -> Role:
            with server.pool.connection() as connection:
                return invitations.redeem(connection, body.token, name=body.user, password=body.password, now=utc_now())

        try:
            async with server.proving:
                role = await in_time(work, seconds=_PATIENCE)
        except AccessError as error:
            return JSONResponse({"detail": str(error), "reason": error.reason}, 422)
        return JSONResponse({"user": body.user, "role": role}, 201)
