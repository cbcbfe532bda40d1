"""The HTTP API: Things, datastreams, observations and alarms."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from dashboards import exports
from dashboards.live import utc_now
from dashboards.plain import Instant, Plain
from dashboards.server import Server, in_time
from dashboards.sessions import caller_account
from dashboards.writing import NAME
from hypervision import topics
from hypervision.batch import Receipt
from hypervision.scope import Scope
from hypervision.store import alarms as alarm_store
from hypervision.store import screens
from hypervision.store.rollups import DAY, HOUR

Code = Annotated[str, Query(max_length=64), Plain]
Name = Annotated[str, Query(max_length=64), Plain]
Count = Annotated[int, Query(ge=1, le=100_000)]
FormatName = Annotated[Literal["json", "csv", "parquet"] | None, Query(description="else by the Accept header")]
Outcome = Literal["stored", "duplicate", "rejected"]
Priority = Literal["critical", "high", "medium", "low"]

_THING_COLUMNS: Final = (
    "code", "name", "domain", "kind", "parent", "place", "district", "organisation", "longitude", "latitude", "status",
    "status_at", "registered_at",
)  # fmt: skip
_STREAM_COLUMNS: Final = (
    "thing", "domain", "property", "unit", "kind", "expected_period_seconds", "phenomenon_time", "result",
    "quality", "state",
)  # fmt: skip
_OBSERVATION_COLUMNS: Final = (
    "domain", "thing", "property", "phenomenon_time", "result", "unit", "quality", "late", "received_time", "state",
)  # fmt: skip
_ROLLUP_COLUMNS: Final = (
    "domain", "thing", "property", "bucket", "n", "minimum", "maximum", "mean", "total", "unit", "covered_seconds",
)  # fmt: skip
_GAP_COLUMNS: Final = ("thing", "property", "start", "end", "cause", "missing")
_ALARM_COLUMNS: Final = (
    "id", "domain", "source_kind", "source", "thing", "property", "rule", "rule_version", "priority", "state",
    "suppression", "raised_at", "detected_at", "acknowledged_at", "acknowledged_by", "returned_at", "value",
    "limit_value", "message", "correction", "hidden_since", "hidden_until", "hidden_by", "hidden_reason",
    "explained_by", "rang_at", "escalated_at", "escalated_to", "consequence_fr", "consequence_en", "action_fr",
    "action_en",
)  # fmt: skip
_ALARMS_ASKED: Final = (
    "open", "hidden", "explained_by", "domain", "thing", "priority", "since", "until", "before",
)  # fmt: skip
_DOMAIN: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_LATEST_FIRST_DAY: Final = timedelta(days=1)


class Comment(BaseModel):
    """What may come with an acknowledgement."""

    comment: Annotated[str, Plain] = Field(default="", max_length=1000)


class AcknowledgedAlarm(BaseModel):
    """The alarm's state now, whether this call changed it, and who acknowledged it."""

    id: int
    state: str
    changed: bool
    by: str = ""


class Refused(BaseModel):
    """Why a message, or one value of it, was not taken."""

    reason: str
    detail: str


class Taken(BaseModel):
    """What became of posted readings, with the outcome that MQTT would have had."""

    outcome: Outcome
    rows: int = Field(description="new observations")
    refused: list[Refused]


@dataclass(frozen=True, slots=True)
class Span:
    """Which readings, or what was made of them, a call asks for."""

    since: Annotated[Instant | None, Query(alias="from", description="default: a day before `to`")] = None
    until: Annotated[Instant | None, Query(alias="to", description="default: now; not included")] = None
    domain: Name | None = None
    thing: Code | None = None
    property: Name | None = None
    limit: Count = 10_000

    def values(self) -> dict[str, Any]:
        """The parameters of a query."""
        end = self.until or utc_now()
        return asdict(self) | {"since": self.since or end - _LATEST_FIRST_DAY, "until": end}


def register(app: FastAPI, server: Server) -> None:
    """Add the routes."""
    _register_reading(app, server)
    _register_alarms(app, server)
    _register_writing(app, server)


async def _rows(server: Server, name: str, values: dict[str, Any], *, many: bool = False) -> list[dict[str, Any]]:
    full = {**caller_account().scope.values(), **values}
    return await in_time(lambda: (server.pool.first_rows if many else server.pool.rows)(name, full))


async def _answer(
    request: Request, rows: exports.Rows, columns: tuple[str, ...], chosen: str | None, *, name: str
) -> Response:
    form = exports.wanted(chosen, request.headers.get("accept", ""))
    body = await asyncio.to_thread(exports.render, rows, columns, form)
    headers = {} if form == "json" else {"content-disposition": f'attachment; filename="{name}.{form}"'}
    return Response(body, media_type=exports.MEDIA[form], headers=headers)


