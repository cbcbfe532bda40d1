"""Accounts over HTTP: who may log in, as what, and what of the town each may know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, TypeVar

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from dashboards import exports
from dashboards.live import utc_now
from dashboards.plain import Plain
from dashboards.server import Server, in_time
from dashboards.sessions import caller_account
from hypervision.accounts import Role
from hypervision.administration import Given, ListedAccount, check_domains
from hypervision.errors import AccessError, ConflictError
from hypervision.store import administration as store
from hypervision.store.screens import Database

_T = TypeVar("_T")
# Longer than a password takes to be hashed while others log in [s].
_PATIENCE: Final = 30.0
_MOST: Final = 200

Word = Annotated[str, Field(min_length=1, max_length=200), Plain]
Words = Annotated[list[Word], Field(min_length=1, max_length=_MOST)]
Password = Annotated[str, Field(min_length=1, max_length=1024), Plain]
Version = Annotated[int, Field(ge=1, lt=2**53)]
RoleName = Literal["viewer", "operator", "engineer", "administrator", "auditor"]
LanguageName = Literal["fr", "en"]


class NewAccount(BaseModel):
    """An account to be made; what of its scope is left out, or null, limits nothing."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=64), Plain]
    password: Password
    role: RoleName
    organisation: Word | None = Field(default=None, description="code: only its Things")
    domains: Words | None = Field(default=None, description="only Things registered with one of these")
    districts: Words | None = Field(default=None, description="only Things that stand in one of these")
    language: LanguageName | None = None


class ChangedAccount(BaseModel):
    """What is changed of an account; what is left out stays, null takes the limit away."""

    model_config = ConfigDict(extra="forbid")

    version: Version = Field(description="of the account as it was read: 409 when somebody changed it since")
    role: RoleName | None = None
    organisation: Word | None = None
    domains: Words | None = None
    districts: Words | None = None
    language: LanguageName | None = None
    disabled: bool | None = None


class NewPassword(BaseModel):
    """Another password."""

    model_config = ConfigDict(extra="forbid")

    password: Password
    version: Version | None = Field(default=None, description="as for a change")


class Nothing(BaseModel):
    """No word is needed."""

    model_config = ConfigDict(extra="forbid")


