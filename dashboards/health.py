"""Health: every part must prove progress, by the clock of the database."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from dashboards import town as judge
from dashboards.live import utc_now
from dashboards.server import Server
from dashboards.sessions import CALLER
from dashboards.town import BEAT_LIMIT, Town
from hypervision.collecting import FORGOTTEN
from hypervision.flowing import Held
from hypervision.partitions import WRITER as COLLECTOR
from hypervision.pulse import PATIENCE
from hypervision.scope import EVERYTHING
from hypervision.store.screens import WriterRow

# What ran once is listed so long after its last beat [s].
_LISTED: Final = 60.0
# Besides the collectors: what the platform is not ready without, once it has run.
_LASTING: Final = ("watch", "http", "analyse", "devices")
TIMERS: Final = "watch"
HELD_LIMIT: Final = 300.0
"""Timers that are held for so long are a fault of their own [s]; a restart, or a backlog, takes less."""
_COUNTERS: Final = ("received", "stored", "duplicate", "rejected", "in_flight")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the platform and whether it makes progress.

    Attributes
    ----------
    age : float or None
        Since its last sign of life [s].
    needed : bool
        Whether the platform is not ready without it.
    """

    name: str
    working: bool
    age: float | None
    needed: bool
    detail: str = ""


def parts(town: Town, *, now: datetime) -> list[Part]:
    """Judge every part: the database, each writer at work or needed, and that the collectors do collect."""
    silent = (now - town.proved_at).total_seconds()
    answered = town.proved_at != judge.NO_TIME
    found = [Part("database", answered and silent <= BEAT_LIMIT, silent if answered else None, True, town.failure)]
    if not answered:
        return found
    trouble: list[str] = []
    known = judge.in_service(town, now=now)
    ages = judge.beat_ages(town, now=now)
    for writer in town.writers:
        if writer.beat_age is None:
            continue
        age = ages[writer.name]
        collector = writer.name.startswith(COLLECTOR)
        if collector and writer.name not in known.at_work + known.stopped:
            continue
        limit = BEAT_LIMIT if collector else PATIENCE
        # One that is long gone was taken out of service or ran once (an import, a generated history).
        needed = collector or (writer.name in _LASTING and age <= FORGOTTEN)
        if not needed and age > _LISTED:
            continue
        working, detail = age <= limit, writer.link or ""
        held = judge.stuck(town, writer, now=now) if working else None
        if held is not None:
            working, detail = False, f"{writer.in_flight} messages in flight, none committed for {held:.0f} s"
            trouble.append(f"{writer.name}: {detail}")
        found.append(Part(writer.name, working, writer.beat_age + silent, needed, detail))
        if writer.name == TIMERS and working:
            found += _timers(writer)
    # Of parts of one whole, those that nobody ever started, or that were taken out of service alone.
    found += [Part(part.writer, False, None, True, "nobody takes this part of the messages") for part in known.untaken]
    if not known.at_work:
        trouble.append("no collector beats")
    if trouble:
        found.append(Part("collectors", False, None, True, "; ".join(trouble)))
    return found + _broker([writer for writer in town.writers if writer.name in known.at_work])


def _timers(watch: WriterRow) -> list[Part]:
    """The timers, where something holds them for long: no silence rings then, and no delay ends."""
    held = Held.of(watch.detail)
    if held is None or held.seconds < HELD_LIMIT:
        return []
    detail = f"held for {held.seconds / 60:.0f} min ({held.cause}: {', '.join(held.names) or '-'})"
    return [Part("timers", held.on_purpose, None, True, detail)]


def _broker(collecting: list[WriterRow]) -> list[Part]:
    """The broker, as the collectors that work see it; what none of them sees is not judged."""
    links = {writer.name: writer.link for writer in collecting if writer.link}
    if not links:
        return []
    wrong = [f"{name}: {link}" for name, link in links.items() if link != "connected"]
    return [Part("broker", not wrong, None, True, "; ".join(wrong))]


def messages(town: Town) -> dict[str, int]:
    """The five counters over all writers; the identity holds in each row, so it holds in the sum.

    Examples
    --------
    received = stored + duplicate + rejected + in_flight, always.
    """
    total = dict.fromkeys(_COUNTERS, 0)
    for writer in town.writers:
        if writer.received is not None:
            for name in _COUNTERS:
                total[name] += getattr(writer, name)
    return total


def report(town: Town, *, now: datetime) -> dict[str, Any]:
    """What `/api/health` answers; to who knows a part of the town, whether each works, and no count."""
    judged = parts(town, now=now)
    failing = [part.name for part in judged if part.needed and not part.working]
    told: dict[str, Any] = {
        "status": "failing" if failing else "ready",
        "failing": failing,
        "at": now.isoformat(),
        "parts": [{**asdict(part), "age": None if part.age is None else round(part.age, 3)} for part in judged],
    }
    if town.whole:
        # Before the first look at the database nothing is known: no counters, instead of zeros that would be a fall.
        return told if town.proved_at == judge.NO_TIME else {**told, "messages": messages(town)}
    return {**told, "parts": [{**part, "detail": ""} for part in told["parts"]]}


def register(app: FastAPI, server: Server) -> None:
    """Add the routes."""

    @app.get("/api/health/live", tags=["health"])
    async def live() -> dict[str, str]:
        """Whether the process answers."""
        return {"status": "live"}

    @app.get("/api/health", tags=["health"])
    async def ready() -> Response:
        """Whether every part proves progress: 200, or 503 naming what does not."""
        account = CALLER.get().account
        town = server.town_for(EVERYTHING if account is None else account.scope)
        told = report(town, now=utc_now())
        return JSONResponse(told, 503 if told["failing"] else 200)
