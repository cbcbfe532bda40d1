"""What everybody does with their own account: password, second factor, sessions, API tokens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from math import ceil
from typing import Annotated, Any, Final

import segno
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from dashboards import account_page, exports
from dashboards.live import utc_now
from dashboards.plain import Plain
from dashboards.server import Server, in_time
from dashboards.sessions import CALLER, caller_account
from dashboards.words import Words, language_of
from hypervision import tokens, totp
from hypervision.accounts import ENROLLING
from hypervision.errors import AccessError
from hypervision.store import factors, own
from hypervision.store import tokens as token_store
from hypervision.store.connection import Connection
from hypervision.store.own import Proof, TooSoonError

_PATIENCE: Final = 8.0
_ISSUER: Final = "Hypervision"

Password = Annotated[str, Plain, Field(min_length=1, max_length=1024)]
Code = Annotated[str, Plain, Field(max_length=32)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewPassword(_Body):
    """The password of before, and the new one."""

    current: Password
    new: Password


class Begin(_Body):
    """The password once more, before a second factor is set up."""

    password: Annotated[str, Plain] = Field(default="", max_length=1024, description="empty right after a log-in")


class Confirm(_Body):
    """What the device shows now."""

    code: Code


class Remove(_Body):
    """Both factors, before the second is taken away."""

    password: Password
    code: Code


class NewToken(_Body):
    """What a token is for, what it may do, and for how long."""

    name: Annotated[str, Plain] = Field(min_length=1, max_length=tokens.LONGEST_NAME)
    scopes: list[Annotated[str, Plain, Field(max_length=32)]] = Field(min_length=1, max_length=16)
    days: int = Field(default=90, ge=1, le=tokens.LONGEST_DAYS)


class MadeToken(BaseModel):
    """A token; it is shown this once."""

    id: int
    token: str
    expires_at: datetime


class Enrolment(BaseModel):
    """A second factor that waits for its first code."""

    secret: str = Field(description="base 32, for a device without camera")
    address: str = Field(description="otpauth:, what the picture says")
    picture: str = Field(description="the QR code, an SVG as a data: address")


class RecoveryCodes(BaseModel):
    """Codes that each let one log-in through without the device; they are shown this once."""

    recovery_codes: list[str]


def register(app: FastAPI, server: Server) -> None:
    """Add the page and its calls."""
    _register_page(app, server)
    _register_proofs(app, server)
    _register_keys(app, server)


async def _done(server: Server, work: Callable[[Connection], Any], *, slow: bool = False) -> Any:
    """What a piece of work in the database gives, or the answer that tells why it was refused."""

    def connected() -> Any:
        with server.pool.connection() as connection:
            return work(connection)

    try:
        if slow:
            async with server.proving:
                return await in_time(connected, seconds=_PATIENCE)
        return await in_time(connected)
    except TooSoonError as error:
        seconds = ceil(error.wait)
        return JSONResponse({"detail": str(error), "reason": "soon"}, 429, {"Retry-After": str(seconds)})
    except AccessError as error:
        return JSONResponse({"detail": str(error), "reason": error.reason}, 422)


def _register_page(app: FastAPI, server: Server) -> None:
    @app.get("/account", include_in_schema=False)
    async def show() -> Response:
        caller, account = CALLER.get(), caller_account()
        words = Words(language_of(caller.language), server.settings.zone)
        return Response(account_page.page(words, account, theme=caller.theme), media_type="text/html")

    @app.get("/api/v1/account", tags=["account"])
    async def account() -> Response:
        """Who is logged in, and what their account has: second factor, open sessions, tokens in force."""
        caller, who = CALLER.get(), caller_account()
        now = utc_now()

        def read(connection: Connection) -> dict[str, Any]:
            had = factors.state(connection, who.account_id)
            return {
                "user": who.name,
                "role": who.role,
                "enrolling": who.granted == ENROLLING,
                "has_password": had.has_password,
                "second_factor": {
                    "enrolled": had.enrolled,
                    "recovery_codes": had.recovery_codes,
                    "required": who.role in server.settings.log_in.factor_roles,
                },
                "scopes": tokens.scopes_of(who),
                "sessions": [
                    {
                        "id": one.session_id, "way": one.way, "address": one.address, "agent": one.agent,
                        "created_at": one.created_at, "seen_at": one.seen_at, "expires_at": one.expires_at,
                        "own": one.own,
                    }
                    for one in own.sessions(connection, who.account_id, caller.token, now=now)
                ],
                "tokens": [
                    {
                        "id": one.token_id, "name": one.name, "scopes": list(one.scopes),
                        "created_at": one.created_at, "expires_at": one.expires_at, "used_at": one.used_at,
                        "expired": one.expires_at <= now,
                    }
                    for one in token_store.listed(connection, who.account_id, now=now)
                ],
            }  # fmt: skip

        return Response(exports.to_json(await _done(server, read)), media_type="application/json")


def _register_proofs(app: FastAPI, server: Server) -> None:
    @app.post("/api/v1/account/password", tags=["account"], status_code=204)
    async def password(body: NewPassword) -> Response:
        """Choose a new password; every other session of the account ends."""
        caller, who, now = CALLER.get(), caller_account(), utc_now()
        proof = Proof(body.current, caller.address)
        found = await _done(
            server,
            lambda c: own.change_password(c, who, token=caller.token, proof=proof, new=body.new, now=now),
            slow=True,
        )
        server.sessions.forget(who.name)
        return found if isinstance(found, Response) else Response(status_code=204)

    @app.post("/api/v1/account/second-factor", tags=["account"], response_model=Enrolment)
    async def begin(body: Begin) -> Response:
        """Begin to set up a second factor; it counts once its first code is confirmed."""
        caller, who, now = CALLER.get(), caller_account(), utc_now()

        def work(connection: Connection) -> bytes:
            # A log-in that waits for its second factor has just given the password.
            if who.granted != ENROLLING:
                own.prove(connection, who, Proof(body.password, caller.address), now=now)
            return factors.enrol(connection, who.account_id, now=now)

        secret = await _done(server, work, slow=True)
        if isinstance(secret, Response):
            return secret
        address = totp.address_of(secret, account=who.name, issuer=_ISSUER)
        # Dark on light whatever the theme: cameras read no other.
        picture = segno.make(address, error="m", micro=False).svg_data_uri(scale=5, border=4, dark="#000", light="#fff")
        told = Enrolment(secret=totp.written(secret), address=address, picture=picture)
        return JSONResponse(told.model_dump())

    @app.post("/api/v1/account/second-factor/confirm", tags=["account"], response_model=RecoveryCodes)
    async def confirm(body: Confirm) -> Response:
        """Let the second factor count from now on; every other session of the account ends."""
        caller, who, now = CALLER.get(), caller_account(), utc_now()
        codes = await _done(
            server,
            lambda c: own.confirm_factor(c, who, token=caller.token, code=body.code, address=caller.address, now=now),
        )
        server.sessions.forget(who.name)
        return codes if isinstance(codes, Response) else JSONResponse({"recovery_codes": codes})

    @app.post("/api/v1/account/second-factor/remove", tags=["account"], status_code=204)
    async def remove(body: Remove) -> Response:
        """Take the second factor away; where the role asks for one, the next log-in sets up another."""
        caller, who, now = CALLER.get(), caller_account(), utc_now()
        proof = Proof(body.password, caller.address, body.code)
        found = await _done(server, lambda c: own.remove_factor(c, who, proof=proof, now=now), slow=True)
        return found if isinstance(found, Response) else Response(status_code=204)


def _register_keys(app: FastAPI, server: Server) -> None:
    @app.post("/api/v1/account/sessions/{session}/end", tags=["account"], status_code=204)
    async def end(session: str) -> Response:
        """End one of one's own sessions, or all `others`; the one that asks ends by log-out."""
        caller, who = CALLER.get(), caller_account()
        wanted = None if session == "others" else session
        ended = await _done(server, lambda c: own.end_session(c, who.account_id, caller.token, wanted))
        server.sessions.forget(who.name)
        if not ended and wanted is not None:
            return JSONResponse({"detail": "there is no such session beside this one"}, 404)
        return Response(status_code=204)

    @app.post("/api/v1/account/tokens", tags=["account"], response_model=MadeToken, status_code=201)
    async def make(body: NewToken) -> Response:
        """Make a token for a program: it may do no more than its owner, and only what its scopes name."""
        who, now = caller_account(), utc_now()
        lasting = timedelta(days=body.days)
        made = await _done(
            server,
            lambda c: token_store.make(c, who, name=body.name, scopes=body.scopes, now=now, lasting=lasting),
        )
        if isinstance(made, Response):
            return made
        told = MadeToken(id=made[0], token=made[1], expires_at=now + lasting)
        return JSONResponse(told.model_dump(mode="json"), 201)

    @app.post("/api/v1/account/tokens/{token_id}/revoke", tags=["account"], status_code=204)
    async def revoke(token_id: int) -> Response:
        """End a token at once."""
        who, now = caller_account(), utc_now()
        name = await _done(server, lambda c: token_store.revoke(c, who.account_id, token_id, now=now))
        server.sessions.forget(who.name)
        if name is None:
            return JSONResponse({"detail": "there is no such token"}, 404)
        return Response(status_code=204)
