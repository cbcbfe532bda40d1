"""Past readings from files, through the same way in as everything else; history never rings."""

from __future__ import annotations

import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import numpy as np
import pandas as pd

from hypervision.batch import Batch, Bool, Float64, Int32, Refusal
from hypervision.clock import to_us
from hypervision.errors import HypervisionError, SettingError
from hypervision.intake import Intake
from hypervision.settings import Settings
from hypervision.store import audit
from hypervision.topics import THING

COLUMNS: Final = ("domain", "thing", "property", "time", "result")
_CHUNK: Final = 50_000
# RFC 3339 ends with the offset; a date alone ends with something that looks like one.
_OFFSET: Final = re.compile(r"[T ]\d\d[\d:.,]* ?(?:Z|[+-]\d\d(?::?\d\d)?)$")
# What the readers of pandas, pyarrow and the compressions raise for a file that is none, or ends too early.
_UNREADABLE: Final = (
    OSError, ValueError, TypeError, EOFError, NotImplementedError, ImportError, zlib.error, lzma.LZMAError,
    zipfile.BadZipFile,
)  # fmt: skip


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
        The file cannot be read, lacks a column, or its times have no zone; the sentence names it.
    """
    rows = stored = repeated = 0
    with Intake.open(settings, writer="import", wait=10.0) as intake:
        intake.beat()
        for frame in _chunks(path):
            if not rows:
                # Only what can be read at all is begun.
                with intake.between() as connection:
                    audit.note(connection, "observation.import", kind="file", ident=path.name)
                    connection.commit()
            # The first line of a file holds the names of the columns.
            batch, again = _batch(frame, intake, path, first_line=rows + 2, received_us=to_us(clock()))
            receipt = intake.commit(batch, now=clock())
            rows += len(frame)
            stored += receipt.rows
            repeated += receipt.repeated + again
            intake.beat()
    return Imported(rows, stored, repeated, max(0, rows - stored - repeated))


def results_of(path: Path) -> list[tuple[datetime, float]]:
    """Times and results of a file that corrects readings of one datastream.

    Raises
    ------
    SettingError
        The file cannot be read, lacks a column, or a line is no time with an offset and a number.
    """
    found: list[tuple[datetime, float]] = []
    for frame in _chunks(path, ("time", "result")):
        times, results = _times(frame["time"]), _results(frame["result"])
        known = times.instant.notna().to_numpy()
        for i in map(int, np.nonzero(~(known & times.zoned & np.isfinite(results)))[0][:1]):
            reason = _unreadable(frame.iloc[i], results[i], instant=bool(known[i]), zoned=bool(times.zoned[i]))[1]
            raise SettingError(f"line {len(found) + 2 + i} of {path}: {reason}", remedy="mend the file")
        instants = times.instant.astype("datetime64[us, UTC]")
        found += zip((at.to_pydatetime() for at in instants), map(float, results), strict=True)
    return found


def _chunks(path: Path, columns: tuple[str, ...] = COLUMNS) -> Iterator[pd.DataFrame]:
    try:
        if path.suffix == ".parquet":
            whole = pd.read_parquet(path)
            frames: Iterator[pd.DataFrame] = (whole[i : i + _CHUNK] for i in range(0, len(whole), _CHUNK))
        else:
            frames = _lines(path)
        for frame in frames:
            missing = [name for name in columns if name not in frame.columns]
            if missing and len(frame.columns) == 1 and ";" in str(frame.columns[0]):
                raise SettingError(f"the columns of {path} are separated by ';'", remedy="separate them by commas")
            if missing:
                raise SettingError(f"{path} lacks the column {missing[0]!r}", remedy=f"it needs {', '.join(columns)}")
            if pd.api.types.is_datetime64_dtype(frame["time"].dtype):
                raise SettingError(
                    f"the column 'time' of {path} has no time zone", remedy="write it as a timestamp in UTC"
                )
            yield frame
    except HypervisionError:
        raise
    except _UNREADABLE as error:
        text = " ".join(str(error).split())
        raise SettingError(f"cannot read {path} ({text})", remedy="give a whole CSV or Parquet file") from None


def _lines(path: Path) -> Iterator[pd.DataFrame]:
    with pd.read_csv(path, dtype=str, keep_default_na=False, chunksize=_CHUNK) as reader:
        yield from reader


class _Times(NamedTuple):
    """Instants; `zoned` tells which say so with an offset from UTC."""

    instant: pd.Series[pd.Timestamp]
    zoned: Bool


def _batch(frame: pd.DataFrame, intake: Intake, path: Path, *, first_line: int, received_us: int) -> tuple[Batch, int]:
    """The rows as one batch, each reading once, and how many stood there again.

    A row that cannot be understood refuses itself.
    """
    times, results, slots = _times(frame["time"]), _results(frame["result"]), _slots(frame, intake)
    known = times.instant.notna().to_numpy()
    good = (slots >= 0) & times.zoned & known & np.isfinite(results)
    good &= _is_state(slots, results, good, intake)
    readings = pd.DataFrame(
        {
            "slot": slots[good],
            "time_us": times.instant[good].astype("datetime64[us, UTC]").astype(np.int64).to_numpy(),
            "result": results[good],
            "line": first_line + np.nonzero(good)[0],
        }
    )
    once = readings.drop_duplicates(["slot", "time_us", "result"])
    batch = Batch.of_series(
        slot=once["slot"].to_numpy(np.int32),
        time_us=once["time_us"].to_numpy(np.int64),
        result=once["result"].to_numpy(np.float64),
        received_us=received_us,
        source=f"import/{path.name}",
        imported=True,
        line=once["line"].to_numpy(np.int64),
    )
    for i in map(int, np.nonzero(~good)[0]):
        row = frame.iloc[i]
        if slots[i] < 0:
            reason, fault = _fault(row, intake)
        else:
            reason, fault = _unreadable(row, results[i], instant=bool(known[i]), zoned=bool(times.zoned[i]))
        thing = str(row["thing"])
        batch.refusals.append(
            Refusal(0, reason, f"line {first_line + i}: {fault}", thing if THING.fullmatch(thing) else "")
        )
    return batch, len(readings) - len(once)


def _times(column: pd.Series[Any]) -> _Times:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return _Times(column, np.ones(len(column), np.bool_))
    text = column.astype(str).str.strip().str.upper()
    at = pd.to_datetime(text, utc=True, errors="coerce", format="ISO8601")
    return _Times(at, text.str.contains(_OFFSET, regex=True).to_numpy(np.bool_))


def _results(column: pd.Series[Any]) -> Float64:
    # Anything may stand in a column of a Parquet file; as text it is a number or it is none.
    numbers = column if pd.api.types.is_numeric_dtype(column.dtype) else column.astype(str)
    return cast("Float64", pd.to_numeric(numbers, errors="coerce").to_numpy(np.float64, na_value=np.nan))


def _slots(frame: pd.DataFrame, intake: Intake) -> Int32:
    """The slot of each row, -1 where it names no datastream, shape (n,)."""
    keys = pd.MultiIndex.from_frame(frame[["domain", "thing", "property"]].astype(str))
    codes, unique = keys.factorize()
    known = [(str(domain), str(thing), str(name)) for domain, thing, name in cast("pd.MultiIndex", unique)]
    table = np.array([_slot(key, intake) for key in known], np.int32)
    return cast("Int32", table[codes])


def _slot(key: tuple[str, str, str], intake: Intake) -> int:
    domain, thing, name = key
    found = intake.streams.catalogue.find(domain, name)
    if found is None or found.derived or not THING.fullmatch(thing):
        return -1
    return intake.streams.slot(domain, thing, name)


def _is_state(slots: Int32, results: Float64, good: Bool, intake: Intake) -> Bool:
    """Whether each result is a state of its property, where it has states, shape (n,)."""
    fits = np.ones(len(slots), np.bool_)
    for slot in np.unique(slots[good]):
        states = intake.streams.property_of(int(slot)).states
        if states:
            mine = slots == slot
            fits[mine] = np.isin(results[mine], [state.value for state in states])
    return fits


def _fault(row: pd.Series[Any], intake: Intake) -> tuple[str, str]:
    """Why a row names no datastream: the reason and a sentence."""
    domain, thing, name = (str(row[column])[:64] for column in ("domain", "thing", "property"))
    catalogue = intake.streams.catalogue
    if domain not in catalogue:
        return "unknown_domain", f"there is no domain {domain!r}, only {', '.join(catalogue)}"
    found = catalogue.find(domain, name)
    if found is None:
        return "unknown_property", f"there is no property {name!r} in domain {domain!r}"
    if found.derived:
        return "derived_property", f"{name!r} is written by a model and cannot be imported"
    return "bad_thing", f"{thing!r} is no code of a Thing"


def _unreadable(row: pd.Series[Any], result: float, *, instant: bool, zoned: bool) -> tuple[str, str]:
    """Why a row of a datastream is no reading: the reason and a sentence."""
    time, value = (str(row[column])[:40] for column in ("time", "result"))
    before = f"{str(row['thing'])[:64]}/{row['property']}: " if "property" in row else ""
    if not instant:
        return "bad_time", f"{before}time {time!r} cannot be read, write 2026-11-22T10:00:00Z"
    if not zoned:
        return "time_without_offset", f"{before}time {time!r} has no offset from UTC, end it with Z or +01:00"
    if not np.isfinite(result):
        return "not_a_number", f"{before}result {value!r} of {time} is no finite number"
    return "unknown_state", f"{before}result {value!r} of {time} is none of its states"
