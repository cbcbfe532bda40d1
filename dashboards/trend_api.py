"""Series side by side over HTTP: their values as a file, and the notes beside them."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from dashboards import exports
from dashboards.choices import instant
from dashboards.comparing import COLUMNS, LONGEST, MOST, Key, known, read_rows
from dashboards.live import utc_now
from dashboards.plain import Instant, Plain
from dashboards.server import Server, in_time
from dashboards.sessions import caller_account
from dashboards.trends import RANGES
from hypervision.accounts import Role
from hypervision.store import notes as store
from hypervision.store.notes import Note

_STEPS: Final = 288
_GREATEST: Final = 2**63


def _written(text: str) -> str:
    if not text.strip():
        raise ValueError("the note is empty: write what happened")
    return text.strip()


class NewNote(BaseModel):
    """A remark beside the readings, in one's own name."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(max_length=1_000), Plain, AfterValidator(_written)]
    at: Annotated[str, Field(max_length=40), Plain] = Field(
        default="", description="default: now; local time, or with an offset"
    )
    thing: Annotated[str | None, Field(max_length=64), Plain] = None


def register(app: FastAPI, server: Server) -> None:
    """Add the routes."""
    _register_trends(app, server)
    _register_notes(app, server)


def _register_trends(app: FastAPI, server: Server) -> None:
    @app.get("/api/v1/trends", tags=["observations"])
    async def trends(
        *,
        request: Request,
        s: Annotated[list[str], Query(min_length=1, max_length=MOST, description="thing/domain/property")],
        since: Annotated[Instant | None, Query(alias="from", description="default: a day before `to`")] = None,
        until: Annotated[Instant | None, Query(alias="to", description="default: now")] = None,
        steps: Annotated[int, Query(ge=1, le=2_000, description="equal parts of the time")] = _STEPS,
        format: Annotated[Literal["json", "csv", "parquet", "xlsx"] | None, Query()] = None,  # noqa: A002
    ) -> Response:
        """Lowest, mean and highest of up to eight datastreams in equal steps of time."""
        town = server.town_for(caller_account().scope)
        keys = [(text, Key.of(text)) for text in s]
        strange = [text for text, key in keys if key is None or known(town, [key])[1]]
        if strange:
            return JSONResponse({"detail": f"s: there is no datastream {strange[0][:200]!r} for you"}, 422)
        end: datetime = until or utc_now()
        start: datetime = since or end - RANGES["day"]
        if not start < end or end - start > LONGEST:
            return JSONResponse({"detail": "from: give a time before `to`, ten years at most"}, 422)
        chosen = [key for _, key in keys if key is not None]

        def work() -> list[dict[str, Any]]:
            with server.pool.connection() as connection:
                return read_rows(connection, town, chosen, since=start, until=end, steps=steps)

        rows = await in_time(work)
        form = exports.wanted(format, request.headers.get("accept", ""))
        body = await asyncio.to_thread(exports.render, rows, COLUMNS, form)
        return Response(body, media_type=exports.MEDIA[form], headers=exports.headers("trends", form))


def _register_notes(app: FastAPI, server: Server) -> None:
    @app.get("/api/v1/notes", tags=["notes"])
    async def notes(
        *,
        since: Annotated[Instant | None, Query(alias="from", description="default: a day before `to`")] = None,
        until: Annotated[Instant | None, Query(alias="to", description="default: now")] = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
    ) -> Response:
        """Notes of some time, oldest first."""
        scope = caller_account().scope
        end: datetime = until or utc_now()
        start: datetime = since or end - RANGES["day"]

        def work() -> list[Note]:
            with server.pool.connection() as connection:
                return store.read_notes(connection, since=start, until=end, scope=scope, limit=limit)

        rows = [_told(note) for note in await in_time(work)]
        return Response(exports.to_json({"count": len(rows), "rows": rows}), media_type="application/json")

    @app.post("/api/v1/notes", tags=["notes"])
    async def write(body: NewNote) -> Response:
        """Write a note."""
        account = caller_account()
        town = server.town_for(account.scope)
        number = None if body.thing is None else town.codes.get(body.thing)
        if body.thing is not None and number is None:
            return JSONResponse({"detail": f"thing: there is no {body.thing!r} for you"}, 422)
        now = utc_now()
        at = instant(body.at, server.settings.zone) if body.at else now
        if at is None:
            return JSONResponse({"detail": f"at: {body.at!r} is no time, write 2026-11-22 10:00"}, 422)

        def work() -> Note:
            with server.pool.connection() as connection:
                return store.write_note(
                    connection, at=at, text=body.text, author=account.name,
                    scope=account.scope,
                    thing=None if number is None or body.thing is None else (number, body.thing), now=now,
                )  # fmt: skip

        return Response(exports.to_json(_told(await in_time(work))), media_type="application/json")

    @app.delete("/api/v1/notes/{note_id}", tags=["notes"])
    async def remove(note_id: int) -> Response:
        """Take a note of one's own away; administrators take any."""
        account = caller_account()
        author = None if account.role is Role.ADMINISTRATOR else account.name

        def work() -> bool:
            with server.pool.connection() as connection:
                return store.remove_note(
                    connection, note_id, actor=account.name, author=author, scope=account.scope,
                    now=utc_now(),
                )  # fmt: skip

        # A number beyond the database's is nobody's note.
        if note_id >= _GREATEST or not await in_time(work):
            return JSONResponse({"detail": f"there is no note {note_id} of yours"}, 404)
        return JSONResponse({"id": note_id})


def _told(note: Note) -> dict[str, Any]:
    values = asdict(note)
    return {"id": values.pop("note_id"), **values}
