"""Readings as columns, on their way into the store."""

from __future__ import annotations

from dataclasses import dataclass

from hypervision.batch import Bool, Float64, Int8, Int32, Int64
from hypervision.store import copy


@dataclass(frozen=True, slots=True)
class Columns:
    """Observations to be written, sorted by (datastream_id, time_us), each key once; shape (n,) each."""

    datastream_id: Int32
    time_us: Int64
    result: Float64
    quality: Int8
    late: Bool
    received_us: Int64

    def __len__(self) -> int:
        return len(self.datastream_id)

    def take(self, mask: Bool) -> Columns:
        """The rows of a mask."""
        return Columns(
            self.datastream_id[mask],
            self.time_us[mask],
            self.result[mask],
            self.quality[mask],
            self.late[mask],
            self.received_us[mask],
        )

    def binary(self) -> bytes:
        """The bytes of a binary COPY."""
        return copy.observations(
            datastream_id=self.datastream_id,
            time_us=self.time_us,
            result=self.result,
            quality=self.quality,
            late=self.late,
            received_us=self.received_us,
        )
