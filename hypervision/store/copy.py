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

_OBSERVATION: Final = (
    ("fields", ">i2"),
    ("l1", ">i4"), ("datastream_id", ">i4"),
    ("l2", ">i4"), ("phenomenon_time", ">i8"),
    ("l3", ">i4"), ("result", ">f8"),
    ("l4", ">i4"), ("quality", ">i2"),
)  # fmt: skip
# A length of -1 is a null.
_DELAYED: Final = np.dtype([*_OBSERVATION, ("l5", ">i4"), ("l6", ">i4"), ("delay_ms", ">i2"), ("l7", ">i4")])
_RECEIVED: Final = np.dtype(
    [*_OBSERVATION, ("l5", ">i4"), ("late", "u1"), ("l6", ">i4"), ("l7", ">i4"), ("received_time", ">i8")]
)

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

    Columns: datastream_id, phenomenon_time, result, quality, late, delay_ms, received_time. What was received within
    32 s and is not late has a delay, rounded to milliseconds, and neither of the other two; the rest comes after it and
    has both. See docs/decisions/0013-sealing.md.

    Parameters
    ----------
    datastream_id, time_us, result, quality, late, received_us : ndarray, shape (n,)
        The columns; times in microseconds since the Unix epoch.
    """
    delay_ms = (received_us - time_us + 500) // 1000
    delayed: Bool = (delay_ms == delay_ms.astype(np.int16)) & ~late
    parts = [HEAD]
    for kind, mask in ((_DELAYED, delayed), (_RECEIVED, ~delayed)):
        if not mask.any():
            continue
        # Nearly always all of them are of one kind: then nothing is picked.
        chosen = slice(None) if mask.all() else mask
        rows: NDArray[np.void] = np.empty(np.count_nonzero(mask), kind)
        rows["fields"] = 7
        rows["l1"], rows["datastream_id"] = 4, datastream_id[chosen]
        rows["l2"], rows["phenomenon_time"] = 8, time_us[chosen] - PG_EPOCH_US
        rows["l3"], rows["result"] = 8, result[chosen]
        rows["l4"], rows["quality"] = 2, quality[chosen]
        if kind is _DELAYED:
            rows["l5"], rows["l7"] = -1, -1
            rows["l6"], rows["delay_ms"] = 2, delay_ms[chosen]
        else:
            rows["l5"], rows["late"] = 1, late[chosen]
            rows["l6"] = -1
            rows["l7"], rows["received_time"] = 8, received_us[chosen] - PG_EPOCH_US
        parts.append(rows.tobytes())
    return b"".join([*parts, TAIL])


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
