"""Binary COPY built from numpy columns: a batch never becomes rows in Python."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hypervision.batch import Bool, Float64, Int8, Int32, Int64

# PostgreSQL counts timestamps from 2000-01-01 in microseconds (documentation, "COPY", binary format).
PG_EPOCH_US: Final = 946_684_800_000_000
HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TAIL: Final = b"\xff\xff"

_OBSERVATION: Final = np.dtype(
    [
        ("fields", ">i2"),
        ("l1", ">i4"), ("datastream_id", ">i4"),
        ("l2", ">i4"), ("phenomenon_time", ">i8"),
        ("l3", ">i4"), ("result", ">f8"),
        ("l4", ">i4"), ("quality", ">i2"),
        ("l5", ">i4"), ("late", "u1"),
        ("l6", ">i4"), ("received_time", ">i8"),
    ]
)  # fmt: skip

_ROLLUP_MARK: Final = np.dtype(
    [("fields", ">i2"), ("l1", ">i4"), ("datastream_id", ">i4"), ("l2", ">i4"), ("hour", ">i8")]
)

_SEQUENCE: Final = np.dtype(
    [("fields", ">i2")] + [part for i in range(6) for part in ((f"l{i}", ">i4"), (f"c{i}", ">i8"))]
)


def observations(
    *, datastream_id: Int32, time_us: Int64, result: Float64, quality: Int8, late: Bool, received_us: Int64
) -> bytes:
    """Observations as the bytes of `COPY … FROM STDIN (FORMAT binary)`.

    Parameters
    ----------
    datastream_id, time_us, result, quality, late, received_us : ndarray, shape (n,)
        The columns; times in microseconds since the Unix epoch.
    """
    rows: NDArray[np.void] = np.empty(len(datastream_id), _OBSERVATION)
    rows["fields"] = 6
    rows["l1"], rows["datastream_id"] = 4, datastream_id
    rows["l2"], rows["phenomenon_time"] = 8, time_us - PG_EPOCH_US
    rows["l3"], rows["result"] = 8, result
    rows["l4"], rows["quality"] = 2, quality
    rows["l5"], rows["late"] = 1, late
    rows["l6"], rows["received_time"] = 8, received_us - PG_EPOCH_US
    return HEAD + rows.tobytes() + TAIL


def rollup_marks(*, datastream_id: Int32, time_us: Int64) -> bytes:
    """Touched hours as the bytes of `COPY … FROM STDIN (FORMAT binary)`.

    Parameters
    ----------
    datastream_id, time_us : ndarray, shape (n,)
        The columns; the start of each hour in microseconds since the Unix epoch.
    """
    rows: NDArray[np.void] = np.empty(len(datastream_id), _ROLLUP_MARK)
    rows["fields"] = 2
    rows["l1"], rows["datastream_id"] = 4, datastream_id
    rows["l2"], rows["hour"] = 8, time_us - PG_EPOCH_US
    return HEAD + rows.tobytes() + TAIL


def sequences(columns: Int64) -> bytes:
    """Runs of message counters as the bytes of `COPY … FROM STDIN (FORMAT binary)`.

    Parameters
    ----------
    columns : ndarray, shape (n, 6)
        First and last number, their times in microseconds since the Unix epoch, key, version.
    """
    rows: NDArray[np.void] = np.empty(len(columns), _SEQUENCE)
    rows["fields"] = 6
    for i in range(6):
        rows[f"l{i}"], rows[f"c{i}"] = 8, columns[:, i] - (PG_EPOCH_US if i in (2, 3) else 0)
    return HEAD + rows.tobytes() + TAIL
