"""Groups of Things over HTTP, as far as the caller's scope goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from dashboards import exports
from dashboards.plain import Plain
from dashboards.server import Server, in_time
from dashboards.sessions import caller_account
from hypervision.errors import ConflictError, SettingError, UsageError
from hypervision.naming import name_of
from hypervision.store import groups as store
from hypervision.store.screens import Database

# A group explains what it counts: one of a whole town would explain everything.
_MOST: Final = 2000

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
Version = Annotated[int, Field(ge=0, lt=2**31)]


class WantedGroup(BaseModel):
    """A group as it is to be, members and all."""

    model_config = ConfigDict(extra="forbid")

    version: Version = Field(
        description="of the group as it was read, 0 for a new one: 409 when somebody changed it since"
    )
    name: Annotated[str, Field(min_length=1, max_length=200), Plain]
    shown_at: Code = Field(description="the Thing in whose place its alarms stand")
    things: Annotated[list[Code], Field(min_length=1, max_length=_MOST)]


def register(app: FastAPI, server: Server) -> None:
    """Add the routes."""

    @app.get("/api/v1/groups", tags=["things"])
    async def groups() -> Response:
        """Groups that are shown at a Thing of one's scope, with the members that are in it."""
        scope = caller_account().scope

        def work() -> list[dict[str, Any]]:
            with server.pool.connection() as connection:
                return [asdict(one) for one in store.listed(connection, scope=scope)]

        rows = await in_time(work)
        return Response(exports.to_json({"count": len(rows), "rows": rows}), media_type="application/json")

    @app.put("/api/v1/groups/{code}", tags=["things"])
    async def put(code: Code, body: WantedGroup) -> Response:
        """Make a group, or change it; all its Things must be in one's scope, those that it had as well."""
        account = caller_account()

        def work(connection: Database) -> Response:
            wanted = store.Group(code, name_of(body.name, of="name"), body.shown_at, tuple(body.things))
            changed = store.put(connection, wanted, actor=account.name, scope=account.scope, version=body.version)
            (made,) = store.listed(connection, code=code, scope=account.scope)
            return Response(exports.to_json({**asdict(made), "changed": changed}), media_type="application/json")

        return await _work(server, work)

    @app.delete("/api/v1/groups/{code}", tags=["things"], status_code=204)
    async def remove(code: Code, version: Annotated[int, Query(ge=1, lt=2**31)]) -> Response:
        """Let a group be no more: what it explained rings again if it is still true."""
        account = caller_account()

        def work(connection: Database) -> Response:
            now = datetime.now(UTC)
            there = store.remove(connection, code, actor=account.name, scope=account.scope, version=version, now=now)
            return Response(status_code=204) if there else JSONResponse({"detail": f"there is no group {code}"}, 404)

        return await _work(server, work)


async def _work(server: Server, work: Callable[[Database], Response]) -> Response:
    def done() -> Response:
        with server.pool.connection() as connection:
            return work(connection)

    try:
        return await in_time(done)
    except ConflictError as error:
        return JSONResponse({"detail": str(error), "reason": "changed_meanwhile", "by": error.by}, 409)
    except (UsageError, SettingError) as error:
        return JSONResponse({"detail": str(error)}, 422)
