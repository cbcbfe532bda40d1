"""Readings and truth from files, scores to files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from hypervision.clock import from_us
from hypervision.errors import HypervisionError
from hypervision.store.series import Series
from models.clock import SECOND
from models.detector import Column, Scores
from models.ringing import Span

# Those of `observations import`.
COLUMNS: Final = ("domain", "thing", "property", "time", "result")
NEVER_ENDS: Final = 2**62


class FileError(HypervisionError):
    """A file of readings or truth cannot be used."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of a truth file: what was wrong with a Thing, from when to when."""

    thing: str
    property: str
    fault: str
    span: Span


def readings(path: Path, *, name: str) -> dict[str, Series]:
    """Series of one property by Thing.

    Parameters
    ----------
    path : Path
        CSV, or Parquet by its ending, with the columns of `observations import`: `thing`, `property`, `time` (or
        `phenomenon_time`, as the views call it), `result`; others are ignored.
    name : str
        The property that is wanted.

    Raises
    ------
    FileError
        It cannot be read, or a column is missing or wrong.
    """
    import pandas as pd

    try:
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (OSError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise FileError(f"cannot read {path} ({first})", remedy="give CSV or Parquet") from None
    if "time" not in table.columns:
        table = table.rename(columns={"phenomenon_time": "time"})
    missing = [column for column in COLUMNS[1:] if column not in table.columns]
    if missing:
        raise FileError(f"{path} has no column {missing[0]!r}", remedy=f"it needs {', '.join(COLUMNS[1:])}")
    table = table[table["property"] == name]
    try:
        stamps = pd.to_datetime(table["time"], utc=True, format="ISO8601")
        values = pd.to_numeric(table["result"])
    except (ValueError, TypeError) as error:
        first = str(error).splitlines()[0].rstrip(".")
        raise FileError(f"{path}: {first}", remedy="write RFC 3339 times and plain numbers") from None
    times = stamps.to_numpy("datetime64[us]").astype(np.int64)
    results = values.to_numpy(np.float64)
    codes = table["thing"].astype(str).to_numpy(str)
    found: dict[str, Series] = {}
    for code in sorted(set(codes.tolist())):
        column = Column.of(times[codes == code], results[codes == code])
        found[code] = Series(column.times_us, column.values)
    return found


def truth(path: Path) -> list[Fault]:
    """Faults of a truth file: JSON lines with `thing`, `property`, `fault`, `start`, `end`.

    Raises
    ------
    FileError
        It cannot be read, or a line is wrong; the message names the line.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"cannot read {path} ({error})", remedy="check the path") from None
    found: list[Fault] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            start, end = _instant(entry["start"]), entry.get("end")
            span = Span(start, NEVER_ENDS if end is None else _instant(end))
            found.append(Fault(str(entry["thing"]), str(entry.get("property", "")), str(entry["fault"]), span))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FileError(
                f"{path} line {number} is no fault ({error!r})",
                remedy='write {"thing": …, "property": …, "fault": …, "start": …, "end": …}',
            ) from None
    return found


def write_scores(path: Path, rows: Iterable[tuple[str, str, str, Scores]]) -> None:
    """Write (domain, thing, property, scores) as CSV with the columns of `observations import`."""
    import csv

    with path.open("w", newline="", encoding="utf-8") as target:
        table = csv.writer(target)
        table.writerow(COLUMNS)
        for domain, thing, name, scores in rows:
            for at, value in zip(scores.times_us.tolist(), scores.excess.tolist(), strict=True):
                table.writerow((domain, thing, name, from_us(at).isoformat(), f"{value:.3f}"))


def _instant(value: object) -> int:
    from datetime import datetime

    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value * SECOND)
    at = datetime.fromisoformat(str(value))
    if at.tzinfo is None:
        raise ValueError(f"{value} has no offset")
    return int(at.timestamp() * SECOND)
