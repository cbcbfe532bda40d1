"""Rows of the API as JSON, CSV, Parquet or a workbook."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

import orjson

from dashboards import spreadsheet

Format = Literal["json", "csv", "parquet", "xlsx"]
Rows = Sequence[Mapping[str, Any]]

MEDIA: Final[Mapping[str, str]] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

# What makes a spreadsheet take a cell for a formula (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
# What turns the text beside it around, so that a name reads as another (Unicode TR 36).
_TURNING: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def wanted(asked: str | None, accept: str) -> Format:
    """The format by the parameter `format`, else by the Accept header, else JSON."""
    if asked in MEDIA:
        return asked  # type: ignore[return-value]
    lowered = accept.lower()
    if "text/csv" in lowered:
        return "csv"
    if "spreadsheetml" in lowered:
        return "xlsx"
    return "parquet" if "parquet" in lowered else "json"


def guarded(value: Any) -> Any:
    """A cell that no spreadsheet runs and that reads as it is written.

    Text that looks like a formula gets an apostrophe in front; marks that turn text around stand as their numbers.

    Examples
    --------
    >>> guarded("=1+1"), guarded(-3.5), guarded("Pump 1")
    ("'=1+1", -3.5, 'Pump 1')
    """
    if isinstance(value, str):
        shown = _TURNING.sub(lambda mark: f"\\u{ord(mark[0]):04x}", value)
        return "'" + shown if shown.startswith(_FORMULA) else shown
    return value


def _written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else guarded(value)


def headers(name: str, form: Format) -> dict[str, str]:
    """What an answer carries that a browser keeps as a file; nothing for JSON."""
    return {} if form == "json" else {"content-disposition": f'attachment; filename="{name}.{form}"'}


def to_json(document: Any) -> bytes:
    """JSON with times in RFC 3339."""
    return orjson.dumps(document, default=str, option=orjson.OPT_UTC_Z)


def to_csv(rows: Rows, columns: Sequence[str]) -> bytes:
    """CSV with a header, UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_written(row.get(name)) for name in columns] for row in rows)
    return out.getvalue().encode("utf-8")


def to_parquet(rows: Rows, columns: Sequence[str]) -> bytes:
    """Parquet, one row group, compressed with zstd."""
    # Heavy, and few ask for it.
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({name: pa.array([row.get(name) for row in rows]) for name in columns})
    out = io.BytesIO()
    parquet.write_table(table, out, compression="zstd")
    return out.getvalue()


def render(rows: Rows, columns: Sequence[str], chosen: Format) -> bytes:
    """Rows in the chosen format."""
    if chosen == "csv":
        return to_csv(rows, columns)
    if chosen == "parquet":
        return to_parquet(rows, columns)
    if chosen == "xlsx":
        return spreadsheet.workbook(columns, ([guarded(row.get(name)) for name in columns] for row in rows))
    return to_json({"count": len(rows), "rows": rows})
