"""Past readings from files, through the same way in as everything else; history never rings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import pandas as pd

from hypervision.batch import Batch, Refusal
from hypervision.clock import to_us
from hypervision.errors import HypervisionError, SettingError
from hypervision.intake import Intake
from hypervision.settings import Settings
from hypervision.topics import THING

COLUMNS: Final = ("domain", "thing", "property", "time", "result")
_CHUNK: Final = 50_000


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, in rows of the file."""

    rows: int
    stored: int
    repeated: int
    refused: int


def import_file(settings: Settings, path: Path, *, clock: Callable[[], datetime]) -> Imported:
    """Store the readings of a file; a second time changes nothing.

    Parameters
    ----------
    path : Path
        CSV (`.csv`, also `.csv.gz`) or Parquet (`.parquet`) with the columns domain, thing, property, time
        (RFC 3339 with an offset, or a Parquet timestamp with a zone) and result [unit of the property].

    Raises
    ------
    SettingError
        The file cannot be read or lacks a column; the sentence names it.
    """
    rows = stored = repeated = 0
    with Intake.open(settings, writer="import", wait=10.0) as intake:
        for frame in _chunks(path):
            # The first line of a file holds the names of the columns.
            batch = _batch(frame, intake, path, first_line=rows + 2, received_us=to_us(clock()))
            receipt = intake.commit(batch, now=clock())
            rows += len(frame)
            stored += receipt.rows
            repeated += receipt.repeated + int(frame.duplicated(list(COLUMNS)).sum())
            intake.beat(now=clock())
    return Imported(rows, stored, repeated, max(0, rows - stored - repeated))


def _chunks(path: Path) -> Iterator[pd.DataFrame]:
    try:
        if path.suffix == ".parquet":
            whole = pd.read_parquet(path)
            frames: Iterator[pd.DataFrame] = (whole[i : i + _CHUNK] for i in range(0, len(whole), _CHUNK))
        else:
            frames = _lines(path)
        for frame in frames:
            missing = [name for name in COLUMNS if name not in frame.columns]
            if missing:
                raise SettingError(f"{path} lacks the column {missing[0]!r}", remedy=f"it needs {', '.join(COLUMNS)}")
            yield frame
    except HypervisionError:
        raise
    except (OSError, ValueError) as error:
        raise SettingError(f"cannot read {path} ({error})", remedy="give a CSV or Parquet file") from None


def _lines(path: Path) -> Iterator[pd.DataFrame]:
    with pd.read_csv(path, dtype=str, keep_default_na=False, chunksize=_CHUNK) as reader:
        yield from reader


def _batch(frame: pd.DataFrame, intake: Intake, path: Path, *, first_line: int, received_us: int) -> Batch:
    """The rows as one batch; a row that cannot be understood refuses itself."""
    frame = frame.assign(line=np.arange(first_line, first_line + len(frame))).drop_duplicates(list(COLUMNS))
    times = pd.to_datetime(frame["time"], utc=True, errors="coerce", format="ISO8601")
    results = pd.to_numeric(frame["result"], errors="coerce").to_numpy(np.float64)
    keys = pd.MultiIndex.from_frame(frame[["domain", "thing", "property"]].astype(str))
    codes, unique = keys.factorize()
    known = [(str(domain), str(thing), str(name)) for domain, thing, name in cast("pd.MultiIndex", unique)]
    table = np.array([_slot(key, intake) for key in known], np.int32)
    slots = table[codes]
    good = (slots >= 0) & times.notna().to_numpy() & np.isfinite(results)
    time_us = times[good].astype("datetime64[us, UTC]").astype(np.int64).to_numpy()
    batch = Batch.of_series(
        slot=slots[good],
        time_us=time_us,
        result=results[good],
        received_us=received_us,
        source=f"import/{path.name}",
        imported=True,
    )
    for i in map(int, np.nonzero(~good)[0]):
        row = frame.iloc[i]
        fault = _fault(row, intake) if slots[i] < 0 else _unreadable(row)
        batch.refusals.append(Refusal(0, "import_row", f"line {row['line']}: {fault}"))
    return batch


def _fault(row: pd.Series[Any], intake: Intake) -> str:
    """Why a row names no datastream."""
    domain, thing, name = (str(row[column])[:64] for column in ("domain", "thing", "property"))
    catalogue = intake.streams.catalogue
    if domain not in catalogue:
        return f"there is no domain {domain!r}, only {', '.join(catalogue)}"
    found = catalogue.find(domain, name)
    if found is None:
        return f"there is no property {name!r} in domain {domain!r}"
    if found.derived:
        return f"{name!r} is written by a model and cannot be imported"
    return f"{thing!r} is no code of a Thing"


def _unreadable(row: pd.Series[Any]) -> str:
    time, result = (str(row[column])[:40] for column in ("time", "result"))
    return f"time {time!r} or result {result!r} cannot be read"


def _slot(key: tuple[str, str, str], intake: Intake) -> int:
    domain, thing, name = key
    found = intake.streams.catalogue.find(domain, name)
    if found is None or found.derived or not THING.fullmatch(thing):
        return -1
    return intake.streams.slot(domain, thing, name)