def register(app: FastAPI, server: Server) -> None:
    """Add the routes."""

    @app.get("/api/v1/accounts", tags=["accounts"])
    async def accounts() -> Response:
        """Every account: role, scope, state, open sessions; never a password."""
        found = await _work(server, lambda connection: store.list_accounts(connection, now=utc_now()))
        if isinstance(found, Response):
            return found
        rows = [told(account) for account in found]
        return Response(exports.to_json({"count": len(rows), "rows": rows}), media_type="application/json")

    @app.get("/api/v1/scopes", tags=["accounts"])
    async def scopes() -> Response:
        """What a scope may be made of: organisations, domains, and districts that Things stand in."""
        found = await _work(server, store.read_choices)
        if isinstance(found, Response):
            return found
        document = {
            "organisations": [{"code": code, "name": name} for code, name in found.organisations],
            "domains": list(server.catalogue),
            "districts": found.districts,
        }
        return Response(exports.to_json(document), media_type="application/json")

    @app.get("/api/v1/accounts/{name}", tags=["accounts"])
    async def account(name: str) -> Response:
        """One account."""
        found = await _work(server, lambda connection: store.list_accounts(connection, now=utc_now()))
        if isinstance(found, Response):
            return found
        one = next((each for each in found if each.name == name), None)
        return _nobody(name) if one is None else Response(exports.to_json(told(one)), media_type="application/json")

    @app.post("/api/v1/accounts", tags=["accounts"], status_code=201)
    async def add(body: NewAccount) -> Response:
        """Make an account; 422 names the word that is wrong."""
        actor = caller_account().name

        def work(connection: Database) -> int:
            check_domains(body.domains, server.catalogue)
            given = body.model_dump(exclude={"role"})
            return store.add_account(connection, role=Role(body.role), now=utc_now(), actor=actor, **given)

        done = await _work(server, work)
        return done if isinstance(done, Response) else JSONResponse({"name": body.name}, 201)

    @app.patch("/api/v1/accounts/{name}", tags=["accounts"])
    async def change(name: str, body: ChangedAccount) -> Response:
        """Change role, scope, language or state; a disabled account is logged out everywhere.

        Nobody changes his own role, scope or state, and the last account that administers stays one (422). Of two who
        change an account at once the second is told who was first (409).
        """
        actor = caller_account().name

        def work(connection: Database) -> ListedAccount:
            check_domains(body.domains, server.catalogue)
            return store.change_account(
                connection, name=name, given=_given(body), now=utc_now(), actor=actor, version=body.version
            )

        done = await _work(server, work)
        if isinstance(done, Response):
            return done
        server.sessions.forget(name)
        return Response(exports.to_json(told(done)), media_type="application/json")

    @app.post("/api/v1/accounts/{name}/password", tags=["accounts"], status_code=204)
    async def password(name: str, body: NewPassword) -> Response:
        """Give an account another password; it is logged out everywhere."""
        actor = caller_account().name

        def work(connection: Database) -> None:
            store.set_password(
                connection, name=name, password=body.password, now=utc_now(), actor=actor, version=body.version
            )

        return await _ended(server, name, work)

    @app.post("/api/v1/accounts/{name}/log-out", tags=["accounts"], status_code=204)
    async def log_out(name: str, body: Nothing | None = None) -> Response:  # noqa: ARG001
        """End every session of an account."""
        actor = caller_account().name

        def work(connection: Database) -> None:
            store.end_sessions(connection, name=name, now=utc_now(), actor=actor)

        return await _ended(server, name, work)


async def _ended(server: Server, name: str, work: Callable[[Database], None]) -> Response:
    done = await _work(server, work)
    if isinstance(done, Response):
        return done
    server.sessions.forget(name)
    return Response(status_code=204)


async def _work(server: Server, work: Callable[[Database], _T]) -> _T | Response:
    """What becomes of some work on accounts, or why it was not done."""

    def done() -> _T:
        with server.pool.connection() as connection:
            return work(connection)

    try:
        return await in_time(done, seconds=_PATIENCE)
    except ConflictError as error:
        return JSONResponse({"detail": str(error), "reason": "changed_meanwhile", "by": error.by}, 409)
    except AccessError as error:
        status = 404 if error.reason == "unknown_account" else 422
        return JSONResponse({"detail": str(error), "field": error.field, "reason": error.reason}, status)


def _given(body: ChangedAccount) -> Given:
    """The words that the caller wrote; a role or a state cannot be null, and is left as it is."""
    given: Given = {}
    if body.role is not None:
        given["role"] = Role(body.role)
    if body.disabled is not None:
        given["disabled"] = body.disabled
    if "organisation" in body.model_fields_set:
        given["organisation"] = body.organisation
    if "domains" in body.model_fields_set:
        given["domains"] = body.domains
    if "districts" in body.model_fields_set:
        given["districts"] = body.districts
    if "language" in body.model_fields_set:
        given["language"] = body.language
    return given


def told(account: ListedAccount) -> dict[str, Any]:
    """An account as the API gives it."""
    return {
        "name": account.name, "role": account.role, "organisation": account.organisation,
        "domains": account.domains, "districts": account.districts, "language": account.language,
        "disabled": account.disabled_at is not None, "disabled_at": account.disabled_at,
        "created_at": account.created_at, "sessions": account.sessions, "logged_in_at": account.logged_in_at,
        "version": account.version, "changed_at": account.changed_at, "changed_by": account.changed_by,
    }  # fmt: skip


def _nobody(name: str) -> Response:
    return JSONResponse({"detail": f"there is no account {name}"}, 404)