def _register_reading(app: FastAPI, server: Server) -> None:
    @app.get("/api/v1/things", tags=["things"])
    async def things(
        *,
        request: Request,
        domain: Name | None = None,
        thing: Code | None = None,
        after: Annotated[str, Query(max_length=64, description="the last code of the page before"), Plain] = "",
        limit: Count = 1000,
        format: FormatName = None,  # noqa: A002 -- the name of the parameter in the address
    ) -> Response:
        """City assets by code."""
        values = {"domain": domain, "thing": thing, "after": after, "limit": limit}
        return await _answer(request, await _rows(server, "api_things", values), _THING_COLUMNS, format, name="things")

    @app.get("/api/v1/datastreams", tags=["things"])
    async def datastreams(
        *,
        request: Request,
        domain: Name | None = None,
        thing: Code | None = None,
        property: Name | None = None,  # noqa: A002
        limit: Count = 10_000,
        format: FormatName = None,  # noqa: A002
    ) -> Response:
        """Datastreams, each with its newest reading."""
        values = {"domain": domain, "thing": thing, "property": property, "limit": limit}
        rows = await _rows(server, "api_datastreams", values)
        return await _answer(request, rows, _STREAM_COLUMNS, format, name="datastreams")

    @app.get("/api/v1/observations", tags=["observations"])
    async def observations(
        *,
        request: Request,
        span: Annotated[Span, Depends()],
        format: FormatName = None,  # noqa: A002
    ) -> Response:
        """Readings between two instants, oldest first; when `count` equals `limit` there may be more."""
        rows = await _rows(server, "api_observations", span.values(), many=span.thing is None)
        return await _answer(request, rows, _OBSERVATION_COLUMNS, format, name="observations")

    @app.get("/api/v1/observations/{level}", tags=["observations"])
    async def rollups(
        *,
        request: Request,
        level: Literal["hourly", "daily"],
        span: Annotated[Span, Depends()],
        format: FormatName = None,  # noqa: A002
    ) -> Response:
        """Hours or local days that begin between two instants, by Thing and property, as the views tell them."""
        values = span.values() | {"level": HOUR if level == "hourly" else DAY}
        return await _answer(request, await _rows(server, "api_rollups", values), _ROLLUP_COLUMNS, format, name=level)

    @app.get("/api/v1/gaps", tags=["observations"])
    async def gaps(
        *,
        request: Request,
        since: Annotated[Instant | None, Query(alias="from", description="default: a day before `to`")] = None,
        until: Annotated[Instant | None, Query(alias="to", description="default: now")] = None,
        thing: Code | None = None,
        limit: Count = 10_000,
        format: FormatName = None,  # noqa: A002
    ) -> Response:
        """What is missing between two instants, oldest first: silences, numbers that never came, outages.

        An outage of the platform (cause `broker`, `database` or `collector`) has no thing and concerns every one; a
        silence that lasts has no end.
        """
        end: datetime = until or utc_now()
        values = {"since": since or end - _LATEST_FIRST_DAY, "until": end, "thing": thing, "limit": limit}
        return await _answer(request, await _rows(server, "api_gaps", values), _GAP_COLUMNS, format, name="gaps")


