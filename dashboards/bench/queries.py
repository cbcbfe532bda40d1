"""`hypervision bench queries`: fills a large database, asks what the screens ask, and says how long it took."""

from __future__ import annotations

import argparse
import gc
import json
import re
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dashboards.bench import made
from dashboards.bench.budgets import BUDGETS, Budget
from dashboards.bench.cases import QUERIES, Place, Screens
from dashboards.live import utc_now
from hypervision.domains import load
from hypervision.services.alone import migrated
from hypervision.services.machine import machine
from hypervision.store import address, screens
from hypervision.store.filling import Filler
from hypervision.store.plans import note, plans
from hypervision.store.pool import Listener, ScreenPool

_ZONE = "Europe/Paris"


@dataclass(frozen=True, slots=True)
class Figure:
    """What one question took [ms], over `rounds`: `cold` the first one on a new connection, `server` without Python."""

    name: str
    rows: int
    cold: float
    p50: float
    p95: float
    most: float
    server: float | None = None
    nodes: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    scanned: tuple[str, ...] = ()


def run(options: argparse.Namespace) -> int:
    """Fill, ask, print; 1 when a median is over its budget."""
    if options.database_url is not None:
        address.check(options.database_url)
    with migrated(options.database_url) as url, Filler(url) as filler:
        started = time.monotonic()
        place = fill(filler, url, made.Size.of(options.rows), say=_say)
        server, size = filler.told()
        about = (
            f"{machine()}; {server}; {options.rows:,} readings, {size}; filled in {time.monotonic() - started:.0f} s"
        )
        _say(about)
        figures = ask(place, url, filler, rounds=options.rounds, say=_say)
    if options.report is not None:
        options.report.write_text(_report(about, options.rounds, figures, options.report), encoding="utf-8")
    late = [f.name for f in figures if f.p50 > BUDGETS[f.name].must]
    _say(f"over budget: {', '.join(late)}" if late else "every median is within its budget")
    return 1 if late else 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def fill(filler: Filler, url: str, size: made.Size, *, say: Callable[[str], None]) -> Place:
    """Fill the database; what the questions are about."""
    now = utc_now().replace(microsecond=0)
    since = now - size.long * made.PERIOD
    wanted = made.streams(size, load())
    streams = filler.streams(wanted, period=made.PERIOD, now=since)
    stored = filler.observations(streams, made.year(size, wanted, now=now), now=now)
    stored += filler.observations(streams, made.days(size, wanted, now=now), now=now)
    say(f"{stored:,} readings of {len(streams):,} datastreams stored")
    filler.roll_up(streams[: size.years], first=since, last=now, zone=_ZONE)
    filler.roll_up(streams[size.years :], first=now - size.steps * made.PERIOD, last=now, zone=_ZONE)
    say("roll-ups computed")
    flood = datetime(now.year, now.month, now.day, tzinfo=UTC) - (now - since) // timedelta(days=3) * timedelta(days=1)
    filler.rest(alarms=size.rows // 20, since=since, flood=flood, now=now)
    with Listener(url) as listener, listener.snapshot() as connection:
        thing = next(t for t in screens.read_things(connection) if t.code == wanted[0].thing)
    pool = ScreenPool(url, size=1)
    pool.open()
    return Place(pool, streams, size.years, thing.code, thing.thing_id, now, flood)


def ask(place: Place, url: str, filler: Filler, *, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """Ask every question, cold and warm."""
    figures = []
    for name, question in QUERIES.items():
        place.pool.renew()
        times, rows = [], 0
        for _ in range(rounds + 1):
            with _alone_in_memory():
                started = time.perf_counter()
                found = question(place)
                times.append((time.perf_counter() - started) * 1000)
            rows = len(found)
        with place.pool.connection() as connection:
            note(connection)
        question(place)
        with place.pool.connection() as connection:
            told = plans(connection)
        figures.append(
            _figure(
                name, rows, times, server=sum(plan.seconds for plan in told) * 1000,
                nodes=tuple(dict.fromkeys(node for plan in told for node in plan.nodes)),
                indexes=_without_dates(index for plan in told for index in plan.indexes),
                scanned=_without_dates(table for plan in told for table in plan.scanned),
            )
        )  # fmt: skip
        say(line(figures[-1], BUDGETS[name]))
    place.pool.close()
    for figure in _screens(url, filler, rounds=rounds):
        figures.append(figure)
        say(line(figure, BUDGETS[figure.name]))
    return figures


def _without_dates(names: Iterable[str]) -> tuple[str, ...]:
    """Names of tables or indexes, the many partitions of one table as one.

    Examples
    --------
    >>> _without_dates(["observation_202601_pkey", "observation_20260901_pkey", "alarm_pkey"])
    ('alarm_pkey', 'observation_pkey')
    """
    return tuple(sorted({re.sub(r"^observation_\d+", "observation", name) for name in names}))


@contextmanager
def _alone_in_memory() -> Iterator[None]:
    # As in timeit: what an earlier question left behind is not this one's cost.
    gc.collect()
    yield


def _screens(url: str, filler: Filler, *, rounds: int) -> Iterator[Figure]:
    drawn = Screens(url)
    times: dict[str, list[float]] = {}
    sizes: dict[str, int] = {}
    with Listener(url) as listener:

        def timed(name: str, work: Callable[[], Any]) -> None:
            gc.collect()
            started = time.perf_counter()
            found = work()
            times.setdefault(name, []).append((time.perf_counter() - started) * 1000)
            sizes[name] = len(found)

        for _ in range(min(rounds, 5) + 1):
            timed("look_first", lambda: drawn.look_first(listener))
        pages = {"overview": "/", "map": "/map", "alarm_list": "/alarms"}
        for _ in range(rounds + 1):
            filler.commit()
            timed("look_again", lambda: drawn.look_again(listener))
            for name, path in pages.items():
                timed(name, partial(drawn.page, path))
    for name, found in times.items():
        yield _figure(name, sizes[name], found)


def _figure(name: str, rows: int, times: list[float], **plan: Any) -> Figure:
    warm = times[1:]
    return Figure(name, rows, times[0], statistics.median(warm), float(np.percentile(warm, 95)), max(warm), **plan)


def line(figure: Figure, budget: Budget) -> str:
    """One question on one line."""
    verdict = "aim" if figure.p50 <= budget.aim else "ok" if figure.p50 <= budget.must else "OVER"
    plan = " > ".join(figure.nodes)
    server = "" if figure.server is None else f"  server {figure.server:.1f}"
    scanned = f"; reads all of {', '.join(figure.scanned)}" if figure.scanned else ""
    return (
        f"{figure.name:<17}{figure.rows:>8,} rows  cold {figure.cold:>7.1f}  p50 {figure.p50:>7.1f}"
        f"  p95 {figure.p95:>7.1f}  max {figure.most:>7.1f}{server} ms"
        f"  (at most {budget.must:g}, aim {budget.aim:g}: {verdict})  {plan}{scanned}"
    )


def _report(about: str, rounds: int, figures: list[Figure], path: Path) -> str:
    if path.suffix == ".json":
        told = [{**asdict(f), "budget": asdict(BUDGETS[f.name])} for f in figures]
        return json.dumps({"machine": about, "rounds": rounds, "figures": told}, indent=2) + "\n"
    return "\n".join([about, "", *table(figures), ""])


def table(figures: list[Figure]) -> list[str]:
    """The figures as a table in Markdown."""
    lines = ["| what | rows | server alone | cold | p50 | p95 | at most | aim |", "|---|---|---|---|---|---|---|---|"]
    for f in figures:
        budget = BUDGETS[f.name]
        server = "" if f.server is None else f"{f.server:.1f}"
        times = " | ".join([server, *(f"{time:.1f}" for time in (f.cold, f.p50, f.p95))])
        lines.append(f"| {budget.what} | {f.rows:,} | {times} | {budget.must:g} | {budget.aim:g} |")
    return lines
