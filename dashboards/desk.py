"""The alarm desk over HTTP: alarms on the shelf, Things out of service, maintenance windows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import FastAPI, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from dashboards import exports
from dashboards.plain import Instant, Plain
from dashboards.server import Server, in_time
from dashboards.sessions import caller_account
from dashboards.writing import NAME
from hypervision import inhibiting
from hypervision.inhibiting import LONGEST_REASON, MOST_THINGS, Planned
from hypervision.store import clocks, screens
from hypervision.store import inhibitions as store
from hypervision.store.connection import Connection
from hypervision.store.inhibitions import Inhibition, Shelved

_GREATEST: Final = 2**63
_TOLD: Final = (
    "kind", "rule", "once", "began_at", "ends_at", "reason", "author", "made_at", "ended_at", "ended_by", "hidden",
)  # fmt: skip
Reason = Annotated[str, Field(min_length=1, max_length=LONGEST_REASON), Plain]
Code = Annotated[str, Field(min_length=1, max_length=64), Plain]


class NewShelf(BaseModel):
    """For how long, and why."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason
    seconds: Annotated[float, Field(gt=0, le=31_536_000, allow_inf_nan=False)] | None = Field(
        default=None, description="at most what the settings allow for the alarm's priority; left out with `once`: that"
    )
    once: bool = Field(default=False, description="only until the alarm has returned, if that is sooner")


class ShelvedAlarm(BaseModel):
    """Whether this call did it; if not, who shelved the alarm before and until when."""

    id: int
    changed: bool
    by: str
    until: datetime | None


class NewInhibition(BaseModel):
    """What is out of service until somebody ends it, or maintained from an instant to another."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    kind: Literal["out_of_service", "maintenance"]
    reason: Reason
    things: Annotated[list[Code], Field(max_length=MOST_THINGS)] = Field(default_factory=list)
    property: Code | None = Field(default=None, description="only the datastreams of this name of the Things")
    children: bool = Field(default=False, description="with all Things below them")
    domains: Annotated[list[Code], Field(max_length=64)] = Field(default_factory=list)
    since: Instant | None = Field(default=None, alias="from", description="default: now")
    until: Instant | None = Field(default=None, alias="to")


class PlacedInhibition(BaseModel):
    """Its number, and how many open alarms it hides at once."""

    id: int
    hidden: int


class EndedInhibition(BaseModel):
    """Whether this call ended it; if not, who did before."""

    id: int
    changed: bool
    by: str


def register(app: FastAPI, server: Server) -> None:
    """Add the routes."""

    async def with_shelf(alarm_id: int, work: Callable[[Connection, str], Shelved]) -> Response:
        account = caller_account()

        def whole() -> Shelved:
            with server.pool.connection() as connection:
                if not screens.alarm_visible(connection, alarm_id, scope=account.scope):
                    return Shelved(found=False)
                return work(connection, account.name)

        done = await in_time(whole)
        if not done.found:
            return JSONResponse({"detail": f"there is no alarm {alarm_id}"}, 404)
        if not done.open and not done.changed:
            return JSONResponse({"detail": f"the alarm {alarm_id} is over: there is nothing to do"}, 409)
        told = ShelvedAlarm(id=alarm_id, changed=done.changed, by=done.by, until=done.until)
        return JSONResponse(told.model_dump(mode="json"))

    @app.post("/api/v1/alarms/{alarm_id}/shelve", tags=["alarms"], response_model=ShelvedAlarm)
    async def shelve(alarm_id: int, body: NewShelf) -> Response:
        """Put an open alarm on the shelf: it comes back by itself, unacknowledged; twice changes nothing."""

        def work(connection: Connection, actor: str) -> Shelved:
            return inhibiting.shelve(
                connection,
                server.settings.alarms,
                alarm_id,
                seconds=body.seconds,
                once=body.once,
                reason=body.reason,
                actor=actor,
                now=clocks.server_time(connection),
                writer_id=screens.read_writer_id(connection, NAME),
            )

        return await with_shelf(alarm_id, work)

    @app.post("/api/v1/alarms/{alarm_id}/unshelve", tags=["alarms"], response_model=ShelvedAlarm)
    async def unshelve(alarm_id: int) -> Response:
        """Take an alarm off its shelf, acknowledged in one's own name."""

        def work(connection: Connection, actor: str) -> Shelved:
            return store.unshelve(
                connection,
                alarm_id,
                actor=actor,
                now=clocks.server_time(connection),
                writer_id=screens.read_writer_id(connection, NAME),
            )

        return await with_shelf(alarm_id, work)

    @app.get("/api/v1/inhibitions", tags=["alarms"])
    async def inhibitions(
        *,
        ended: Annotated[bool, Query(description="true: those that have ended too")] = False,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    ) -> Response:
        """What hides alarms by a person's hand, the newest first: shelves, Things out of service, windows."""
        scope = caller_account().scope

        def work() -> list[Inhibition]:
            with server.pool.connection() as connection:
                return store.listed(connection, ended=ended, limit=limit)

        found = [each for each in await in_time(work) if each.is_in(scope)]
        rows = [told(each) for each in found]
        return Response(exports.to_json({"count": len(rows), "rows": rows}), media_type="application/json")

    @app.post("/api/v1/inhibitions", tags=["alarms"], response_model=PlacedInhibition)
    async def place(body: NewInhibition) -> Response:
        """Place Things out of service, or plan a maintenance window: their alarms are counted, and do not ring."""
        account = caller_account()
        planned = Planned(
            kind=body.kind,
            reason=body.reason,
            things=body.things,
            property=body.property,
            children=body.children,
            domains=body.domains,
            began=body.since,
            until=body.until,
        )

        def work() -> tuple[int, int]:
            with server.pool.connection() as connection:
                return inhibiting.place(
                    connection,
                    planned,
                    actor=account.name,
                    now=clocks.server_time(connection),
                    domains=server.catalogue,
                    scope=account.scope,
                    writer_id=screens.read_writer_id(connection, NAME),
                )

        done = await in_time(work)
        return JSONResponse({"id": done[0], "hidden": done[1]})

    @app.post("/api/v1/inhibitions/{inhibition_id}/end", tags=["alarms"], response_model=EndedInhibition)
    async def end(inhibition_id: int) -> Response:
        """End one: what is still true rings; a shelf leaves its alarm acknowledged. Twice changes nothing."""
        account = caller_account()

        def work() -> store.Ended:
            with server.pool.connection() as connection:
                found = store.one(connection, inhibition_id) if inhibition_id < _GREATEST else None
                if found is None or not found.is_in(account.scope):
                    return store.Ended(found=False)
                return store.end(
                    connection,
                    inhibition_id,
                    actor=account.name,
                    now=clocks.server_time(connection),
                    writer_id=screens.read_writer_id(connection, NAME),
                )

        done = await in_time(work)
        if not done.found:
            return JSONResponse({"detail": f"there is no inhibition {inhibition_id}"}, 404)
        return JSONResponse({"id": inhibition_id, "changed": done.changed, "by": done.by})


def told(each: Inhibition) -> dict[str, Any]:
    """One as the API gives it."""
    about = [
        {"thing": one.thing, "property": one.property, "domain": one.domain, "children": one.children}
        for one in each.about
    ]
    return {"id": each.inhibition_id, **{name: getattr(each, name) for name in _TOLD}, "about": about}
