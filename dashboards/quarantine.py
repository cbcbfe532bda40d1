"""Rejected messages over HTTP: listed, counted, sent through again."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from dashboards import exports
from dashboards.live import utc_now
from dashboards.payloads import readable
from dashboards.plain import Instant, Plain
from dashboards.server import Server, in_time
from dashboards.sessions import caller_account
from hypervision.choosing import check
from hypervision.replay import Replayed, replay
from hypervision.store import rejected as store
from hypervision.store.rejected import Chosen, Counted, Rejected

COLUMNS: Final = (
    "id", "received_time", "thing", "topic", "reason", "detail", "count", "partial", "replayed_at", "payload_bytes",
    "payload", "encoding",
)  # fmt: skip
PORTION: Final = 200
"""Rows whose messages one call sends again when it is not told a number."""
# A portion goes on when its caller has left; what it did not reach waits [s].
_PATIENCE: Final = 120.0
_GREATEST: Final = 2**63

Code = Annotated[str | None, Query(max_length=64), Plain]
Prefix = Annotated[str | None, Query(max_length=300, description="how the topic begins"), Plain]
Id = Annotated[int, Field(ge=1, lt=_GREATEST)]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rejected messages a call asks for."""

    reason: Code = None
    thing: Code = None
    domain: Code = None
    topic: Prefix = None
    since: Annotated[Instant | None, Query(alias="from", description="time of receipt")] = None
    until: Annotated[Instant | None, Query(alias="to", description="not included")] = None
    replayed: Annotated[bool | None, Query(description="true: a second try took it")] = None
    partial: Annotated[bool | None, Query(description="true: values of a stored message")] = None

    def chosen(self) -> Chosen:
        """The same for the store, within the caller's scope."""
        return Chosen(**asdict(self), scope=caller_account().scope)


class Replay(BaseModel):
    """Which rejected messages to send through again; what is left out chooses nothing."""

    model_config = ConfigDict(extra="forbid")

    newest: Annotated[int, Field(ge=0, lt=_GREATEST)] = Field(description="what was rejected later is not meant")
    reason: Annotated[str | None, Field(max_length=64), Plain] = None
    thing: Annotated[str | None, Field(max_length=64), Plain] = None
    domain: Annotated[str | None, Field(max_length=64), Plain] = None
    topic: Annotated[str | None, Field(max_length=300), Plain] = None
    since: Instant | None = Field(default=None, alias="from")
    until: Instant | None = Field(default=None, alias="to")
    partial: bool | None = None
    ids: Annotated[list[Id], Field(max_length=1_000)] | None = None
    after: Id | None = Field(default=None, description="`next` of the portion before")
    limit: Annotated[int, Field(ge=1, le=1_000)] = PORTION


class ReplayDone(BaseModel):
    """What a portion of a replay did."""

    messages: int = Field(description="sent again")
    stored: int = Field(description="of these, with something new in the store")
    refused: int = Field(description="of these, refused again, whole or in part: they wait on")
    reasons: dict[str, int] = Field(description="of the refused ones")
    next: int | None = Field(description="ask again with this as `after` for the rest; null: there is none")


def register(app: FastAPI, server: Server) -> None:
    """Add the routes."""

    @app.get("/api/v1/rejected", tags=["rejected"])
    async def rejected(
        *,
        request: Request,
        asked: Annotated[Asked, Depends()],
        before: Annotated[int | None, Query(ge=1, lt=_GREATEST, description="the last id of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
        format: Annotated[Literal["json", "csv", "parquet"] | None, Query()] = None,  # noqa: A002
    ) -> Response:
        """Rejected messages by time of receipt, newest first; of a payload its first 400 bytes."""
        chosen = asked.chosen()

        def work() -> list[dict[str, Any]]:
            with server.pool.connection() as connection:
                check(connection, chosen, domains=server.catalogue)
                return [told(row) for row in store.page(connection, chosen, before=before, limit=limit)]

        rows = await in_time(work)
        form = exports.wanted(format, request.headers.get("accept", ""))
        body = await asyncio.to_thread(exports.render, rows, COLUMNS, form)
        headers = {} if form == "json" else {"content-disposition": f'attachment; filename="rejected.{form}"'}
        return Response(body, media_type=exports.MEDIA[form], headers=headers)

    @app.get("/api/v1/rejected/counts", tags=["rejected"])
    async def counts(
        *,
        asked: Annotated[Asked, Depends()],
        top: Annotated[int, Query(ge=1, le=1_000, description="so many Things")] = 20,
    ) -> Response:
        """How many there are, by reason and by Thing, and how many of them can be sent through again."""
        chosen = asked.chosen()

        def work() -> dict[str, Any]:
            with server.pool.connection() as connection:
                check(connection, chosen, domains=server.catalogue)
                newest = store.newest(connection, scope=chosen.scope)
                messages, all_of_them = store.count_waiting(connection, chosen, newest=newest)
                return {
                    "reasons": [_counted("reason", each) for each in store.by_reason(connection, chosen)],
                    "things": [_counted("thing", each) for each in store.by_thing(connection, chosen, top=top)],
                    "replayable": {"messages": messages, "more": not all_of_them, "newest": newest},
                }

        return Response(exports.to_json(await in_time(work)), media_type="application/json")

    @app.get("/api/v1/rejected/{rejected_id}", tags=["rejected"])
    async def one(rejected_id: int) -> Response:
        """One of them with all that was kept of its payload, 64 KiB at most."""
        scope = caller_account().scope

        def work() -> Rejected | None:
            with server.pool.connection() as connection:
                return store.one(connection, rejected_id, scope=scope)

        found = await in_time(work)
        if found is None:
            return JSONResponse({"detail": f"there is no rejected message {rejected_id}"}, 404)
        return Response(exports.to_json(told(found)), media_type="application/json")

    @app.post("/api/v1/rejected/replay", tags=["rejected"], response_model=ReplayDone)
    async def send_again(body: Replay) -> Response:
        """Send messages through again, the oldest first, a portion at a time; each is stored once however often."""
        account = caller_account()
        given = body.model_dump(exclude={"newest", "after", "limit", "ids"})
        chosen = Chosen(**given, ids=None if body.ids is None else tuple(body.ids), scope=account.scope)

        def work() -> Replayed:
            with server.pool.connection() as connection:
                check(connection, replace(chosen, ids=None), domains=server.catalogue)
            return replay(
                server.settings, chosen, clock=utc_now, actor=account.name, newest=body.newest, after=body.after,
                limit=body.limit,
            )  # fmt: skip

        done = await in_time(work, seconds=_PATIENCE)
        answer = ReplayDone(
            messages=done.messages, stored=done.stored, refused=done.refused, reasons=dict(done.reasons), next=done.last
        )
        return JSONResponse(answer.model_dump())


def told(row: Rejected) -> dict[str, Any]:
    """A row as the API gives it."""
    payload, encoding = readable(row.payload, whole=len(row.payload) == row.payload_bytes)
    values = {name: getattr(row, name) for name in COLUMNS[1:-2]}
    return {"id": row.rejected_id, **values, "payload": payload, "encoding": encoding}


def _counted(name: str, each: Counted) -> dict[str, Any]:
    return {name: each.name, "rows": each.rows, "count": each.count}
