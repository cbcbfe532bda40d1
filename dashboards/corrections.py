"""Corrections over HTTP: wrong readings taken out, put right, given back; and the list of what was done."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import FastAPI, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from dashboards import exports
from dashboards.live import utc_now
from dashboards.plain import Instant, Plain
from dashboards.server import Server, in_time
from dashboards.sessions import caller_account
from hypervision.correction import Correction
from hypervision.corrections import Corrected, carry_out
from hypervision.errors import SettingError
from hypervision.scope import Scope
from hypervision.store import corrections as store
from hypervision.store import screens

# Steps of a long correction go on when the caller has left; the same asked again tells what became of it [s].
_PATIENCE: Final = 120.0
_MOST_RESULTS: Final = 20_000

Code = Annotated[str, Field(max_length=64), Plain]


class TimedResult(BaseModel):
    """What a reading should have been."""

    time: Instant
    result: FiniteFloat


class NewCorrection(BaseModel):
    """A correction of one datastream: `from` and `to` (not included), or the number of an earlier `correction`."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["invalidate", "correct", "restore"]
    reason: Annotated[str, Plain] = Field(max_length=1000)
    thing: Code = ""
    property: Code = ""
    domain: Code | None = None
    since: Instant | None = Field(default=None, alias="from")
    until: Instant | None = Field(default=None, alias="to")
    factor: FiniteFloat | None = Field(default=None, description="correct: result * factor + add")
    add: FiniteFloat | None = None
    value: FiniteFloat | None = Field(default=None, description="correct: one result for all")
    results: list[TimedResult] | None = Field(default=None, max_length=_MOST_RESULTS)
    correction: int | None = Field(default=None, ge=1, lt=2**63, description="restore: what this one changed")


class CorrectionDone(BaseModel):
    """What a correction did."""

    id: int
    thing: str
    property: str
    rows: int = Field(description="readings changed")
    steps: int = Field(description="transitions of alarms")


def register(app: FastAPI, server: Server) -> None:
    """Add the routes."""

    @app.get("/api/v1/corrections", tags=["corrections"])
    async def corrections(
        *,
        domain: Annotated[str | None, Query(max_length=64), Plain] = None,
        thing: Annotated[str | None, Query(max_length=64), Plain] = None,
        property: Annotated[str | None, Query(max_length=64), Plain] = None,  # noqa: A002 -- its name in the address
        before: Annotated[int | None, Query(ge=1, lt=2**63, description="the last id of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    ) -> Response:
        """Corrections, newest first."""
        values = {
            "domain": domain, "thing": thing, "property": property, "before": before, "limit": limit,
            **caller_account().scope.values(),
        }  # fmt: skip
        rows = await in_time(lambda: server.pool.rows("api_corrections", values))
        return Response(exports.to_json({"count": len(rows), "rows": rows}), media_type="application/json")

    @app.post("/api/v1/corrections", tags=["corrections"], response_model=CorrectionDone)
    async def correct(body: NewCorrection) -> Response:
        """Invalidate, correct or restore readings, in one's own name: 422 says why nothing was changed."""
        account = caller_account()

        def work() -> Corrected | None:
            if not account.scope.is_whole and not _in_scope(server, body, account.scope):
                return None
            return carry_out(server.settings, _wanted(body, account.name), clock=utc_now)

        try:
            done = await in_time(work, seconds=_PATIENCE)
        except SettingError as error:
            return JSONResponse({"detail": str(error)}, 422)
        if done is None:
            return JSONResponse({"detail": "there is no such Thing or correction"}, 404)
        told = CorrectionDone(
            id=done.correction_id, thing=done.thing, property=done.property, rows=done.rows, steps=done.steps
        )
        return JSONResponse(told.model_dump())


def _wanted(body: NewCorrection, author: str) -> Correction:
    given: dict[str, Any] = body.model_dump(exclude={"results", "correction"})
    results = None if body.results is None else [(each.time, each.result) for each in body.results]
    return Correction(**given, author=author, results=results, correction_id=body.correction)


def _in_scope(server: Server, body: NewCorrection, scope: Scope) -> bool:
    """Whether the correction is of a Thing that the caller may know."""
    with server.pool.connection() as connection:
        thing = body.thing
        if body.kind == "restore" and body.correction is not None:
            found = store.earlier(connection, body.correction)
            if found is None:
                return False
            thing = found.stream.thing
        return screens.scope_holds(connection, thing, scope=scope)
