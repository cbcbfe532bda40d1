"""Columns from the database as numpy arrays: one row of arrays in binary, never rows in Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from psycopg import Connection

from hypervision.store.connection import mapped
from hypervision.store.sql import query

# PostgreSQL's types by their numbers (pg_type.dat), of which an array in binary is made.
_KINDS: Final = {20: ">i8", 21: ">i2", 23: ">i4", 701: ">f8", 1184: ">i8"}
# Dimensions, whether there are nulls, type; then length and lower bound of the one dimension.
_HEAD: Final = 20


def arrays(connection: Connection, name: str, values: Mapping[str, Any]) -> list[npt.NDArray[Any]]:
    """The one row of a named query whose columns are arrays without nulls; a null for an array is an empty one.

    Parameters
    ----------
    name : str
        Of a query.
    values : mapping
        Its parameters.

    Returns
    -------
    list of ndarray, shape (n,) each
        Times as PostgreSQL counts them, in microseconds since 2000: see `copy.PG_EPOCH_US`.
    """
    with mapped(), connection.cursor(binary=True) as cursor:
        cursor.execute(query(name), values)
        result = cursor.pgresult
        assert result is not None
        return [array_of(result.get_value(0, column)) for column in range(result.nfields)]


def array_of(data: bytes | None) -> npt.NDArray[Any]:
    """Read PostgreSQL's binary form of an array.

    Examples
    --------
    >>> array_of(bytes.fromhex("00000001 00000000 00000015 00000001 00000001 00000002 0007"))
    array([7], dtype=int16)
    """
    if data is None or len(data) < _HEAD:
        return np.empty(0)
    kind = np.dtype(_KINDS[int.from_bytes(data[8:12], "big")])
    cells = np.frombuffer(data, np.dtype([("length", ">i4"), ("value", kind)]), offset=_HEAD)
    return cells["value"].astype(kind.newbyteorder("="))
