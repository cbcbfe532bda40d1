"""How good the alarms are: read for the page and for the API."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import FastAPI, Query, Request
from fastapi.responses import Response

from dashboards import exports
from dashboards.live import utc_now
from dashboards.server import Server, in_time
from dashboards.sessions import caller_account
from hypervision.alarm_quality import (
    PRIORITIES,
    Actor,
    Figure,
    Load,
    Period,
    Quality,
    Standing,
    figures,
    is_stale,
    measure,
)
from hypervision.clock import MICROSECOND, from_us, to_us
from hypervision.scope import Scope
from hypervision.settings import Settings
from hypervision.shifts import Shifts
from hypervision.store import alarm_quality as store
from hypervision.store.alarm_quality import Named
from hypervision.store.connection import Connection

SPANS: Final[Mapping[str, timedelta]] = {
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
USUAL: Final = "24h"
TOP: Final = 10
# Chattering alarms that are named.
_NAMED: Final = 50
COLUMNS: Final = ("figure", "of", "thing", "rule", "value", "unit", "at_most", "at_least")
_LOADS: Final = (
    ("rate", "per_window", "rate"), ("alarms", "alarms", "count"), ("peak", "peak", "count"),
    ("flood", "flood", "share"), ("p50", "p50", "seconds"), ("p95", "p95", "seconds"), ("waiting", "waiting", "count"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """The quality of the alarms over a time, with the words of what it names.

    Attributes
    ----------
    standing : list
        Every open alarm, the longest first.
    """

    since: datetime
    read_at: datetime
    quality: Quality
    figures: list[Figure]
    standing: list[tuple[Standing, Named]]
    names: Mapping[Actor, Named]
    shifts: Shifts
    operators: int = 1

    def is_stale(self, alarm: Standing) -> bool:
        """Whether an open alarm has stood for more than a day."""
        return is_stale(alarm, now_us=self.quality.period.until_us)


def read_quality(connection: Connection, settings: Settings, span: str, *, now: datetime, scope: Scope) -> Measured:
    """Measure the time up to now; `span` is one of `SPANS`."""
    period = Period.of(to_us(now), length_us=SPANS[span] // MICROSECOND)
    since = from_us(period.since_us)
    events = store.read_events(connection, since=since, until=now, scope=scope)
    operators, shifts = settings.alarms.operators, Shifts.of(settings.alarms.shifts)
    found = measure(events, period, shifts=shifts, zone=settings.zone, operators=operators, top=TOP)
    standing = store.read_standing(connection, scope=scope)
    named = {share.actor for share in (*found.top, *found.chattering[:_NAMED])}
    return Measured(
        since=since,
        read_at=now,
        quality=found,
        figures=figures(found, [alarm for alarm, _ in standing], operators=operators),
        standing=standing,
        names=store.read_names(connection, sorted(named)),
        shifts=shifts,
        operators=operators,
    )


def register(app: FastAPI, server: Server) -> None:
    """Add the route."""

    @app.get("/api/v1/alarm-quality", tags=["alarms"])
    async def alarm_quality(
        *,
        request: Request,
        span: Annotated[Literal["24h", "7d", "30d"], Query()] = "24h",
        format: Annotated[Literal["json", "csv", "parquet", "xlsx"] | None, Query()] = None,  # noqa: A002
    ) -> Response:
        """Figures after EEMUA 191 with their aims: of all, by priority, by shift, by alarm."""
        scope = caller_account().scope

        def work() -> list[dict[str, Any]]:
            with server.pool.connection() as connection:
                found = read_quality(connection, server.settings, span, now=utc_now(), scope=scope)
            return rows_of(found)

        rows = await in_time(work)
        form = exports.wanted(format, request.headers.get("accept", ""))
        body = await asyncio.to_thread(exports.render, rows, COLUMNS, form)
        return Response(body, media_type=exports.MEDIA[form], headers=exports.headers(f"alarm-quality-{span}", form))


def rows_of(found: Measured) -> list[dict[str, Any]]:
    """Everything the page shows, a row for each figure; shares from 0 to 1."""
    rows = [
        _row(each.code, "all", value=each.value, unit=each.unit, at_most=each.at_most, at_least=each.at_least)
        for each in found.figures
    ]
    for priority, load in zip(PRIORITIES, found.quality.priorities, strict=True):
        rows += _load(f"priority {priority}", load)
    for number, load in enumerate(found.quality.shifts):
        rows += _load(f"shift {found.shifts.label(number)}", load)
    for share in found.quality.top:
        named = found.names.get(share.actor)
        rows.append(_row("bad_actor", "alarm", named, value=share.alarms, unit="count"))
    for share in found.quality.chattering[:_NAMED]:
        named = found.names.get(share.actor)
        rows.append(_row("chattering_in_a_minute", "alarm", named, value=share.in_a_minute, unit="count"))
    for alarm, named in found.standing:
        code = "shelved_for" if alarm.shelved else "stale_for" if found.is_stale(alarm) else "open_for"
        seconds = (found.quality.period.until_us - alarm.since_us) / 1e6
        rows.append(_row(code, "alarm", named, value=seconds, unit="seconds"))
    return rows


def _load(of: str, load: Load) -> list[dict[str, Any]]:
    return [_row(code, of, value=getattr(load, name), unit=unit) for code, name, unit in _LOADS]


def _row(figure: str, of: str, named: Named | None = None, **values: Any) -> dict[str, Any]:
    thing, rule = (None, None) if named is None else (named.thing, named.rule)
    # One type a column, also where a figure counts: Parquet asks for it.
    numbers = {
        name: None if values.get(name) is None else float(values[name]) for name in ("value", "at_most", "at_least")
    }
    return {"figure": figure, "of": of, "thing": thing, "rule": rule, "unit": values["unit"], **numbers}