def _register_alarms(app: FastAPI, server: Server) -> None:
    @app.get("/api/v1/alarms", tags=["alarms"])
    async def alarms(
        *,
        request: Request,
        open: Annotated[bool | None, Query(description="true: not yet returned and acknowledged")] = None,  # noqa: A002
        hidden: Annotated[bool | None, Query(description="true: shelved, explained, out of service")] = None,
        explained_by: Annotated[int | None, Query(ge=1, lt=2**63, description="consequences of this alarm")] = None,
        domain: Name | None = None,
        thing: Code | None = None,
        priority: Priority | None = None,
        since: Annotated[Instant | None, Query(alias="from")] = None,
        until: Annotated[Instant | None, Query(alias="to")] = None,
        before: Annotated[int | None, Query(ge=1, lt=2**63, description="the last id of the page before")] = None,
        limit: Count = 1000,
        format: FormatName = None,  # noqa: A002
    ) -> Response:
        """Alarm occurrences, newest first."""
        values = {
            "id": None, "open": open, "domain": domain, "thing": thing, "priority": priority, "since": since,
            "hidden": hidden, "explained_by": explained_by, "until": until, "before": before, "limit": limit,
        }  # fmt: skip
        rows = await _rows(server, "api_alarms", values)
        return await _answer(request, rows, _ALARM_COLUMNS, format, name="alarms")

    async def one(alarm_id: int) -> dict[str, Any] | None:
        rows = await _rows(server, "api_alarms", {**dict.fromkeys(_ALARMS_ASKED), "id": alarm_id, "limit": 1})
        return rows[0] if rows else None

    @app.get("/api/v1/alarms/{alarm_id}", tags=["alarms"])
    async def alarm(alarm_id: int) -> Response:
        """One occurrence."""
        found = await one(alarm_id)
        return _no_alarm(alarm_id) if found is None else Response(exports.to_json(found), media_type="application/json")

    @app.get("/api/v1/alarms/{alarm_id}/transitions", tags=["alarms"])
    async def transitions(alarm_id: int) -> Response:
        """What happened to one occurrence, in order."""
        if await one(alarm_id) is None:
            return _no_alarm(alarm_id)
        rows = await _rows(server, "api_transitions", {"id": alarm_id})
        return Response(exports.to_json({"count": len(rows), "rows": rows}), media_type="application/json")

    @app.post("/api/v1/alarms/{alarm_id}/acknowledge", tags=["alarms"], response_model=AcknowledgedAlarm)
    async def acknowledge(alarm_id: int, body: Comment | None = None) -> Response:
        """Take notice of an alarm, in one's own name; doing so twice changes nothing."""
        account = caller_account()

        def work() -> alarm_store.Acknowledged | None:
            with server.pool.connection() as connection:
                if not screens.alarm_visible(connection, alarm_id, scope=account.scope):
                    return None
                return alarm_store.acknowledge(
                    connection,
                    alarm_id,
                    actor=account.name,
                    comment="" if body is None else body.comment,
                    now=utc_now(),
                    writer_id=screens.read_writer_id(connection, NAME),
                )

        done = await in_time(work)
        if done is None or not done.found:
            return _no_alarm(alarm_id)
        return JSONResponse({"id": alarm_id, "state": done.state, "changed": done.changed, "by": done.by})


def _no_alarm(alarm_id: int) -> Response:
    return JSONResponse({"detail": f"there is no alarm {alarm_id}"}, 404)


def _register_writing(app: FastAPI, server: Server) -> None:
    @app.post(
        "/api/v1/observations",
        tags=["observations"],
        response_model=Taken,
        openapi_extra={
            "requestBody": {
                "required": True,
                "description": "the payload a device would publish: an object of readings, an array of them, or SenML",
                "content": {"application/json": {"schema": {}, "example": {"seq": 17, "flow": 3.2}}},
            }
        },
    )
    async def post_observations(
        *,
        request: Request,
        domain: Annotated[str, Query(max_length=32)],
        thing: Annotated[str, Query(max_length=64)],
    ) -> Response:
        """Take readings in by the same way as MQTT: 200 stored or duplicate, 422 rejected with the reasons."""
        if not _DOMAIN.fullmatch(domain) or not topics.THING.fullmatch(thing):
            return JSONResponse({"detail": "domain or thing is no code: see docs/api.md"}, 422)
        scope = caller_account().scope
        if not scope.is_whole and not await in_time(lambda: _in_scope(server, thing, scope)):
            return JSONResponse({"detail": f"there is no Thing {thing}"}, 404)
        done = await asyncio.wrap_future(server.writer.post(domain, thing, await request.body()))
        refused = await in_time(lambda: _refusals(server, done.topic, done.at))
        told = taken(done.receipt, refused, thing=thing)
        return JSONResponse(told.model_dump(), 422 if told.outcome == "rejected" else 200)


def taken(receipt: Receipt, refused: Sequence[tuple[str, str]], *, thing: str) -> Taken:
    """What became of one message.

    Parameters
    ----------
    refused : sequence of (str, str)
        Reason and detail of each row of the rejected messages.
    """
    outcome: Outcome = "stored" if receipt.stored else "rejected" if receipt.rejected else "duplicate"
    if outcome == "rejected" and not refused:
        # The first of its minute has the row of all of them.
        refused = [("rate_limited", f"{thing} sends more than ingest.rate allows: see the row of this minute.")]
    return Taken(outcome=outcome, rows=receipt.rows, refused=[Refused(reason=r, detail=d) for r, d in refused])


def _in_scope(server: Server, thing: str, scope: Scope) -> bool:
    with server.pool.connection() as connection:
        return screens.scope_holds(connection, thing, scope=scope)


def _refusals(server: Server, topic: str, at: datetime) -> list[tuple[str, str]]:
    with server.pool.connection() as connection:
        return screens.read_refusals(connection, topic=topic, at=at)
