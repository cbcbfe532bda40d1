"""The audit log over HTTP: who did what, and whether the chain is whole."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from dashboards import exports
from dashboards.plain import Instant, Plain
from dashboards.server import Server, in_time
from hypervision.auditing import Head, Verdict
from hypervision.errors import UsageError
from hypervision.store import audit as store
from hypervision.store.audit import Wanted
from hypervision.telling import document

COLUMNS: Final = (
    "number", "at", "actor", "action", "object_kind", "object_id", "address", "reason", "before", "after", "role",
    "previous", "hash",
)  # fmt: skip
# A log of years takes its time to be read [s].
_PATIENCE: Final = 120.0
_GREATEST: Final = 2**63

Text = Annotated[str | None, Query(max_length=200), Plain]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines a call asks for."""

    actor: Text = None
    action: Annotated[str | None, Query(max_length=100, description="or the part before its point"), Plain] = None
    object_kind: Annotated[str | None, Query(alias="kind", max_length=64), Plain] = None
    object_id: Annotated[str | None, Query(alias="id", max_length=200), Plain] = None
    since: Annotated[Instant | None, Query(alias="from")] = None
    until: Annotated[Instant | None, Query(alias="to", description="not included")] = None

    def wanted(self) -> Wanted:
        """The same for the store."""
        return Wanted(
            actor=self.actor, action=self.action, object_kind=self.object_kind, object_id=self.object_id,
            since=self.since, until=self.until,
        )  # fmt: skip


class Verify(BaseModel):
    """Heads that were kept elsewhere, as `audit verify` prints them."""

    model_config = ConfigDict(extra="forbid")

    heads: list[Annotated[str, Field(max_length=100), Plain]] = Field(default=[], max_length=20)


class Verified(BaseModel):
    """What became of a verification."""

    whole: bool
    lines: int
    first: int = Field(description="the oldest line there; what is older was let go under a seal")
    head: str = Field(description="keep it elsewhere: with it nobody can write the whole chain anew")
    broken: int | None = Field(description="the first broken line")
    fault: Literal["changed", "removed", "unlinked", "beginning", "cut", "other"] | None
    unknown: list[str] = Field(description="heads whose line was let go: they prove nothing any more")


def register(app: FastAPI, server: Server) -> None:
    """Add the routes."""

    @app.get("/api/v1/audit", tags=["audit"])
    async def lines(
        *,
        request: Request,
        asked: Annotated[Asked, Depends()],
        before: Annotated[
            int | None, Query(ge=1, lt=_GREATEST, description="the last number of the page before")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
        format: Annotated[Literal["json", "csv", "parquet"] | None, Query()] = None,  # noqa: A002
    ) -> Response:
        """Lines of the audit log, newest first; `before` and `after` are JSON as it was hashed."""
        form = exports.wanted(format, request.headers.get("accept", ""))
        wanted = asked.wanted()

        def work() -> list[dict[str, Any]]:
            with server.pool.connection() as connection, connection.transaction():
                found = [document(line) for line in store.page(connection, wanted, before=before, limit=limit)]
                if form != "json":
                    # Who takes a part of the log away is told by the log; reading it on a screen is not.
                    told = {**store.described(wanted), "lines": len(found), "format": form}
                    store.note(connection, "audit.export", kind="audit", ident="", after=told)
                return found

        rows = await in_time(work)
        body = await asyncio.to_thread(exports.render, rows, COLUMNS, form)
        headers = {} if form == "json" else {"content-disposition": f'attachment; filename="audit.{form}"'}
        return Response(body, media_type=exports.MEDIA[form], headers=headers)

    @app.post("/api/v1/audit/verify", tags=["audit"], response_model=Verified)
    async def verify(body: Verify) -> Response:
        """Prove that no line was changed, taken out, moved or cut off; 422 where a head is none."""
        try:
            heads = [Head.of(text) for text in body.heads]
        except UsageError as error:
            return JSONResponse({"detail": str(error)}, 422)

        def work() -> Verdict:
            with server.pool.connection() as connection:
                return store.verify(connection, heads=heads)

        found = await in_time(work, seconds=_PATIENCE)
        told = Verified(
            whole=found.broken is None, lines=found.lines, first=found.first, head=str(found.head), broken=found.broken,
            fault=found.fault, unknown=[str(head) for head in found.unknown],
        )  # fmt: skip
        return JSONResponse(told.model_dump())
