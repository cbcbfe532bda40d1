"""`hypervision observations`: past readings brought in, and wrong ones taken out, put right, given back."""

from __future__ import annotations

import argparse
import math
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hypervision.endpoints import complete
from hypervision.settings import Settings
from hypervision.verb import PATIENCE

_DONE: Final = {"invalidate": "invalidated", "correct": "corrected", "restore": "restored"}

_HOW: Final = ("factor", "add", "value", "results", "correction")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    from hypervision.cli import instant, whole

    actions = parser.add_subparsers(dest="action", required=True, metavar="import|invalidate|correct|restore|changes")
    read = actions.add_parser("import", help="store past readings of a CSV or Parquet file; nothing rings")
    read.add_argument("file", type=Path, help="columns domain, thing, property, time (with offset), result")
    invalidate = actions.add_parser("invalidate", help="mark wrong readings as bad: nothing counts them any more")
    correct = actions.add_parser("correct", help="put wrong readings right; what was stored is kept")
    restore = actions.add_parser("restore", help="give back what corrections changed, quality included")
    for action in (invalidate, correct, restore):
        restores = action is restore
        action.add_argument("thing", metavar="THING", nargs="?" if restores else None, default="")
        action.add_argument("property", metavar="PROPERTY", nargs="?" if restores else None, default="")
        action.add_argument("--domain", help="where the Thing has the property in several domains")
        action.add_argument("--from", dest="since", type=instant, metavar="TIME", help="with an offset from UTC")
        action.add_argument("--to", dest="until", type=instant, metavar="TIME", help="itself not included")
        action.add_argument("--reason", required=True, help="why, for who asks in a year")
        action.add_argument("--author", required=True, help="who answers for it")
    correct.add_argument("--factor", type=_finite, metavar="X", help="multiply the results by X")
    correct.add_argument("--add", type=_finite, metavar="X", help="then add X")
    correct.add_argument("--value", type=_finite, metavar="X", help="one result for all")
    correct.add_argument("--results", type=Path, metavar="FILE", help="CSV with the columns time (with offset), result")
    restore.add_argument(
        "--id", type=whole(1, 2**62), metavar="N", help="what correction N changed, instead of a range of time"
    )
    listing = actions.add_parser("changes", help="corrections made, the newest first")
    listing.add_argument("thing", metavar="THING", nargs="?")
    listing.add_argument("property", metavar="PROPERTY", nargs="?")
    listing.add_argument("--limit", type=whole(1, 10_000), default=50, metavar="N", help="how many (50)")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Run one action."""
    if options.action == "import":
        return _import(options.file, complete(settings))
    if options.action == "changes":
        return _list(options, complete(settings))
    return _correct(options, settings)


def _import(file: Path, settings: Settings) -> int:
    from hypervision.importing import import_file

    done = import_file(settings, file, clock=lambda: datetime.now(UTC))
    print(
        f"{file}: {done.rows} rows, {done.stored} stored, {done.repeated} stored before, {done.refused} refused"
        + (f" (`hypervision rejected list --topic import/{shlex.quote(file.name)}` tells why)" if done.refused else "")
    )
    return 1 if done.refused else 0


def _correct(options: argparse.Namespace, settings: Settings) -> int:
    from hypervision.correction import Correction, check
    from hypervision.corrections import carry_out
    from hypervision.importing import results_of

    corrects = options.action == "correct"
    wanted = Correction(
        kind=options.action,
        reason=options.reason,
        author=options.author,
        thing=options.thing,
        property=options.property,
        domain=options.domain,
        since=options.since,
        until=options.until,
        factor=options.factor if corrects else None,
        add=options.add if corrects else None,
        value=options.value if corrects else None,
        results=results_of(options.results) if corrects and options.results is not None else None,
        correction_id=options.id if options.action == "restore" else None,
    )
    check(wanted)
    done = carry_out(complete(settings), wanted, clock=lambda: datetime.now(UTC))
    alarms = f", {done.steps} steps of alarms" if done.steps else ""
    said = f"{done.rows} readings {_DONE[wanted.kind]}{alarms} (correction {done.correction_id})"
    print(f"{done.thing}/{done.property}: {said}")
    return 0


def _list(options: argparse.Namespace, settings: Settings) -> int:
    from hypervision.store.connection import url_of
    from hypervision.store.corrections import listed
    from hypervision.store.versions import wait_for_schema

    with wait_for_schema(url_of(settings), application="corrections", wait=PATIENCE) as connection:
        found = listed(connection, thing=options.thing, name=options.property, limit=options.limit)
    if not found:
        print("no readings were corrected")
    for row in found:
        how = " ".join(f"{name}={row['operation'][name]}" for name in _HOW if name in row["operation"])
        print(
            f"{row['id']:<6}{row['at']:%Y-%m-%d %H:%M:%S} UTC  {row['author']}  {row['kind']}"
            f"  {row['thing']}/{row['property']}  {row['since'].isoformat()} to {row['until'].isoformat()}"
            f"  {how + '  ' if how else ''}{row['rows']} readings"
            f"{'' if row['finished_at'] else ', interrupted'}: {row['reason']}"
        )
    return 0


def _finite(text: str) -> float:
    """Any number but NaN and the infinities; what the property bears is asked later."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number") from None
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text[:40]} is no finite number")
    return value
