"""Past readings from files, through the same way in as everything else; history never rings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, cast

import numpy as np
import pandas as pd

from hypervision.batch import Batch, Refusal
from hypervision.clock import to_us
from hypervision.datastreams import UNKNOWN
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
    rows = stored = refused = 0
    with Intake.open(settings, writer="import", wait=10.0) as intake:
        for frame in _chunks(path):
            batch, faults = _batch(frame, intake, path, to_us(clock()))
            receipt = intake.commit(batch, now=clock())
            rows += len(frame)
            stored += receipt.rows
            unknown = intake.streams.datastream_id[batch.slot] == UNKNOWN
            refused += faults + int(unknown.sum())
    return Imported(rows, stored, refused)


def _chunks(path: Path) -> Iterator[pd.DataFrame]:
    try:
        if path.suffix == ".parquet":
            whole = pd.read_parquet(path)
            frames: Iterator[pd.DataFrame] = (whole[i : i + _CHUNK] for i in range(0, len(whole), _CHUNK))
        else:
            frames = iter(pd.read_csv(path, dtype=str, keep_default_na=False, chunksize=_CHUNK))
        for frame in frames:
            missing = [name for name in COLUMNS if name not in frame.columns]
            if missing:
                raise SettingError(f"{path} lacks the column {missing[0]!r}", remedy=f"it needs {', '.join(COLUMNS)}")
            yield frame
    except HypervisionError:
        raise
    except (OSError, ValueError) as error:
        raise SettingError(f"cannot read {path} ({error})", remedy="give a CSV or Parquet file") from None


def _batch(frame: pd.DataFrame, intake: Intake, path: Path, received_us: int) -> tuple[Batch, int]:
    """The rows as one batch; a row that cannot be understood refuses itself."""
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
    for i in np.nonzero(~good)[0]:
        domain, thing, name = known[int(codes[i])]
        what = f"there is no property {name[:40]!r} in domain {domain[:40]!r}"
        if slots[i] >= 0:
            time, result = (str(frame[column].iloc[int(i)])[:40] for column in ("time", "result"))
            what = f"time {time!r} or result {result!r} cannot be read"
        batch.refusals.append(Refusal(0, "import_row", f"{thing[:64]}: {what}"))
    return batch, int((~good).sum())


def _slot(key: tuple[str, str, str], intake: Intake) -> int:
    domain, thing, name = key
    found = intake.streams.catalogue.find(domain, name)
    if found is None or found.derived or not THING.fullmatch(thing):
        return -1
    return intake.streams.slot(domain, thing, name)
