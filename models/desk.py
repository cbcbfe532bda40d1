"""What `hypervision models` does: tell what is learnt, score a past, judge the alarms."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hypervision.clock import from_us, to_us
from hypervision.domains import Catalogue, catalogue_of, load
from hypervision.settings import Settings
from hypervision.store import series
from hypervision.store.connection import connect, url_of
from hypervision.store.screens import read_things
from hypervision.store.series import Series
from models import files
from models.analysis import THINNED
from models.benchmarks import Case, cases
from models.clock import HOUR
from models.detector import Detector, HistoryError, discover
from models.evaluate import Report, evaluate, merge
from models.ringing import Span, ring, rules_of
from models.walk import walk

# Faults of a truth file that a district's inflow shows.
LOSSES: Final = ("leak", "burst")
# An alarm that returns and rings again within a day is one for the crew that is sent.
GAP: Final = 24 * HOUR


def fit(options: argparse.Namespace, settings: Settings) -> int:
    """Tell what each detector learns from the past of each series; 1 when none could learn."""
    learnt = 0
    for detector in discover(settings.zone):
        for thing, past in _series(detector, options.file, settings).items():
            try:
                told = detector.fit(past.times_us, past.values).describe()
                learnt += 1
            except HistoryError as error:
                told = str(error)
            _say(f"{thing}/{detector.writes}: {told}")
    return _nothing() if not learnt else 0


def score(options: argparse.Namespace, settings: Settings) -> int:
    """Walk through the past and tell the last score of each series; 1 when there is none."""
    rows = []
    for detector in discover(settings.zone):
        for thing, past in _series(detector, options.file, settings).items():
            scores = walk(copy(detector), past.times_us, past.values)
            if not len(scores.times_us):
                continue
            rows.append((detector.domain, thing, detector.writes, scores))
            at, last = from_us(int(scores.times_us[-1])), float(scores.excess[-1])
            _say(f"{thing}/{detector.writes}: {last:.1f} at {at:%Y-%m-%dT%H:%MZ}, highest {scores.excess.max():.1f}")
    if options.out is not None and rows:
        files.write_scores(options.out, rows)
    return _nothing() if not rows else 0


def evaluate_case(case: Case, detectors: list[Detector], *, catalogue: Catalogue | None = None) -> dict[str, Report]:
    """Judge the default rules of each detector, and any of them together, on one series.

    Parameters
    ----------
    catalogue : Catalogue, optional
        Where the rules stand; the platform's own domains by default.

    Notes
    -----
    Judged from the first score on: before it the platform says itself that it does not know yet.
    """
    known = load() if catalogue is None else catalogue
    rung: dict[str, list[Span]] = {}
    starts: list[int] = []
    for detector in detectors:
        scores = walk(copy(detector), case.inflow.times_us, case.inflow.values)
        rung[detector.writes] = [span for rule in rules_of(detector, known) for span in ring(scores, rule)]
        if len(scores.times_us):
            starts.append(int(scores.times_us[0]))
    if not starts:
        return {}
    rung["either"] = merge([span for spans in rung.values() for span in spans])
    end_us = int(case.inflow.times_us[-1])
    return {
        name: evaluate(spans, case.events, start_us=max(starts), end_us=end_us, gap_us=GAP)
        for name, spans in rung.items()
    }


def judge(options: argparse.Namespace, settings: Settings) -> int:
    """Judge on a data set, or on readings beside a truth file; 1 when nothing could be judged."""
    total: dict[str, Report] = {}
    catalogue = catalogue_of(settings)
    for case in _cases(options, settings):
        for name, report in evaluate_case(case, discover(case.zone), catalogue=catalogue).items():
            total[name] = total.get(name, Report()) + report
    if not total:
        return _nothing()
    for line in table(total):
        _say(line)
    return 0


def table(total: dict[str, Report]) -> list[str]:
    """A report for people."""
    lines = [
        (
            f"{'alarms of':<14}{'F1':>6}{'found':>7}{'missed':>8}{'false':>7}{'false/sensor-day':>18}"
            f"{'median delay [h]':>18}{'normal time alarmed':>21}"
        )
    ]
    lines += [
        f"{name:<14}{r.f1:>6.2f}{r.found:>7}{r.missed:>8}{r.false:>7}{r.false_per_sensor_day:>18.4f}"
        f"{r.median_delay_hours:>18.1f}{r.normal_share_alarmed:>20.2%} "
        for name, r in total.items()
    ]
    report = next(iter(total.values()))
    lines.append(f"{report.sensors} series, {report.watched_us / (24 * HOUR):.0f} sensor-days")
    return lines


def _cases(options: argparse.Namespace, settings: Settings) -> Iterator[Case]:
    if options.dataset is not None:
        name, folder = options.dataset
        yield from cases(
            name,
            Path(folder).expanduser(),
            scenarios=options.scenarios,
            seed=options.seed,
            first=options.first,
        )
        return
    if options.truth is None:
        raise files.FileError("there is no truth to judge against", remedy="give --truth FILE or --dataset NAME PATH")
    faults = [fault for fault in files.truth(options.truth) if fault.fault.startswith(LOSSES)]
    first = discover(settings.zone)[0]
    judged = _series(first, options.file, settings)
    zones = {} if options.file is not None else _parents(settings)
    events, unjudged = sort_faults(faults, judged, zones)
    for fault in unjudged:
        sys.stderr.write(
            f"a {fault.fault} of {fault.thing} is not judged: neither it nor a district it lies in has {first.reads}\n"
        )
    for thing, past in judged.items():
        yield Case(thing, settings.zone, past, events[thing])


def sort_faults(
    faults: Iterable[files.Fault], judged: Collection[str], parents: Mapping[str, str]
) -> tuple[dict[str, list[Span]], list[files.Fault]]:
    """Which district each fault is an event of: what is lost inside a metered district passes its meter.

    Parameters
    ----------
    faults : iterable of Fault
        Lines of a truth file; lines of one fault on several Things or properties are one event of a district.
    judged : collection of str
        Things whose inflow is judged.
    parents : mapping of str
        The Thing that each Thing belongs to.

    Returns
    -------
    events : dict of list of Span
        By judged Thing.
    unjudged : list of Fault
        Those that no judged Thing can know of, each once.
    """
    events: dict[str, list[Span]] = {thing: [] for thing in judged}
    outside: list[files.Fault] = []
    seen: set[tuple[str, str, Span]] = set()
    inside: set[tuple[str, Span]] = set()
    for fault in faults:
        zone: str | None = fault.thing
        # Parents form a tree; the bound is for a registry that is wrong.
        for _ in range(8):
            if zone is None or zone in events:
                break
            zone = parents.get(zone)
        if zone not in events:
            zone = None
        key = (zone or fault.thing, fault.fault, fault.span)
        if key in seen:
            continue
        seen.add(key)
        if zone is None:
            outside.append(fault)
        else:
            events[zone].append(fault.span)
            inside.add((fault.fault, fault.span))
    # A line of a fault whose district has a line of its own needs no judging.
    return events, [fault for fault in outside if (fault.fault, fault.span) not in inside]


def _parents(settings: Settings) -> dict[str, str]:
    with connect(url_of(settings), application="models") as connection:
        return {thing.code: thing.parent for thing in read_things(connection) if thing.parent is not None}


def _series(detector: Detector, path: Path | None, settings: Settings) -> dict[str, Series]:
    """What a detector reads: of a file, or of the database over its longest past twice."""
    if path is not None:
        return files.readings(path, name=detector.reads)
    now_us = to_us(datetime.now(UTC))
    with connect(url_of(settings), application="models") as connection:
        found = series.sources(connection, domain=detector.domain, name=detector.reads, kinds=detector.thing_kinds)
        past = series.readings(
            connection,
            [source.datastream_id for source in found],
            after_us=now_us - 2 * detector.history_us,
            until_us=now_us,
            every=THINNED,
        )
    return {source.thing: past[source.datastream_id] for source in found if len(past[source.datastream_id])}


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _nothing() -> int:
    sys.stderr.write("there is no flow of a district meter with enough history\n")
    return 1
